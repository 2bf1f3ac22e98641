#!/bin/bash
# The log and what proves it, as an officer and an auditor use them: heads that are kept, proofs,
# rotated and revoked keys, and what is said of each certificate that is not as it should be.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
head -c 50000 /dev/urandom >"$DIR/weights"
for name in one two three; do
  a import "acme/$name:1" "$DIR/weights" >/dev/null || exit 1
done
erase() {
  local plan
  plan=$(a -q retire "acme/$1:1" --now --reason "over") && a approve "$plan" >/dev/null &&
    a wait "${plan%@*}" --for erased >/dev/null
}
V="$AIERASE verify"
# told PATTERN FILE... : exit 12, and the sentence of the failed check.
told() {
  local pattern=$1
  shift
  CHECKED=$((CHECKED + 1))
  $V "$@" >"$DIR/out" 2>"$DIR/err"
  if [ $? -eq 12 ] && grep -q FAILED "$DIR/out" && tr '\n' ' ' <"$DIR/out" | tr -s ' ' | grep -q "$pattern"; then
    echo "ok   told: $pattern"
  else
    echo "FAIL not told: $pattern"
    sed 's/^/     /' "$DIR/out" "$DIR/err" | head -20
    FAILED=$((FAILED + 1))
  fi
}
change() {  # change FILE EXPRESSION: d is the bundle
  python3 -c "import json,sys
d = json.load(open(sys.argv[1])); e = d['verificationMaterial']['tlogEntries']
exec(sys.argv[2])
json.dump(d, open(sys.argv[1] + '.changed', 'w'))" "$1" "$2"
}

check "a head before anything was erased" a log checkpoint "$DIR/first"
refused 6 'exists' a log checkpoint "$DIR/first"
contains "it is a signed note of this store" "$(sed -n 1p "$DIR/first")" '^aierase.org/log/[0-9a-f]\{32\}$'
equal "to standard output it is the same" "$(a log checkpoint)" "$(cat "$DIR/first")"
check "erasure" erase one
check "certificate" a certificate export acme/one:1 "$DIR/one.json"
check "with its proof beside it" test -s "$DIR/one.json.tlog-proof"
refused 6 'exists' a certificate export acme/one:1 "$DIR/one.json"
equal "the daemon published it by itself" "$(stat -c %a "$DIR/store/log/checkpoint" "$DIR/store/log" | tr '\n' ' ')" "644 755 "
check "trust" a certificate trust "$DIR/trust"
check "trust once more changes nothing" a certificate trust "$DIR/trust"
check "verified, with the proof" $V "$DIR/one.json" "$DIR/one.json.tlog-proof" --trust "$DIR/trust"
check "the log is whole" $V "$DIR/store/log" --trust "$DIR/trust"
a certificate export acme/one:1 - >"$DIR/again.json"
check "the same certificate has the same bytes" cmp "$DIR/one.json" "$DIR/again.json"

check "rotation" a certificate trust "$DIR/trust" --rotate
contains "a monitor counts it" "$(a status --openmetrics)" '^aierase_key_rotations_total 1$'
check "erasure under the new keys" erase two
check "its certificate" a certificate export acme/two:1 "$DIR/two.json"
check "a head with its proof" a log checkpoint "$DIR/later" --from "$DIR/first"
check "of one history" $V "$DIR/later" "$DIR/one.json" "$DIR/two.json" "$DIR/store/log" \
  --trust "$DIR/trust" --from "$DIR/first"
contains "old and new certificates are verified by one keyring" \
  "$($V "$DIR/one.json" "$DIR/two.json" --trust "$DIR/trust" | grep -c ': verified')" 2
contains "as text, the old one too" "$(a certificate export acme/one:1 - --format text)" SIGNATURE
stop_daemon
start_daemon
a certificate export acme/one:1 - >"$DIR/again.json"
check "and has the same bytes after a restart" cmp "$DIR/one.json" "$DIR/again.json"

