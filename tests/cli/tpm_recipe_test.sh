#!/bin/sh
# Runs the commands that aierase-certificate(5) gives for the evidence of a TPM, exactly as a reader
# would copy them from the page, then once more with one byte changed: they have to say no.
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
sh -eu recipe.sh >said
[ "$(grep -c 'Verified OK' said)" -eq 2 ]
grep -q '^aierase/intent/v1 a-' said
asset=$(sed -n 's/^aierase.intent.v1 \(a-[a-z2-7]*\) .*/\1/p' said)
grep -q "\"id\":\"$asset\"" statement.json

cp statement.json sound.json
for change in 's/"tpm_intent":"aierase.intent.v1 a-./&x/' 's/"tpm_slot_signature":"...../&A/' \
  's/"tpm_counter_statement":"....../&B/' 's/"tpm_intent_path":"./&A/'; do
  sed "$change" sound.json >statement.json
  cmp -s sound.json statement.json && continue  # a round of one has no path
  if sh -eu recipe.sh >/dev/null 2>&1; then echo "believed after $change" >&2; exit 1; fi
done
echo "the commands of the page verify the evidence of the TPM"
