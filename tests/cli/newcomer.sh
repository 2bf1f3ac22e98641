#!/bin/bash
# What a newcomer does: the ten lines of the README, every verb as JSON, one store id everywhere, a
# store made stricter, wrong unlock secrets, and an asset whose files fill more than one answer.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon

another_store() {
  stop_daemon
  rm -rf "$DIR/store" "$DIR/slot"
  start_daemon
}
# as_json WHAT COMMAND...: standard output, and standard error where there is any, are one object.
as_json() {
  local what=$1
  shift
  a --json "$@" >"$DIR/answer" 2>"$DIR/fault" </dev/null
  local code=$?
  [ ! -s "$DIR/fault" ] || check "$what: errors are an object" python3 -m json.tool "$DIR/fault" /dev/null
  if [ -s "$DIR/answer" ] || [ $code -eq 0 ]; then
    check "$what: the answer is an object" python3 -m json.tool "$DIR/answer" /dev/null
  fi
}

# The README, as it stands there.
mkdir "$DIR/programs" "$DIR/tour" "$DIR/tour/support-v4"
printf '#!/bin/sh\nexec "%s" --bus "%s" "$@"\n' "$AIERASE" "$BUS" >"$DIR/programs/aierase"
chmod 755 "$DIR/programs/aierase"
echo '{"layers":1}' >"$DIR/tour/support-v4/config.json"
head -c 100000 /dev/urandom >"$DIR/tour/support-v4/model.safetensors"
sed -n '/^## Ten lines/,/^## How/{/^```sh/,/^```$/{/^```/!p}}' "$SOURCE/README.md" >"$DIR/ten"
equal "the README has ten lines" "$(wc -l <"$DIR/ten")" 10
PATH="$DIR/programs:$PATH"
cd "$DIR/tour" || exit 1
while IFS= read -r -u 8 line; do
  CHECKED=$((CHECKED + 1))
  expected=0
  [[ $line != *'# exit 11'* ]] || expected=11
  eval "$line" >"$DIR/out" 2>"$DIR/err"
  got=$?
  if [ $got -eq $expected ]; then
    echo "ok   README: $line"
  else
    echo "FAIL README, exit $got: $line"
    sed 's/^/     /' "$DIR/out" "$DIR/err"
    FAILED=$((FAILED + 1))
  fi
done 8<"$DIR/ten"
contains "the last line verifies" "$(cat "$DIR/out")" ': verified'

# One form of the store's id.
STORE_ID=$(a -q status)
contains "26 characters" "$STORE_ID" '^[a-z2-7]\{26\}$'
check "names the file of its key" test -f "trust/$STORE_ID.pem"
a certificate export acme/support:v4 - --format text >"$DIR/text"
contains "stands on its certificates" "$(cat "$DIR/text")" "issued by the store $STORE_ID"

# Certificates for people, and the way to them.
contains "a text says who vouches for it" "$(cat "$DIR/text")" 'signer that the daemon itself names'
contains "and names that signer" "$(cat "$DIR/text")" "$(a --json status | json 'd["signer"]["fingerprint"]')"
refused 11 'hint: its certificate .* certificate export a-[a-z2-7]* - --format text' a export acme/support:v4 x
HINTED=$(sed -n 's/^hint: .*: aierase //p' "$DIR/err")
# shellcheck disable=SC2086
check "the hint works as it stands" a $HINTED

# Every verb for programs.
as_json init init --single-operator
as_json status status
as_json doctor doctor
as_json check check
as_json import import j:1 support-v4 --label a=b
as_json "import, refused" import 'no name' support-v4
as_json export export j:1 back
as_json "export, refused" export j:1 back
as_json "list assets" list
as_json "list plans" list plans
as_json "list certificates" list certificates
as_json "show of an asset" show j:1
as_json "show, not found" show none
as_json set set j:1 --label c=d --reason why
as_json suspend suspend j:1
as_json resume resume j:1
as_json "dry run" retire j:1 --reason why --dry-run
as_json retire retire j:1 --reason why
PLAN=$(json 'd["plan"]["id"]' <"$DIR/answer")
as_json "show of a plan" show "$PLAN"
as_json "wait, in vain" wait "$PLAN" --for erased --timeout 0s
as_json cancel cancel "$PLAN"
as_json retire retire j:1 --reason why
as_json reject reject "$(json 'd["plan"]["id"]' <"$DIR/answer")" --reason no
as_json retire retire j:1 --reason why --now
PLAN=$(json 'd["plan"]["id"]+"@"+d["plan"]["digest"]' <"$DIR/answer")
as_json "approve, stale" approve "${PLAN%@*}@000000000000"
as_json approve approve "$PLAN"
as_json wait wait "${PLAN%@*}" --for final
as_json "show of a certificate" show "$(a list certificates -q | head -1)"
as_json "certificate export" certificate export j:1 j.json
as_json "certificate trust" certificate trust trust
as_json verify verify j.json --trust trust
as_json "verify, unknown signer" verify j.json --trust support-v4
as_json "log checkpoint" log checkpoint head
as_json "log checkpoint, taken" log checkpoint head
as_json unlock unlock
as_json "policy check" policy check "$SOURCE/policies/retention/experiments.toml"
as_json "policy test" policy test "$SOURCE/policies/retention/experiments.toml"
refused 2 'label needs K=V' a import x support-v4 --label novalue

