#!/bin/bash
# The main job by the program alone, in a single-operator store of the current user.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon

refused 15 '' a list
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
contains "init says that there is no recovery" "$(cat "$DIR/out")" 'Recovery: none'
contains "init says what is protected at rest" "$(cat "$DIR/out")" 'NOT protected'
contains "init prints the signer" "$(cat "$DIR/out")" 'SHA256:'
refused 6 '' a init --root-slot "file:$DIR/slot/slot" --single-operator
check "status" a status
equal "status as JSON" "$(a --json status | json 'd["schema"], d["state"]')" \
  "aierase/status/v1 open"
check "doctor" a doctor
check "doctor as JSON" a --json doctor

mkdir -p "$DIR/m/sub"
head -c 3000000 /dev/urandom >"$DIR/m/model-00001.safetensors"
head -c 12345678 /dev/urandom >"$DIR/m/model-00002.safetensors"
printf '{"a":1}' >"$DIR/m/config.json"
: >"$DIR/m/sub/empty"
(cd "$DIR/m" && find . -type f -printf '%P\n' | sort | xargs sha256sum) >"$DIR/sums"

check "import of a directory" a import acme/llama:1 "$DIR/m" --label project=gauss
contains "import says what plaintext remains" "$(cat "$DIR/out")" "$DIR/m: 4 files"
a --json show acme/llama:1 >"$DIR/show.json"
json '"\n".join(f["sha256"]+"  "+f["name"] for f in sorted(d["asset"]["files"],key=lambda f:f["name"]))' \
  <"$DIR/show.json" >"$DIR/told"
equal "digests and names are those of sha256sum" "$(LC_ALL=C sort "$DIR/told")" "$(LC_ALL=C sort "$DIR/sums")"
equal "the manifest digest is that of the sums" \
  "$(json 'd["asset"]["manifest_sha256"]' <"$DIR/show.json")" \
  "$(LC_ALL=C sort -k2 "$DIR/sums" | sha256sum | cut -d' ' -f1)"
ASSET=$(json 'd["asset"]["id"]' <"$DIR/show.json")
BLOBS=$(find "$DIR/store/blobs" -type f | wc -l)
equal "the same content again is the same asset" \
  "$(a --json import acme/llama:1 "$DIR/m" | json 'd["created"], d["asset"]["id"]')" "False $ASSET"
refused 6 '' a import acme/llama:1 "$DIR/m/config.json"
refused 6 'no asset changes its kind' a import acme/llama:1 "$DIR/m" --kind checkpoint
check "again, with a label and a lineage" a import acme/llama:1 "$DIR/m" --label late=yes --supersedes acme/llama:1
contains "tells what it did not record" "$(cat "$DIR/err")" 'not recorded: --label; aierase set'
contains "and what nobody can record later" "$(cat "$DIR/err")" 'not recorded: --supersedes; the first import'
many() { a set acme/llama:1 --reason x $(printf -- '--custodian u%s ' $(seq 17)); }
refused 2 'more than 16' many
equal "what came in vain leaves nothing" "$(find "$DIR/store/blobs" -type f | wc -l)" "$BLOBS"
check "show" a show "${ASSET:0:10}"
check "show by name" a show acme/llama:1
check "list" a list
equal "list -q" "$(a list -q)" "$ASSET"
equal "list --match" "$(a list -q --match label.project=gauss --match kind=model)" "$ASSET"
equal "list --match of nothing" "$(a list -q --match state=erased)" ""
equal "list --match of what was just imported" "$(a list -q --match 'unused-for=1 day')" ""
equal "list --match of what no policy makes due" "$(a list -q --match due-before=2099-01-01)" ""
refused 2 'never means everything' a check --match kind=adapter
refused 2 'instead of naming' a check acme/llama:1 --match kind=model
refused 2 'a number and a word' a list --match unused-for=90d
refused 2 'neither a day nor a time' a retire --match due-before=tomorrow --reason end
equal "list --json-lines" "$(a list --json-lines | json 'd["asset"]["id"]')" "$ASSET"
refused 4 '' a show no-such-thing

