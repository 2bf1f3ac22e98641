#!/bin/bash
# What keeps a host in order: the unlock secret from systemd-creds, the journal and its catalog, doctor,
# reloading, the watchdog, the monthly
# reading and its alarm, another host, and a move to another host.
. "${SOURCE:?run it by ctest}/tests/system/container.sh"

mkdir -p "$work/share/debs" "$work/share/model"
take_packages "$work/share/debs"
{ echo "the plaintext of a model"; head -c 300000 /dev/urandom; } >"$work/share/model/weights.bin"
echo '{"layers": 2}' >"$work/share/model/config.json"
chmod -R a+rX "$work/share"
boot
check "the packages install" in_host sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /share/debs/*.deb'
in_host sh -c 'echo "polkit.addRule(function (action, subject) {
  if (action.id.indexOf(\"org.aierase1.\") === 0 && subject.user == \"mary\") return polkit.Result.YES;
});" >/etc/polkit-1/rules.d/10-test.rules; useradd --create-home mary; useradd stan; systemctl enable --quiet aierased'
lives() { in_host sh -c "setpriv --reuid mary --regid mary --init-groups aierase export keep:1 - --file weights.bin | cmp - /share/model/weights.bin"; }
journal() { in_host journalctl -q -o cat --no-pager "$@" >"$work/out" 2>&1; }

# ---- the unlock secret -------------------------------------------------------------------------------
in_host sh -c 'mkdir -p /etc/credstore.encrypted && umask 077 && head -c 32 /dev/urandom >/root/secret'
seal() { in_host systemd-creds encrypt --with-key=host --name=aierase.unlock "$1" /etc/credstore.encrypted/aierase.unlock; }
check "a secret is sealed to this host" seal /root/secret
check "init goes by the credential of systemd-creds" a mary --json init --single-operator
equal "so the disk alone gives nothing away" "$(in_host sh -c 'aierase --json status' | python3 -c 'import json,sys; print(json.load(sys.stdin)["unlock"])' 2>/dev/null || field 'd.get("unlock")')" credential
check "a model" a mary --json import keep:1 /share/model
keep=$(field 'd["asset"]["id"]')
in_host sh -c 'rm /etc/credstore.encrypted/aierase.unlock; systemctl restart aierased'
refused 15 "without it the store stays locked" a mary export keep:1 - --file config.json
says "and says what is missing" 'credential aierase.unlock'
in_host sh -c 'head -c 32 /dev/urandom >/root/other'
check "another secret" seal /root/other
in_host systemctl restart aierased
refused 15 "does not open it" a mary export keep:1 - --file config.json
check "the right one again" seal /root/secret
in_host systemctl restart aierased
check "with the right one it lives" lives

# ---- the journal -------------------------------------------------------------------------------------
check "a model that goes" a mary --json import gone:1 /share/model --label n=1
gone=$(field 'd["asset"]["id"]')
check "is retired" a mary --json retire gone:1 --now --reason superseded
plan=$(field 'd["plan"]["id"]') digest=$(field 'd["plan"]["digest"]')
check "approved" a mary approve "$plan@$digest"
check "and erased" a mary wait "$plan" --for erased --timeout 1min
refused 5 "somebody without a role" as stan aierase --no-ask-password list
until_true in_host sh -c "journalctl -q -o cat AIERASE_ASSET=$gone | grep -q erased"
journal "AIERASE_ASSET=$gone"
says "the journal has an asset's beginning" '^mary: Asset.Import gone:1: done'
says "and its end" '^erased, with a certificate each'
journal "AIERASE_PLAN=$plan"
says "a plan's approval" '^mary: Plan.Approve .*: done'
says "and that it waited for it" 'waits for approval'
journal "AIERASE_ASSET=$keep"
equal "nothing of another asset" "$(grep -c gone:1 "$work/out")" 0
journal "AIERASE_UID=$(in_host id -u stan)" AIERASE_OUTCOME=access_denied
says "who was denied" '^stan: Asset.List: '
in_host journalctl -q -u aierased --no-pager --catalog -o short "AIERASE_ASSET=$gone" >"$work/out" 2>&1
says "the catalog says what an entry means" 'Subject: Models were erased'
says "and what to do" 'aierase certificate export'
in_host journalctl -q -o json --no-pager -u aierased >"$work/out"
equal "every entry of ours has a number, but for a few words" \
  "$(python3 - "$work/out" <<'PYTHON'
import json, sys
plain = {"ended", "the configuration was read again"}
print([e["MESSAGE"] for e in map(json.loads, open(sys.argv[1]))
       if e.get("_COMM") == "aierased" and "MESSAGE_ID" not in e and e["MESSAGE"] not in plain])
PYTHON
)" "[]"
equal "and none of them a word of a model" "$(in_host journalctl -q -a -o export --no-pager | grep -c -a 'plaintext of a model')" 0

# ---- doctor ------------------------------------------------------------------------------------------
codes() { a mary --json doctor >"$work/out"; field '" ".join(sorted({f["code"] for f in d["findings"]}))'; }
case " $(codes) " in *" timer-off "*) ok "doctor misses the nightly run" ;; *) fail "doctor misses the nightly run" ;; esac
in_host systemctl enable --quiet aierase-enforce.timer
case " $(codes) " in *" timer-off "*) fail "and is content once it is enabled" ;; *) ok "and is content once it is enabled" ;; esac
in_host mv /usr/share/polkit-1/actions/org.aierase1.policy /root/
in_host systemctl restart aierased
equal "without polkit's actions every call is denied" "$(a mary list >/dev/null 2>&1; echo $?)" 5
in_host mv /root/org.aierase1.policy /usr/share/polkit-1/actions/
back() { a mary list; }
check "and with them not" until_true back

# ---- the configuration -------------------------------------------------------------------------------
in_host sh -c 'printf "[person.pia]\nname = \"Pia Example\"\nssh-key = \"%s\"\n" \
  "$(ssh-keygen -q -t ed25519 -N "" -C pia -f /root/pia && cat /root/pia.pub)" >/etc/aierase/other.toml; chmod 644 /etc/aierase/other.toml'
refused 6 "a person that no file knows" a mary import hers:1 /share/model --label p=1 --custodian pia
mkfifo "$work/slow"
as mary aierase --no-ask-password import slow:1 - <"$work/slow" >"$work/slow.out" 2>&1 &
slow=$!
exec 7>"$work/slow"
head -c 100000 /dev/urandom >&7
in_host sh -c 'echo "people = \"/etc/aierase/other.toml\"" >/etc/aierase/aierased.toml.d/people.toml'
pid=$(in_host systemctl show -P MainPID aierased)
check "reloading" in_host systemctl reload aierased
known() { a mary import hers:1 /share/model --label p=1 --custodian pia; }
check "takes over where people stand" until_true known
in_host sh -c 'printf "slot = \"/x\"\nslots = 3\n" >/etc/aierase/aierased.toml.d/wrong.toml'
in_host systemctl reload aierased
until_true in_host sh -c 'journalctl -q -u aierased -o cat | grep -q wrong.toml'
journal MESSAGE_ID=55f93c11332141a18847e27c76b83c7c
says "what is wrong is told with its line" 'wrong.toml:2'
equal "it is the same process" "$(in_host systemctl show -P MainPID aierased)" "$pid"
head -c 100000 /dev/urandom >&7
exec 7>&-
wait "$slow"
equal "and the import that was under way has ended well" "$?" 0
in_host systemctl stop aierased
in_host systemctl start aierased 2>/dev/null
equal "a start with it is refused as broken configuration" \
  "$(in_host systemctl show -P ExecMainStatus aierased)" 6
in_host sh -c 'systemctl stop aierased; rm /etc/aierase/aierased.toml.d/*; systemctl reset-failed aierased; systemctl start aierased'
check "without it the store opens" lives

# ---- from another host ---------------------------------------------------------------------------------
in_host sh -c 'install -d -m 700 -o mary /home/mary/.ssh && ssh-keygen -q -t ed25519 -N "" -f /home/mary/.ssh/id_ed25519 &&
  cp /home/mary/.ssh/id_ed25519.pub /home/mary/.ssh/authorized_keys && printf "StrictHostKeyChecking accept-new\nLogLevel ERROR\n" >/home/mary/.ssh/config &&
  chown -R mary: /home/mary/.ssh; ssh-keygen -A >/dev/null; systemctl start ssh'
remote() { as mary env HOME=/home/mary aierase -H mary@127.0.0.1 --no-ask-password "$@"; }
check "another host is asked through ssh" remote --json show keep:1
equal "and answers" "$(field 'd["asset"]["id"]')" "$keep"
check "what changes something goes, too" remote set keep:1 --label far=away --reason t
check "who did it" a mary --json audit --who mary
equal "is the account there" "$(field 'd["calls"][-1]["uid"]')" "$(in_host id -u mary)"
refused 2 "files do not go that way" remote import far:1 /share/model
says "and the pipe to use is named" 'tar -c -C DIR \. \| ssh mary@127.0.0.1 aierase import NAME - --tar'
check "and that pipe works" in_host sh -c 'setpriv --reuid mary --regid mary --init-groups env HOME=/home/mary \
  sh -c "tar -c -C /share/model . | ssh mary@127.0.0.1 aierase import far:1 - --tar --label f=1"'
refused 2 "nor do they come back" remote export keep:1 -
refused 3 "a host that is not there" as mary env HOME=/home/mary aierase -H mary@192.0.2.1 status

# ---- the watchdog ------------------------------------------------------------------------------------
in_host sh -c 'mkdir -p /run/systemd/system/aierased.service.d
  printf "[Service]\nWatchdogSec=6s\nTimeoutStopSec=5s\n" >/run/systemd/system/aierased.service.d/soon.conf
  systemctl daemon-reload; systemctl restart aierased'
sleep 8
equal "a daemon that gets on is left alone" "$(in_host systemctl show -P NRestarts aierased)" 0
pid=$(in_host systemctl show -P MainPID aierased)
in_host sh -c 'strace -qq -f -p "$0" -e trace=fdatasync -o /run/synced & echo $! >/run/tracer' "$pid"
until_true in_host grep -q '^TracerPid:.*[1-9]' "/proc/$pid/status"
check "what changes something is synced" a mary set keep:1 --label first=1 --reason t
in_host sh -c 'kill "$(cat /run/tracer)"'
until_true in_host grep -q '^TracerPid:.0' "/proc/$pid/status"
thread=$(in_host awk '/fdatasync/ {print $1; exit}' /run/synced)
# Its tracer sleeps, so the thread that syncs never comes out of it; the loop lives on.
in_host sh -c 'strace -qq -p "$0" -e trace=fdatasync -o /dev/null & echo $! >/run/tracer' "$thread"
until_true in_host grep -q '^TracerPid:.*[1-9]' "/proc/$pid/task/$thread/status"
in_host sh -c 'kill -STOP "$(cat /run/tracer)"'
a mary set keep:1 --label held=up --reason t >/dev/null 2>&1 &
restarted() { [ "$(in_host systemctl show -P NRestarts aierased)" -ge 1 ]; }
check "one whose store gets nowhere is started again" until_true restarted
equal "by the watchdog" "$(in_host journalctl -q -u aierased -o cat | grep -c 'Watchdog timeout')" 1
in_host sh -c 'kill -KILL "$(cat /run/tracer)"'
check "and nothing is lost" until_true lives
wait 2>/dev/null
in_host sh -c 'rm /run/systemd/system/aierased.service.d/soon.conf; systemctl daemon-reload; systemctl restart aierased'

# ---- the monthly reading, and the alarm -----------------------------------------------------------------
in_host sh -c 'install -d -o aierase-notify /srv/told
  printf "#!/bin/sh\ncat >/srv/told/\$AIERASE_KIND.\$AIERASE_SUBJECT\n" >/etc/aierase/notify.d/10-tell
  chmod 755 /etc/aierase/notify.d/10-tell'
check "all is read, and as it was" in_host systemctl start aierase-scrub.service
blob=$(in_host sh -c 'find /var/lib/aierase/blobs -type f -size +100k | head -n 1')
flip_bit() {  # of one byte in FILE; a second time puts it back
  in_host python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(5000); byte = f.read(1)[0]; f.seek(5000); f.write(bytes([byte ^ 1]))' "$1"
}
flip_bit "$blob"
in_host systemctl start aierase-scrub.service >/dev/null 2>&1
equal "where a byte is another, it fails" "$(in_host systemctl show -P Result aierase-scrub)" exit-code
told() { in_host test -s /srv/told/unit-failed.aierase-scrub.service; }
check "and people are told" until_true told
flip_bit "$blob"

# ---- moved to another host --------------------------------------------------------------------------------
in_host sh -c 'systemctl stop aierased; systemd-id128 new >/etc/machine-id'
check "the secret is sealed to the new host" seal /root/secret
in_host systemctl start aierased
refused 15 "a store of another host is not touched" a mary export keep:1 - --file config.json
says "and it says so" 'init --adopt'
check "adopting it" a mary init --adopt
check "opens it" lives
finish
