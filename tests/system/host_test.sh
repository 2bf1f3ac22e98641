#!/bin/bash
# The life of a model on a host of its own: packages installed on a minimal Debian, real systemd, bus
# and polkit, and people with the roles of aierase(1) PEOPLE.
. "${SOURCE:?run it by ctest}/tests/system/container.sh"

mkdir "$work/share/debs" "$work/share/model"
take_packages "$work/share/debs"
head -c 300000 /dev/urandom >"$work/share/model/weights.bin"
echo '{"layers": 2}' >"$work/share/model/config.json"
chmod -R a+rX "$work/share"
boot
begun=$SECONDS

# ---- installing ----------------------------------------------------------------------------------
check "the packages install, with what the root has and nothing else" \
  in_host sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /share/debs/*.deb'
check "once more is as good" \
  in_host sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /share/debs/aierased_*.deb'
equal "nothing runs or is enabled by surprise" \
  "$(in_host systemctl is-enabled aierased.service aierase-enforce.timer aierase-notify.service | sort -u)
$(in_host systemctl is-active aierased.service aierase-enforce.timer aierase-notify.service | sort -u)" \
  "disabled
inactive"
check "version and build are told" in_host aierase --version
says "both" '^build [0-9a-f]{40}$'
equal "the store's folders are the daemon's alone" \
  "$(in_host stat -c '%a %U' /var/lib/aierase /var/lib/aierase-root | sort -u)" "700 aierased"
check "systemd finds nothing wrong with the units" in_host systemd-analyze verify --man=no \
  aierased.service aierase-enforce.timer aierase-notify.service aierase-mount@x.service

for user in olga:aierase-operators carl:aierase-custodians mara:aierase-managers \
  anna:aierase-auditors hugo:aierase-hold-keepers sven:nogroup; do
  in_host useradd --create-home --groups "${user#*:}" "${user%:*}"
done
in_host install -d -o anna /home/anna/view
kernel_clock synchronised

# ---- from the first call to the certificate --------------------------------------------------------
refused 5 "a stranger's call starts the daemon, and is denied" a sven list
equal "it runs, by activation" "$(in_host systemctl is-active aierased)" active
equal "as its own user" "$(in_host sh -c 'ps -o user= -C aierased')" aierased
refused 5 "an operator does not make the store" a olga init
check "a manager does" a mara init
check "enabled, as any service" in_host systemctl enable --quiet aierased.service
refused 5 "a manager does not import" a mara import demo:1 /share/model --custodian carl
check "an operator imports" a olga --json import demo:1 /share/model --custodian carl
check "and another" a olga import keep:1 /share/model --custodian carl
in_host sh -c 'echo "[class.default]
grace = \"1 second\"
allow-now = true
[class.logs]
match = [\"name=log\"]
trigger = \"superseded\"
erase-after = \"1 second\"
grace = \"1 second\"" >/home/mara/rules.toml'
check "a manager loads the retention rules" a mara policy load /home/mara/rules.toml --reason agreed
check "a model that the rules know" a olga import log:1 /share/model --custodian carl
cp "$work/share/model/weights.bin" "$work/share/other"
check "and what supersedes it" a olga import log:2 /share/other --supersedes log:1 --custodian carl
check "its custodian approves in advance" a carl approve --standing logs \
  --until "$(date -u -d '+90 days' +%F)"

# The timer as it is, but that its hour is now.
in_host mkdir -p /run/systemd/system/aierase-enforce.timer.d
in_host sh -c 'printf "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\nAccuracySec=100ms\n" \
  >/run/systemd/system/aierase-enforce.timer.d/now.conf; systemctl daemon-reload'
check "the nightly run is turned on" in_host systemctl enable --now --quiet aierase-enforce.timer
erased() { a anna --json show log:1 | grep -Eq '"state": *"erased"'; }
check "and erases what has come due" until_true erased
check "the nightly run is stopped again" in_host systemctl stop aierase-enforce.timer
refused 11 "it is gone" a olga export log:1 - --file weights.bin

check "an operator asks for an end" a olga --json retire demo:1 --now --reason superseded
plan=$(field 'd["plan"]["id"]') digest=$(field 'd["plan"]["digest"]')
refused 5 "who asked does not approve" a olga approve "$plan@$digest"
refused 5 "root does not" a root approve "$plan@$digest"
refused 5 "an auditor does not" a anna approve "$plan@$digest"
check "the custodian does" a carl approve "$plan@$digest"
check "it is erased" a anna wait "$plan" --for erased --timeout 1min
check "the custodian looks at the outcome" a carl validate "$plan" accept
check "an auditor lists certificates" a anna --json list certificates
certificate=$(field '[c["id"] for c in d["certificates"] if c["validation"] == "accepted"][0]')
check "collects one" a anna certificate export "$certificate" /home/anna/certificate.json
check "and what the store vouches with" a anna certificate trust /home/anna/trust
check "and checks it, without the daemon" a anna --bus unix:path=/nonexistent verify \
  /home/anna/certificate.json --trust /home/anna/trust
check "the other one lives" a olga export keep:1 /home/olga/keep
check "bit for bit" in_host cmp /home/olga/keep/weights.bin /share/model/weights.bin

# ---- time passes, and nobody calls -----------------------------------------------------------------
clock_findings() { a anna --json doctor >"$work/out" && field '[f["code"] for f in d["findings"] if f["code"] == "clock"]'; }
equal "the sandbox knows that the clock is synchronised" "$(clock_findings)" "[]"
check "a model with a second of grace" a olga import brief:1 /share/other --label g=1 --custodian carl
check "is retired" a olga --json retire brief:1 --reason superseded
brief=$(field 'd["plan"]["id"]')
check "and approved" a carl approve "$brief@$(field 'd["plan"]["digest"]')"
told() { in_host journalctl -q AIERASE_SUBJECT="$brief" -o cat --no-pager | grep -q 'has erased 1 asset'; }
check "nobody calls, and it is erased when its time has come" until_true told
kernel_clock adrift
adrift() { [ "$(clock_findings)" = "['clock']" ]; }
check "where the clock goes adrift, doctor says so" until_true adrift
kernel_clock synchronised

# ---- a view for a server, as a service -------------------------------------------------------------
if [ -n "$bind_fuse" ]; then
  in_host mkdir -p "/etc/systemd/system/aierase-mount@keep:1.service.d"
  in_host sh -c 'printf "[Service]\nUser=olga\n" >"/etc/systemd/system/aierase-mount@keep:1.service.d/user.conf"
    systemctl daemon-reload'
  check "a view is a service" in_host systemctl start aierase-mount@keep:1.service
  check "its user reads it" as olga cmp /run/aierase-mount/keep:1/files/weights.bin \
    /share/model/weights.bin
  check "nobody else does" in_host sh -c '! setpriv --reuid sven cat /run/aierase-mount/keep:1/files/config.json'
  check "who holds it" a anna --json show keep:1
  equal "is named by the unit" "$(field 'd["asset"]["leases"][0]["unit"]')" aierase-mount@keep:1.service
else
  echo "ok   (no /dev/fuse on this machine: views as services are not looked at)"
fi

# ---- who somebody logged in as ---------------------------------------------------------------------
logged_in_as() {  # UID USER COMMAND...: as pam_loginuid leaves it
  in_host sh -c 'echo "$1" >/proc/self/loginuid; shift; exec setpriv --reuid "$1" --regid "$1" --init-groups -- "$@"' \
    sh "$1" "$2" "${@:3}"
}
olga=$(in_host id -u olga)
check "somebody who came in as olga and became root" in_host sh -c \
  'echo "$0" >/proc/self/loginuid && aierase --no-ask-password list' "$olga"
check "is in the audit" a anna --json audit --who root
equal "with the number of olga" "$(field '[c.get("audit_login_uid") for c in d["calls"]][-1]')" "$olga"
check "whoever did not log in" a anna --json audit --who mara
equal "has none there" "$(field '{c.get("audit_login_uid") for c in d["calls"]}')" "{None}"

# ---- polkit: allow, challenge, deny, gone ----------------------------------------------------------
while IFS='|' read -r who action arguments; do
  # shellcheck disable=SC2086
  refused 5 "$who may not: ${arguments%% *}" a "$who" $arguments
  says "a password would help: $action" "needs a password \(org.aierase1.$action\)"
done <<'VERBS'
sven|read|list
sven|read|show keep:1
sven|read|status
sven|read|doctor
sven|read|check
sven|read|audit
sven|read|certificate trust /tmp/trust
sven|read|log checkpoint
sven|import|import mine:1 /share/other
anna|export|export keep:1 - --file config.json
anna|mount|mount keep:1 /home/anna/view
sven|change|set keep:1 --label a=b --reason t
sven|change|suspend keep:1 --reason t
sven|change|resume keep:1 --reason t
sven|retire|retire keep:1 --reason t
sven|retire|enforce
sven|approve|enforce --confirm-clock
sven|place-hold|hold place --matter m --reason t --match name=keep
sven|manage-store|init
anna|manage-store|certificate trust /home/anna/new --rotate
VERBS
refused 5 "a stranger may not: cancel" a sven cancel "$plan"
refused 5 "a stranger may not: approve" a sven approve "$plan@$digest"
refused 5 "a stranger may not: reject" a sven reject "$plan" --reason t
refused 5 "a stranger may not: validate" a sven validate "$plan" accept
refused 5 "a stranger may not: certificate export" a sven certificate export "$certificate" /tmp/c
in_host sh -c 'cp /home/mara/rules.toml /tmp/rules.toml; chmod 644 /tmp/rules.toml'
refused 5 "a stranger may not: policy load" a sven policy load /tmp/rules.toml --reason t
check "a hold keeper places" a hugo --json hold place --matter m --reason t --match name=keep
hold=$(field 'd["hold"]["id"]')
refused 5 "a stranger may not: hold lift" a sven hold lift "$hold" --reason t
refused 5 "nor the operator" a olga hold lift "$hold" --reason t
check "the hold keeper lifts it" a hugo hold lift "$hold" --reason over

in_host sh -c 'echo "polkit.addRule(function (action, subject) {
  if (subject.user == \"olga\" && action.id == \"org.aierase1.export\") return polkit.Result.NO;
});" >/etc/polkit-1/rules.d/10-no.rules'
denied() { ! a olga export keep:1 - --file config.json && ! a olga export keep:1 - --file config.json 2>&1 | grep -q password; }
check "a rule of the host says no, and no password helps" until_true denied
in_host rm /etc/polkit-1/rules.d/10-no.rules
allowed() { a olga export keep:1 - --file config.json; }
check "and when it is gone, the shipped one says yes" until_true allowed
in_host systemctl mask --runtime --now --quiet polkit.service
refused 5 "without polkit the operator is denied" a olga list
refused 5 "and so is root" a root list
in_host systemctl unmask --runtime --quiet polkit.service
check "and it comes back by itself" a olga list

# ---- the bus goes away -------------------------------------------------------------------------------
before=$(in_host systemctl show -P MainPID aierased)
in_host systemctl restart dbus.service
check "after a restart of the bus the daemon answers again" until_true a olga list
[ "$before" != "$(in_host systemctl show -P MainPID aierased)" ] && ok "as a new one" || fail "as a new one"
check "and has lost nothing" in_host sh -c 'setpriv --reuid olga --regid olga --init-groups \
  aierase export keep:1 - --file weights.bin | cmp - /share/model/weights.bin'
check "stopped cleanly" in_host systemctl stop aierased
equal "without a failure" "$(in_host systemctl show -P Result aierased)" success
echo "$((SECONDS - begun)) seconds after booting"
finish
