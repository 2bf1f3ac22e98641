#!/bin/bash
# What people and disks do wrong: a clear sentence and its exit code each, and nothing kept.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator >"$DIR/out" 2>&1 ||
  { cat "$DIR/out"; exit 1; }
# The daemon clears up behind a client that vanished without being asked: give it a moment.
nothing_kept() {
  equal "nothing is kept" "$(a list -q)" ""
  for _ in $(seq 100); do
    [ -z "$(find "${STORE:-$DIR/store}/blobs" -type f)" ] && break
    read -rt 0.05 <> <(:) || :
  done
  equal "no content is left in the store" "$(find "${STORE:-$DIR/store}/blobs" -type f)" ""
}

mkdir "$DIR/m"
refused 4 'No such file' a import x "$DIR/missing"
refused 6 'has no files' a import x "$DIR/m"
echo 1 >"$DIR/m/f"
mkfifo "$DIR/m/pipe"
refused 6 'm/pipe" is a named pipe' a import x "$DIR/m"
rm "$DIR/m/pipe"
ln -s nowhere "$DIR/m/link"
refused 6 'm/link" leads to nothing' a import x "$DIR/m"
ln -sfn . "$DIR/m/link"
refused 6 'leads to a directory' a import x "$DIR/m"
ln -sfn /dev/zero "$DIR/m/link"
refused 6 'is a device' a import x "$DIR/m"
rm "$DIR/m/link"
refused 6 'is a device' a import x /dev/null
refused 6 'neither a file nor a pipe' a import x - </dev/null
closed_input() { a import x - <&-; }
refused 6 'neither a file nor a pipe' closed_input
echo 1 >"$DIR/m/"$'two\nlines'
refused 6 'x0A.*control characters' a import x "$DIR/m"
rm "$DIR/m/"$'two\nlines'
echo 1 >"$DIR/m/"$'\xff\xfe'
refused 6 'UTF-8' a import x "$DIR/m"
rm "$DIR/m/"$'\xff\xfe'
(cd "$DIR/m" && part=$(printf 'd%.0s' $(seq 250)) &&
  for _ in $(seq 17); do mkdir "$part" && cd "$part" || exit 1; done && echo 1 >f)
refused 6 '4096' a import x "$DIR/m"
rm -rf "$DIR/m/"ddd*
refused 6 '' a import "$(printf 'n%.0s' $(seq 4096))" "$DIR/m/f"
refused 6 '' a import 'no spaces here' "$DIR/m/f"
refused 6 '' a import $'line\nbreak' "$DIR/m/f"
refused 6 '' a import $'\xff\xfe' "$DIR/m/f"
refused 6 'label' a import x "$DIR/m/f" --label "$(printf 'k%.0s' $(seq 100))=v"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  chmod 700 "$DIR/m"
  refused 5 'Permission denied' setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$AIERASE" --bus "$BUS" import x "$DIR/m"
else
  chmod 000 "$DIR/m/f"
  refused 5 'Permission denied' a import x "$DIR/m"
  chmod 600 "$DIR/m/f"
fi

# A directory that changes while it is read: the first look at it is over when the daemon goes on.
kill -STOP "$DAEMON_PID"
(sleep 2 && echo 1 >"$DIR/m/late" && kill -CONT "$DAEMON_PID") &
refused 6 'm/late" appeared while the import was under way' a import x "$DIR/m"
wait $!
rm "$DIR/m/late"
nothing_kept

# Archives.
ln -s f "$DIR/m/link"
tar -cf "$DIR/link.tar" -C "$DIR/m" f link
refused 6 'symbolic link' a import x "$DIR/link.tar" --tar
rm "$DIR/m/link"
tar -cf "$DIR/out.tar" -C "$DIR/m" --transform='s,^,../,' f 2>/dev/null
refused 6 '' a import x "$DIR/out.tar" --tar
head -c 2000000 /dev/urandom >"$DIR/m/big"
tar -cf "$DIR/whole.tar" -C "$DIR/m" f big
head -c 700000 "$DIR/whole.tar" >"$DIR/cut.tar"
refused 6 'cut short' a import x "$DIR/cut.tar" --tar
refused 6 '' a import x "$DIR/m/big" --tar
mkdir -p "$DIR/two/f"
echo 2 >"$DIR/two/f/inside"
tar -cf "$DIR/both.tar" -C "$DIR/m" f -C "$DIR/two" f/inside
refused 6 '"f" would be a file and a directory' a import x "$DIR/both.tar" --tar
nothing_kept

# A directory that changes while it is read: the last file is a slow one, so the first look is over.
mkdir "$DIR/changing"
for i in $(seq 40); do head -c 3000000 /dev/zero >"$DIR/changing/$i"; done
a import x "$DIR/changing" >"$DIR/out" 2>"$DIR/err" &
IMPORT=$!
while kill -0 $IMPORT 2>/dev/null; do echo more >>"$DIR/changing/9"; done
wait $IMPORT
CODE=$?
equal "a directory that changes while it is read" $CODE 6
contains "is told with the file" "$(cat "$DIR/err")" 'changing/9'
nothing_kept

