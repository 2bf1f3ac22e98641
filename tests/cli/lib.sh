# Sourced by the scripts of this folder: a private bus and daemon in a directory of their own, and
# checks that count. Whatever happens, bus, daemon, mounts and directory are gone at the end.
#
# From the environment: AIERASE, AIERASED (programs), SOURCE (the tree).
set -u
export LC_ALL=C.UTF-8

DIR=$(mktemp -d "${TMPDIR:-/tmp}/aierase-cli.XXXXXX")
ON_DISK=$(mktemp -d "$PWD/aierase-cli.XXXXXX")  # beside the build: $DIR may be in memory
BUS_PID='' DAEMON_PID='' MOUNTS=''
FAILED=0 CHECKED=0
AS=''  # how to become the user that daemon and client run as

cleanup() {
  trap - EXIT INT TERM
  [ -z "$DAEMON_PID" ] || kill "$DAEMON_PID" 2>/dev/null
  [ -z "$DAEMON_PID" ] || wait "$DAEMON_PID" 2>/dev/null
  [ -z "$BUS_PID" ] || kill "$BUS_PID" 2>/dev/null
  for mount in $MOUNTS; do umount -l "$mount" 2>/dev/null; done
  rm -rf "$DIR" "$ON_DISK"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

start_bus() {
  command -v dbus-daemon >/dev/null || { echo "dbus-daemon is missing"; exit 1; }
  cat >"$DIR/bus.conf" <<XML
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path=$DIR/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
XML
  chmod 755 "$DIR"
  BUS_PID=$(dbus-daemon --config-file="$DIR/bus.conf" --fork --nopidfile --print-pid)
  [ -n "$BUS_PID" ] || { echo "the private bus did not start"; exit 1; }
  BUS="unix:path=$DIR/bus"
}

# Ready means that the name is owned: a call waits for it on the bus's own word.
start_daemon() {
  [ -x "$AIERASED" ] || { echo "aierased is not built"; exit 1; }
  printf 'slot = "%s/slot/slot"\nallow-unencrypted-swap = true\n' "$DIR" >"$DIR/aierased.toml"
  # The TPM of the machine that runs the tests is nobody's to write.
  case ${CONFIG:-} in *tpm\ =*) ;; *) printf 'tpm = "swtpm:path=%s/no-tpm"\n' "$DIR" >>"$DIR/aierased.toml" ;; esac
  printf '%s\n' "${CONFIG:-}" >>"$DIR/aierased.toml"
  $AS mkdir -p "$DIR/store" "$DIR/slot"
  $AS "$AIERASED" --bus "$BUS" --store "${STORE:-$DIR/store}" --config "$DIR/aierased.toml" \
    --log-level warning 2>>"$DIR/daemon.log" &
  DAEMON_PID=$!
  for _ in $(seq 200); do
    a status >/dev/null 2>&1
    [ $? -ne 3 ] && return
    kill -0 "$DAEMON_PID" 2>/dev/null || break
    read -rt 0.05 <> <(:) || :
  done
  cat "$DIR/daemon.log"
  echo "the daemon did not start"
  exit 1
}

stop_daemon() {
  kill "${1:--TERM}" "$DAEMON_PID"
  wait "$DAEMON_PID" 2>/dev/null
  DAEMON_PID=''
}

a() { $AS "$AIERASE" --bus "$BUS" "$@"; }

# Looks again and again, for 40 seconds at most: COMMAND...
until_so() {
  for _ in $(seq 800); do
    "$@" && return
    read -rt 0.05 <> <(:) || :
  done
  return 1
}

# check WHAT COMMAND...: the command succeeds.
check() {
  local what=$1
  shift
  CHECKED=$((CHECKED + 1))
  if "$@" >"$DIR/out" 2>"$DIR/err"; then
    echo "ok   $what"
  else
    echo "FAIL $what (exit $?): $*"
    sed 's/^/     /' "$DIR/out" "$DIR/err" | head -30
    FAILED=$((FAILED + 1))
  fi
}

# refused CODE PATTERN COMMAND...: that exit code, one sentence on standard error that matches, no
# stack of messages, nothing unprintable.
refused() {
  local code=$1 pattern=$2 got
  shift 2
  CHECKED=$((CHECKED + 1))
  "$@" >"$DIR/out" 2>"$DIR/err"
  got=$?
  if [ "$got" -eq "$code" ] && grep -Eq -- "$pattern" "$DIR/err" &&
    [ "$(grep -c '^aierase: ' "$DIR/err")" -le 1 ] && ! grep -q '[[:cntrl:]]' "$DIR/err"; then
    echo "ok   exit $code: $(grep -m1 '^aierase: ' "$DIR/err" | cut -c10- | cut -c1-110)"
  else
    echo "FAIL exit $got instead of $code, or not /$pattern/: $*" | cut -c1-300
    sed 's/^/     /' "$DIR/err" | cut -c1-300 | head -20
    FAILED=$((FAILED + 1))
  fi
}

equal() {
  CHECKED=$((CHECKED + 1))
  if [ "$2" = "$3" ]; then
    echo "ok   $1"
  else
    echo "FAIL $1: '$2' is not '$3'"
    FAILED=$((FAILED + 1))
  fi
}

contains() {
  CHECKED=$((CHECKED + 1))
  if grep -q -- "$3" <<<"$2"; then
    echo "ok   $1"
  else
    echo "FAIL $1: no '$3' in: $2"
    FAILED=$((FAILED + 1))
  fi
}

# json EXPRESSION: from standard input, by the first python at hand; d is the object.
json() { python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }

finish() {
  echo "$CHECKED checks, $FAILED failed"
  [ "$FAILED" -eq 0 ] || { [ ! -s "$DIR/daemon.log" ] || tail -20 "$DIR/daemon.log"; exit 1; }
  exit 0
}
