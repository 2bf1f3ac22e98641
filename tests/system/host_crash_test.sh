#!/bin/bash
# What a host goes through: an upgrade with a living store, the daemon and the whole machine killed in
# the middle of work, a full disk, removal and purge. Nothing that lives is lost, nothing that was
# certified comes back.
. "${SOURCE:?run it by ctest}/tests/system/container.sh"

mkdir -p "$work/share/debs" "$work/share/older" "$work/share/model"
take_packages "$work/share/debs"
# The build before this one: the same programs under an earlier number.
for deb in "$work"/share/debs/*.deb; do
  rm -rf "$work/unpacked"
  dpkg-deb -R "$deb" "$work/unpacked"
  sed -i -e 's/^Version: .*/Version: 0.0.9/' -e 's/aierase (= [^)]*)/aierase (= 0.0.9)/' "$work/unpacked/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$work/unpacked" "$work/share/older" >"$work/out" 2>&1
done
head -c 3000000 /dev/urandom >"$work/share/model/weights.bin"
echo '{"layers": 2}' >"$work/share/model/config.json"
chmod -R a+rX "$work/share"
boot
install() { in_host sh -c "DEBIAN_FRONTEND=noninteractive dpkg -i /share/$1/*.deb"; }
lives() { in_host sh -c "aierase export '$1' - --file weights.bin | cmp - /share/model/weights.bin"; }

check "the build before this one is installed" install older
in_host sh -c 'mkdir -p /etc/polkit-1/rules.d && echo "polkit.addRule(function (action, subject) {
  if (action.id.indexOf(\"org.aierase1.\") === 0 && (subject.user == \"root\" || subject.user == \"mary\"))
    return polkit.Result.YES; });" >/etc/polkit-1/rules.d/10-test.rules'
in_host useradd mary
check "a store, for one person" a mary init --single-operator
check "with a model" a mary import keep:1 /share/model
check "enabled" in_host systemctl enable --quiet aierased.service
check "the notices, too" in_host systemctl enable --now --quiet aierase-notify.service
in_host sh -c 'echo "# a word of this host" >>/etc/aierase/aierased.toml'

# ---- upgrade ---------------------------------------------------------------------------------------
before=$(in_host systemctl show -P MainPID aierased)
check "this build over it, with the store living" install debs
equal "it is this build" "$(in_host dpkg-query -W -f '${Version} ' aierased aierase)" \
  "$(dpkg-deb -f "$work"/share/debs/aierased_*.deb Version) $(dpkg-deb -f "$work"/share/debs/aierase_*.deb Version) "
equal "the daemon runs" "$(in_host systemctl is-active aierased aierase-notify)" "active
active"
[ "$before" != "$(in_host systemctl show -P MainPID aierased)" ] && ok "as the new one" || fail "as the new one"
check "and the model lives" lives keep:1
check "what was written into the configuration stays" \
  in_host grep -q 'a word of this host' /etc/aierase/aierased.toml
check "a manager who stays away sees the same store" a mary status

# ---- killed in the middle ----------------------------------------------------------------------------
# An import and an erasure under way at once, and the blow some milliseconds later.
busy() {  # N
  a mary import "new:$1" /share/model --label n="$1" >/dev/null 2>&1 &
  local plan
  plan=$(a mary -q retire "victim:$1" --now --reason t 2>/dev/null) &&
    a mary approve "$plan" >/dev/null 2>&1
}
settled() { ! a mary --json list plans | grep -Eq '"state": *"(approved|running)"'; }
looks_right() {  # N
  check "[$1] it comes back by itself" until_true a mary status
  check "[$1] what was begun ends" until_true settled
  check "[$1] the living model lives" lives keep:1
  a mary --json check --deep >/dev/null 2>&1  # removes what an interrupted import left
  check "[$1] check --deep" a mary --json check --deep
  equal "[$1] finds nothing" "$(field '[f for f in d["findings"] if f["severity"] != "note"]')" "[]"
  a mary --json show "victim:$1" >"$work/out" 2>&1
  local state; state=$(field 'd["asset"]["state"]')
  a mary --json list certificates >"$work/out" 2>&1
  local certified; certified=$(field 'len(d["certificates"])')
  [ "$state" != erased ] || erased=$((erased + 1))
  equal "[$1] as many certificates as erasures (this one: $state)" "$certified" "$erased"
}
erased=0
for round in 1 2 3 4; do
  check "[$round] a model to erase" a mary import "victim:$round" /share/model --label v="$round"
  busy "$round" &
  moment=$(printf '0.%03d' $((RANDOM % 250)))
  echo "[$round] the blow comes after $moment s"
  sleep "$moment"
  if [ $((round % 2)) = 1 ]; then
    in_host systemctl kill -s KILL aierased.service
    wait
  else
    crash_host
    wait 2>/dev/null
    boot
  fi
  looks_right "$round"
done

# ---- a full disk -------------------------------------------------------------------------------------
in_host systemctl stop aierased aierase-notify
in_host sh -c 'mkdir /small && mount -t tmpfs -o size=$(($(du -sm /var/lib/aierase | cut -f1) + 20))m tmpfs /small && cp -a /var/lib/aierase/. /small/ &&
  chown aierased: /small && chmod 700 /small && mount --bind /small /var/lib/aierase'
head -c 40000000 /dev/urandom >"$work/share/large"
check "the store on a small disk opens" a mary status
refused 16 "a model larger than the disk is refused" a mary import large:1 /share/large
check "the living model lives" lives keep:1
check "and a small one has room again" a mary import small:1 /share/model/config.json
in_host systemctl stop aierased
in_host mount -o remount,ro,bind /var/lib/aierase
refused 3 "on a read-only disk nothing is taken in" a mary import late:1 /share/model/config.json
says "and it says where to look" 'journalctl -u aierased'
in_host journalctl -u aierased -o cat --no-pager >"$work/out"
says "where it stands why" 'Read-only file system'
in_host systemctl stop aierased
in_host umount /var/lib/aierase
in_host sh -c 'cp -a /small/. /var/lib/aierase/ && umount /small'  # the newest, or it is refused
in_host systemctl reset-failed aierased
check "back on its own disk it opens" a mary status

# ---- removal -----------------------------------------------------------------------------------------
check "removing" in_host dpkg --remove aierased
equal "nothing of it runs" "$(in_host sh -c 'pgrep -c aierased; true')" 0
check "keeps the store" in_host test -e /var/lib/aierase/catalog.db
check "installing it again" install debs
check "finds the model" lives keep:1
check "removing again" in_host dpkg --remove aierased
check "a purge where nobody answers" in_host sh -c 'DEBIAN_FRONTEND=noninteractive dpkg --purge aierased'
check "keeps the store" in_host test -e /var/lib/aierase-root/slot
equal "and takes the configuration" "$(in_host sh -c 'ls /etc/aierase/aierased.toml 2>/dev/null')" ""
check "installing it once more" install debs
check "finds the model still" lives keep:1
in_host sh -c 'echo "aierased aierased/remove-store boolean true" | debconf-set-selections'
check "a purge that is told to" in_host sh -c 'DEBIAN_FRONTEND=noninteractive dpkg --purge aierased'
equal "removes store and slot" "$(in_host sh -c 'ls -d /var/lib/aierase /var/lib/aierase-root /var/lib/aierase-notify 2>/dev/null')" ""
check "and the command line, too" in_host dpkg --purge aierase aierase-doc
equal "nothing of the packages is left" "$(in_host sh -c 'ls -d /usr/libexec/aierase* /usr/share/aierase /usr/lib/systemd/system/aierase* 2>/dev/null')" ""
finish
