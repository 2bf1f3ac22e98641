#!/bin/bash
# Approvals in advance over the bus: given by an account and by a signature, listed, revoked, void.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
command -v ssh-keygen >/dev/null || { echo "ssh-keygen is missing"; exit 1; }
# Root can be nobody in person, so there is somebody else who approves.
if [ "$(id -u)" = 0 ]; then
  AS="setpriv --reuid 65534 --regid 65534 --clear-groups"
  chown 65534:65534 "$DIR"
fi
ssh-keygen -q -t ed25519 -N '' -C dora -f "$DIR/dora"
cat >"$DIR/people.toml" <<TOML
[person.dora]
name = "Dora Example"
ssh-key = "$(cat "$DIR/dora.pub")"
TOML
chmod 644 "$DIR/people.toml"
CONFIG="people = \"$DIR/people.toml\""
cat >"$DIR/rules.toml" <<'TOML'
[class.drafts]
erase-after = "30 days"
[class.kept]
retain-for = "1 year"
TOML
sed 's/30 days/20 days/' "$DIR/rules.toml" >"$DIR/other.toml"
start_bus
start_daemon
check "init, for two people" a init --root-slot "file:$DIR/slot/slot" --unlock none
check "the policy" a policy load "$DIR/rules.toml" --reason "agreed"
UNTIL=$(date -u -d '+200 days' +%F)
TOO_LATE=$(date -u -d '+400 days' +%F)

refused 2 'needs --until' a approve --standing drafts
refused 2 'names a retention class' a approve p-aaaaaaaa@000000000000 --standing drafts --until "$UNTIL"
refused 2 'is for --standing' a approve p-aaaaaaaa@000000000000 --until "$UNTIL"
refused 4 'no class' a approve --standing no-such --until "$UNTIL"
refused 2 'makes nothing due' a approve --standing kept --until "$UNTIL"
refused 9 'that is over' a approve --standing drafts --until 2020-01-01
refused 16 '366 days' a approve --standing drafts --until "$TOO_LATE"
refused 4 'no standing approval' a reject --standing drafts
a list approvals >"$DIR/out" 2>&1
contains "none yet" "$(cat "$DIR/out")" 'no approvals'

check "approved in advance" a approve --standing drafts --until "$UNTIL"
contains "it says for what and until when" "$(cat "$DIR/out")" "class drafts makes due"
contains "and how to take it back" "$(cat "$DIR/out")" 'aierase reject --standing drafts'
equal "it is in force" "$(a --json list approvals | json 'd["approvals"][0]["state"]')" in-force
equal "to the end of that day" \
  "$(a --json list approvals | json 'd["approvals"][0]["valid_until"]')" "${UNTIL}T23:59:59Z"
contains "as a table" "$(a list approvals)" 'drafts *in-force'
contains "the audit has it" "$(a audit)" 'class drafts'
check "revoked" a reject --standing drafts --reason "not these"
contains "it says how many" "$(cat "$DIR/out")" '1 approval in advance'
equal "it is revoked" "$(a --json list approvals | json 'd["approvals"][0]["state"]')" revoked
equal "and says why" "$(a --json list approvals | json 'd["approvals"][0]["ended"]["reason"]')" \
  "not these"

# By signature, of somebody without an account here.
refused 2 'names who will sign' a show --request --standing drafts --until "$UNTIL"
refused 2 'no person of people.toml|is no person|no user' a show --request --standing drafts --approver nobody --until "$UNTIL"
refused 2 'for --request --standing' a show --standing drafts
refused 2 'needs an id' a show
check "the text to sign" a show --request --standing drafts --approver dora --until "$UNTIL"
cp "$DIR/out" "$DIR/request"
contains "it says what it does" "$(cat "$DIR/request")" 'approve in advance'
ssh-keygen -q -Y sign -n aierase-approval@v1 -f "$DIR/dora" "$DIR/request" 2>/dev/null
refused 2 'which is not for' a reject --signed "$DIR/request"
check "handed in" a approve --signed "$DIR/request"
contains "it says whose it is" "$(cat "$DIR/out")" 'Signed by dora'
contains "and for which class" "$(cat "$DIR/out")" 'class drafts: it is in-force'
refused 6 'handed in before' a approve --signed "$DIR/request"
check "the text that revokes" a show --request --standing drafts --approver dora reject
cp "$DIR/out" "$DIR/no"
check "a second one is taken, too" a show --request --standing drafts --approver dora --until "$UNTIL"
cp "$DIR/out" "$DIR/second"
ssh-keygen -q -Y sign -n aierase-approval@v1 -f "$DIR/dora" "$DIR/second" 2>/dev/null
check "and handed in" a approve --signed "$DIR/second"
refused 2 'has 2 standing approvals' a show --request --standing drafts --approver dora reject
ID=$(a --json list approvals | json 'd["approvals"][0]["id"]')
check "with its id it is one" a show --request --standing drafts --approver dora --approval "$ID" reject
ssh-keygen -q -Y sign -n aierase-approval@v1 -f "$DIR/dora" "$DIR/no" 2>/dev/null
contains "a table has room for who signed" "$(a list approvals | sed -n 2p | cut -c1-120)" \
  'key SHA256:[A-Za-z0-9+/]\{8\}  20.*20.*Z'
check "the first is revoked by signature" a reject --signed "$DIR/no"
contains "for good" "$(cat "$DIR/out")" 'it is revoked\.$'
equal "the second is not" \
  "$(a --json list approvals | json '" ".join(x["state"] for x in d["approvals"])')" \
  "in-force revoked revoked"

check "a policy with other rules" a policy load "$DIR/other.toml" --reason "sooner"
contains "says that it is void" "$(cat "$DIR/out")" 'standing approval of dora for class drafts is void'
equal "and so it is" "$(a --json list approvals | json 'd["approvals"][0]["state"]')" void
stop_daemon
start_daemon
equal "after a restart, too" "$(a --json list approvals | json 'd["approvals"][0]["state"]')" void
check "and sound" a check
finish
