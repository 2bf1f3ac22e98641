#!/bin/bash
# What a daemon costs that nobody calls, with 100,000 assets (label long): no wake-up in a minute, little
# memory, and how long it takes from its start to being ready.
. "${SOURCE:?run it by ctest}/tests/system/container.sh"

mkdir -p "$work/share/debs" "$work/share/model"
cmake --build "$BUILD" --target idle_store >"$work/out" 2>&1 || { tail -20 "$work/out"; exit 1; }
cp "$BUILD/tests/bench/idle_store" "$work/share/"
take_packages "$work/share/debs"
head -c 100 /dev/urandom >"$work/share/model/weights.bin"
chmod -R a+rX "$work/share"
boot
check "the packages install" in_host sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /share/debs/*.deb'
in_host sh -c 'echo "polkit.addRule(function (action, subject) {
  if (action.id.indexOf(\"org.aierase1.\") === 0 && subject.user == \"mary\") return polkit.Result.YES;
});" >/etc/polkit-1/rules.d/10-test.rules; useradd mary'
check "a store of 100,000 assets" in_host sh -c 'rmdir /var/lib/aierase /var/lib/aierase-root &&
  /share/idle_store /var/lib/aierase /var/lib/aierase-root/slot 100000 &&
  chown -R aierased: /var/lib/aierase /var/lib/aierase-root'
check "is this host's" a mary init --adopt
check "and takes another" a mary import late:1 /share/model
equal "the daemon has them all" "$(a mary --json status >"$work/out"; field 'd["store"]["assets"]["active"]')" 100001

check "a restart" in_host systemctl restart aierased
begun=$(in_host systemctl show -P ExecMainStartTimestampMonotonic aierased)
ready=$(in_host systemctl show -P ActiveEnterTimestampMonotonic aierased)
echo "     ready after $(((ready - begun) / 1000)) ms"
[ $((ready - begun)) -lt 300000 ] && ok "it is ready in less than 300 ms" || fail "it is ready in less than 300 ms"

pid=$(in_host systemctl show -P MainPID aierased)
sleep 35  # the first look at what is due, half a minute after the start
timeout 60 nsenter -t "$leader" -a strace -qq -f -p "$pid" -o /dev/stdout >"$work/woken" 2>/dev/null
grep -v 'unfinished\|restart_syscall\|epoll_wait(\|<detached' "$work/woken" >"$work/out"
equal "nothing wakes it in a minute" "$(wc -l <"$work/out")" 0
memory=$(in_host awk '/^VmRSS:/ {print $2}' "/proc/$pid/status")
echo "     $memory KiB resident"
[ "$memory" -lt 32768 ] && ok "it takes less than 32 MiB" || fail "it takes less than 32 MiB"
finish
