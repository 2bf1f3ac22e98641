#!/bin/bash
# Run in the guest of guest_test.sh; the part to do stands on the kernel's command line. Its lines go
# to the test, which counts those that begin with ok or FAIL.
export HOME=/root BUILD=/share
. /share/checks.sh
part=$(sed 's/.*part=\([a-z]*\).*/\1/' /proc/cmdline)
a() { local user=$1; shift; setpriv --reuid "$user" --regid "$user" --init-groups -- aierase --no-ask-password "$@"; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
is_whole() {  # NAME: as it was imported
  a olga export "$1" - --file weights | cmp -s - "/root/models/$1"
}
all_living_are_whole() {
  local name
  for name in $(a anna --json list assets | python3 -c '
import json, sys
print(*[a["name"] for a in json.load(sys.stdin)["assets"] if a["state"] == "active"])'); do
    is_whole "$name" || { echo "$name is not whole"; return 1; }
    living=$((living + 1))
  done
}
slot() { a anna --json status >"$work/out"; field "d['root_slots'][0]['$1']"; }
state() { a anna --json status >"$work/out"; field "d['state']"; }
errors() { a anna --json doctor >"$work/out"; field '[f["code"] for f in d["findings"] if f["severity"] == "error"]'; }
erase() {  # NAME: asked for, approved, waited for
  a olga --json retire "$1" --now --reason superseded >"$work/out" || return 1
  plan=$(field 'd["plan"]["id"]') digest=$(field 'd["plan"]["digest"]')
  local begun
  begun=$(milliseconds)
  a carl approve "$plan@$digest" >"$work/out" 2>&1 || return 1
  a anna wait "$plan" --for erased --timeout 2min >"$work/out" 2>&1 || return 1
  took="$took $(($(milliseconds) - begun))"
}
took=''

# The daemon's own unit with another program in it: how far the sandbox lets it, once as it is and
# once with each setting that the TPM needs left out.
probe() {  # SETTING...: more of the unit
  mkdir -p /run/systemd/system/probe.service.d
  { echo '[Service]'; printf '%s\n' "$@" StandardOutput=truncate:/run/probed; } \
    >/run/systemd/system/probe.service.d/more.conf
  rm -f /run/probed
  sed -e '/^Type=/d; /^BusName=/d; /^Restart/d; /^WatchdogSec=/d' \
    -e 's#^ExecStart=.*#Type=oneshot\nExecStart=/bin/sh /share/probe.sh#' \
    /usr/lib/systemd/system/aierased.service >/run/systemd/system/probe.service
  systemctl daemon-reload
  systemctl start probe.service 2>/dev/null
  cat /run/probed >"$work/out"
}

first() {
  check "the packages install" sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /share/debs/*.deb'
  for user in olga:aierase-operators carl:aierase-custodians mara:aierase-managers anna:aierase-auditors; do
    useradd --create-home --groups "${user#*:}" "${user%:*}"
  done
  equal "the TPM is a device of the kernel, of the group that the daemon is in" \
    "$(stat -c '%F %G' /dev/tpmrm0)" "character special file tss"

  cat >/share/probe.sh <<'PROBE'
cd /dev && echo "devices: $(echo tpm* nvme* ttyS* | sed 's/[a-zA-Z]*\*//g')"
exec 2>&1 3<>/dev/tpmrm0 && echo opens
PROBE
  probe ''
  says "the sandbox lets the daemon at its TPM" '^opens$'
  says "and shows it no other device" '^devices: tpmrm0 *$'
  probe 'DeviceAllow=' 'LoadCredentialEncrypted='
  says "without DeviceAllow=, and what implies it, it would not" 'Operation not permitted'
  probe 'SupplementaryGroups='
  says "nor without the group" 'Permission denied'
  probe 'BindPaths='
  says "nor without BindPaths=" '^devices: *$'

  check "init" a mara init --unlock none
  says "chooses the TPM by itself, and says so" 'A TPM answers at device:/dev/tpmrm0'
  says "with the level" 'EA2: The TPM is software'
  equal "the slot lies in the TPM" "$(slot kind) $(slot level)" "tpm2 EA2"
  check "doctor" a anna doctor
  says "tells the way to the next level" 'EA3 needs a TPM in the firmware'
  equal "and finds nothing wrong" "$(errors)" "[]"
  check "the daemon is a service" systemctl enable --quiet aierased.service

  mkdir -p /root/models
  for name in keep:1 keep:2 gone:1 gone:2 gone:3 gone:4 gone:5 gone:6 gone:7 gone:8; do
    mkdir -p /root/next && head -c 300000 /dev/urandom >/root/next/weights
    cp /root/next/weights "/root/models/$name"
    chmod 755 /root /root/next && chmod 644 /root/next/weights
    check "an operator imports $name" a olga import "$name" /root/next --custodian carl
  done
  check "one is erased" erase gone:1
}

second() {
  check "after a boot the daemon runs" until_true systemctl is-active aierased
  equal "with its store open" "$(state)" open
  living=0
  check "and all that lives is whole" all_living_are_whole
  equal "all nine" "$living" 9
  took=''
  for name in gone:2 gone:3 gone:4; do check "$name is erased" erase "$name"; done
  echo "from approval to certificate, milliseconds:$took"
  refused 11 "what was erased is gone" a olga export gone:2 - --file weights
  install -d -m 777 /root/handed
  check "the certificates" a anna --json list certificates
  equal "have the level of the slot" "$(field 'sorted({c["assurance"] for c in d["certificates"]})')" "['EA2']"
  certificate=$(field 'd["certificates"][0]["id"]')
  check "one is handed out" a anna certificate export "$certificate" /root/handed/certificate
  check "with what the store vouches with" a anna certificate trust /root/handed/trust
  check "and verifies" a anna --bus unix:path=/nonexistent verify /root/handed/certificate --trust /root/handed/trust
  check "its text" a anna certificate export "$certificate" - --format text
  says "names the device" '/dev/tpmrm0'
  equal "nothing was wrong" "$(errors)" "[]"
}

is_open() { [ "$(state)" = open ]; }
settled() {
  a anna --json list assets >"$work/out"
  [ "$(field 'sorted({a["state"] for a in d["assets"]} - {"active", "erased", "suspended"})')" = "[]" ]
}
after() {
  for _ in $(seq 60); do ! is_open || break; sleep 1; done
  check "the store is open again" is_open
  a anna --json list assets >"$work/out"
  echo "at once: $(field '{s: sum(a["state"] == s for a in d["assets"]) for s in sorted({a["state"] for a in d["assets"]})}')"
  living=0
  check "all that lives is whole" all_living_are_whole
  for name in keep:1 keep:2; do check "$name lives" is_whole "$name"; done
  check "what was approved is erased, or lives" until_true settled
  equal "each erased one has its certificate" \
    "$(a anna --json list certificates >"$work/out"; field 'len(d["certificates"])')" \
    "$(a anna --json list assets >"$work/out"; field 'sum(a["state"] == "erased" for a in d["assets"])')"
  check "the store is as it should be" a anna check
  equal "and nothing is wrong" "$(errors)" "[]"
}

# The state that the last cut left, and then an erasure without an end: the power is cut.
erasing() {
  after
  for name in gone:5 gone:6 gone:7 gone:8; do
    a anna --json show "$name" >"$work/out"
    [ "$(field 'd["asset"]["state"]')" = active ] || continue
    a olga --json retire "$name" --now --reason superseded >"$work/out"
    plan=$(field 'd["plan"]["id"]') digest=$(field 'd["plan"]["digest"]')
    break
  done
  echo "erasing now"
  a carl approve "$plan@$digest" >"$work/out" 2>&1
  sleep 600
}

# A TPM whose device comes after the daemon: its driver was slow.
late() {
  systemctl stop aierased
  mv /dev/tpmrm0 /dev/to-come
  systemctl start aierased
  check "the daemon starts" a anna status
  says "closed, and says why" 'cannot be reached'
  mv /dev/to-come /dev/tpmrm0
  for _ in $(seq 60); do ! is_open || break; sleep 1; done
  check "when it is there the store opens" is_open
  check "with all that lives" is_whole keep:1
}

# The disk of before, with the TPM of now.
image() {
  systemctl start aierased
  check "status" a anna status
  says "an image of the whole disk from before is recognised" 'no root slot in .* opens the database'
  for name in gone:2 keep:1; do refused 15 "and opens nothing: $name" a olga export "$name" - --file weights; done
}

"$part"
echo "$checked checks in the guest, $failed failed, $(cut -d' ' -f1 /proc/uptime) s after power on"
echo "the end of this part"
sync
