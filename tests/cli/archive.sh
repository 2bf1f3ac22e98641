#!/bin/bash
# Archives of evidence as an officer makes them and an auditor checks them: what is in one, that it
# is whole, that nothing of others is in it, and what is said of one that was changed.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
head -c 50000 /dev/urandom >"$DIR/weights"
erase() {
  local plan
  plan=$(a -q retire "$1" --now --reason "over") && a approve "$plan" >/dev/null &&
    a wait "${plan%@*}" --for erased >/dev/null
}
for name in acme/one:1 acme/two:1 other/xyzzy:1 acme/four:1; do
  a import "$name" "$DIR/weights" --label "secret-of=mallory" >/dev/null || exit 1
done
V="$AIERASE verify"
ID='[0-9a-f]\{32\}'

echo "--- everything there is"
check "a policy" a policy load "$SOURCE/policies/retention/experiments.toml" --reason "agreed"
check "erasures" eval 'erase acme/one:1 && erase other/xyzzy:1'
HOLD=$(a -q hold place --matter "case 7" --reason "court" --match name=acme/two:1) || exit 1
check "a hold that is lifted" a hold lift "$HOLD" --reason "settled"
PLAN=$(a -q retire acme/two:1 --reason "perhaps")
check "a plan that is taken back" a cancel "${PLAN%@*}"
check "a custodian's word" a validate "$(a show acme/one:1 --json | json 'd["asset"]["certificate"]')" accept
check "an archive" a certificate bundle "$DIR/all.tar"
check "trust" a certificate trust "$DIR/trust"
check "it is verified" $V "$DIR/all.tar" --trust "$DIR/trust"
contains "integrity and completeness are told apart" "$(tr '\n' ' ' <"$DIR/out")" \
  'INTEGRITY: holds.*COMPLETENESS: holds'
check "the same question has the same bytes" a certificate bundle "$DIR/again.tar"
check "as its answer" cmp "$DIR/all.tar" "$DIR/again.tar"
refused 6 'exists' a certificate bundle "$DIR/all.tar"
refused 2 'cannot be matched by "due-before' a certificate bundle "$DIR/none.tar" --match due-before=2099-01-01
refused 2 'cannot be matched by "unused-for' a certificate bundle "$DIR/none.tar" --match 'unused-for=1 day'
a certificate bundle - >"$DIR/piped.tar"
check "to standard output it is the same" cmp "$DIR/all.tar" "$DIR/piped.tar"
gzip -k "$DIR/all.tar"
refused 2 "as a file, not as a stream" bash -c "'$AIERASE' verify - <'$DIR/all.tar'"
check "packed it is verified, too" $V "$DIR/all.tar.gz" --trust "$DIR/trust"
mkdir "$DIR/nobody"
$V "$DIR/all.tar" --trust "$DIR/nobody" >"$DIR/out" 2>&1
equal "where nobody is trusted the exit status is 12" $? 12
contains "and the signer unknown" "$(cat "$DIR/out")" 'UNKNOWN'
contains "although it holds" "$(cat "$DIR/out")" 'INTEGRITY.*holds'
mkdir "$DIR/t"
tar -xf "$DIR/all.tar" -C "$DIR/t"
SECTION=$(echo "$DIR"/t/*/*-*)
equal "certificates" "$(ls "$SECTION/certificates" | wc -l)" 2
equal "and the refusal" "$(ls "$SECTION/refusals" | wc -l)" 1
contains "the decisions" "$(json 'sorted(r["type"] for r in d["sections"][0]["records"])' \
  <"$DIR/t/index.json")" \
  "'approval', 'approval', 'hold-lifted', 'hold-placed', 'policy-loaded', 'validation'"
check "the policy as it was written" cmp "$SOURCE/policies/retention/experiments.toml" \
  "$(echo "$SECTION"/policies/*/00.toml)"
check "no label of anybody is in it" bash -c "! grep -rq mallory '$DIR/t'"
equal "two erased assets had the same content" "$(json 'len(d["assets"][0]["certificates"])' \
  <"$DIR/t/index.json")" 2