check "export" a export acme/llama:1 "$DIR/out1"
check "what comes out is what went in" diff -r "$DIR/m" "$DIR/out1"
refused 6 'exists' a export acme/llama:1 "$DIR/out1"
equal "export of one file to standard output" "$(a export acme/llama:1 --file config.json 2>/dev/null)" '{"a":1}'
a export acme/llama:1 - --file model-00001.safetensors --range 1000-1999 2>/dev/null >"$DIR/range"
check "export of a range" cmp "$DIR/range" <(tail -c +1001 "$DIR/m/model-00001.safetensors" | head -c 1000)
refused 2 'only one fits' a export acme/llama:1
refused 2 'needs --file' a export acme/llama:1 --range 0-9
refused 4 'no file' a export acme/llama:1 --file nothing "$DIR/x"
mkdir "$DIR/untar"
a export acme/llama:1 --tar 2>/dev/null | tar -x -C "$DIR/untar"
check "export as an archive" diff -r "$DIR/m" "$DIR/untar"

check "import of an archive" bash -c "tar -c -C '$DIR/m' . | '$AIERASE' --bus '$BUS' import acme/tar:1 - --tar"
equal "an archive gives the same manifest" \
  "$(a --json show acme/tar:1 | json 'd["asset"]["manifest_sha256"]')" \
  "$(json 'd["asset"]["manifest_sha256"]' <"$DIR/show.json")"
tar -czf "$ON_DISK/m.tgz" -C "$DIR/m" .
check "import of a packed archive on disk" a import acme/tgz:1 "$ON_DISK/m.tgz" --tar
equal "an archive on disk is retrofitted" \
  "$(a --json show acme/tgz:1 | json 'd["asset"]["source_history"]')" retrofitted
check "import of a stream" bash -c "cat '$DIR/m/config.json' | '$AIERASE' --bus '$BUS' import acme/stream:1 -"
refused 2 'range and --tar' timeout -k 1 20 "$AIERASE" --bus "$BUS" export acme/stream:1 --tar --range 0-0
refused 2 'not "5-"' a export acme/stream:1 --range 5-
equal "a stream is one file called stdin" "$(a --json show acme/stream:1 | json 'd["asset"]["files"][0]["name"]')" stdin

mkdir -p "$DIR/hub/blobs" "$DIR/hub/snapshots/1"
cp "$DIR/m/model-00001.safetensors" "$DIR/hub/blobs/b1"
ln -s ../../blobs/b1 "$DIR/hub/snapshots/1/model.safetensors"
check "import of a hub cache, removing it" a import acme/hub:1 "$DIR/hub/snapshots/1" --remove-source
contains "what the link led to is named" "$(cat "$DIR/out")" "$DIR/hub/blobs"
check "what the link led to is there" test -e "$DIR/hub/blobs/b1"
check "the link is gone" test ! -e "$DIR/hub/snapshots/1/model.safetensors"
cp -r "$DIR/m" "$DIR/m2"
check "import of files, removing them" a import acme/removed:1 "$DIR/m2" --remove-source
equal "nothing is left of them" "$(find "$DIR/m2" -type f)" ""
contains "the store knows" "$(a show acme/removed:1)" "removed 20"

check "a generated key" a import acme/key:1 --kind dataset-key --generate
a export acme/key:1 2>/dev/null >"$DIR/key"
equal "has 32 bytes" "$(stat -c %s "$DIR/key")" 32
check "goes to a file" a export acme/key:1 "$DIR/key2"
check "and is the same" cmp "$DIR/key" "$DIR/key2"
contains "the export is recorded" "$(a show acme/key:1)" "key-release"
equal "no digest of it is anywhere" "$(a --json show acme/key:1 | grep -c "$(sha256sum <"$DIR/key" | cut -c1-16)")" 0
script -qec "'$AIERASE' --bus '$BUS' export acme/key:1" /dev/null >"$DIR/out" 2>&1
equal "key bytes are not written to a terminal" $? 2

