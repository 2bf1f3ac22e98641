#!/bin/bash
# Certificates of every kind, the log and its proofs, verified by software of other people, with the
# commands and programs that aierase-certificate(5) prints: openssl, @sigstore/verify, the note and
# tlog packages of Go, securesystemslib.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
HERE=$SOURCE/tests/strangers
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator

# recipe NAME: what stands between BEGIN NAME and END NAME on the page, as its reader sees it.
mandoc -Tascii "$SOURCE/man/aierase-certificate.5" | sed "s/.$(printf '\010')//g" >"$DIR/page"
recipe() {
  awk -v name="$1" '
    $0 ~ "(#|//) BEGIN " name "$" { match($0, /^ */); indent = RLENGTH; on = 1 }
    on { print substr($0, indent + 1) }
    $0 ~ "(#|//) END " name "$" { on = 0 }' "$DIR/page"
}

mkdir "$DIR/m"
head -c 100000 /dev/urandom >"$DIR/m/model.safetensors"
printf '{"temperature":0.7}' >"$DIR/m/config.json"
for kind in model adapter checkpoint embedding-index configuration; do
  a import "strangers/$kind:1" "$DIR/m" --kind $kind >/dev/null || exit 1
done
a import strangers/dataset-key:1 --kind dataset-key --generate >/dev/null || exit 1
KINDS="model adapter checkpoint embedding-index configuration dataset-key"

erase() {
  local plan
  plan=$(a -q retire "$1" --now --reason "tested by strangers") && a approve "$plan" >/dev/null &&
    a wait "${plan%@*}" --for erased >/dev/null
}
first=yes
for kind in $KINDS; do
  check "erasure of a $kind" erase "strangers/$kind:1"
  # New keys in between: what was signed before and after is verified by one keyring.
  [ $first = no ] || check "rotation" a certificate trust "$DIR/trust" --rotate
  [ $first = no ] || check "an early checkpoint" a log checkpoint "$DIR/early"
  first=no
  check "export of its certificate" a certificate export "strangers/$kind:1" "$DIR/$kind.json"
done
REFUSED=$(a -q import strangers/kept:1 "$DIR/m")
REFUSED=$(a -q retire "$REFUSED" --reason "tested by strangers")
check "a plan is taken back" a cancel "${REFUSED%@*}"
check "export of its record" a certificate export "${REFUSED%@*}" "$DIR/refusal.json"
AMENDED=$(a --json show strangers/model:1 | json 'd["asset"]["certificate"]')
printf 'The tapes were burnt.\n' >"$DIR/tapes.txt"
check "a verdict" a validate "$AMENDED" accept --reason "tested by strangers"
check "evidence" a certificate amend "$AMENDED" --evidence "$DIR/tapes.txt" --media-type text/plain \
  --closes plaintext-elsewhere --reason "tested by strangers"
check "export with both" a certificate export "$AMENDED" "$DIR/amended.json"
cp "$DIR/amended.json.amendment-1" "$DIR/verdict.json"
cp "$DIR/amended.json.amendment-1.tlog-proof" "$DIR/verdict.json.tlog-proof"
cp "$DIR/amended.json.amendment-2" "$DIR/evidence.json"
cp "$DIR/amended.json.amendment-2.tlog-proof" "$DIR/evidence.json.tlog-proof"
check "a late checkpoint, with the proof from the early one" \
  a log checkpoint "$DIR/late" --from "$DIR/early"
