#!/bin/bash
# Completion as a person meets it: bash, zsh and fish themselves, with the names of a living store.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
for shell in bash zsh fish; do
  command -v $shell >/dev/null || { echo "$shell is missing: tests/packages test"; exit 1; }
done
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
head -c 100 /dev/urandom >"$DIR/weights"
check "a model" a import acme/support:v4 "$DIR/weights"
# Completion asks the system bus; here that is the private one.
mkdir "$DIR/bin" "$DIR/home"
printf '#!/bin/sh\nexec "%s" --bus "%s" "$@"\n' "$AIERASE" "$BUS" >"$DIR/bin/aierase"
chmod 755 "$DIR/bin/aierase"
export PATH="$DIR/bin:$PATH" HOME="$DIR/home"
for shell in bash zsh fish; do "$AIERASE" completion $shell >"$DIR/completion.$shell"; done

in_bash() {  # WORDS...: what is offered for the last one
  bash -c '. "$1"; shift; COMP_WORDS=(aierase "$@") COMP_CWORD=$#; _aierase; printf "%s\n" "${COMPREPLY[@]}"' \
    bash "$DIR/completion.bash" "$@"
}
in_fish() { fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$DIR/completion.fish" "$1"; }
# A terminal of its own, and the keys that a person would press.
in_zsh() {
  python3 - "$DIR/completion.zsh" "$1" <<'PYTHON'
import os, pty, re, select, sys, time
child, terminal = pty.fork()
if child == 0:
    os.execvpe("zsh", ["zsh", "-f", "-i"], dict(os.environ, TERM="dumb", PS1=""))

def until(pattern, seen=""):
    end = time.monotonic() + 20
    while time.monotonic() < end and not re.search(pattern, seen):
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
    return seen

def keys(text):
    os.write(terminal, text.encode())

keys("autoload -U compinit; compinit -D -u; unsetopt zle_bracketed_paste; source %s; echo rea''dy\n" % sys.argv[1])
until("ready")
keys(sys.argv[2] + "\t")
# What was typed comes back at once; what completes it, when the store has answered.
seen = until(re.escape(sys.argv[2]) + r"\S")
print(until(r"\s$", seen))
os.close(terminal)
PYTHON
}
contains "bash: a verb" "$(in_bash stat)" '^status$'
contains "bash: a verb of two words" "$(in_bash hold pl)" '^place$'
contains "bash: an option" "$(in_bash retire --re)" '^--reason$'
contains "bash: what an option takes" "$(in_bash import m ./x --kind ada)" '^adapter$'
contains "bash: a model of the store" "$(in_bash show acme)" '^acme/support:v4$'
equal "bash: a family to be explained, once" "$(in_bash help ce)" certificate
contains "bash: and what is of it" "$(in_bash help certificate tr)" '^trust$'
contains "fish: a verb" "$(in_fish 'aierase stat')" '^status'
contains "fish: a verb of two words" "$(in_fish 'aierase hold pl')" '^place'
contains "fish: an option" "$(in_fish 'aierase retire --re')" '^--reason'
contains "fish: what an option takes" "$(in_fish 'aierase import m ./x --kind ada')" '^adapter'
contains "fish: a model of the store" "$(in_fish 'aierase show acme')" '^acme/support:v4'
contains "zsh: a verb" "$(in_zsh 'aierase stat')" 'aierase status'
contains "zsh: a verb of two words" "$(in_zsh 'aierase hold pl')" 'aierase hold place'
contains "zsh: an option" "$(in_zsh 'aierase retire --rea')" 'aierase retire --reason'
contains "zsh: what an option takes" "$(in_zsh 'aierase import m ./x --kind ada')" '--kind adapter'
contains "zsh: a model of the store" "$(in_zsh 'aierase show acme')" 'acme/support:v4'

# Whatever the help of a verb explains stands in the manual and is offered by each shell.
in_zsh_at_once() {  # WORDS...: its function, without a terminal
  zsh -f -c 'compadd() { print -rl -- "${offered[@]}"; }; compdef() { :; }; _files() { :; }
    source "$1"; shift; words=(aierase "$@"); CURRENT=${#words}; _aierase' zsh "$DIR/completion.zsh" "$@" 2>&1
}
explained() { "$AIERASE" "$@" --help | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u; }
"$AIERASE" --help | sed -n '/^options/q; s/^  \([a-z][a-z]* \{0,1\}[a-z]*\).*/\1/p' >"$DIR/lines"
while read -r first second; do
  if "$AIERASE" help "$first" "$second" >/dev/null 2>&1; then echo "$first $second"; else echo "$first"; fi
done <"$DIR/lines" >"$DIR/verbs"
[ "$(wc -l <"$DIR/verbs")" -ge 33 ] || { FAILED=$((FAILED + 1)); echo "FAIL the help lists verbs"; }
mandoc -T utf8 -O width=200 "$SOURCE/man/aierase.1" | col -b >"$DIR/manual"
missing=''
while read -r -a verb; do
  explained "${verb[@]}" >"$DIR/explained"
  [ -s "$DIR/explained" ] || missing+=" ${verb[*]}: no option is explained;"
  in_bash "${verb[@]}" -- >"$DIR/offered.bash"
  in_fish "aierase ${verb[*]} --" | cut -f 1 >"$DIR/offered.fish"
  in_zsh_at_once "${verb[@]}" -- >"$DIR/offered.zsh"
  while read -r option; do
    grep -qw -- "$option" "$DIR/manual" || missing+=" the manual: ${verb[*]} $option;"
    for shell in bash fish zsh; do
      grep -qE -- "^$option([^a-z-]|\$)" "$DIR/offered.$shell" || missing+=" $shell: ${verb[*]} $option;"
    done
  done <"$DIR/explained"
done <"$DIR/verbs"
equal "every option of every verb is in the manual and in the three shells" "$missing" ""
equal "and so are those of the program itself" \
  "$(for option in $(explained); do grep -qw -- "$option" "$DIR/manual" || echo "$option"; done)" ""
finish