check "set" a set acme/llama:1 --label stage=old --label project- --reason "tidy"
equal "what was changed is told" "$(a --json show acme/llama:1 |
  json '[(e["from"], e["to"]) for e in d["asset"]["events"] if e["action"] == "set"]')" \
  "[('label.stage=; label.project=gauss', 'label.stage=old; label.project=')]"
equal "labels are as set" "$(a --json show acme/llama:1 | json 'd["asset"]["labels"]')" "{'stage': 'old'}"
check "suspend" a suspend acme/llama:1 --reason "look at it"
refused 6 '' a export acme/llama:1 "$DIR/out9"
check "a refused export leaves no directory" test ! -e "$DIR/out9"
check "resume" a resume acme/llama:1

check "dry run" a retire acme/llama:1 --reason "licence ended" --dry-run
equal "a dry run makes no plan" "$(a list plans -q)" ""
refused 6 'no plan names it' a wait acme/llama:1 --for erased --timeout 0s
PLAN=$(a -q retire acme/llama:1 --reason "licence ended" --ticket OPS-1)
contains "retire -q prints what approve takes" "$PLAN" '^p-[a-z2-7]*@[0-9a-f]*$'
check "show of a plan" a show "${PLAN%@*}"
contains "a plan says who acts next" "$(cat "$DIR/out")" 'aierase approve'
refused 9 'still missing' a wait "${PLAN%@*}" --for approved --timeout 0s
refused 10 '' a approve "${PLAN%@*}@000000000000"
check "cancel" a cancel "${PLAN%@*}"
CANCELLED=${PLAN%@*}
contains "and where its record is" "$(cat "$DIR/out")" 'aierase certificate export p-'
refused 9 'cancelled' a wait "${PLAN%@*}" --for erased
PLAN=$(a -q retire acme/llama:1 --reason "again")
refused 4 'no record' a certificate export "${PLAN%@*}" "$DIR/none.json"
check "reject" a reject "${PLAN%@*}" --reason "not yet"
contains "whose reason show tells" "$(a show "${PLAN%@*}")" "not yet"
contains "and what became of its items" "$(a show "${PLAN%@*}")" "left alone"
REJECTED=${PLAN%@*}
contains "and where its record is" "$(cat "$DIR/out")" 'aierase certificate export p-'
refused 9 'rejected' a wait "${PLAN%@*}" --for erased
PLAN=$(echo acme/llama:1 | a -q retire - --now --reason "licence ended")
check "approve" a approve "$PLAN"
contains "approve prints the outcome" "$(cat "$DIR/out")" 'for good'
check "wait for what is done" a wait "${PLAN%@*}" --for final
DONE=${PLAN%@*}
check "wait for the asset" a wait "$ASSET" --for erased
refused 11 'erased' a export acme/llama:1 "$DIR/out9"
refused 11 '' a suspend acme/llama:1
refused 11 '' a set acme/llama:1 --label a=b --reason x
refused 11 '' a retire acme/llama:1 --reason x
check "the erased asset is shown" a show acme/llama:1

