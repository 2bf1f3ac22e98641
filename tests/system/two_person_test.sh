#!/bin/bash
# The two-person way with real people: a private system bus, the real polkitd with the shipped
# actions and rules, the daemon as its unit runs it, and five users in a private mount namespace
# (nothing of this machine's accounts is touched). Every method group is allowed, denied or refused
# as aierase(1) PEOPLE says.
#
#   two_person_test.sh BUILD_DIRECTORY SOURCE_DIRECTORY
set -u
build=$1
source=$2

if [ "$(id -u)" != 0 ]; then
  echo "two_person_test: needs root (a mount namespace and several users)" >&2
  exit 1
fi
if [ "${AIERASE_IN_NAMESPACE:-}" != yes ]; then
  AIERASE_IN_NAMESPACE=yes exec unshare --mount --propagation private "$0" "$@"
fi

work=$(mktemp -d)
chmod 0755 "$work"
passed=0
failed=0
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

# ---- accounts of this namespace ----------------------------------------------------------------
alice=64001 bob=64002 carol=64003 dave=64004 erin=64005
{
  cat /etc/passwd
  echo "alice:x:$alice:$alice::/nonexistent:/bin/sh"
  echo "bob:x:$bob:$bob::/nonexistent:/bin/sh"
  echo "carol:x:$carol:$carol::/nonexistent:/bin/sh"
  echo "dave:x:$dave:$dave::/nonexistent:/bin/sh"
  echo "erin:x:$erin:$erin::/nonexistent:/bin/sh"
} | awk -F: '!seen[$1]++' >"$work/passwd"
{
  cat /etc/group
  echo "alice:x:$alice:"
  echo "bob:x:$bob:"
  echo "carol:x:$carol:"
  echo "dave:x:$dave:"
  echo "erin:x:$erin:"
  echo "aierase-operators:x:64101:alice"
  echo "aierase-custodians:x:64102:bob,dave"
  echo "aierase-managers:x:64103:alice"
  echo "aierase-auditors:x:64104:erin"
  echo "aierase-hold-keepers:x:64105:"
  echo "data-owners:x:64106:dave"
} | awk -F: '!seen[$1]++' >"$work/group"
mount --bind "$work/passwd" /etc/passwd
mount --bind "$work/group" /etc/group

