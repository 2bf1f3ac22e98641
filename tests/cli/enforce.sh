#!/bin/bash
# The nightly run as people and their timers meet it: what it makes, tells and exits with.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
mkdir "$DIR/m"
head -c 5000 /dev/urandom >"$DIR/m/weights"
check "a version" a import gauss/log:1 "$DIR/m"
head -c 5000 /dev/urandom >"$DIR/m/weights"
check "and the one that supersedes it" a import gauss/log:2 "$DIR/m" --supersedes gauss/log:1
check "without a policy nothing is due" a enforce
contains "it says so" "$(cat "$DIR/out")" 'nothing is due'
contains "and that nobody needs to act" "$(cat "$DIR/out")" 'Nobody needs to act'

cat >"$DIR/rules.toml" <<'TOML'
[class.default]
grace = "1 second"
allow-now = true
[class.old]
match = ["name=gauss/log"]
trigger = "superseded"
erase-after = "1 second"
grace = "1 second"
TOML
check "a policy with a ceiling" a policy load "$DIR/rules.toml" --reason "as agreed"
refused 2 'only a dry run' a enforce --at 2090-01-01
refused 2 'has passed' a enforce --dry-run --at 2020-01-01
refused 2 'does not understand' a enforce --dry-run --at someday
refused 2 'goes alone' a enforce --confirm-clock --dry-run
a enforce --dry-run --at 2090-01-01 >"$DIR/out"
equal "a dry run about another moment exits as the run would" $? 9
contains "names what would be due" "$(cat "$DIR/out")" 'gauss/log:1'
contains "says that it was one" "$(cat "$DIR/out")" 'nothing was written'
equal "and makes no plan" "$(a list plans -q)" ""
equal "as JSON" "$(a --json enforce --dry-run --at 2090-01-01 | json 'd["schema"], d["waiting"], d["items"][0]["outcome"], d["items"][0]["class"], d["dry_run"]')" \
  "aierase/enforce/v1 1 waiting old True"
equal "a moment of expiry is there where nothing waits" \
  "$(a --json enforce --dry-run | json 'repr(d["approval_expires"])')" "''"

# Where this machine's clock is not synchronised no time is known to pass: a person says that it did.
for _ in $(seq 100); do
  a enforce --confirm-clock >/dev/null
  a enforce >"$DIR/out" 2>"$DIR/err"
  CODE=$?
  [ "$CODE" -eq 0 ] || break
done
equal "plans wait for approvals" "$CODE" 9
contains "one was made" "$(cat "$DIR/out")" 'plans made: 1'
contains "the next step" "$(cat "$DIR/out")" 'aierase list plans'
a -q enforce >"$DIR/out"
equal "a second run" "$?" 9
equal "makes none" "$(cat "$DIR/out")" ""
PLAN=$(a list plans -q)
contains "show says who made it" "$(a show "$PLAN")" 'the nightly run'
contains "and why" "$(a show "$PLAN")" '1 second after'
equal "as JSON" "$(a --json show "$PLAN" | json 'd["plan"]["origin"]')" enforce
DIGEST=$(a --json show "$PLAN" | json 'd["plan"]["digest"]')
check "a custodian approves" a approve "$PLAN@$DIGEST"
for _ in $(seq 100); do
  a enforce --confirm-clock >/dev/null
  a wait "$PLAN" --for erased --timeout 1s >/dev/null 2>&1 && break
done
check "the run after the erasure" a --json enforce
equal "tells of it" "$(json 'd["end"], d["erased"], len(d["items"])' <"$DIR/out")" "clear 1 0"
a --json enforce >"$DIR/out"
equal "once" "$(json 'd["erased"]' <"$DIR/out")" 0
CERTIFICATE=$(a list certificates -q)
check "its certificate" a certificate export "$CERTIFICATE" "$DIR/c.txt" --format text
contains "says who asked" "$(cat "$DIR/c.txt")" 'the nightly run, by the class'
equal "the newer version is there" "$(a --json show gauss/log:2 | json 'd["asset"]["state"]')" active

# The only one of its class: the brake trips.
check "something short-lived" a import tmp/a "$DIR/m"
printf '[class.tmp]\nmatch = ["name=tmp/*"]\nerase-after = "1 second"\n' >"$DIR/tmp.toml"
check "a class of its own" a policy load "$DIR/rules.toml" "$DIR/tmp.toml" --reason "as agreed"
contains "a match finds what it makes due" "$(a list --match due-before=2099-01-01)" 'tmp/a'
for _ in $(seq 100); do
  a enforce --confirm-clock >/dev/null
  a enforce >"$DIR/out" 2>"$DIR/err"
  CODE=$?
  [ "$CODE" -eq 0 ] || break
done
equal "the brake" "$CODE" 13
contains "says why" "$(tr -s ' \n' ' ' <"$DIR/out")" 'nothing that is in use would be left of class tmp'
contains "and how to go on" "$(cat "$DIR/out")" 'one person more'
PLAN=$(a list plans -q | head -1)
contains "the plan says so" "$(tr -s ' \n' ' ' <<<"$(a show "$PLAN")")" 'would be left of class tmp'
equal "two people have to approve" "$(a --json show "$PLAN" | json 'd["plan"]["approvals"]["people"]')" 2

contains "status tells of the last run" "$(a status)" 'braked'
PINNED="${PLAN}@$(a --json show "$PLAN" | json 'd["plan"]["digest"]')"
check "one person approves" a approve "$PINNED"
contains "who is told that it takes another" "$(cat "$DIR/out")" 'somebody who has not approved it yet has to, too'
equal "a digest behind a plan does no harm" "$(a --json show "$PINNED" | json 'd["plan"]["state"]')" requested
a status --openmetrics >"$DIR/metrics"
for name in enforce_last_run_timestamp_seconds enforce_last_success_timestamp_seconds \
  overdue_assets braked_plans clock_guard_closed enforce_alarms; do
  contains "a monitor sees $name" "$(cat "$DIR/metrics")" "^aierase_$name "
done
equal "how many the brake holds" "$(sed -n 's/^aierase_braked_plans //p' "$DIR/metrics")" 1
finish