CERTIFICATE=$(a list certificates -q)
check "a base" a import acme/base:1 "$DIR/m/config.json"
check "and what was made from it" a import acme/derived:1 "$DIR/m" --derived-from acme/base:1
refused 8 'acme/base:1 is blocked' a retire acme/base:1 --reason "has a dependant"
a retire acme/base:1 --reason "has a dependant" --dry-run >"$DIR/out" 2>&1
equal "a dry run of what is blocked has the same exit code" $? 8
contains "and says why" "$(cat "$DIR/out")" 'acme/derived:1'
contains "and that there would be no plan" "$(cat "$DIR/out")" 'none would be: 1 item is blocked\.$'
a retire acme/base:1 acme/tgz:1 --reason "one of two" --dry-run >"$DIR/out" 2>&1
equal "the same where others are free" $? 8
contains "and how those go" "$(cat "$DIR/out")" 'none would be.*--skip-blocked plans the others'
a retire acme/base:1 acme/tgz:1 --reason "one of two" --skip-blocked --dry-run >"$DIR/out" 2>&1
equal "a dry run without what is blocked" $? 0
contains "counts what is left" "$(cat "$DIR/out")" '1 item would be in it'
a retire acme/base:1 --reason "nothing left" --skip-blocked --dry-run >"$DIR/out" 2>&1
equal "where nothing is left it has the exit code of the real one" $? 8
refused 8 'every asset named is blocked' a retire acme/base:1 --reason "nothing left" --skip-blocked
check "a dependant may stay" a -q retire acme/base:1 --reason "kept" --keep "acme/derived:1=another licence"
check "that plan is taken back" a cancel "$(head -1 "$DIR/out" | cut -d@ -f1)"
check "or go along" a -q retire acme/base:1 --reason "all" --cascade
equal "with one plan for both" "$(a --json show "$(cut -d@ -f1 <"$DIR/out")" | json 'len(d["plan"]["items"])')" 2
check "certificate export" a certificate export "$CERTIFICATE" "$DIR/c.json"
refused 6 'exists' a certificate export "$CERTIFICATE" "$DIR/c.json"
check "certificate export of the asset" a certificate export "$ASSET" "$DIR/c2.json"
check "is the same" cmp "$DIR/c.json" "$DIR/c2.json"
check "certificate as text" a certificate export "$CERTIFICATE" "$DIR/c.txt" --format text
check "certificate to standard output" a certificate export "$CERTIFICATE" -
check "certificate trust" a certificate trust "$DIR/trust"
check "certificate trust again" a certificate trust "$DIR/trust"
refused 4 'has no certificate' a certificate export acme/tar:1 "$DIR/none.json"
refused 4 'no record.*done' a certificate export "$DONE" "$DIR/none.json"
contains "show names the record of a refusal" "$(a show "$REJECTED")" 'that nothing was erased, signed'
equal "and in JSON" "$(a --json show "$REJECTED" | json '"%(state)s %(outcome)s" % d["plan"]["record"]')" \
  "signed rejected"
check "export of the record" a certificate export "$REJECTED" "$DIR/$REJECTED.json"
check "and of what was cancelled" a certificate export "$CANCELLED" "$DIR/$CANCELLED.json"
check "as a page" a certificate export "$REJECTED" "$DIR/rejected.html" --format html
contains "which says first that it is none" "$(cat "$DIR/rejected.html")" '<p class="kind">No certificate:'
check "as text" a certificate export "$REJECTED" "$DIR/refusal.txt" --format text
contains "with its title" "$(head -1 "$DIR/refusal.txt")" '^RECORD THAT NOTHING WAS ERASED'
contains "and its reason" "$(cat "$DIR/refusal.txt")" 'not yet'

stop_daemon
check "verify, without daemon" "$AIERASE" verify "$DIR/c.json" --trust "$DIR/trust"
for plan in "$CANCELLED" "$REJECTED"; do
  "$AIERASE" verify "$DIR/$plan.json" --trust "$DIR/trust" >"$DIR/out" 2>&1
  equal "its exit status tells how the plan ended" $? 9
  contains "its first line tells that it is no certificate" "$(head -1 "$DIR/out")" \
    'verified as a record that NOTHING WAS ERASED'
  contains "it is in the log" "$(cat "$DIR/out")" 'log *passed'
done
"$AIERASE" --json verify "$DIR/c.json" "$DIR/$REJECTED.json" --trust "$DIR/trust" >"$DIR/v.json"
equal "also beside a certificate" $? 9
equal "in JSON" "$(json '"%s %s %s" % (d["verified"], d["files"][1]["record"], d["files"][1]["outcome"])' \
  <"$DIR/v.json")" "True refusal rejected"