echo "--- what is said of what is not as it should be"
mkdir "$DIR/nobody"
$V "$DIR/one.json" --trust "$DIR/nobody" >"$DIR/out" 2>&1
equal "nobody is trusted" $? 12
contains "the signer is unknown" "$(cat "$DIR/out")" 'UNKNOWN'
$V "$DIR/one.json" --trust "$DIR/misspelt" >"$DIR/out" 2>&1
equal "a directory of keys that is not there" $? 4
contains "is named" "$(cat "$DIR/out")" 'no directory "'
change "$DIR/one.json" 'e.clear()'
told 'proof is missing' "$DIR/one.json.changed" --trust "$DIR/trust"
change "$DIR/one.json" 'e[0]["inclusionProof"]["hashes"].pop()'
told 'does not lead from leaf' "$DIR/one.json.changed" --trust "$DIR/trust"
change "$DIR/one.json" 'p = e[0]["inclusionProof"]["checkpoint"]; n = p["envelope"].split("\n"); n[1] = "1" + n[1]; p["envelope"] = "\n".join(n)'
told 'of another head than the checkpoint' "$DIR/one.json.changed" --trust "$DIR/trust"
cp -r "$DIR/trust" "$DIR/revoking"
json '"SHA256:" + d["verificationMaterial"]["publicKey"]["hint"] + " stolen in May"' \
  <"$DIR/one.json" >"$DIR/revoking/revoked"
told 'was revoked here' "$DIR/one.json" --trust "$DIR/revoking"
check "the other key still counts" $V "$DIR/two.json" --trust "$DIR/revoking"
echo nonsense >"$DIR/revoking/revoked"
refused 6 'is no fingerprint' $V "$DIR/two.json" --trust "$DIR/revoking"
told 'Not shown' "$DIR/two.json" --trust "$DIR/trust" --from "$DIR/first"
sed 2s/.*/5/ "$DIR/first" >"$DIR/first.changed"
refused 12 'signature of the log does not hold' $V "$DIR/two.json" --trust "$DIR/trust" \
  --from "$DIR/first.changed"
cp -r "$DIR/store/log" "$DIR/copy"
find "$DIR/copy/tile/entries" -type f -exec rm {} +
told 'truncated' "$DIR/copy" --trust "$DIR/trust"

echo "--- a verdict that nobody can sign yet"
stop_daemon
mv "$DIR/slot/signer.key" "$DIR/signer.key"
start_daemon
ONE=$(a --json show acme/one:1 | json 'd["asset"]["certificate"]')
check "is recorded" a validate "$ONE" accept
a certificate export "$ONE" - >"$DIR/again.json" 2>"$DIR/err"
contains "that it waits is told beside standard output" "$(cat "$DIR/err")" 'waits for its signature: accepted'
check "which has the certificate as it was" cmp "$DIR/one.json" "$DIR/again.json"
stop_daemon
mv "$DIR/signer.key" "$DIR/slot/signer.key"
start_daemon
a certificate export "$ONE" - 2>"$DIR/err" >/dev/null
contains "once it is signed it stands beside the certificate" "$(cat "$DIR/err")" 'not in it, 1 amendment:'

echo "--- trust directories"
sed 's/"end_leaf": [0-9]*/"end_leaf": 3/' "$DIR"/trust/*.keyring.json >"$DIR/keyring"
mkdir "$DIR/forged"
cp "$DIR/keyring" "$DIR/forged/x.keyring.json"
refused 6 'rotation does not lead' $V "$DIR/two.json" --trust "$DIR/forged"
STORE_NAME=$(basename "$DIR"/trust/*.keyring.json .keyring.json)
mkdir "$DIR/taken"
openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkey -pubout >"$DIR/taken/$STORE_NAME.pem"
refused 6 'another key' a certificate trust "$DIR/taken"
finish
