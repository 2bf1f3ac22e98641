#!/bin/bash
# Mounted views: the same content, programs of others that map it, leases, and every way to end.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
if ! : 2>/dev/null <>/dev/fuse || ! command -v fusermount3 >/dev/null; then
  echo "skipped: this machine lets this user open no /dev/fuse, or has no fusermount3"
  exit 77
fi
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator

mkdir -p "$DIR/model/config/deep" "$DIR/view"
for size in 0 1 4097 8388609 20971521; do
  head -c $size /dev/urandom >"$DIR/model/part-$size"
done
echo '{}' >"$DIR/model/config/deep/config.json"
/usr/bin/python3 -c "import numpy; numpy.save('$DIR/model/weights.npy', numpy.arange(3000000, dtype='f4'))"
check "import" a import acme/m:1 "$DIR/model"
VIEW="$DIR/view"
MOUNTS="$VIEW"

# Starts `aierase mount` and returns once it has told its service manager that it is ready.
mount_view() {
  coproc READY { python3 -c "
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('$DIR/notify')
print('listening', flush=True)
print(s.recv(4096).decode(), flush=True)"; }
  local line
  read -r line <&"${READY[0]}"
  NOTIFY_SOCKET="$DIR/notify" "$AIERASE" --bus "$BUS" mount "$1" "$VIEW" >"$DIR/mounted" \
    2>"$DIR/mount-error" &
  MOUNT_PID=$!
  read -r NOTIFIED <&"${READY[0]}"
  wait "$READY_PID"
  rm -f "$DIR/notify"
}
ends() {  # WHAT CODE: the client ends by itself
  wait "$MOUNT_PID"
  equal "$1" $? "$2"
}
not() { ! "$@"; }
leases() { a --json show acme/m:1 | json 'len(d["asset"]["leases"])'; }
no_lease() { [ "$(leases)" = 0 ]; }

mount_view acme/m:1
equal "ready is told" "$NOTIFIED" "READY=1"
contains "and where" "$(cat "$DIR/mounted")" "$VIEW"
contains "it is a mount of its own kind, for reading" \
  "$(findmnt -no FSTYPE,SOURCE,OPTIONS "$VIEW")" "fuse.aierase .*acme/m:1 .*ro,"
check "all content is the same" diff -r "$DIR/model" "$VIEW"
equal "nothing else is there" "$(cd "$VIEW" && find . | sort)" "$(cd "$DIR/model" && find . | sort)"
equal "sizes are" "$(cd "$VIEW" && find . -type f -printf '%P %s\n' | sort)" \
  "$(cd "$DIR/model" && find . -type f -printf '%P %s\n' | sort)"
check "cmp, which maps nothing, agrees" cmp "$VIEW/part-20971521" "$DIR/model/part-20971521"
equal "numpy maps it and adds it up" \
  "$(/usr/bin/python3 -c "import numpy; print(numpy.load('$VIEW/weights.npy', mmap_mode='r').sum(dtype='f8'))")" \
  "4499998500000.0"
check "here and there, by several readers at once" python3 - "$VIEW" "$DIR/model" <<'PYTHON'
import concurrent.futures, os, random, sys
view, model = (os.path.join(path, "part-20971521") for path in sys.argv[1:])
whole = open(model, "rb").read()
def look(seed):
    chance = random.Random(seed)
    handle = os.open(view, os.O_RDONLY)
    for _ in range(60):
        at, size = chance.randrange(len(whole) + 5000), chance.choice([1, 4096, 131072, 1 << 20, 3 << 20])
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        assert os.pread(handle, size, at) == whole[at:at + size], (at, size)
    os.close(handle)
    return True
with concurrent.futures.ThreadPoolExecutor(6) as readers:
    assert all(readers.map(look, range(6)))
PYTHON
for act in "touch $VIEW/new" "rm $VIEW/part-1" "truncate -s 0 $VIEW/part-1" "mkdir $VIEW/d"; do
  check "nothing is written: ${act%% *}" not $act
done

equal "show names who holds it" \
  "$(a --json show acme/m:1 | json '[(l["pid"], l["uid"], l["mount_point"]) for l in d["asset"]["leases"]]')" \
  "[($MOUNT_PID, $(id -u), '$VIEW')]"
contains "also for people" "$(a show acme/m:1)" "$VIEW .* $MOUNT_PID"
equal "it is no export" "$(a --json show acme/m:1 | json 'd["asset"]["exports"]')" "[]"
equal "a plan names him, too" \
  "$(a --json retire acme/m:1 --reason try --dry-run | json 'd["plan"]["items"][0]["leases"][0]["pid"]')" \
  "$MOUNT_PID"
contains "also for people" "$(a retire acme/m:1 --reason try --dry-run)" " $MOUNT_PID "
contains "the history has it" "$(a show acme/m:1)" "mount .*at $VIEW, by process $MOUNT_PID"

kill -STOP $MOUNT_PID
check "it is served while its client stands still" cmp "$VIEW/part-8388609" "$DIR/model/part-8388609"
kill -CONT $MOUNT_PID
kill -TERM $MOUNT_PID
ends "SIGTERM ends it well" 0
check "and takes the mount away" not mountpoint -q "$VIEW"
check "the lease is over" until_so no_lease
contains "the audit has it" "$(a audit acme/m:1)" "Mount"

# ---- damage is an input/output error, and of its place alone
flip() {
  python3 -c "
with open('$1', 'r+b') as blob:
    blob.seek(5 << 20)
    byte = blob.read(1)[0]
    blob.seek(5 << 20)
    blob.write(bytes([byte ^ 1]))"
}
LARGE=$(find "$DIR/store/blobs" -type f -size +20M)
flip "$LARGE"
mount_view acme/m:1
contains "a damaged place is told of" "$(cat "$VIEW/part-20971521" 2>&1 >/dev/null)" \
  "Input/output error"
check "what lies before it is read" cmp -n 3000000 "$VIEW/part-20971521" "$DIR/model/part-20971521"
check "other files are" cmp "$VIEW/part-8388609" "$DIR/model/part-8388609"
flip "$LARGE"
check "and all of it once it is mended" cmp "$VIEW/part-20971521" "$DIR/model/part-20971521"
kill -TERM $MOUNT_PID
ends "SIGTERM ends it well" 0

# ---- the client is killed, the daemon is killed
mount_view acme/m:1
kill -KILL $MOUNT_PID
wait $MOUNT_PID 2>/dev/null
check "a client that is killed leaves no mount" until_so not mountpoint -q "$VIEW"
check "and no lease" until_so no_lease
mount_view acme/m:1
stop_daemon -KILL
ends "with its daemon the mount ends" 3
check "and is gone" not mountpoint -q "$VIEW"
start_daemon
mount_view acme/m:1
fusermount3 -u "$VIEW"
ends "whoever unmounts it ends it well" 0

# ---- revocation: what was opened, read and mapped before
cat >"$DIR/holder.py" <<'PYTHON'
import errno, mmap, os, sys
path = sys.argv[1]
handle = os.open(path, os.O_RDONLY)
mapped = mmap.mmap(handle, 0, prot=mmap.PROT_READ)
size = len(mapped)
total = sum(mapped[at] for at in range(0, size, 4096)) + sum(os.read(handle, size)[:1])
print("holds", flush=True)
for line in sys.stdin:
    if line.strip() == "read":
        failed, how = 0, set()
        for at in range(0, size, 4096):
            try:
                os.pread(handle, 4096, at)
            except OSError as error:
                failed += 1
                how.add(errno.errorcode[error.errno])
        print("failed", failed, "of", (size + 4095) // 4096, *sorted(how), flush=True)
    elif line.strip() == "open":
        try:
            os.open(path, os.O_RDONLY)
            print("opened", flush=True)
        except OSError as error:
            print("refused", flush=True)
    else:
        print(mapped[int(line)], flush=True)
PYTHON
mount_view acme/m:1
coproc HOLDER { exec python3 "$DIR/holder.py" "$VIEW/part-8388609"; }
HOLDER_IN=${HOLDER[1]} HOLDER_OUT=${HOLDER[0]} HELD=$HOLDER_PID
ask() { echo "$1" >&"$HOLDER_IN"; read -r ANSWER <&"$HOLDER_OUT"; echo "$ANSWER"; }
read -r LINE <&"$HOLDER_OUT"
equal "a program has read and mapped all of a file" "$LINE" "holds"
equal "reads of it go well" "$(ask read)" "failed 0 of 2049"
PLAN=$(a -q retire acme/m:1 --reason "its end")
check "a plan that is only asked for ends no mount" cmp "$VIEW/part-1" "$DIR/model/part-1"
check "approval" a approve "$PLAN"
ends "at the retirement the mount ends" 6
contains "and says why" "$(cat "$DIR/mount-error")" "retired or suspended while it was mounted"
check "it is gone" not mountpoint -q "$VIEW"
equal "no page of what was open can be read" "$(ask read)" "failed 2049 of 2049 ENOTCONN"
equal "nor is it opened" "$(ask open)" "refused"
echo 0 >&"$HOLDER_IN"
wait "$HELD"
equal "and what was mapped is SIGBUS" $? $((128 + 7))
refused 6 "is retired and cannot be used" a mount acme/m:1 "$VIEW"
check "the plan is taken back" a cancel "${PLAN%@*}"
refused 6 "is suspended and cannot be used" a mount acme/m:1 "$VIEW"
check "resume" a resume acme/m:1 --reason again

mount_view acme/m:1
check "suspend" a suspend acme/m:1 --reason incident
ends "a suspension ends it, too" 6
check "resume" a resume acme/m:1 --reason again

# ---- an erasure does not wait for whoever keeps a file open
mount_view acme/m:1
coproc HOLDER { exec python3 "$DIR/holder.py" "$VIEW/part-4097"; }
HOLDER_IN=${HOLDER[1]} HELD=$HOLDER_PID
read -r LINE <&"${HOLDER[0]}"
PLAN=$(a -q retire acme/m:1 --now --reason "its end")
check "approval" a approve "$PLAN"
check "erased" a wait "${PLAN%@*}" --for erased --timeout 20s
ends "the mount ended before" 6
kill "$HELD"
refused 11 "erased" a mount acme/m:1 "$VIEW"

# ---- where the daemon gets no thread any more
a import last:1 "$DIR/model/part-4097" >/dev/null
stop_daemon  # with it go the stacks that ended threads leave behind
start_daemon
mount_view last:1
check "a view is read" cmp "$VIEW/part-4097" "$DIR/model/part-4097"
# Room for no other stack, and some for all else; the soft limit alone, to be raised again.
SIZE=$(awk '/VmSize/ { print $2 }' "/proc/$DAEMON_PID/status")
prlimit --pid "$DAEMON_PID" --as="$((SIZE * 1024 + (1 << 20))):"
check "suspend" a suspend last:1 --reason incident
ends "a suspension ends the view" 6
check "and the daemon is there" a show last:1
prlimit --pid "$DAEMON_PID" --as=unlimited:

# ---- what cannot be mounted
refused 4 "there is no asset" a mount nothing:1 "$VIEW"
a import --generate --kind dataset-key key:1 >/dev/null
refused 6 "has no files to mount" a mount key:1 "$VIEW"
check "which leaves no mount" not mountpoint -q "$VIEW"
a import small:1 "$DIR/model/part-1" >/dev/null
refused 6 "is no directory" a mount small:1 "$DIR/model/part-1"
refused 4 "cannot mount on" a mount small:1 "$DIR/absent"
refused 2 "passes descriptors" "$AIERASE" --host elsewhere mount small:1 "$VIEW"
finish