equal "a certificate has no such word" "$(json '"record" in d["files"][0]' <"$DIR/v.json")" False
sed 's/"hashes":\["...../"hashes":["AAAAA/' "$DIR/$REJECTED.json" >"$DIR/bent.json"
"$AIERASE" verify "$DIR/bent.json" --trust "$DIR/trust" >"$DIR/out" 2>&1
equal "where it does not hold, that comes first" $? 12
contains "and nothing is said of it" "$(head -1 "$DIR/out")" 'NOT verified'
"$AIERASE" --json verify "$DIR/c.json" --trust "$DIR/trust" >"$DIR/v.json"
equal "verify as JSON" "$(json 'd["verified"], d["schema"]' <"$DIR/v.json")" "True aierase/verify/v1"
mkdir "$DIR/nobody"
mkdir "$DIR/nobody"
"$AIERASE" verify "$DIR/c.json" --trust "$DIR/nobody" >"$DIR/out" 2>&1
equal "an unknown signer is exit 12" $? 12
contains "and is said to be unknown" "$(cat "$DIR/out")" 'UNKNOWN'
sed 's/"payload":"..../"payload":"AAAA/' "$DIR/c.json" >"$DIR/bad.json"
"$AIERASE" verify "$DIR/bad.json" --trust "$DIR/trust" >"$DIR/out" 2>&1
equal "a changed certificate is exit 12" $? 12
refused 3 '' a status

start_daemon
refused 11 'erased' a export acme/llama:1 "$DIR/out9"
CERT=$(a list certificates -q | head -1)
equal "an outcome awaits its validation" "$(a --json show "$CERT" | json 'd["certificate"]["validation"]')" awaiting
refused 2 'needs --reason' a validate "$CERT" reject
refused 2 'not validated by' a validate "$CERT" maybe
refused 2 'for plans and certificates' a validate acme/llama:1 accept
refused 4 '' a validate c-aaaaaaaaaaaaaaaaaaaaaaaaaa accept
check "escalated" a validate "$CERT" escalate --reason "a copy is on a laptop" --remedy "return the laptop"
contains "with its remedy" "$(a show "$CERT")" 'return the laptop'
check "and accepted after it was remedied" a validate "$CERT" accept --reason "the laptop is gone"
equal "the certificate says so" "$(a --json show "$CERT" | json 'd["certificate"]["validation"], len(d["certificate"]["validations"])')" "accepted 2"
refused 6 'accepted already' a validate "$CERT" accept
refused 2 'needs --evidence or --erased-again' a certificate amend "$CERT" --reason "why"
refused 2 'needs --reason' a certificate amend "$CERT" --evidence "$DIR/c.txt"
refused 6 'no regular file' timeout -k 1 20 "$AIERASE" --bus "$BUS" certificate amend "$CERT" --evidence /dev/zero --reason "why"
refused 2 'is no certificate' a certificate amend acme/llama:1 --evidence "$DIR/c.txt" --reason "why"
refused 2 'no residual' a certificate amend "$CERT" --evidence "$DIR/c.txt" --reason "why" --closes nothing
refused 6 'is not later than' a certificate amend "$CERT" --erased-again "$CERT" --reason "again"
printf 'burnt\n' >"$DIR/tapes.txt"
check "evidence closes a residual" a certificate amend "$CERT" --evidence "$DIR/tapes.txt" \
  --media-type text/plain --closes plaintext-elsewhere --reason "the tapes are gone"
contains "and says where it stands" "$(cat "$DIR/out")" 'Amendment 3 of c-'
contains "show has it" "$(a show "$CERT")" 'tapes.txt'
equal "by its digest" "$(a --json show "$CERT" | json 'd["certificate"]["amendments"][2]["residuals_open"].count("plaintext-elsewhere")')" 0
check "all is exported" a certificate export "$CERT" "$DIR/amended.json"
check "with a proof each" test -e "$DIR/amended.json.amendment-3.tlog-proof"
equal "the certificate is the same" "$(json 'd["dsseEnvelope"]' <"$DIR/amended.json")" \
  "$(a certificate export "$CERT" - | json 'd["dsseEnvelope"]')"
