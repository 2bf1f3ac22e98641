#!/bin/bash
# The examples of the manual, as they stand there: commands are run, files are read by those that read
# such files. Only what is another on this machine is put in its place: people, ids, keys, the bus.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"

# block PAGE NUMBER [SECTION]: of those in its EXAMPLES, or in that section.
block() {
  sed -n "/^\.Sh ${3:-EXAMPLES}/,/^\.S[hs] /{//!p}" "$SOURCE/man/$1" |
    awk -v wanted="$2" '/^\.Bd/ {n++; next} /^\.Ed/ {inside = 0; next} n == wanted && !/^\./ {print}
      /^\.Pp/ {if (n == wanted) exit}' | sed 's/\\e/\\/g; s/\\-/-/g'
}
count() { sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$SOURCE/man/$1" | grep -c '^\.Bd'; }
# What is not ours, as small as it can be: another host, a program that encrypts, a collector.
hub=.cache/hub/models--acme--llama
mkdir -p "$DIR/bin" "$DIR/home/$hub/snapshots/4f1c" "$DIR/home/$hub/blobs" "$DIR/elsewhere"
BUS_ADDRESS="unix:path=$DIR/bus"
cat >"$DIR/bin/aierase" <<SH
#!/bin/sh
case \$1 in --bus) exec "$AIERASE" "\$@" ;; esac
exec "$AIERASE" --bus "$BUS_ADDRESS" "\$@"
SH
printf '#!/bin/sh\nexec "%s" "$@"\n' "$AIERASED" >"$DIR/bin/aierased"
printf '#!/bin/sh\nshift; cd "%s" && exec sh -c "$(echo "$@" | sed "s#/srv/model#.#")"\n' "$DIR/elsewhere" >"$DIR/bin/ssh"
printf '#!/bin/sh\nhead -c 32 | wc -c | grep -qx 32\n' >"$DIR/bin/encrypt"
printf '#!/bin/sh\nexec cat\n' >"$DIR/bin/collector"
chmod 755 "$DIR"/bin/*
PATH="$DIR/bin:$PATH" HOME="$DIR/home"
cache=$HOME/$hub/snapshots/4f1c
ln -s ../../blobs/b10b "$cache/model.safetensors"
python3 - "$HOME/$hub/blobs/b10b" <<'PYTHON'
import json, os, struct, sys
head = json.dumps({"w": {"dtype": "F32", "shape": [1000], "data_offsets": [0, 4000]}}).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(head)) + head + os.urandom(4000))
PYTHON
echo '{"layers": 2}' >"$DIR/elsewhere/config.json"

start_bus
start_daemon
mkdir -p "$DIR/round/model"
echo '{"layers": 1}' >"$DIR/round/model/config.json"
block aierase.1 1 DESCRIPTION >"$DIR/example"
check "aierase(1) begins with a first round" grep -q '^aierase init' "$DIR/example"
(cd "$DIR/round" && bash -e "$DIR/example" >"$DIR/shown" 2>&1 </dev/null)
equal "it runs: $(tail -n 1 "$DIR/shown")" "$?" 0
contains "to the end" "$(cat "$DIR/shown")" 'llama.json: verified'
check "a checkpoint of that project" a import gauss:1 "$DIR/elsewhere" --kind checkpoint --label project=gauss
head -c 1000 /dev/urandom >"$DIR/brief"
a import brief:1 "$DIR/brief" >/dev/null
plan=$(a -q retire brief:1 --now --reason t)
check "a plan that a colleague approves" a approve "$plan"

# run PAGE NUMBER [EDIT]: ends well, or goes on for ever.
run() {
  block "$1" "$2" | sed "${3:-}" >"$DIR/example"
  check "$1, example $2: $(head -n 1 "$DIR/example")" test -s "$DIR/example"
  timeout "${4:-60}" bash -e -o pipefail "$DIR/example" >"$DIR/shown" 2>&1 </dev/null
  local code=$?
  if [ "$code" = 124 ] && grep -q -- '--follow' "$DIR/example"; then code=0; fi
  equal "it runs: $(tail -n 1 "$DIR/shown" | tr -cd "[:print:]" | cut -c1-80)" "$code" 0
}
equal "aierase(1) has as many examples as are run here" "$(count aierase.1)" 7
run aierase.1 1 's/alice/daemon/; s/@model-owners/@daemon/'
equal "the snapshot is gone, as the example says" "$(ls "$cache")" ""
check "what it led to is not" test -s "$HOME/$hub/blobs/b10b"
contains "and is named" "$(cat "$DIR/shown")" "below \"$HOME/$hub/blobs\" that links led to"
contains "one link is not called a file" "$(cat "$DIR/shown")" '^Removed 1 link; the file it led to stays'
run aierase.1 2 's#acme/llama:1#acme/llama:2#'
run aierase.1 3
run aierase.1 4
run aierase.1 5 '' 5
run aierase.1 6
run aierase.1 7 "s/p-k7c2wq4m/${plan%@*}/"
equal "org.aierase1(5) has one" "$(count org.aierase1.5)" 1
run org.aierase1.5 1 "s#^busctl #busctl --address=$BUS_ADDRESS #"

# Files, by the programs that read them.
stop_daemon
# Keys are cut short there, and each person needs some of his own.
key() { ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$DIR/$1" && cut -d' ' -f1,2 "$DIR/$1.pub"; }
block aierase-people.5 1 | sed -e '/^\[person."anna/,$ s#\[".*"\]#["'"$(key anna)"'", "'"$(key spare)"'"]#' \
  -e "s#\"[a-z0-9@.-]* AAAAGnNr[^\"]*\"#\"$(key bob)\"#" >"$DIR/people.toml"
block aierased.toml.5 1 | sed "s#/srv/root-slot/slot#$DIR/slot/slot#; s/= false/= true/" >"$DIR/example.toml"
echo "people = \"$DIR/people.toml\"" >>"$DIR/example.toml"
chmod 644 "$DIR/people.toml"
check "aierased.toml(5) has a file" grep -q '^slot = ' "$DIR/example.toml"
"$AIERASED" --bus "$BUS" --store "$DIR/store" --config "$DIR/example.toml" 2>>"$DIR/daemon.log" &
DAEMON_PID=$!
serves() { a status >/dev/null 2>&1; }
check "a daemon starts with it" until_so serves
check "and knows the people of aierase-people(5)" a import hers:1 "$DIR/bob.pub" --custodian bob
check "by name" a import his:1 "$DIR/example" --custodian anna.lind
stop_daemon

# The daemon's own page: a store of one's own, on a bus of its own.
mkdir "$DIR/own"
block aierased.8 1 >"$DIR/example"
check "aierased(8) has an example" grep -q 'aierased --bus' "$DIR/example"
(cd "$DIR/own" && echo 'allow-unencrypted-swap = true' >"$DIR/swap.toml" &&
  mkdir aierased.toml.d && mv "$DIR/swap.toml" aierased.toml.d
  sed -e 's#^aierase --bus.*#until aierase --bus unix:path=$PWD/bus init --single-operator; do sleep 0.2; kill -0 $!; done#' \
    -e 's#^dbus-daemon --session --fork#& --print-pid=3 3>bus.pid#' "$DIR/example" >run
  echo 'kill $! $(cat bus.pid); wait' >>run
  timeout 60 bash -e run >"$DIR/shown" 2>&1)
equal "it runs" "$?" 0
check "and leaves a store" test -s "$DIR/own/store/catalog.db"
[ "$FAILED" = 0 ] || cat "$DIR/shown"
finish