contains "as JSON" "$($AIERASE --json verify "$DIR/all.tar" --trust "$DIR/trust" |
  json '[d["verified"], d["sections"][0]["certificates"], d["sections"][0]["integrity"]["holds"], d["sections"][0]["completeness"]["holds"]]')" \
  '\[True, 2, True, True\]'

contains "one policy is one" "$($V "$DIR/all.tar" --trust "$DIR/trust")" \
  '1 text of a policy is the one that came into force'
contains "and nothing is none" "$($V "$DIR/all.tar" --trust "$DIR/trust")" 'There are no changes of keys'
contains "and for people the store as its key file names it" "$($V "$DIR/all.tar" --trust "$DIR/trust")" \
  "^Store $(a -q status) on "

echo "--- by strangers"
KEYRING=$(echo "$DIR"/trust/*.keyring.json)
for key in $(json '" ".join(k["key_id"] for k in d["keys"])' <"$KEYRING"); do
  contains "the page shows the fingerprint of each key" "$(cat "$DIR/t/index.html")" "SHA256:$key"
  contains "verify does, too" "$($V "$DIR/all.tar" --trust "$DIR/trust")" "SHA256:$key"
done
program() {  # program NAME of a page: what stands between its BEGIN and END
  awk -v name="$1" '
    $0 ~ "BEGIN " name "$" { match($0, /^ */); indent = RLENGTH; on = 1 }
    on { print substr($0, indent + 1) }
    $0 ~ "END " name "$" { on = 0 }'
}
program "verify an archive with python" <"$DIR/t/README" >"$DIR/verify.py"
mandoc -Tascii "$SOURCE/man/aierase-certificate.5" | sed "s/.$(printf '\010')//g" |
  program "verify an archive with python" >"$DIR/page.py"
check "README and manual have the same program" cmp "$DIR/verify.py" "$DIR/page.py"
check "it verifies the section" python3 "$DIR/verify.py" "$SECTION" "$KEYRING"
contains "and counts" "$(cat "$DIR/out")" 'verified: .* 4 signed records, 0 left out'
equal "and names the keys under which it holds" "$(sed -n 's/.*SHA256://p' "$DIR/out" | sort | tr '\n' ' ')" \
  "$(json '" ".join(sorted(k["key_id"] for k in d["keys"])) + " "' <"$KEYRING")"
strangely() {  # strangely PATTERN WHAT COMMAND: the program refuses a section that was changed so
  rm -rf "$DIR/changed"
  cp -r "$SECTION" "$DIR/changed"
  (cd "$DIR/changed" && eval "$3")
  CHECKED=$((CHECKED + 1))
  if python3 "$DIR/verify.py" "$DIR/changed" "${ISSUED:-$KEYRING}" >"$DIR/out" 2>&1 ||
    ! grep -q "$1" "$DIR/out"; then
    echo "FAIL the stranger's program takes $2"
    FAILED=$((FAILED + 1))
    tail -3 "$DIR/out"
  else
    echo "ok   the stranger's program refuses $2"
  fi
}
strangely 'is missing' "a section without a certificate" 'rm "$(ls -d certificates/* | head -1)"'
strangely 'in the log\|signature' "a changed certificate" \
  'f=$(ls -d certificates/* | head -1); sed -i "s/\"payload\":\"..../\"payload\":\"AAAA/" "$f"'
strangely 'json' "a changed decision" \
  'f=$(grep -l case records/* | head -1); sed -i "s/case 7/case 8/" "$f"'
strangely 'the leaves of the section' "a log that was cut" \
  'f=$(ls -d entries/* | tail -1); head -c 20000 /dev/zero >>"$f"; truncate -s 0 "$f"'
strangely 'the texts of the policies' "another text of a policy" 'echo >>policies/*/00.toml'
strangely 'the texts of the policies' "a policy without its text" 'rm policies/*/00.toml'
strangely 'the leaves before' "a subtree that stands before the first leaf" \
  'sed -i "s/\"before\": \[\]/\"before\": [\"AAAA\"]/" section.json'
FORGE="python3 $SOURCE/tests/cli/forge_archive.py"
strangely 'checkpoint is signed by no log of the keyring' "a foreign log key in keyring.json" \
  "$FORGE foreign-log ."