contains "its signed bytes name the file" "$(json 'd["dsseEnvelope"]["payload"]' \
  <"$DIR/amended.json.amendment-3" | base64 -d)" "$(sha256sum <"$DIR/tapes.txt" | cut -d' ' -f1)"
check "it is a page for people" a certificate export "$CERT" "$DIR/amended.html" --format html
equal "with all three" "$(grep -c 'class="amendment"' "$DIR/amended.html")" 3
check "and a text" a certificate export "$CERT" "$DIR/amended.txt" --format text
equal "with all three" "$(grep -c '^AMENDMENT [123] OF' "$DIR/amended.txt")" 3
VERIFY="$AIERASE verify --trust $DIR/trust"
$VERIFY "$DIR/amended.json" >"$DIR/out"
equal "verify takes what lies beside it" $? 0
contains "and tells where it stands" "$(head -1 "$DIR/out")" 'verified, and amended: accepted, partial'
$VERIFY "$DIR/amended.json.amendment-2" >"$DIR/out"
contains "an amendment alone is no certificate" "$(head -1 "$DIR/out")" 'as an amendment, which is no certificate$'
mkdir "$DIR/alone" && cp "$DIR/amended.json" "$DIR/alone"
contains "a certificate alone is not the last word" "$($VERIFY "$DIR/alone/amended.json")" 'amendments *not'
equal "in JSON neither" "$("$AIERASE" --json verify --trust "$DIR/trust" "$DIR/alone/amended.json" |
  json '[c["result"] for c in d["checks"] if c["name"] == "amendments"]')" "['not_checked']"
mkdir "$DIR/bent" && cp "$DIR"/amended.json* "$DIR/bent"
echo '{}' >"$DIR/bent/amended.json.amendment-2"
$VERIFY "$DIR/bent/amended.json" >"$DIR/out"
equal "an amendment that does not hold: exit status" $? 12
contains "takes the verdict from the certificate" "$(head -1 "$DIR/out")" 'amended.json: verified$'
contains "and says why" "$(cat "$DIR/out")" 'Where it stands is not known'
rm "$DIR/amended.json.amendment-2"
$VERIFY "$DIR/amended.json" >"$DIR/out"
equal "one that is missing in between is exit 12" $? 12
contains "and named" "$(cat "$DIR/out")" 'amendment 2 is missing'
check "an archive has them" a certificate bundle "$DIR/amended.tar"
contains "and holds" "$($VERIFY "$DIR/amended.tar")" '3 amendments of certificates hold'
equal "and counts them" "$("$AIERASE" --json verify --trust "$DIR/trust" "$DIR/amended.tar" |
  json 'd["sections"][0]["amendments"]')" 3
check "check" a check
check "check --deep" a check --deep
check "check of one asset" a check acme/tar:1

# The disk of the blobs is missing while a model is erased: its key goes, and nothing says more.
head -c 70000 /dev/urandom >"$DIR/away.bin"
check "import of one more" a import acme/away:1 "$DIR/away.bin"
BLOBS=$(find "$DIR/store/blobs" -type f | wc -l)
mv "$DIR/store/blobs" "$DIR/away" && mkdir -m 700 "$DIR/store/blobs"
check "its erasure" a approve "$(a -q retire acme/away:1 --now --reason "disk lost")"
told_of_the_rest() { a doctor | grep -q "could not be removed: there is no folder $DIR/store/blobs"; }
check "doctor tells of ciphertext that it did not see go" until_so told_of_the_rest
equal "and it is still there" "$(find "$DIR/away" -type f | wc -l)" "$BLOBS"
rmdir "$DIR/store/blobs" && mv "$DIR/away" "$DIR/store/blobs"
stop_daemon
start_daemon
went() { [ "$(find "$DIR/store/blobs" -type f | wc -l)" -lt "$BLOBS" ]; }
check "with its disk it goes" until_so went
forgotten() { ! a doctor | grep -q 'could not be removed'; }
check "and doctor has nothing to say of it" until_so forgotten
check "check of what is left" a check
finish