# Links to one file are one plaintext.
mkdir links
echo weights >links/a
ln -s a links/b
check "a directory with links" a import links:1 links
contains "is one plaintext" "$(cat "$DIR/out")" "$PWD/links: 1 file, 8 B"
equal "and one source" "$(a --json show links:1 | json 'len(d["asset"]["sources"])')" 1

# Stricter, but never by chance.
refused 6 'already' a init
equal "init run again changes nothing" "$(a --json status | json 'd["store"]["people_rule"]')" single-operator
refused 2 'exclude each other' a init --two-person --single-operator
contains "doctor says how it is made stricter" "$(a doctor)" '`aierase init --two-person`'
check "init --two-person" a init --two-person
contains "says that it is for good" "$(cat "$DIR/out")" 'from now on, for good'
equal "and is so" "$(a --json status | json 'd["store"]["people_rule"]')" two-person
refused 6 'already' a init --two-person

# More files than one answer holds: 20 MiB of names.
another_store
check "a store" a init --single-operator --unlock none
python3 - "$DIR/long" <<'PYTHON'
import os, sys
base = os.path.join(sys.argv[1], *(letter * 240 for letter in "abcd"))
os.makedirs(base)
for number in range(20000):
    with open(f"{base}/{number:06d}", "w") as file:
        file.write(str(number))
PYTHON
check "20,000 files with long names" a import long "$DIR/long"
equal "all of them are shown to programs" \
  "$(a --json show long | json 'len(set(f["name"] for f in d["asset"]["files"])), "files_omitted" in d["asset"]')" \
  "20000 False"
contains "and counted for people" "$(a show long)" 'and 19960 more'
check "all of them are exported" a export long "$DIR/long2"
check "and are the same" diff -r "$DIR/long" "$DIR/long2"

# Wrong secrets.
stop_daemon
rm -rf "$DIR/store" "$DIR/slot"
start_daemon
printf 'right words' | a init --single-operator --unlock passphrase >"$DIR/out" 2>&1
equal "a store with a passphrase" $? 0
stop_daemon
: >"$DIR/daemon.log"
start_daemon
equal "waiting for a passphrase is no error" "$(grep -c '^error' "$DIR/daemon.log")" 0
refused 15 'aierase unlock' a list
two_lines() { printf 'right words\nother words\n' | a unlock; }
refused 6 'more than one line' two_lines
wrong_passphrase() { printf 'wrong words' | a unlock; }
refused 15 'passphrase is wrong' wrong_passphrase
contains "and how to go on" "$(cat "$DIR/err")" 'try again'
right_passphrase() { printf 'right words' | a unlock; }
check "the right one opens it" right_passphrase
another_store
head -c 32 /dev/urandom >"$DIR/keyfile"
chmod 600 "$DIR/keyfile"
[ -z "$AS" ] || chown "$($AS id -u)" "$DIR/keyfile"
check "a store with a key file" a init --single-operator --unlock "keyfile:$DIR/keyfile"
mv "$DIR/keyfile" "$DIR/kept"
for kind in other short missing; do
  stop_daemon
  : >"$DIR/daemon.log"
  rm -f "$DIR/keyfile"
  case $kind in
    other) head -c 32 /dev/urandom >"$DIR/keyfile" ;;
    short) head -c 31 "$DIR/kept" >"$DIR/keyfile" ;;
  esac
  [ $kind = missing ] || chmod 600 "$DIR/keyfile"
  start_daemon
  refused 15 "key file $DIR/keyfile" a list
  contains "$kind: the old one must come back, never a new one" "$(cat "$DIR/err")" 'put back the 32 bytes'
  contains "$kind: the daemon says so as an error" "$(grep '^error' "$DIR/daemon.log")" "key file $DIR/keyfile"
  equal "$kind: the state is locked" "$(a --json status | json 'd["state"]')" locked
done
stop_daemon
mv "$DIR/kept" "$DIR/keyfile"
start_daemon
equal "with its key file it opens" "$(a --json status | json 'd["state"]')" open
finish
