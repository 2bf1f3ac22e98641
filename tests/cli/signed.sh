#!/bin/bash
# Decisions of people who have no account on the host: enrolled by their keys, signed with stock
# ssh-keygen, carried back by somebody else.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
command -v ssh-keygen >/dev/null || { echo "ssh-keygen is missing"; exit 1; }
# Root can be nobody in person, so there is somebody else who asks.
if [ "$(id -u)" = 0 ]; then
  AS="setpriv --reuid 65534 --regid 65534 --clear-groups"
  chown 65534:65534 "$DIR"
fi
ME=$($AS id -u)
for person in dora emil mallory; do
  ssh-keygen -q -t ed25519 -N '' -C "$person" -f "$DIR/$person"
done
people() {
  cat >"$DIR/people.toml" <<TOML
[person.dora]
name = "Dora Example"
title = "Head of Models"
contact = "dora@example.org"
ssh-key = "$(cat "$DIR/dora.pub")"
[person.emil]
name = "Emil Example"
ssh-key = "$(cat "$DIR/emil.pub")"
TOML
  chmod 644 "$DIR/people.toml"
}
people
CONFIG="people = \"$DIR/people.toml\""
start_bus
start_daemon
check "init, for two people" a init --root-slot "file:$DIR/slot/slot" --unlock none
head -c 50000 /dev/urandom >"$DIR/weights"
for name in one two three four; do
  check "import $name, dora answers for it" a import "$name:1" "$DIR/weights" --custodian dora
done
check "import five, emil answers for it" a import five:1 "$DIR/weights" --custodian emil
refused 6 'no such person' a import six:1 "$DIR/weights" --custodian nobody-at-all

# plan NAME...: asks for the end of assets; its id.
plan() {
  local made
  made=$(a -q retire "$@" --now --reason "superseded")
  echo "${made%@*}"
}
state() { a --json show "$1" | json 'd["plan"]["state"]'; }
# sign PERSON FILE
sign() { rm -f "$2.sig"; ssh-keygen -q -Y sign -n aierase-approval@v1 -f "$DIR/$1" "$2" 2>/dev/null; }

FIRST=$(plan one:1)
contains "show tells who signs, and what" "$(a show "$FIRST")" 'Who has no account here (dora) signs'
check "what only who asks would answer for" a import own:1 "$DIR/weights" --custodian "$(id -un "$ME")"
OWN=$(plan own:1)
contains "show tells that nobody is left" "$(a show "$OWN")" 'nobody is left who may approve 1 item'
equal "and names nobody" "$(a --json show "$OWN" | json 'd["plan"]["approvals"]["needed"]')" '[]'
check "the text to sign" a show "$FIRST" --request
cp "$DIR/out" "$DIR/request"
refused 6 'a text that somebody signs' "$AIERASE" verify "$DIR/request"
contains "it says what it does" "$(cat "$DIR/request")" 'nobody can bring them back'
contains "it names the asset" "$(cat "$DIR/request")" '    one:1$'
contains "it says that there is no grace" "$(cat "$DIR/request")" 'without grace'
equal "as JSON it is the same" "$(a --json show "$FIRST" --request | json 'd["request"]["text"]')" \
  "$(cat "$DIR/request")"
refused 2 'needs a reason' a show "$FIRST" --request reject
refused 2 'later than that' a show "$FIRST" --request --until 2020-01-01
refused 2 'is no asset|needs a plan|id of a plan|p-' a show one:1 --request
refused 2 'one thing at a time' a show "$FIRST" one:1
refused 2 'for --request' a show "$FIRST" --until 2030-01-01

