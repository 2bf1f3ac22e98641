#!/bin/bash
# Legal holds by the program alone: placed, met by a plan, lifted, and what waited goes on.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator

head -c 100000 /dev/urandom >"$DIR/weights"
for name in gauss/a:1 gauss/b:1 other:1; do
  check "import $name" a import "$name" "$DIR/weights" --label "project=${name%%/*}"
done
check "import of a derived model" a import tuned:1 "$DIR/weights" --derived-from gauss/a:1

check "check of what matches" a check --match label.project=gauss
contains "is of that alone" "$(cat "$DIR/out")" 'Checked 2 assets,'
names() { printf 'gauss/a:1\nother:1\ntuned:1\n' | a check -; }
check "check of names on standard input" names
contains "is of them alone" "$(cat "$DIR/out")" 'Checked 3 assets,'

refused 2 'needs --matter' a hold place --reason r --match name=x
refused 2 'needs --reason' a hold place --matter m --match name=x
refused 2 'never means everything' a hold place --matter m --reason r
refused 2 'no match by' a hold place --matter m --reason r --match colour=red
refused 2 'nothing alive matches' a hold place --matter m --reason r --match name=nobody
refused 2 'what comes later' a hold place --matter m --reason r --match state=active --future

check "a hold" a hold place --matter "Smith v. Acme" --reason litigation \
  --match 'label.project=gau*' --future
contains "it says what it binds" "$(cat "$DIR/out")" '2 assets cannot be erased'
HOLD=$(a list holds -q)
check "show of the hold" a show "$HOLD"
contains "it names its assets" "$(cat "$DIR/out")" 'gauss/b:1'
contains "show of an asset names the hold" "$(a show gauss/a:1)" 'Smith v. Acme'
equal "list holds as JSON" "$(a --json list holds | json 'd["holds"][0]["assets_count"], d["holds"][0]["state"]')" \
  "2 in force"
equal "status counts it" "$(a --json status | json 'd["store"]["holds"]')" 1

refused 7 'Smith v. Acme' a retire gauss/b:1 --reason end
equal "a dry run shows it" "$(a --json retire gauss/b:1 --reason end --dry-run | \
  json 'd["plan"]["items"][0]["verdict"]')" blocked
check "others can be retired beside it" a retire --match 'label.project=*' --reason end --skip-blocked
PLAN=$(a list plans -q | head -1)
equal "and only those are in the plan" \
  "$(a --json show "$PLAN" | json '" ".join(i["name"] for i in d["plan"]["items"])')" "other:1"
check "it is taken back" a cancel "$PLAN"

check "a later import that matches" a import gauss/c:1 "$DIR/weights" --label project=gauss
equal "is bound, too" "$(a --json show gauss/c:1 | json 'len(d["asset"]["holds"])')" 1
check "a label that comes to match" a set other:1 --label project=gauss2 --reason moved
equal "binds" "$(a --json show other:1 | json 'len(d["asset"]["holds"])')" 1
check "a label that matches no more" a set other:1 --label project=else --reason moved
equal "does not free" "$(a --json show other:1 | json 'len(d["asset"]["holds"])')" 1

check "a plan" a retire tuned:1 --now --reason end
PLAN=$(a list plans -q | head -1)
check "a hold by lineage, while it waits for its approval" a hold place --matter inquiry \
  --reason "as asked" --match derived-from='gauss/*'
SECOND=$(a list holds -q | head -1)
refused 7 '' a approve "$PLAN@$(a --json show "$PLAN" | json 'd["plan"]["digest"][:12]')"
contains "an approval counts, but the hold is said" "$(cat "$DIR/out")" 'before the legal holds are lifted'
contains "and no key is called destroyed" "$(cat "$DIR/out")" '^Nothing was erased'
equal "the item is held" "$(a --json show "$PLAN" | json 'd["plan"]["items"][0]["state"]')" held
contains "and the plan says so" "$(a show "$PLAN")" 'before the legal holds are lifted'
equal "its asset stays retired" "$(a --json show tuned:1 | json 'd["asset"]["state"]')" retired
refused 2 'needs --reason' a hold lift "$SECOND"
refused 4 '' a hold lift h-aaaaaaaaaaaaaaaaaaaaaaaaaa --reason r
check "lifted" a hold lift "$SECOND" --reason "inquiry closed"
contains "it says what goes on" "$(cat "$DIR/out")" 'goes on now'
check "and it is erased" a wait "$PLAN" --for erased --timeout 60s
refused 6 'lifted already' a hold lift "$SECOND" --reason again
equal "one in force is left" "$(a --json status | json 'd["store"]["holds"]')" 1
refused 7 '' a retire gauss/c:1 --reason end
finish
