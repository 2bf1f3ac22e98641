# Sourced by the tests of this folder that need a host: a minimal Debian with real systemd, bus and
# polkit, booted by systemd-nspawn over a throw-away layer, with the packages of this build.
#
# From the environment: BUILD, SOURCE. The Debian root is made once, from the package sources of this
# machine, and kept in /var/cache, which is root's alone: builds may belong to others. Where this
# machine cannot boot one, the test says why and is skipped (77).
. "${SOURCE:?run it by ctest}/tests/system/checks.sh"

cache=/var/cache/aierase-tests
machine=${work##*.}
nspawn='' leader=''

skip() { echo "skipped: $*"; exit 77; }

clean_up_host() {
  [ -z "$nspawn" ] || { kill -KILL "$leader" "$nspawn" 2>/dev/null; gone "$nspawn"; }
  ! mountpoint -q "$work/root" || umount -l "$work/root"
}

# ---- the root ----------------------------------------------------------------------------------
# What the packages depend on, and what the tests look with. Theirs are installed by dpkg alone.
included=systemd,systemd-sysv,dbus,polkitd,debconf,procps,util-linux,strace,openssh-client,openssh-server,fuse3,python3
included+=,libarchive13,libfmt9,libsodium23,libspdlog1.10,libsqlite3-0,libssl3,libsystemd0,libfuse3-3
included+=,libtss2-esys-3.0.2-0,libtss2-mu0,libtss2-rc0,libtss2-tctildr0

sources() {
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Identifier: Packages' 'Origin: Debian' | sort -u
}

make_root() {
  [ "$(cat "$cache/root.holds" 2>/dev/null)" != "$included" ] || return 0
  command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed: tests/packages test"
  [ -n "$(sources)" ] || skip "no package lists of Debian here: apt-get update"
  echo "making a Debian root in $cache, once"
  rm -rf "$cache/root"
  sources | mmdebstrap --quiet --variant=minbase --include="$included" \
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$cache/root" - >"$cache/root.log" 2>&1 </dev/stdin || {
    tail -5 "$cache/root.log"
    rm -rf "$cache/root"
    skip "no Debian root can be made here, for the reason above"
  }
  echo "$included" >"$cache/root.holds"
}

[ "$(id -u)" = 0 ] || skip "needs root, to boot a container"
command -v systemd-nspawn >/dev/null || skip "systemd-nspawn is not installed: tests/packages test"
mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
make_root
flock -u 8

mkdir "$work"/{upper,below,root,share}
mount -t overlay overlay \
  -o "lowerdir=$cache/root,upperdir=$work/upper,workdir=$work/below" "$work/root" 2>"$work/why" ||
  skip "no overlay can be mounted here: $(cat "$work/why")"

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
  for _ in $(seq 600); do
    leader=$(pgrep -P "$nspawn" | head -n 1)
    if [ -n "$leader" ]; then
      case $(in_host systemctl is-system-running 2>/dev/null) in running | degraded) booted=yes; return 0 ;; esac
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
