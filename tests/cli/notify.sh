#!/bin/bash
# The shipped service that runs hooks: real daemon, private bus, hooks that write files; restarts
# lose nothing and double nothing, and one bad hook stops no other.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
if [ "$(id -u)" = 0 ]; then
  AS="setpriv --reuid 65534 --regid 65534 --clear-groups"
  chown 65534:65534 "$DIR"
fi
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
head -c 5000 /dev/urandom >"$DIR/weights"
for n in 1 2 3 4 5; do a import "m:$n" "$DIR/weights" >/dev/null || echo "import $n failed"; done

mkdir "$DIR/notify.d" "$DIR/state" "$DIR/seen"
[ -z "$AS" ] || chown 65534 "$DIR/state" "$DIR/seen"
# Each hook adds a line: so the lines are the order and the number of runs.
cat >"$DIR/notify.d/10-first" <<HOOK
#!/bin/sh
echo "\$AIERASE_NUMBER \$AIERASE_KIND \$AIERASE_SUBJECT \$AIERASE_DAYS" >>"$DIR/seen/first"
cat >"$DIR/seen/event.\$AIERASE_NUMBER"
HOOK
printf '#!/bin/sh\necho "$AIERASE_NUMBER" >>"%s/seen/bad"\nexit 3\n' "$DIR" >"$DIR/notify.d/20-bad"
printf '#!/bin/sh\necho "$AIERASE_NUMBER" >>"%s/seen/slow"\nexec sleep 60\n' "$DIR" >"$DIR/notify.d/30-slow"
printf '#!/bin/sh\necho "$AIERASE_NUMBER" >>"%s/seen/last"\n' "$DIR" >"$DIR/notify.d/40-last"
printf '#!/bin/sh\ntouch "%s/seen/inert"\n' "$DIR" >"$DIR/notify.d/50-inert"
chmod 755 "$DIR"/notify.d/[1-4]*

start_notify() {  # [SECONDS that a hook has]
  $AS env AIERASE="$AIERASE" AIERASE_BUS="$BUS" AIERASE_NOTIFY_HOOKS="$DIR/notify.d" \
    STATE_DIRECTORY="$DIR/state" AIERASE_NOTIFY_SECONDS="${1:-1}" "$SOURCE/units/aierase-notify" \
    2>>"$DIR/notify.log" &
  NOTIFY_PID=$!
}
# Ends as systemd ends it, behind the hook that runs.
stop_notify() { kill -TERM "$NOTIFY_PID"; wait "$NOTIFY_PID" 2>/dev/null; }
lines() { wc -l <"$DIR/seen/$1" 2>/dev/null || echo 0; }
# until_lines FILE N: N notices were handled.
until_lines() {
  for _ in $(seq 400); do
    [ "$(lines "$1")" -ge "$2" ] && return
    read -rt 0.05 <> <(:) || :
  done
  echo "only $(lines "$1") lines in $1"
  return 1
}
plan() { local made; made=$(a -q retire "$@" --reason "it is \"superseded\", \"number\":7 {"); echo "${made%@*}"; }

# until_text FILE PATTERN
until_text() {
  for _ in $(seq 400); do
    grep -q "$2" "$1" 2>/dev/null && return
    read -rt 0.05 <> <(:) || :
  done
  echo "no $2 in $1"
  return 1
}

busctl --address="$BUS" monitor --json=short \
  --match="type='signal',interface='org.aierase1.Log'" >"$DIR/signals" 2>"$DIR/monitor" &
MONITOR_PID=$!
check "somebody listens" until_text "$DIR/monitor" Monitoring
FIRST=$(plan m:1)
check "a signal says so" until_text "$DIR/signals" '"member":"Noticed"'
equal "with the number alone" "$(head -1 "$DIR/signals" | json 'd["payload"]["data"][0]')" \
  "[$(a --json audit --outcome notice | json 'd["calls"][0]["number"]')]"
kill "$MONITOR_PID"
wait "$MONITOR_PID" 2>/dev/null
start_notify
check "the first notice arrives, although it was made before" until_lines last 1
equal "with kind and plan" "$(sed 's/^[0-9]* //' "$DIR/seen/first")" "plan-waits $FIRST 0"
equal "as JSON on standard input" "$(cat "$DIR"/seen/event.* | json 'd["call"]["notice"]["kind"]')" plan-waits
contains "in a sentence" "$(cat "$DIR"/seen/event.*)" "waits for approval"
SECOND=$(plan m:2)
check "the second as it comes" until_lines last 2
equal "the bad hook ran, too" "$(lines bad)" 2
contains "and is told of" "$(cat "$DIR/notify.log")" '20-bad ended with 3 for notice'
contains "and so is the slow one" "$(cat "$DIR/notify.log")" '30-slow ended with 124 for notice'
equal "what is not executable does nothing" "$(ls "$DIR/seen" | grep -c inert)" 0