check "trust" a certificate trust "$DIR/trust"
KEYRING=$(echo "$DIR"/trust/*.keyring.json)
ROOT=$(echo "$DIR"/trust/*.trusted_root.json)
PEM=$(echo "$DIR"/trust/*.pem)

for kind in $KINDS; do
  check "our own word on the $kind" "$AIERASE" verify "$DIR/$kind.json" "$DIR/$kind.json.tlog-proof" \
    --trust "$DIR/trust"
done
"$AIERASE" verify "$DIR/refusal.json" --trust "$DIR/trust" >/dev/null
equal "our own word on the refusal" $? 9
check "our own word on the log" "$AIERASE" verify "$DIR/store/log" "$DIR/late" "$DIR/model.json" \
  --trust "$DIR/trust" --from "$DIR/early"

contains "our own word on what was amended" \
  "$("$AIERASE" verify "$DIR/amended.json" --trust "$DIR/trust")" "2 amendments, in order"

echo "--- openssl"
for kind in adapter dataset-key configuration refusal verdict evidence; do
  check "openssl on the $kind" sh "$SOURCE/tests/cli/openssl_recipe_test.sh" \
    "$SOURCE/man/aierase-certificate.5" "$DIR/$kind.json" "$PEM"
done

echo "--- @sigstore/verify"
mkdir "$DIR/sigstore"
cp "$HERE/sigstore/package.json" "$HERE/sigstore/package-lock.json" "$HERE/sigstore/mutate.js" \
  "$DIR/sigstore"
check "npm ci" npm ci --prefix "$DIR/sigstore" --ignore-scripts --no-audit --no-fund
recipe "verify with sigstore" >"$DIR/sigstore/verify.js"
for kind in $KINDS refusal verdict evidence; do
  check "sigstore on the $kind" node "$DIR/sigstore/verify.js" "$DIR/$kind.json" "$KEYRING" "$ROOT"
done
check "sigstore on whatever was changed" \
  node "$DIR/sigstore/mutate.js" "$DIR/dataset-key.json" "$KEYRING" "$ROOT"
check "sigstore on an amendment that was changed" \
  node "$DIR/sigstore/mutate.js" "$DIR/evidence.json" "$KEYRING" "$ROOT"

echo "--- Go: note and tlog"
mkdir "$DIR/go"
recipe "verify with go" >"$DIR/go/log.go"
check "go build" env GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$DIR/go/cache" GOFLAGS= \
  go build -o "$DIR/go/log" "$DIR/go/log.go"
OLD_KEY=$(json '[k["verifier_key"] for k in d["keys"] if k["purpose"] == "log"][0]' <"$KEYRING")
NEW_KEY=$(json '[k["verifier_key"] for k in d["keys"] if k["purpose"] == "log"][-1]' <"$KEYRING")
check "go on the first certificate" "$DIR/go/log" "$OLD_KEY" "$DIR/model.json.tlog-proof"
for kind in adapter checkpoint embedding-index configuration dataset-key refusal verdict evidence; do
  check "go on the $kind" "$DIR/go/log" "$NEW_KEY" "$DIR/$kind.json.tlog-proof"
done
KEYS=$(json '",".join(k["verifier_key"] for k in d["keys"] if k["purpose"] == "log")' <"$KEYRING")
check "go on the consistency" "$DIR/go/log" "$KEYS" "$DIR/early" "$DIR/late"
awk 'NR == 2 { print "'"$(head -c 32 /dev/zero | base64)"'"; next } { print }' "$DIR/late" \
  >"$DIR/late.changed"
check "go refuses a changed proof" bash -c "! '$DIR/go/log' '$KEYS' '$DIR/early' '$DIR/late.changed'"
check "go refuses the key before" bash -c "! '$DIR/go/log' '$OLD_KEY' '$DIR/adapter.json.tlog-proof'"

echo "--- time stamps of openssl"
check "a request" a certificate export strangers/adapter:1 "$DIR/stamp.tsq" --format timestamp-request
cat >"$DIR/tsa.cnf" <<CONFIG
[tsa]
default_tsa = other
[other]
serial = $DIR/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
ess_cert_id_alg = sha256
CONFIG
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -keyout "$DIR/$1.key" -out "$DIR/$1.pem" -subj "/CN=$1" \
    -addext "extendedKeyUsage=critical,timeStamping" 2>/dev/null
}
authority other && authority stranger || exit 1
echo 01 >"$DIR/serial"
check "an answer" openssl ts -reply -config "$DIR/tsa.cnf" -queryfile "$DIR/stamp.tsq" \
  -signer "$DIR/other.pem" -inkey "$DIR/other.key" -out "$DIR/stamp.tsr"
check "the answer goes into the certificate" \
  a certificate export strangers/adapter:1 "$DIR/stamped.json" --timestamp "$DIR/stamp.tsr"
refused 6 'something else' \
  a certificate export strangers/checkpoint:1 "$DIR/not.json" --timestamp "$DIR/stamp.tsr"
check "nothing is written of it" test ! -e "$DIR/not.json"
contains "it is told where no authority is trusted" \
  "$("$AIERASE" verify "$DIR/stamped.json" --trust "$DIR/trust")" "no authority of time stamps"
cp -r "$DIR/trust" "$DIR/trust2"
cp "$DIR/other.pem" "$DIR/trust2/other.tsa.pem"
contains "it holds under its authority" \
  "$("$AIERASE" --json verify "$DIR/stamped.json" --trust "$DIR/trust2" |
    json '[c["result"] for c in d["checks"] if c["name"] == "timestamp"]')" "passed"
cp "$DIR/stranger.pem" "$DIR/trust2/other.tsa.pem"
contains "under another it is not called good, and not wrong either" \
  "$("$AIERASE" --json verify "$DIR/stamped.json" --trust "$DIR/trust2" |
    json '[c["result"] for c in d["checks"] if c["name"] == "timestamp"]')" "not_checked"
head -3 "$DIR/other.pem" >"$DIR/trust2/other.tsa.pem"
refused 6 'time stamping authority' "$AIERASE" verify "$DIR/stamped.json" --trust "$DIR/trust2"
mkdir "$DIR/openssl"
json 'd["dsseEnvelope"]["signatures"][0]["sig"]' <"$DIR/stamped.json" |
  openssl base64 -d -A >"$DIR/openssl/signature.bin"
cp "$DIR/stamp.tsr" "$DIR/openssl"
cp "$DIR/other.pem" "$DIR/openssl/tsa.pem"
recipe "verify a time stamp with openssl" >"$DIR/openssl/recipe.sh"
check "openssl says so, too" bash -c "cd '$DIR/openssl' && sh -eu recipe.sh"

echo "--- securesystemslib"
recipe "verify with securesystemslib" >"$DIR/verify.py"
for kind in $KINDS refusal verdict evidence; do
  check "securesystemslib on the $kind" /usr/bin/python3 "$DIR/verify.py" "$DIR/$kind.json" "$KEYRING"
done
sed 's/"sig": *"..../"sig":"AAAA/' "$DIR/model.json" >"$DIR/changed.json"
check "securesystemslib refuses a changed signature" \
  bash -c "! /usr/bin/python3 '$DIR/verify.py' '$DIR/changed.json' '$KEYRING'"

finish
