#!/bin/sh
# Runs the commands that aierase-approval(5) gives for signing a text and verifying it with stock
# ssh-keygen, exactly as a reader would copy them from the page.
# Usage: ssh_recipe_test.sh PAGE TEXT KEY; signs TEXT with KEY unless TEXT.sig is there, and exits 0
# only if the page's commands then say that the signature holds.
set -eu

if [ $# -ne 3 ]; then
  echo "usage: $0 PAGE TEXT KEY" >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What a reader sees, where mandoc is installed; else the source with its escapes undone.
if command -v mandoc >/dev/null 2>&1; then
  mandoc -Tascii "$1" | sed "s/.$(printf '\010')//g" >"$work/page"
else
  sed -e 's/\\e/\\/g' -e 's/\\-/-/g' "$1" >"$work/page"
fi
recipe() {
  sed -n "/^ *# BEGIN $1\$/,/^ *# END $1\$/p" "$work/page" | sed 's/^ *//'
}
recipe sign | sed -e "s|KEY|'$3'|" -e "s|FILE|'$2'|" >"$work/sign.sh"
recipe 'verify with ssh-keygen' >"$work/verify.sh"
for part in 'sign.sh Y sign' 'verify.sh Y verify'; do
  if ! grep -q -e "-${part#* }" "$work/${part%% *}"; then
    echo "$1: the commands of ${part%% *} are not there" >&2
    exit 2
  fi
done

[ -e "$2.sig" ] || sh -eu "$work/sign.sh"
cp "$2" "$work/request.txt"
cp "$2.sig" "$work/request.txt.sig"
cp "$3.pub" "$work/person.pub"
cd "$work"
sh -eu verify.sh
echo "the commands of the page verify the signature"