check "which vouches for all of it" \
  python3 "$DIR/verify.py" "$DIR/changed" "$DIR/changed/keyring.json"
ISSUED=$DIR/issued.json strangely 'forged.json is signed by no signer of the keyring' \
  "a second signer in keyring.json" "$FORGE second-signer . '$DIR/issued.json'"
check "which vouches for all of it, too" \
  python3 "$DIR/verify.py" "$DIR/changed" "$DIR/changed/keyring.json"
sed 's/"store": "..../"store": "0000/' "$KEYRING" >"$DIR/issued.json"
ISSUED=$DIR/issued.json strangely 'of another store' "the keyring of another store" :

echo "--- a part of it"
check "what matches" a certificate bundle "$DIR/acme.tar" --match 'name=acme/*'
mkdir "$DIR/p"
tar -xf "$DIR/acme.tar" -C "$DIR/p"
check "it is verified" $V "$DIR/acme.tar" --trust "$DIR/trust"
contains "what is left out is told" "$(tr '\n' ' ' <"$DIR/out" | tr -s ' ')" '1 of them are left out'
check "nothing names the others" bash -c "! grep -rq xyzzy '$DIR/p'"
check "no text of a policy does" bash -c "! ls '$DIR'/p/*/*/policies"
check "but its record is in it" bash -c "grep -rq experiments.toml '$DIR/p'"
check "the stranger's program verifies it" \
  python3 "$DIR/verify.py" "$(echo "$DIR"/p/*/*-*)" "$KEYRING"
contains "and counts what is left out" "$(cat "$DIR/out")" ', 1 left out'
check "the hold that binds what matches is in it" bash -c "grep -rq 'case 7' '$DIR/p'"
check "what does not match" a certificate bundle "$DIR/other.tar" --match 'name=other/*'
mkdir "$DIR/o"
tar -xf "$DIR/other.tar" -C "$DIR/o"
check "a hold on others is not" bash -c "! grep -rq 'case 7' '$DIR/o'"
check "a head that somebody keeps" a log checkpoint "$DIR/kept"
sed -n 2p "$DIR/kept" >"$DIR/size"
NOW=$(date -u +%Y-%m-%dT%H:%M:%SZ)
while [ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" = "$NOW" ]; do :; done
LATER=$(date -u +%Y-%m-%dT%H:%M:%SZ)
check "later a rotation and an erasure" a certificate trust "$DIR/trust2" --rotate
check "erasure" erase acme/four:1
check "from then on" a certificate bundle "$DIR/later.tar" --from "$LATER"
check "the keyring from before the rotation is enough" $V "$DIR/later.tar" --trust "$DIR/trust"
contains "since the keys continue it" "$(tr '\n' ' ' <"$DIR/out" | tr -s ' ')" 'continue those trusted here'
contains "one certificate is in it" "$($AIERASE --json verify "$DIR/later.tar" --trust "$DIR/trust2" |
  json 'd["sections"][0]["certificates"]')" '^1$'
mkdir "$DIR/l"
tar -xf "$DIR/later.tar" -C "$DIR/l"
check "the stranger's program verifies it with the keyring as it is now" \
  python3 "$DIR/verify.py" "$(echo "$DIR"/l/*/*-*)" "$(echo "$DIR"/trust2/*.keyring.json)"
strangely 'is signed by no log of the keyring' "a keyring from before the rotation" \
  'rm -r ./* && cp -r "$DIR"/l/*/*-*/. .'
check "it begins with a leaf from before, so the kept head is of it and of one history" \
  $V "$DIR/later.tar" --trust "$DIR/trust" --from "$DIR/kept"
refused 2 'ends before it begins' a certificate bundle "$DIR/x.tar" --from 2026-03-01 --to 2026-02-01
refused 2 'from' a certificate bundle "$DIR/x.tar" --from yesterday
check "nothing is left of what was refused" test ! -e "$DIR/x.tar"
check "up to a moment, the same for ever" a certificate bundle "$DIR/early.tar" --to "$NOW"
EARLY=$($AIERASE --json verify "$DIR/early.tar" --trust "$DIR/trust2" |
  json 'd["sections"][0]["certificates"]')