refused 4 'no signature' a approve --signed "$DIR/request"
sign mallory "$DIR/request"
refused 12 'belongs to nobody' a approve --signed "$DIR/request"
sign emil "$DIR/request"
refused 5 'no custodian' a approve --signed "$DIR/request"
sign dora "$DIR/request"
refused 2 'which is not for' a reject --signed "$DIR/request"
refused 2 'takes nothing else' a approve "$FIRST@000000000000" --signed "$DIR/request"
sed 's/one:1/two:1/' "$DIR/request" >"$DIR/altered"
cp "$DIR/request.sig" "$DIR/altered.sig"
refused 12 '' a approve --signed "$DIR/altered"
sign dora "$DIR/altered"
refused 12 'list of assets' a approve --signed "$DIR/altered"
rm "$DIR/altered.sig"
cp "$DIR/request" "$DIR/elsewhere"
ssh-keygen -q -Y sign -n file -f "$DIR/dora" "$DIR/elsewhere" 2>/dev/null
refused 6 'namespace' a approve --signed "$DIR/elsewhere"
equal "nothing has happened" "$(state "$FIRST")" requested
chmod 666 "$DIR/people.toml"
refused 6 'people.toml' a approve --signed "$DIR/request"
people

check "dora's signature, carried by who asked" a approve --signed "$DIR/request"
contains "it says whose it was" "$(cat "$DIR/out")" 'Signed by dora'
contains "and by which key" "$(cat "$DIR/out")" \
  "$(ssh-keygen -l -f "$DIR/dora.pub" | cut -d' ' -f2)"
check "it is erased" a wait "$FIRST" --for erased --timeout 60s
refused 6 'handed in before' a approve --signed "$DIR/request"
contains "show names the person" "$(a show "$FIRST")" 'dora, Dora Example, signed by SHA256:'
contains "the audit names the plan" "$(a --json audit --action read --outcome ok | grep -A12 -B12 HandIn)" "$FIRST"

# Many plans, of two stores, in one text: the signature stands behind it, as in a mail.
SECOND=$(plan two:1)
THIRD=$(plan three:1)
check "one text for two plans" a show "$SECOND" "$THIRD" --request
cp "$DIR/out" "$DIR/both"
python3 - "$DIR/both" "$DIR/other" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
text = re.sub(r"  Store: \S+", "  Store: " + "a" * 26, text)
text = re.sub(r"  Plan: \S+", lambda m, ids=iter("bc"): "  Plan: p-" + next(ids) * 25 + "a", text)
open(sys.argv[2], "w").write(text)
PY
check "and for those of another host" a show "$SECOND" "$THIRD" --request --with "$DIR/other"
cp "$DIR/out" "$DIR/all"
contains "four plans in all" "$(cat "$DIR/all")" '^Plans: 4$'
sign dora "$DIR/all"
{ cat "$DIR/all" "$DIR/all.sig"; echo; } >"$DIR/mail"
check "handed in as one file" a approve --signed "$DIR/mail"
contains "others are counted" "$(cat "$DIR/out")" '2 plans of other stores'
check "the second is erased" a wait "$SECOND" --for erased --timeout 60s
check "and the third" a wait "$THIRD" --for erased --timeout 60s
sign dora "$DIR/other"
refused 4 'of this store' a approve --signed "$DIR/other"

# Part of a text: one plan was decided otherwise meanwhile.
FOURTH=$(plan four:1)
FIFTH=$(plan five:1)
a show "$FOURTH" "$FIFTH" --request >"$DIR/part"
sign dora "$DIR/part"
a --json approve --signed "$DIR/part" >"$DIR/out"
equal "what is not hers is refused, the other done: exit status" $? 14
equal "and the report says which" \
  "$(json '" ".join(p["course"] for p in d["signed"]["plans"])' <"$DIR/out")" "recorded refused"
equal "emil's plan waits" "$(state "$FIFTH")" requested

check "the text of a rejection" a show "$FIFTH" --request --reason "still in use" reject
cp "$DIR/out" "$DIR/no"
sign emil "$DIR/no"
check "is handed in with reject" a reject --signed "$DIR/no"
equal "rejected" "$(state "$FIFTH")" rejected

