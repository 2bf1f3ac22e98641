#!/bin/bash
# The program without bus and daemon: usage, help, exit codes, completion, closed outputs.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
BUS="unix:path=$DIR/no-bus-here"

refused 2 'no verb' "$AIERASE"
refused 2 'no verb "frobnicate"' "$AIERASE" frobnicate
refused 2 "^hint: is it 'approve'\?" "$AIERASE" aprove
refused 2 "^hint: is it 'hold place'\?" "$AIERASE" hold plac
beside() { (cd "$DIR" && "$AIERASE" verify p-aaaaaaaa@0123); }
refused 4 'p-aaaaaaaa@0123' beside
check "help of a family" "$AIERASE" hold --help
contains "names all of it" "$(cat "$DIR/out")" 'aierase hold lift'
refused 2 "^hint: is it 'certificate'\?" "$AIERASE" certifcate export
refused 2 '^hint: aierase --help lists' "$AIERASE" xy
refused 2 'second word' "$AIERASE" certificate
refused 2 'too many' "$AIERASE" status now
refused 2 'deep' "$AIERASE" status --deep
refused 2 '^hint: is it --unlock\?' "$AIERASE" init --unlok none
refused 2 '^hint: is it --json\?' "$AIERASE" --jsn list
refused 2 '^hint: aierase init --help' "$AIERASE" init --frobnicate
refused 2 'for --deep' "$AIERASE" check --max-rate 5M
refused 2 'bytes a second' "$AIERASE" check --deep --max-rate 0
refused 2 'bytes a second' "$AIERASE" check --deep --max-rate 5X
refused 2 'bytes a second' "$AIERASE" check --deep --max-rate 99999999T
refused 2 'twice' "$AIERASE" retire x --reason a --reason b
refused 2 'never means everything' a retire --reason "none selected"
refused 2 'names no asset' a retire - --reason x </dev/null
refused 2 'needs --reason' a retire x
refused 2 '12 digits' a approve p-aaaaaaaa@12345
refused 2 '12 digits' a approve p-aaaaaaaa
refused 2 '' a approve a-aaaaaaaa@123456789012
refused 2 'needs a PATH' a import x
refused 2 'dataset-key' a import x --generate
refused 2 'source-history knows encrypted-from-first-write' a import x - --source-history xx </dev/null
refused 6 'is named twice' a import x /etc/hostname /etc/hostname
refused 6 'is named twice' a import x /etc/hostname /etc/../etc/hostname
refused 2 'how long from now' a approve --standing c --until soonish
refused 2 'how long from now' a enforce --dry-run --at soonish
refused 2 'how long ago' a audit --since soonish
refused 2 'no kind' a import x /etc/hostname --kind banana
refused 2 'goes with no other' a import x - /etc/hostname
refused 2 'for' a wait p-aaaaaaaa
refused 2 'time to wait' a wait p-aaaaaaaa --for final --timeout soon
refused 2 'does not know "retir"' a audit --action retir
contains "which word was meant" "$(cat "$DIR/err")" 'is it retire?'
refused 2 'does not know "acess_denied"' a audit --outcome acess_denied
contains "in words of the command line" "$(cat "$DIR/err")" 'is it access_denied?'
refused 2 'colour' a list --match colour=red
refused 2 'list of' a list bananas
refused 2 'something to change' a set x --reason y
refused 2 'use a pipe|descriptors' "$AIERASE" -H root@nowhere import x /etc/hostname
refused 3 'bus' a status
mkdir "$DIR/programs"
printf '#!/bin/sh\nexit 255\n' >"$DIR/programs/ssh"
chmod 755 "$DIR/programs/ssh"
refused 3 '^hint: does .ssh root@nowhere systemctl' env "PATH=$DIR/programs:$PATH" "$AIERASE" -H root@nowhere status
refused 4 'No such file' "$AIERASE" verify "$DIR/missing.json"
refused 4 'No such file' a import x "$DIR/missing"
refused 6 'directory' "$AIERASE" verify "$DIR"
printf 'not a certificate' >"$DIR/noise"
"$AIERASE" verify "$DIR/noise" >"$DIR/out" 2>&1
equal "noise does not verify" $? 12
mkfifo "$DIR/noise.amendment-1"
timeout 60 "$AIERASE" verify "$DIR/noise" >"$DIR/out" 2>&1
equal "nobody waits for a pipe that lies beside it" $? 12

printf '<!DOCTYPE html>\n<html>' >"$DIR/page.html"
refused 6 'page.html" is a page for people' "$AIERASE" verify "$DIR/page.html"
contains "and which file is none" "$(cat "$DIR/err")" 'verify the signed file'

# Errors are objects where programs read them.
"$AIERASE" --json list bananas 2>"$DIR/err"
equal "an error as JSON keeps its exit code" $? 2
equal "an error as JSON has its schema" "$(json 'd["schema"]' <"$DIR/err")" aierase/error/v1
equal "an error as JSON has its code" "$(json 'd["error"]["code"]' <"$DIR/err")" usage

check "--version" "$AIERASE" --version
check "--help" "$AIERASE" --help
for verb in $("$AIERASE" --help | sed -n 's/^  \([a-z]\+\) .*/\1/p' | grep -Evx 'certificate|hold|log|policy|slot' | sort -u); do
  "$AIERASE" "$verb" --help >"$DIR/out" 2>&1 && "$AIERASE" help "$verb" >>"$DIR/out" 2>&1
  equal "$verb --help" $? 0
done
check "certificate export --help" "$AIERASE" certificate export --help

for shell in bash zsh fish; do
  "$AIERASE" completion $shell >"$DIR/completion.$shell"
  equal "completion $shell" $? 0
  ! command -v $shell >/dev/null || check "$shell reads it" $shell -n "$DIR/completion.$shell"
done
check "bash completes verbs" bash -c ". '$DIR/completion.bash'
  COMP_WORDS=(aierase cert) COMP_CWORD=1; _aierase; [ \"\${COMPREPLY[*]}\" = certificate ]"
check "bash completes options" bash -c ". '$DIR/completion.bash'
  COMP_WORDS=(aierase retire x --cas) COMP_CWORD=3; _aierase; [ \"\${COMPREPLY[*]}\" = --cascade ]"
check "bash completes kinds" bash -c ". '$DIR/completion.bash'
  COMP_WORDS=(aierase import x --kind emb) COMP_CWORD=4; _aierase
  [ \"\${COMPREPLY[*]}\" = embedding-index ]"

# Outputs that are closed, full or gone.
closed() { "$AIERASE" --help >&-; }
full() { "$AIERASE" --help >/dev/full; }
refused 1 'standard output: it is closed' closed
refused 1 'No space left' full
"$AIERASE" completion bash 2>"$DIR/err" | :
equal "a reader that leaves early is no reason for words" "$(cat "$DIR/err")" ""

if command -v mandoc >/dev/null; then
  check "the manual is clean" mandoc -Tlint -Wwarning "$SOURCE/man/aierase.1"
fi
finish
