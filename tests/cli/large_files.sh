#!/bin/bash
# Large files: many at once, around the page cache, there and back, and checked at a rate.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator

# Sizes on both sides of what packs, segments, runs of them, blocks and pieces are.
mkdir "$ON_DISK/model"
for size in 0 4095 262112 1048448 1048449 8388607 8388608 8388609 20971520 25165827 31457279; do
  head -c $size /dev/urandom >"$ON_DISK/model/part-$size"
done
sync "$ON_DISK"/model/*
# Not in the page cache, as far as the file system lets go of them.
for file in "$ON_DISK"/model/*; do dd if="$file" iflag=nocache count=0 status=none; done
cached() { fincore -nbo RES "$@" | awk '{ sum += $1 } END { print sum + 0 }'; }
LARGE=("$ON_DISK"/model/part-????????)
DIRECT=no
if [ "$(cached "${LARGE[@]}")" = 0 ] &&
  dd if="${LARGE[0]}" of=/dev/null bs=4096 count=1 iflag=direct status=none 2>/dev/null; then
  DIRECT=yes
fi

check "import of large and small files" a import big:1 "$ON_DISK/model"
[ $DIRECT = no ] || equal "the import brought none of the large ones into the page cache" \
  "$(cached "${LARGE[@]}")" 0
# A key is small, and what is not is no key: also where it would be read around the page cache.
refused 6 'longer than 4096 bytes' a import key:1 "${LARGE[0]}" --kind dataset-key
equal "all are there, in order of their names" \
  "$(a --json show big:1 | json '" ".join(f["name"] for f in d["asset"]["files"])')" \
  "$(cd "$ON_DISK/model" && echo part-*)"
equal "with the SHA-256 that sha256sum says" \
  "$(a --json show big:1 | json '"\n".join(f["sha256"]+"  "+f["name"] for f in d["asset"]["files"])')" \
  "$(cd "$ON_DISK/model" && sha256sum part-*)"

check "export into a directory" a export big:1 "$ON_DISK/out"
[ $DIRECT = no ] || equal "the export left none of the large ones in the page cache" \
  "$(cached "$ON_DISK"/out/part-????????)" 0
check "it is the same to the byte" diff -r "$ON_DISK/model" "$ON_DISK/out"
check "export of one file to a file" a export big:1 "$ON_DISK/one" --file part-25165827
check "it is the same" cmp "$ON_DISK/one" "$ON_DISK/model/part-25165827"
check "export of a range to a file" a export big:1 "$ON_DISK/range" --file part-31457279 \
  --range 1000-20001000
check "it is the same" cmp "$ON_DISK/range" \
  <(tail -c +1001 "$ON_DISK/model/part-31457279" | head -c 20000001)
refused 6 'is not inside .part-4095. of 4095 bytes' a export big:1 "$ON_DISK/beyond" \
  --file part-4095 --range 0-9999999999999
check "export into a pipe is the same" cmp <(a export big:1 - --file part-31457279) \
  "$ON_DISK/model/part-31457279"
mkdir "$ON_DISK/untarred"
a export big:1 - --tar | tar -x -C "$ON_DISK/untarred"
check "and as an archive" diff -r "$ON_DISK/model" "$ON_DISK/untarred"

# Small files share pipes, sixteen by sixteen: where one ends and the next begins stays true.
mkdir -p "$ON_DISK/many/$(printf 'd%.0s' {1..90})/$(printf 'e%.0s' {1..90})"
for number in {1..50}; do
  head -c $((number % 5 * 511 + number % 3)) /dev/urandom >"$ON_DISK/many/file-$number"
done
head -c 3000000 /dev/urandom >"$ON_DISK/many/file-16-large"
head -c 700 /dev/urandom >"$(printf '%s' "$ON_DISK"/many/d*/e*)/$(printf 'f%.0s' {1..120})"
check "import of many small files" a import many:1 "$ON_DISK/many"
mkdir "$ON_DISK/many-out"
a export many:1 - --tar | tee "$ON_DISK/piped.tar" | tar -x -C "$ON_DISK/many-out"
check "an archive of many small files" diff -r "$ON_DISK/many" "$ON_DISK/many-out"
check "the same into a file" a export many:1 "$ON_DISK/written.tar" --tar
check "is the same archive" cmp "$ON_DISK/piped.tar" "$ON_DISK/written.tar"
"$AIERASE" --bus "$BUS" export big:1 - --tar 2>"$DIR/err" | head -c 30000000 >"$ON_DISK/part.tar"
refused 6 'cut short' a import part:1 "$ON_DISK/part.tar" --tar

check "import from an archive" a import --tar big:2 - < <(tar -C "$ON_DISK/model" -c .)
equal "has the same content" "$(a --json show big:2 | json 'd["asset"]["manifest_sha256"]')" \
  "$(a --json show big:1 | json 'd["asset"]["manifest_sha256"]')"

check "check --deep" a check --deep
check "check --deep at a rate" a check --deep --max-rate 1G big:1
# Whoever is ended before it listens to signals dies of them, like any program.
listens() { [ $((0x$(awk '/^SigCgt:/ {print $2}' "/proc/$CHECK/status") >> 14 & 1)) = 1 ]; }
"$AIERASE" --bus "$BUS" check --deep --max-rate 1 big:1 >"$DIR/out" 2>"$DIR/err" &
CHECK=$!
check "the check listens to signals" until_so listens
# The store serves others while the check waits for its second piece.
check "status meanwhile" a status
kill -TERM $CHECK
wait $CHECK
equal "a check that keeps to a rate ends when it is interrupted" $? 130
finish
