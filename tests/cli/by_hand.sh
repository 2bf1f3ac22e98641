#!/bin/bash
# What somebody meets who uses the verbs by hand: many assets at once, lists that say what they are
# of, changes that change nothing, hints that can be pasted.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
mkdir "$DIR/bin"
printf '#!/bin/sh\nexec "%s" --bus "%s" "$@"\n' "$AIERASE" "$BUS" >"$DIR/bin/aierase"
chmod 755 "$DIR/bin/aierase"
PATH="$DIR/bin:$PATH"
# hinted VERB: the command of that verb in what was printed last, as it stands.
hinted() { grep -h -o "aierase $1.*" "$DIR/out" "$DIR/err" | head -n 1; }
state_of() { a --json show "$1" | json 'd["asset"]["state"]'; }
for i in 1 2 3; do head -c 100 /dev/urandom >"$DIR/m$i"; a -q import "m:$i" "$DIR/m$i" >/dev/null; done

# Many at once.
check "two are suspended" a suspend m:1 m:2 --reason look
contains "each has a line" "$(cat "$DIR/out")" '^m:2 is suspended'
contains "which says what happens to views" "$(cat "$DIR/out")" 'views that are mounted end'
check "its hint can be pasted" bash -c "$(hinted resume)"
equal "and both are back" "$(state_of m:1) $(state_of m:2)" "active active"
check "names on standard input" a suspend - <<<$'m:1\nm:3'
a resume m:1 m:2 m:3 >"$DIR/out" 2>"$DIR/err"
equal "some fail: exit 14" "$?" 14
contains "the one that failed has its line" "$(cat "$DIR/out")" '^m:2: not done: m:2 is active, not suspended'
equal "and stops no other" "$(state_of m:3)" active
a --json suspend m:2 m:9 >"$DIR/out" 2>/dev/null
equal "for programs both lists" "$(json 'len(d["assets"]), d["failed"][0]["code"]' <"$DIR/out")" "1 not_found"
check "what matches and is suspended" a resume --match 'name=m'
equal "is that one" "$(wc -l <"$DIR/out")" 1
refused 2 'nothing suspended matches' a resume --match 'name=m'
refused 2 'nothing is selected' a suspend
PLAN=$(a -q retire m:1 m:2 --reason t)
check "a plan that retires two" a approve "$PLAN"
check "is cancelled" a cancel "${PLAN%@*}"
HINT=$(hinted resume)
equal "it says how all of it comes back" "$HINT" "aierase resume m:1 m:2"
check "its hint can be pasted" bash -c "$HINT"
equal "and brings all of it back" "$(state_of m:1) $(state_of m:2)" "active active"

# Lists that say what they are of.
PLAN=$(a -q retire m:3 --now --reason t)
contains "a request expires" "$(a list plans)" 'requested .*expires 20'
a approve "$PLAN" >/dev/null
contains "what has ended, did" "$(a list plans)" 'done .*ended 20'
contains "a certificate has the name of its asset" "$(a list certificates)" ' m:3$'
equal "for programs, too" "$(a --json list certificates | json 'd["certificates"][0]["name"]')" m:3
contains "and shown" "$(a show "$(a -q list certificates)")" '^Name  *m:3$'

# Hints.
refused 4 'aierase list plans' a cancel p-aaaaaaaa
refused 4 'aierase list certificates' a certificate export c-aaaaaaaa "$DIR/none"
refused 4 'aierase list holds' a hold lift h-aaaaaaaa --reason t
HOLD=$(a -q hold place --matter x --reason y --match name=m)
refused 7 '^hint: --dry-run shows it' a retire m:1 --reason t
refused 7 'skip-blocked plans the others' a retire m:1 m:2 --reason t
a hold lift "$HOLD" --reason z >/dev/null
refused 6 'aierase retire m:1 --reason REASON makes one' a wait m:1 --for erased --timeout 0s
check "a head of the log" a log checkpoint "$DIR/head"
contains "whose hint verifies" "$(cat "$DIR/out")" 'aierase verify LATER --from .* --trust DIR'

# Changes that change nothing.
events() { a --json show m:1 | json 'len(d["asset"]["events"])'; }
BEFORE=$(events)
check "a label that is not there is removed" a set m:1 --label nix- --reason t
contains "which changes nothing" "$(cat "$DIR/out")" '^Nothing changed: it is so already with m:1'
a set m:1 --retention default --reason t >/dev/null
equal "and is not recorded" "$(events)" "$BEFORE"
check "a label that is there is set" a set m:1 --label k=v --reason t
equal "which is" "$(events)" "$((BEFORE + 1))"
check "a policy" a policy load "$SOURCE/policies/retention/experiments.toml" --reason agreed
check "once more" a policy load "$SOURCE/policies/retention/experiments.toml" --reason agreed
contains "which is in force already" "$(cat "$DIR/out")" 'in force already: nothing changes'
check "an import with all of it" a import l:1 "$DIR/m1" --label k=v --custodian "$(id -un)" --derived-from m:1
a import l:1 "$DIR/m1" --label k=v --custodian "$(id -un)" --derived-from m:1 >/dev/null 2>"$DIR/err"
equal "once more loses nothing" "$(cat "$DIR/err")" ""
a import l:1 "$DIR/m1" --label k=w --derived-from m:2 >/dev/null 2>"$DIR/err"
contains "another label is told" "$(cat "$DIR/err")" 'not recorded: --label; aierase set'
contains "and another lineage" "$(cat "$DIR/err")" 'not recorded: --derived-from'

# Keys that cannot be rotated leave nothing behind.
stop_daemon
mv "$DIR/slot/signer.key" "$DIR/signer.key"
start_daemon
refused 6 'keys in force cannot be read' a certificate trust "$DIR/t3" --rotate
check "nothing was written" test ! -e "$DIR/t3"
stop_daemon
mv "$DIR/signer.key" "$DIR/slot/signer.key"
start_daemon
check "one that is not does" a certificate trust "$DIR/t3" --rotate
equal "all three files" "$(ls "$DIR/t3" | wc -l)" 3

# Whom nobody knows.
a audit --who nobodyx >"$DIR/out" 2>"$DIR/err"
equal "an unknown login is no error" "$?" 0
contains "but told" "$(cat "$DIR/err")" 'no account of this host is called "nobodyx"'
finish
