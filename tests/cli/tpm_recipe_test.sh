#!/bin/sh
# Runs the commands that aierase-certificate(5) gives for the evidence of a TPM, exactly as a reader
# would copy them from the page; then with one byte changed, and with statements that another key
# has signed soundly: each time they have to say no, in the words that the page names.
# Usage: tpm_recipe_test.sh PAGE BUNDLE
set -eu
[ $# -eq 2 ] || { echo "usage: $0 PAGE BUNDLE" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mandoc -Tascii "$1" | sed "s/.$(printf '\010')//g" |
  sed -n '/^ *# BEGIN verify the TPM with openssl/,/^ *# END verify the TPM with openssl/p' |
  sed 's/^ *//' >"$work/recipe.sh"
grep -q 'dgst -sha256' "$work/recipe.sh" || { echo "the commands are not on the page" >&2; exit 2; }
sed -n 's/.*"payload": *"\([^"]*\)".*/\1/p' "$2" | openssl base64 -d -A >"$work/statement.json"
cd "$work"

# As in a terminal: no command's failure ends it, only what is said counts.
recipe() { sh recipe.sh >said 2>&1 || true; }
says() { [ "$(grep -cx "$2" said)" -eq "$1" ]; }
believed() {
  says 2 'Verified OK' && says 2 'of an NV index' && says 1 zero && says 2 'for this intent' &&
    says 1 'of this slot' && says 1 'of this counter' &&
    ! grep -q '^NOT ' said
}
fail() { echo "$*" >&2; cat said >&2; exit 1; }

recipe
believed || fail "not believed as it is"
grep -q '^aierase/intent/v1 ' said
for word in 2 3; do  # store, asset
  id=$(sed -n '/^aierase.intent.v1 /p' said | cut -d ' ' -f $word)
  grep -q "\"id\":\"$id\"" statement.json || fail "the intent names $id"
done

cp statement.json sound.json
for change in 's/"tpm_intent":"aierase.intent.v1 ./&x/' 's/"tpm_slot_signature":"...../&A/' \
  's/"tpm_counter_statement":"....../&B/' 's/"tpm_intent_path":"[^"]/&A/'; do
  sed "$change" sound.json >statement.json
  cmp -s sound.json statement.json && continue  # a round of one has no path
  recipe
  ! believed || fail "believed after $change"
done

# What a key says that signs anything: printf's text written over a statement at that byte.
openssl ecparam -name prime256v1 -genkey -noout -out forger.pem
openssl ec -in forger.pem -pubout -outform DER 2>errors | openssl base64 -A >key.base64
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" sound.json; }
forged() {
  cp sound.json statement.json
  for name in slot counter; do
    field "tpm_${name}_statement" | openssl base64 -d -A >said_by_tpm
    [ "$name" != "$1" ] || printf "$3" | dd of=said_by_tpm bs=1 seek="$2" conv=notrunc 2>errors
    openssl dgst -sha256 -sign forger.pem -out signed said_by_tpm
    sed -e "s|\(\"tpm_${name}_statement\":\"\)[^\"]*|\1$(openssl base64 -A -in said_by_tpm)|" \
      -e "s|\(\"tpm_${name}_signature\":\"\)[^\"]*|\1$(openssl base64 -A -in signed)|" \
      -e "s|\(\"tpm_key\":\"\)[^\"]*|\1$(cat key.base64)|" statement.json >changed.json
    mv changed.json statement.json
  done
  recipe
  says 2 'Verified OK' || fail "the forger's signature does not hold"
}
forged none 0 ''
believed || fail "a forger's own statements are sound"
last=$(($(field tpm_slot_statement | openssl base64 -d -A | wc -c) - 1))
forged slot "$last" '\001'
says 1 'NOT ZERO' && says 0 zero || fail "a slot that is not zero"
forged slot 0 '\376'
says 1 'NOT OF AN NV INDEX' || fail "a message that no TPM begins so"
forged counter 4 '\200\034'
says 1 'NOT OF AN NV INDEX' || fail "a statement of another kind"
forged slot $((last - 100)) '\000\000'
says 1 'NOT OF THIS SLOT' || fail "another index that is zero"
forged counter $((last - 100)) '\000\000'
says 1 'NOT OF THIS COUNTER' || fail "another counter"
forged slot 44 '\000\000\000\000'
says 1 'NOT FOR THIS INTENT' || fail "a statement for another erasure"
echo "the commands of the page verify the evidence of the TPM"