stop_notify
THIRD=$(plan m:3)
start_notify
check "what came meanwhile is not lost" until_lines last 3
stop_daemon
wait "$NOTIFY_PID"
equal "without a daemon it ends, for systemd to start it again" "$(($? > 0))" 1
start_daemon
start_notify
FOURTH=$(plan m:4)
check "and goes on" until_lines last 4
stop_notify
equal "nothing was doubled" "$(cut -d' ' -f3 "$DIR/seen/first" | tr '\n' ' ')" "$FIRST $SECOND $THIRD $FOURTH "
equal "the number is kept with its store" "$(cat "$DIR/state/last")" \
  "$(tail -1 "$DIR/seen/first" | cut -d' ' -f1) $(a -q status)"
equal "they are what the audit has" "$(a --json audit --outcome notice | json 'len(d["calls"])')" 4
contains "filtered by kind" "$(a audit --action plan-waits)" 'waits for approval'
equal "and behind a number" \
  "$(a --json audit --outcome notice --after "$(cut -d' ' -f1 "$DIR/state/last")" | json 'len(d["calls"])')" 0
refused 2 'number of a row' a audit --after yesterday

# Stopped in the middle of a notice: the hook that runs ends, those behind it run after the start.
mkfifo "$DIR/seen/gate"
[ -z "$AS" ] || chown 65534 "$DIR/seen/gate"
cat >"$DIR/notify.d/15-waits" <<HOOK
#!/bin/sh
echo "\$AIERASE_NUMBER" >>"$DIR/seen/waits"
read -r _ <"$DIR/seen/gate"
HOOK
chmod 755 "$DIR/notify.d/15-waits"
start_notify 60
plan m:5 >/dev/null
check "a hook waits" until_lines waits 1
kill -TERM "$NOTIFY_PID"
echo on >"$DIR/seen/gate"
wait "$NOTIFY_PID"
equal "it ends well" $? 0
equal "no hook behind it ran" "$(lines last)" 4
chmod 644 "$DIR/notify.d/15-waits"
start_notify
check "they run after the start" until_lines last 5
stop_notify
equal "the hooks before are not run again" "$(lines first) $(lines waits)" "5 1"

echo nonsense >"$DIR/state/last"
start_notify
wait "$NOTIFY_PID"
equal "a broken state is not guessed at" $? 1

# The mail, as it is shipped, with somebody else's sendmail.
mkdir "$DIR/bin"
printf '#!/bin/sh\ncat >"%s/seen/mail"\n' "$DIR" >"$DIR/bin/sendmail"
ln -s "$AIERASE" "$DIR/bin/aierase"
chmod 755 "$DIR/bin/sendmail"
cp "$SOURCE/units/notify.d/10-mail.example" "$DIR/mail"
chmod 755 "$DIR/mail"
a audit --outcome notice --json-lines | head -1 |
  $AS env PATH="$DIR/bin:$PATH" AIERASE_BUS="$BUS" AIERASE_KIND=plan-waits AIERASE_SUBJECT="$FIRST" "$DIR/mail"
equal "the mail is made: exit status" $? 0
contains "it has a subject" "$(cat "$DIR/seen/mail")" '^Subject: aierase on .*plan-waits'
contains "the line to paste" "$(cat "$DIR/seen/mail")" "^  aierase approve p-.*@"
contains "and the text to sign" "$(cat "$DIR/seen/mail")" '^AIERASE DECISION, FORMAT 1'

# A host that was rebuilt: the new store has fewer rows than the number that is kept.
STORE_BEFORE=$(a -q status)
stop_daemon
echo "999999 $STORE_BEFORE" >"$DIR/state/last"
rm -rf "$DIR/store" "$DIR/slot"
start_daemon
check "init of another" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
a import "n:1" "$DIR/weights" >/dev/null
plan n:1 >/dev/null
start_notify
check "the notices of another store are told from the first on" until_lines last 6
stop_notify
contains "with a remark" "$(cat "$DIR/notify.log")" 'told from the first on'
equal "and its number is kept" "$(cut -d' ' -f2 "$DIR/state/last")" "$(a -q status)"
finish
