# Sourced by the tests of this folder that need a host: a minimal Debian with real systemd, bus and
# polkit, booted by systemd-nspawn over a throw-away layer, with the packages of this build.
#
# From the environment: BUILD, SOURCE. Where this machine cannot boot one, the test says why and is
# skipped (77).
. "${SOURCE:?run it by ctest}/tests/system/checks.sh"
. "$SOURCE/tests/system/debian.sh"

machine=${work##*.}
nspawn='' leader=''

clean_up_host() {
  [ -z "$nspawn" ] || { kill -KILL "$leader" "$nspawn" 2>/dev/null; gone "$nspawn"; }
  ! mountpoint -q "$work/root" || umount -l "$work/root"
}

[ "$(id -u)" = 0 ] || skip "needs root, to boot a container"
command -v systemd-nspawn >/dev/null || skip "systemd-nspawn is not installed: tests/packages test"
with_cache make_root
lay_over_root
mkdir "$work/share"

# ---- boot, crash, stop ---------------------------------------------------------------------------
container() {  # how
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --quiet --directory="$work/root" \
    --machine="$machine" --register=no --keep-unit --console=passive --private-network \
    --capability=CAP_IPC_LOCK --bind-ro="$work/share:/share" $bind_fuse \
    --system-call-filter="bpf @keyring @memlock adjtimex clock_adjtime" "$@"
}
bind_fuse='' booted=''
[ ! -c /dev/fuse ] || bind_fuse=--bind=/dev/fuse

# An orphan stays a zombie until PID 1 finds time for it.
gone() {
  for _ in $(seq 600); do
    [ -e "/proc/$1/stat" ] || return 0
    [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null)" != Z ] || return 0
    sleep 0.05
  done
  return 1
}

boot() {
  (container --boot) </dev/null >>"$work/console" 2>&1 &
  nspawn=$!
  disown "$nspawn"
  local offline=0
  for _ in $(seq 600); do
    leader=$(pgrep -P "$nspawn" | head -n 1)
    if [ -n "$leader" ]; then
      case $(in_host systemctl is-system-running 2>/dev/null) in
        running | degraded) booted=yes; return 0 ;;
        offline) offline=$((offline + 1)) ;;
      esac
      # Inside a chroot nsenter does not lead into the container, and no wait helps.
      [ -n "$booted" ] || [ "$offline" -lt 100 ] || break
    fi
    kill -0 "$nspawn" 2>/dev/null || break
    sleep 0.05
  done
  # Before anything of ours is in it: then this machine cannot.
  [ -n "$booted" ] || skip "no Debian boots in a container here: $(tail -n 2 "$work/console")"
  echo "FAIL the container did not boot; its console:"
  tail -20 "$work/console"
  exit 1
}
in_host() { nsenter -t "$leader" -a "$@"; }
a() { local user=$1; shift; as "$user" aierase --no-ask-password "$@"; }
as() { local user=$1; shift; in_host setpriv --reuid "$user" --regid "$user" --init-groups -- "$@"; }
stop_host() { kill -TERM "$nspawn"; gone "$nspawn"; nspawn=''; }
crash_host() { kill -KILL "$leader"; gone "$nspawn"; nspawn=''; }

(container true) </dev/null >"$work/console" 2>&1 ||
  skip "systemd-nspawn cannot start a container here: $(tail -n 2 "$work/console")"
last_words() { [ -z "$nspawn" ] || in_host journalctl -u aierased -n 40 --no-pager; }

# The clock is this machine's, and whether it is synchronised is not the test's to say: in the
# container the kernel tells systemd-timedated that it is, or that it is not.
kernel_clock() {  # synchronised|adrift
  if [ ! -e "$work/share/clock.so" ]; then
    printf '%s\n' '#include <sys/timex.h>' '#include <unistd.h>' \
      'int adjtimex(struct timex *t) { t->status = 0; t->maxerror = access("/run/adrift", F_OK) ? 1000 : 16000000; return 0; }' |
      g++ -shared -fPIC -O1 -x c++ -o "$work/share/clock.so" - ||
      { echo "FAIL the clock cannot be made"; exit 1; }
    in_host mkdir -p /etc/systemd/system/systemd-timedated.service.d
    in_host sh -c 'printf "[Service]\nEnvironment=LD_PRELOAD=/share/clock.so\n" \
      >/etc/systemd/system/systemd-timedated.service.d/clock.conf; systemctl daemon-reload'
  fi
  case $1 in synchronised) in_host rm -f /run/adrift ;; adrift) in_host touch /run/adrift ;; esac
  in_host systemctl restart systemd-timedated.service
}