# Interrupted imports, by the person and by force. The pipe never ends by itself.
mkfifo "$DIR/endless"
for signal in INT TERM KILL; do
  head -c 40000000 /dev/zero | cat - "$DIR/endless" 2>/dev/null | exec "$AIERASE" --bus "$BUS" import x - \
    >"$DIR/out" 2>"$DIR/err" &
  exec 9>"$DIR/endless"
  IMPORT=$!
  for _ in $(seq 200); do
    [ -n "$(find "$DIR/store/blobs" -type f)" ] && break
    read -rt 0.05 <> <(:) || :
  done
  check "content has reached the store" test -n "$(find "$DIR/store/blobs" -type f)"
  kill -$signal $IMPORT
  exec 9>&-
  wait $IMPORT 2>/dev/null
  CODE=$?
  case $signal in
    KILL) equal "an import that is killed" $CODE 137 ;;
    *)
      equal "an import interrupted by SIG$signal" $CODE 130
      contains "says so" "$(cat "$DIR/err")" 'nothing was kept'
      ;;
  esac
  nothing_kept
done

# Ctrl-C ends all of a pipeline at once: what came so far must not pass for the whole.
for _ in 1 2 3 4 5; do
  head -c 40000000 /dev/zero | cat - "$DIR/endless" 2>/dev/null | exec "$AIERASE" --bus "$BUS" \
    import x - >"$DIR/out" 2>"$DIR/err" &
  IMPORT=$!
  exec 9>"$DIR/endless"
  kill -INT $IMPORT
  exec 9>&-
  wait $IMPORT
  equal "an interrupted pipeline" $? 130
done
nothing_kept

# Digests, states, ids.
check "an import after all that" a import x "$DIR/m/f"
PLAN=$(a -q retire x --reason "wrong digest")
refused 10 '' a approve "${PLAN%@*}@ffffffffffff"
refused 2 '' a approve "${PLAN%@*}@xyz"
refused 4 '' a approve p-aaaaaaaaaaaaaaaaaaaaaaaaaa@123456789012
refused 4 '' a show a-aaaaaaaaaaaaaaaaaaaaaaaaaa
refused 4 '' a retire no-such-asset --reason x
refused 4 '' a export no-such-asset "$DIR/e"
refused 2 'range' a export x --range 9-1
refused 6 '' a export x --range 100-200 "$DIR/e2"
check "nothing is left of a failed export" test ! -e "$DIR/e2"

# Standard output: closed, full, and gone in the middle.
closed_output() { a list >&-; }
full_output() { a show x >/dev/full; }
refused 1 'standard output: it is closed' closed_output
refused 1 'No space left' full_output
closed_export() { a export x --file f >&-; }
refused 1 'standard output is closed' closed_export
check "a larger asset" a import big "$DIR/m/big"
a export big --file big 2>"$DIR/err" | :
equal "an export whose reader leaves" "${PIPESTATUS[0]}" 1
contains "says so" "$(cat "$DIR/err")" 'standard output was closed'
a export big --tar 2>"$DIR/err" | :
equal "an archive whose reader leaves" "${PIPESTATUS[0]}" 1

# Full disks: one that is exported to, and the store's own.
if [ "$(id -u)" = 0 ] && mkdir "$DIR/small" && mount -t tmpfs -o size=1m tmpfs "$DIR/small" 2>/dev/null; then
  MOUNTS="$MOUNTS $DIR/small"
  refused 16 'No space left|no room|full' a export big "$DIR/small/out"
  check "what was begun is removed" test ! -e "$DIR/small/out"
else
  echo "skip full disks: this user may not mount"
fi

# Self-approval, in a store of two people.
stop_daemon
rm -rf "$DIR/store" "$DIR/slot"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  AS="setpriv --reuid 65534 --regid 65534 --clear-groups"
  chown 65534:65534 "$DIR" "$DIR/m" "$DIR/m/f"
fi
start_daemon
check "a store of two people" a init --root-slot "file:$DIR/slot/slot" --unlock none
refused 2 'custodian' a import x "$DIR/m/f"
check "import with a custodian" a import x "$DIR/m/f" --custodian "$($AS id -un)"
PLAN=$(a -q retire x --reason "mine")
refused 5 'approve' a approve "$PLAN"
if [ -n "$AS" ]; then
  refused 5 'root' "$AIERASE" --bus "$BUS" approve "$PLAN"
  refused 5 '' setpriv --reuid 1 --regid 1 --clear-groups "$AIERASE" --bus "$BUS" list
fi
refused 6 '' a init --single-operator --root-slot "file:$DIR/slot/slot"

# A store on a disk that is full.
if [ -n "$MOUNTS" ]; then
  stop_daemon
  AS=''
  mkdir "$DIR/tight"
  mount -t tmpfs -o size=24m tmpfs "$DIR/tight" && MOUNTS="$MOUNTS $DIR/tight"
  rm -rf "$DIR/slot"
  mkdir "$DIR/tight/store"
  STORE="$DIR/tight/store"
  start_daemon
  check "a store on a small disk" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
  head -c 40000000 /dev/zero >"$DIR/large"
  refused 16 'No space left|no room|full' a import large "$DIR/large"
  nothing_kept
  check "it goes on working" a import small "$DIR/m/f"
fi
finish