check "the text of a validation" a show "$FIRST" --request accept
cp "$DIR/out" "$DIR/accept"
contains "it holds the outcome" "$(cat "$DIR/accept")" '  Erased: 1$'
sign dora "$DIR/accept"
check "is handed in with validate" a validate --signed "$DIR/accept"
contains "which says the verdict" "$(cat "$DIR/out")" 'its outcome is accepted$'
contains "and what comes next" "$(cat "$DIR/out")" '^Next: '
CERTIFICATE=$(a --json show "$FIRST" | json 'd["plan"]["items"][0]["certificate"]')
equal "accepted" "$(a --json show "$CERTIFICATE" | json 'd["certificate"]["validation"]')" accepted
a --json show "$CERTIFICATE" |
  json 'd["certificate"]["validations"][0]["signed"]["text"]' | head -c -1 >"$DIR/kept"
check "and its text is kept" cmp "$DIR/kept" "$DIR/accept"

# A stranger, with the certificate and the commands of the page alone.
check "the certificate" a certificate export "$CERTIFICATE" "$DIR/certificate.json"
check "the signer's key" a certificate trust "$DIR/trust"
check "verify holds" a verify "$DIR/certificate.json" --trust "$DIR/trust"
contains "with the verdict" "$(cat "$DIR/out")" 'amended: accepted'
equal "and what dora signed for it" "$(json 'd["dsseEnvelope"]["payload"]' \
  <"$DIR/certificate.json.amendment-1" | base64 -d |
  json 'd["predicate"]["people"][0]["signature"]["text_base64"]' | base64 -d)" "$(cat "$DIR/accept")"
check "the record of the rejection" a certificate export "$FIFTH" "$DIR/refusal.json"
a verify "$DIR/refusal.json" --trust "$DIR/trust" >"$DIR/out"
equal "is verified, with the signature in it, and is no certificate" $? 9
check "as text" a certificate export "$FIFTH" "$DIR/refusal.txt" --format text
contains "it says who signed" "$(tr -s ' \n' ' ' <"$DIR/refusal.txt")" \
  'ended-by: emil.*by a signature of the SSH key'
a certificate export "$CERTIFICATE" - --format text >"$DIR/text"
contains "the text names the person" "$(cat "$DIR/text")" 'Dora Example, Head of Models'
PAGE=$SOURCE/man/aierase-certificate.5
if command -v mandoc >/dev/null; then
  mandoc -Tascii "$PAGE" | sed "s/.$(printf '\010')//g" >"$DIR/page"
else
  sed -e 's/\\e/\\/g' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" "$PAGE" >"$DIR/page"
fi
mkdir "$DIR/stranger"
python3 -c 'import base64,json,sys
b = json.load(open(sys.argv[1]))
sys.stdout.buffer.write(base64.b64decode(b["dsseEnvelope"]["payload"]))' \
  "$DIR/certificate.json" >"$DIR/stranger/statement.json"
sed -n '/^ *# BEGIN verify an approval/,/^ *# END verify an approval/p' "$DIR/page" |
  sed 's/^ *//' >"$DIR/stranger/recipe.sh"
check "the commands of the page are there" grep -q 'Y verify' "$DIR/stranger/recipe.sh"
check "and verify the approval" sh -euc "cd '$DIR/stranger' && sh -eu recipe.sh"
check "of the very text" cmp "$DIR/stranger/request.txt" "$DIR/request"
equal "under the very key" "$(cat "$DIR/stranger/person.pub")" "$(cut -d' ' -f1,2 "$DIR/dora.pub")"

# Who asked does not approve by his key either.
printf '[person.me]\nname = "Myself"\nuid = %s\nssh-key = "%s"\n' "$ME" \
  "$(cat "$DIR/mallory.pub")" >>"$DIR/people.toml"
check "an asset of mine" a import mine:1 "$DIR/weights" --custodian me --custodian emil
MINE=$(plan mine:1)
a show "$MINE" --request >"$DIR/mine"
sign mallory "$DIR/mine"
refused 5 'whoever requested' a approve --signed "$DIR/mine"

stop_daemon
start_daemon
contains "after a restart all of it is there" "$(a show "$FIRST")" 'Dora Example'
check "and sound" a check
finish
