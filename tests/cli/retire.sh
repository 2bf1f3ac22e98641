#!/bin/bash
# What is told of the end of assets before and while it comes: what stays, what is left out, and what
# somebody who waits for it is told.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
head -c 5000 /dev/urandom >"$DIR/weights"
check "a base" a import base:1 "$DIR/weights"
check "what depends on it" a import tuned:1 "$DIR/weights" --derived-from base:1
check "another" a import other:1 "$DIR/weights"

a retire base:1 other:1 --skip-blocked --reason end --dry-run >"$DIR/out"
equal "a dry run that leaves something out" $? 0
contains "tells of what, and why" "$(cat "$DIR/out")" 'Left out.*base:1 (.*tuned:1'
contains "counts the others" "$(cat "$DIR/out")" '1 item would be in it'
contains "and who would approve them" "$(cat "$DIR/out")" 'Approval needed.*for 1 item'
a --json retire base:1 other:1 --skip-blocked --reason end --dry-run >"$DIR/out"
equal "as JSON" "$(json '[i["name"] for i in d["plan"]["items"]], [(i["name"], i["reasons"][0]["code"]) for i in d["plan"]["left_out"]], d["plan"]["items_waiting"]' <"$DIR/out")" \
  "['other:1'] [('base:1', 'policy_conflict')] 1"
equal "without what nobody can approve" "$(json '"id" in d["plan"], "digest" in d["plan"]' <"$DIR/out")" "False False"
a retire base:1 --skip-blocked --reason end --dry-run >"$DIR/out"
CODE=$?
contains "where nothing is left" "$(cat "$DIR/out")" 'none would be: 1 item is blocked'
a retire base:1 --skip-blocked --reason end >/dev/null 2>&1
equal "it exits as the run would" "$CODE" $?
a retire base:1 --keep tuned:1="still in use" --reason end --dry-run >"$DIR/out"
contains "a dry run tells what stays" "$(cat "$DIR/out")" 'Stays.*tuned:1, a-.*: still in use'

refused 2 'depends on nothing' a retire other:1 --keep tuned:1=foo --reason end
refused 2 'no floor' a retire other:1 --below-floor "Article 17" --reason end

a retire base:1 other:1 --skip-blocked --reason end >"$DIR/out"
contains "the plan tells what it left out" "$(cat "$DIR/out")" 'Left out.*base:1 (.*tuned:1'
PLAN=$(a list plans -q | head -1)
check "it is taken back" a cancel "$PLAN"
a retire base:1 --keep tuned:1="still in use" --reason end >"$DIR/out"
contains "the plan tells what stays" "$(cat "$DIR/out")" 'Stays.*tuned:1, a-.*: still in use'
PLAN=$(a list plans -q | head -1)
contains "and so does show, by its name" "$(a show "$PLAN")" 'Stays.*tuned:1, a-.*: still in use'
check "approve" a approve "$PLAN@$(a --json show "$PLAN" | json 'd["plan"]["digest"]')"
refused 16 'its grace lasts until' a wait "$PLAN" --for erased --timeout 0s
refused 16 'its grace lasts until' a wait base:1 --for erased --timeout 0s
contains "with what takes it back" "$(cat "$DIR/err")" 'aierase cancel p-'

check "a key that the daemon makes" a import key:1 --kind dataset-key --generate
contains "lay nowhere in the clear" "$(a show key:1)" 'none, made in the store'
finish