equal "what was erased later is not in it" "$EARLY" 2

echo "--- of many hosts"
stop_daemon
mv "$DIR/store" "$DIR/store1"
mv "$DIR/slot" "$DIR/slot1"
start_daemon
check "another store" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
check "import of the same content" a import acme/one:1 "$DIR/weights"
check "erasure" erase acme/one:1
check "its archive" a certificate bundle "$DIR/second.tar"
check "trust" a certificate trust "$DIR/trust2"
stop_daemon
check "joined without a daemon" "$AIERASE" certificate bundle "$DIR/fleet.tar" \
  --add "$DIR/second.tar" --add "$DIR/early.tar" --add "$DIR/later.tar" --add "$DIR/second.tar"
check "joined in another order it is the same" "$AIERASE" certificate bundle "$DIR/fleet2.tar" \
  --add "$DIR/later.tar" --add "$DIR/second.tar" --add "$DIR/early.tar"
check "byte for byte" cmp "$DIR/fleet.tar" "$DIR/fleet2.tar"
check "it is verified" $V "$DIR/fleet.tar" --trust "$DIR/trust2"
mkdir "$DIR/f"
tar -xf "$DIR/fleet.tar" -C "$DIR/f"
equal "the same content on two hosts is one asset" \
  "$(json '[len({c["store"] for c in a["certificates"]}) for a in d["assets"]]' <"$DIR/f/index.json")" '[2]'
contains "people see that, too" "$(cat "$DIR/f/index.html")" 'The same content on several hosts'
refused 2 'takes no --from' "$AIERASE" certificate bundle "$DIR/x.tar" --add "$DIR/second.tar" --from 2026-01-01
refused 12 'no file of an archive' "$AIERASE" certificate bundle "$DIR/x.tar" --add <(tar -C "$DIR" -cf - weights)

echo "--- what is said of one that was changed"
# told PATTERN COMMAND: of the archive after the command in its folder; exit 12.
told() {
  local pattern=$1
  rm -rf "$DIR/w"
  mkdir "$DIR/w"
  tar -xf "$DIR/all.tar" -C "$DIR/w"
  (cd "$DIR"/w/*/*-* && eval "$2")
  (cd "$DIR/w" && tar -cf "$DIR/w.tar" README index.html index.json */*/section.json \
    */*/keyring.json */*/trusted_root.json $(ls -d */*/checkpoint) */*/entries/* */*/records/* \
    */*/policies/*/* */*/certificates/* */*/refusals/*)
  CHECKED=$((CHECKED + 1))
  $V "$DIR/w.tar" --trust "$DIR/trust" >"$DIR/out" 2>"$DIR/err"
  if [ $? -eq 12 ] && tr '\n' ' ' <"$DIR/out" | tr -s ' ' | grep -q "$pattern"; then
    echo "ok   told: $pattern"
  else
    echo "FAIL not told: $pattern"
    sed 's/^/     /' "$DIR/out" "$DIR/err" | head -40
    FAILED=$((FAILED + 1))
  fi
}
check "packed anew by others it is verified" eval "told 'NOT' 'echo >>../../README'"
told 'COMPLETENESS: FAILED.*is missing' 'rm "$(ls -d certificates/* | head -1)"'
told 'COMPLETENESS: FAILED.*hold-placed, is missing' 'rm $(grep -l case.7 records/*)'
told 'INTEGRITY: FAILED.*signature' \
  'f=$(ls -d certificates/* | head -1); sed -i "s/\"sig\":\"..../\"sig\":\"AAAA/" "$f"'
told 'INTEGRITY: FAILED.*not the text that came into force' 'echo >>policies/*/00.toml'
told 'not the index of the files' 'sed -i s/acme.one/acme_one/ ../../index.json'
head -c 30000 "$DIR/all.tar" >"$DIR/cut.tar"
$V "$DIR/cut.tar" --trust "$DIR/trust" >"$DIR/out" 2>&1
equal "one that is cut short fails" $? 12
contains "and says so" "$(tr '\n' ' ' <"$DIR/out" | tr -s ' ')" 'cut short'
finish
