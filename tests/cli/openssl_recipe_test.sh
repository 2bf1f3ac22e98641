#!/bin/sh
# Runs the commands that aierase-certificate(5) gives for verifying a certificate with openssl
# alone, exactly as a reader would copy them from the page.
# Usage: openssl_recipe_test.sh PAGE BUNDLE PEM; exits 0 only if those commands say the signature
# holds and the statement they extract is the payload.
set -eu

if [ $# -ne 3 ]; then
  echo "usage: $0 PAGE BUNDLE PEM" >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2" "$work/certificate.json"
cp "$3" "$work/signer.pem"

# What a reader sees, where mandoc is installed; else the source with its two escapes undone.
if command -v mandoc >/dev/null 2>&1; then
  mandoc -Tascii "$1" | sed "s/.$(printf '\010')//g" >"$work/page"
else
  sed -e 's/\\e/\\/g' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" "$1" >"$work/page"
fi
sed -n '/^ *# BEGIN verify with openssl/,/^ *# END verify with openssl/p' "$work/page" |
  sed 's/^ *//' >"$work/recipe.sh"
if ! grep -q 'pkeyutl -verify' "$work/recipe.sh"; then
  echo "$1: the commands between BEGIN and END verify with openssl are not there" >&2
  exit 2
fi

cd "$work"
sh -eu recipe.sh
grep -q '^{"_type":"https://in-toto.io/Statement/v1"' statement.json
echo "the commands of the page verify the certificate"