# ---- bus and polkit ----------------------------------------------------------------------------
mkdir -p "$work/actions" "$work/rules"
cp "$source"/policies/polkit/*.policy "$work/actions/"
cp "$source"/policies/polkit/*.rules "$work/rules/"
cp /usr/share/polkit-1/actions/org.freedesktop.policykit.policy "$work/actions/" 2>/dev/null
chmod -R a+rX "$work/actions" "$work/rules"
mount --bind "$work/actions" /usr/share/polkit-1/actions
mount --bind "$work/rules" /etc/polkit-1/rules.d
cat >"$work/bus.conf" <<EOF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=$work/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <allow send_type="method_call" send_destination="org.freedesktop.DBus"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/>
    <allow receive_type="error"/><allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <policy user="polkitd"><allow own="org.freedesktop.PolicyKit1"/></policy>
  <policy user="root"><allow own="org.freedesktop.PolicyKit1"/></policy>
  <include>$source/policies/dbus/org.aierase1.conf</include>
</busconfig>
EOF
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile 2>"$work/bus.log" &
pids+=($!)
start_polkit() {
  /usr/lib/polkit-1/polkitd --no-debug >"$work/polkit.log" 2>&1 &
  polkit_pid=$!
  pids+=("$polkit_pid")
}
wait_for() { # COMMAND...: at most 10 s
  for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return 0; sleep 0.05; done
  echo "two_person_test: gave up waiting for: $*" >&2
  return 1
}
wait_for test -S "$work/bus"
start_polkit
name_owned() {
  dbus-send --bus="$DBUS_SYSTEM_BUS_ADDRESS" --print-reply --dest=org.freedesktop.DBus / \
    org.freedesktop.DBus.GetNameOwner "string:$1"
}
wait_for name_owned org.freedesktop.PolicyKit1 || { cat "$work/polkit.log" "$work/bus.log"; exit 1; }

# ---- the daemon --------------------------------------------------------------------------------
mkdir -m 0700 "$work/store" "$work/slot"
printf 'slot = "%s"\n' "$work/slot/slot" >"$work/aierased.toml"
as() { # UID COMMAND...
  local uid=$1
  shift
  setpriv --reuid "$uid" --regid "$uid" --init-groups -- "$@"
}
"$build/daemon/aierased" --bus "$DBUS_SYSTEM_BUS_ADDRESS" --store "$work/store" \
  --config "$work/aierased.toml" >"$work/daemon.log" 2>&1 &
pids+=($!)
wait_for name_owned org.aierase1 || { cat "$work/daemon.log"; exit 1; }

aierase() { # UID ARGUMENTS...
  local uid=$1
  shift
  as "$uid" "$build/ctl/aierase" --bus "$DBUS_SYSTEM_BUS_ADDRESS" --no-ask-password "$@"
}

# expect EXIT "what it shows" UID ARGUMENTS...
expect() {
  local want=$1 what=$2
  shift 2
  aierase "$@" >"$work/out" 2>"$work/err" </dev/null
  local got=$?
  if [ "$got" = "$want" ]; then
    passed=$((passed + 1))
    echo "ok: $what"
  else
    failed=$((failed + 1))
    echo "FAILED: $what: exit $got, wanted $want"
    sed 's/^/    /' "$work/out" "$work/err"
  fi
}
says() { # TEXT "what it shows": in the last output
  if grep -qi -- "$1" "$work/out" "$work/err"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $2: did not say \"$1\""
    sed 's/^/    /' "$work/out" "$work/err"
  fi
}
field() { # FILTER: of the last JSON output
  python3 -c "import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))" \
    "$work/out" "$1"
}

mkdir "$work/model"
head -c 300000 /dev/urandom >"$work/model/weights.bin"
echo '{"layers": 2}' >"$work/model/config.json"
chmod -R a+rX "$work/model"

expect 5 "a stranger may not initialise a store" $carol init
expect 0 "a manager may" $alice init
says "two" "init says that two persons are asked for"

expect 5 "a stranger may not import" $carol import demo:1 "$work/model" --custodian bob
expect 0 "an operator may" $alice --json import demo:1 "$work/model" --custodian bob
expect 0 "and a second one" $alice import keep:1 "$work/model" --custodian bob
expect 2 "without custodian nothing is imported" $alice import demo:2 "$work/model"
expect 6 "a custodian must exist" $alice import demo:2 "$work/model" --custodian nobody-there
expect 5 "a stranger may not read the inventory" $carol list
expect 5 "a stranger may not export" $carol export demo:1 "$work/stolen"
expect 5 "a custodian may not retire" $bob retire demo:1 --reason "superseded"

expect 0 "an operator plans a retirement" $alice --json retire demo:1 --now --reason "superseded"
plan=$(field 'd["plan"]["id"]')
digest=$(field 'd["plan"]["digest"]')
expect 0 "the asset stays usable while the plan is requested" $alice export demo:1 - --file config.json

expect 5 "whoever requested does not approve" $alice approve "$plan@${digest:0:16}"
expect 5 "root does not approve" 0 approve "$plan@${digest:0:16}"
expect 5 "a stranger does not approve" $carol approve "$plan@${digest:0:16}"
expect 5 "a custodian of other data does not approve" $dave approve "$plan@${digest:0:16}"
expect 10 "a wrong digest does not approve" $bob approve "$plan@000000000000"
expect 2 "a digest of eleven digits does not approve" $bob approve "$plan@${digest:0:11}"
expect 0 "the custodian does" $bob approve "$plan@${digest:0:16}"
expect 11 "erased is erased, for the operator" $alice export demo:1 "$work/late"
expect 11 "and for everybody who may ask" $alice suspend demo:1 --reason late
expect 0 "the other one lives" $alice export keep:1 - --file weights.bin
cmp -s "$work/out" "$work/model/weights.bin" && passed=$((passed + 1)) ||
  { failed=$((failed + 1)); echo "FAILED: the living model reads back bit for bit"; }

expect 0 "certificates are listed" $alice --json list certificates
certificate=$(field 'd["certificates"][0]["id"]')
install -d -o $alice -m 0755 "$work/evidence" "$work/trust"
expect 0 "and exported" $alice certificate export "$certificate" "$work/evidence/bundle.json"
expect 12 "nobody vouches for the signer yet" $carol verify "$work/evidence/bundle.json" \
  --trust "$work/trust"
expect 0 "the trust material is published" $alice certificate trust "$work/trust"
expect 0 "and now it verifies, for anybody" $carol verify "$work/evidence/bundle.json" \
  --trust "$work/trust"
python3 - "$work/evidence/bundle.json" >"$work/out" <<'EOF'
import base64, json, sys
print(base64.b64decode(json.load(open(sys.argv[1]))["dsseEnvelope"]["payload"]).decode())
EOF
: >"$work/err"
says '"bob"' "the certificate names the custodian"
says '"alice"' "the certificate names the requester"

# A custodian that is a group; a rejection; a cancellation.
expect 0 "a group can be custodian" $alice --json import grouped:1 "$work/model" \
  --custodian @data-owners
expect 0 "its retirement is planned" $alice --json retire grouped:1 --reason "superseded"
plan=$(field 'd["plan"]["id"]')
digest=$(field 'd["plan"]["digest"]')
expect 5 "bob is not in that group" $bob approve "$plan@$digest"
expect 0 "dave is, and rejects" $dave reject "$plan" --reason "still needed"
expect 9 "a rejected plan is not approved" $dave approve "$plan@$digest"
expect 0 "it is usable as before" $alice export grouped:1 - --file config.json
expect 0 "planned again" $alice --json retire grouped:1 --reason "now really"
plan=$(field 'd["plan"]["id"]')
digest=$(field 'd["plan"]["digest"]')
expect 0 "the requester cancels" $alice cancel "$plan"
expect 6 "a cancelled plan is not approved" $dave approve "$plan@$digest"

# The audit: an auditor reads it, and it has what each of them did and was denied.
expect 5 "a stranger does not read the audit" $carol audit
expect 0 "an auditor does" $erin --json audit --who carol --outcome access_denied
says "Plan.Approve" "the audit has the stranger's approval"
says "Log.Audit" "and that he wanted to read it"
expect 0 "what was done to an asset" $erin --json audit demo:1
python3 - "$work/out" >"$work/err" <<'EOF'
import json, sys
calls = json.load(open(sys.argv[1]))["calls"]
print("; ".join(sorted({f"{c['login']} {c['method']} {c['outcome']}" for c in calls if "method" in c})))
EOF
for line in "alice Asset.Import ok" "alice Plan.Retire ok" "alice Asset.Export ok" \
  "bob Plan.Retire access_denied" "alice Plan.Approve access_denied" "bob Plan.Approve ok" \
  "root Plan.Approve access_denied" "bob Plan.Approve plan_stale" "aierased Daemon.ExecuteDue ok" \
  "alice Asset.Suspend erased" "carol Plan.Approve access_denied"; do
  says "$line" "the audit of the erased asset"
done

# polkit gone: every question is answered with no.
kill "$polkit_pid"
wait "$polkit_pid" 2>/dev/null
gone() { ! name_owned org.freedesktop.PolicyKit1; }
wait_for gone
expect 5 "without polkit, the operator is denied where polkit would be asked" $alice list

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
