#!/bin/bash
# The sandbox of aierased.service from inside: its own unit with another program in it, which tries
# what must be denied and what must work.
. "${SOURCE:?run it by ctest}/tests/system/container.sh"

mkdir "$work/share/debs"
take_packages "$work/share/debs"
cp "$SOURCE/tests/system/probe.py" "$work/share/"
chmod -R a+rX "$work/share"
boot
check "the packages install" in_host sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /share/debs/*.deb'
in_host useradd --create-home alice
in_host touch /tmp/visible
login=$(in_host id -u alice)
stranger=$(in_host sh -c 'echo '"$login"' >/proc/self/loginuid; setpriv --reuid alice sleep 600 >/dev/null 2>&1 </dev/null & echo $!')

# Only what tells systemd how the program behaves is another; what confines it is the same.
in_host sh -c 'sed -e "/^Type=/d; /^BusName=/d; /^Restart/d; /^WatchdogSec=/d" \
  -e "s#^ExecStart=.*#Type=oneshot\nExecStart=/usr/bin/python3 /share/probe.py '"$stranger $login"'#" \
  /usr/lib/systemd/system/aierased.service >/run/systemd/system/probe.service; systemctl daemon-reload'
equal "nothing that confines it was left out" "$(in_host diff /usr/lib/systemd/system/aierased.service \
  /run/systemd/system/probe.service | sed -n 's/^< \([A-Za-z]*\)=.*/\1/p' | grep -vE '^(Type|ExecStart|BusName|Restart|RestartSec|WatchdogSec)$')" ""
in_host systemctl start probe.service
in_host journalctl -u probe.service -o cat --no-pager | grep -E '^(ok|FAIL)' >"$work/probed"
while IFS= read -r line; do
  case $line in ok*) ok "${line#ok   }" ;; *) : >"$work/out"; fail "${line#FAIL }" ;; esac
done <"$work/probed"
[ "$(wc -l <"$work/probed")" -ge 35 ] || { in_host journalctl -u probe.service -o cat --no-pager >"$work/out"; fail "the probe came to its end"; }

# What units/HARDENING.md says is left out, or added, is needed: without that something is missing.
while IFS='|' read -r setting missed; do
  in_host sh -c 'mkdir -p /run/systemd/system/probe.service.d
    printf "[Service]\n%s\n" "$0" >/run/systemd/system/probe.service.d/more.conf
    systemctl daemon-reload; systemctl start probe.service; true' "$setting" >/dev/null 2>&1
  invocation=$(in_host systemctl show -P InvocationID probe.service)
  in_host journalctl "_SYSTEMD_INVOCATION_ID=$invocation" -o cat --no-pager >"$work/out"
  says "with $setting it would not do: $missed" "^FAIL $missed"
done <<'SETTINGS'
ProtectProc=invisible|the login uid of a caller
PrivateUsers=yes|the login uid of a caller
ProcSubset=pid|the table of swap
SystemCallFilter=~mincore|which pages of a file are cached
SETTINGS
last_words() { in_host journalctl -u probe.service -o cat --no-pager | tail -20; }
finish
