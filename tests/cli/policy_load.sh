#!/bin/bash
# A policy in force, as people meet it: loaded, shown, obeyed; grace, floors, and the way below one.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
mkdir "$DIR/m"
head -c 5000 /dev/urandom >"$DIR/m/weights"
check "a model" a import gauss/model:1 "$DIR/m"
check "a log" a import gauss/log:1 "$DIR/m" --label purpose=log
contains "status names the built-in policy" "$(a status)" 'built in: a grace of 7 days'
contains "show says why it is kept, and how long" "$(a show gauss/model:1)" 'Why it is kept, and how long'
refused 6 'no retention class' a import gauss/x:1 "$DIR/m" --retention logs

P=$DIR/rules.toml
cat >"$P" <<'TOML'
[class.logs]
match = ["label.purpose=log"]
retain-for = "6 months"
erase-after = "12 months"
basis = "Regulation (EU) 2024/1689, Article 19(1)"
[class.quick]
match = ["name=gauss/model"]
grace = "1 second"
allow-now = true
TOML
printf '[class.logs]\nretain-fro = "6 months"\n' >"$DIR/wrong.toml"
refused 6 '1 error' a policy load "$DIR/wrong.toml" --reason r
contains "with its place" "$(cat "$DIR/out")" 'wrong.toml:2:1: error'
refused 2 'needs --reason' a policy load "$P"
refused 6 'nobody-there' a policy load <(echo '[class.a]
custodians = ["nobody-there"]') --reason r
check "a dry run" a policy load "$P" --dry-run
contains "says that it was one" "$(cat "$DIR/out")" 'the policy in force is as it was'
equal "and loads nothing" "$(a --json status | json 'd["policy"]["built_in"]')" True
check "load" a policy load "$P" --reason "as the board decided"
equal "status as JSON" "$(a --json status | json 'd["policy"]["version"], d["policy"]["reason"]')" \
  "$(a -q policy check "$P") as the board decided"
a show gauss/log:1 >"$DIR/out"
contains "show names the floor" "$(cat "$DIR/out")" '6 months after its import'
contains "its classes" "$(cat "$DIR/out")" 'default, logs'
contains "and the law" "$(cat "$DIR/out")" 'Article 19(1)'
equal "as JSON, too" "$(a --json show gauss/log:1 | json 'd["asset"]["rules"]["verdict"]')" blocked

refused 8 '6 months' a retire gauss/log:1 --reason end
contains "the refusal tells the way below a floor" "$(cat "$DIR/err")" '--below-floor'
refused 8 'gauss/log:1 is blocked' a retire gauss/log:1 --reason end --now
check "below the floor, on a legal basis" a retire gauss/log:1 --reason end --below-floor "GDPR Article 17(1)"
contains "asks for one more person" "$(cat "$DIR/out")" '2 people'
PLAN=$(a list plans -q | head -1)
equal "as JSON" "$(a --json show "$PLAN" | json 'd["plan"]["below_floor"], d["plan"]["approvals"]["people"]')" \
  "GDPR Article 17(1) 2"
check "it is taken back" a cancel "$PLAN"

# A class whose grace is a second: the plan is executed when it ends, without a call. The class
# default applies as well, so its own grace has to be short, too.
printf '[class.default]\ngrace = "1 second"\nallow-now = true\n' >"$DIR/default.toml"
check "a shorter grace" a policy load "$P" "$DIR/default.toml" --reason "for this test"
contains "what becomes weaker" "$(cat "$DIR/out")" 'its grace is 1 second instead of 7 days'
contains "what becomes weaker is shown" "$(cat "$DIR/out")" 'WHAT BECOMES WEAKER'
PLAN=$(a -q retire gauss/model:1 --reason end)
contains "the plan says when" "$(a show "${PLAN%@*}")" 'if it is approved now'
check "approve" a approve "$PLAN"
contains "says when, and how to take it back" "$(cat "$DIR/out")" 'aierase cancel'
equal "it is retired" "$(a --json show gauss/model:1 | json 'd["asset"]["state"]')" retired
# Where this machine's clock is not synchronised no time is known to pass; else it goes by itself.
for _ in $(seq 30); do
  a wait "${PLAN%@*}" --for erased --timeout 2s >"$DIR/out" 2>"$DIR/err" && break
  [ "$(a --json show "${PLAN%@*}" | json 'd["plan"].get("waits_for")')" = clock ] || continue
  a wait "${PLAN%@*}" --for erased --timeout 1s >"$DIR/out" 2>"$DIR/err"
  contains "wait says what it waits for" "$(cat "$DIR/err")" 'confirmed clock'
  contains "doctor tells how to go on" "$(a doctor)" 'enforce --confirm-clock'
  break
done
check "a person confirms the clock" a enforce --confirm-clock
check "and then it is erased" a wait "${PLAN%@*}" --for erased --timeout 60s
CERTIFICATE=$(a list certificates -q)
check "its certificate as text" a certificate export "$CERTIFICATE" "$DIR/c.txt" --format text
contains "tells grace" "$(cat "$DIR/c.txt")" 'ended at'
contains "and the version in force" "$(tr -d ' \n' <"$DIR/c.txt")" \
  "$(a -q policy check "$P" "$DIR/default.toml")"

refused 2 'placed-on-market' a set gauss/log:1 --event born=2026-01-01 --reason r
refused 2 'a day like' a set gauss/log:1 --event placed-on-market=tomorrow --reason r
check "an event of today" a set gauss/log:1 --event placed-on-market --reason "just now"
contains "is of its first second" "$(a --json show gauss/log:1)" 'placed-on-market=20..-..-..T00:00:00Z'
check "an event" a set gauss/log:1 --event placed-on-market=2026-01-01 --reason "the register"
contains "which show tells" "$(a --json show gauss/log:1)" 'placed-on-market=2026-01-01T00:00:00Z'
finish
