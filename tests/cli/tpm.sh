#!/bin/bash
# A root slot in a TPM as people meet it: made, told of, lost and found. The TPM is swtpm.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
mkdir "$DIR/tpm"
switch_on() {
  swtpm socket --tpm2 --tpmstate "dir=$DIR/tpm" --server "type=unixio,path=$DIR/tpm/chip" \
    --ctrl "type=unixio,path=$DIR/tpm/chip.ctrl" --flags not-need-init,startup-clear \
    --pid "file=$DIR/tpm/pid" --daemon || { echo "swtpm is missing"; exit 1; }
}
switch_off() { [ ! -s "$DIR/tpm/pid" ] || kill -9 "$(cat "$DIR/tpm/pid")"; rm -f "$DIR/tpm/pid"; }
trap 'switch_off; cleanup' EXIT

CONFIG="tpm = \"swtpm:path=$DIR/tpm/chip\""
start_bus
printf 'coalesce = "2 hours"\n' >"$DIR/wrong.toml"
refused 6 'from .0 seconds. to .1 hour' "$AIERASED" --bus "$BUS" --store "$DIR/store" --config "$DIR/wrong.toml"
start_daemon
refused 2 'tpm2 or tpm2\+file' a init --root-slot tpm
refused 16 'TPM' a init --root-slot tpm2 --unlock none --single-operator
contains "it says where the TPM is looked for" "$(cat "$DIR/err")" 'aierased.toml'
switch_on
check "init" a init --unlock none --single-operator
contains "init chooses the TPM by itself, and says so" "$(cat "$DIR/out")" 'A TPM answers at swtpm'
contains "init says the level" "$(cat "$DIR/out")" 'EA2: The TPM is software'
contains "and who may have copies" "$(cat "$DIR/out")" "keeps copies of the TPM's state"
contains "status says what a TPM that is rolled back can hide" "$(a status | tr -s ' \n' ' ')" \
  'not where the TPM goes back with it'
contains "status knows the slot" "$(a --json status)" '"kind": *"tpm2"'
contains "doctor shows the way to the next level" "$(a doctor)" 'EA3 needs a TPM in the firmware'

mkdir "$DIR/m"
head -c 5000 /dev/urandom >"$DIR/m/weights"
check "a model" a import gauss/log:1 "$DIR/m"
check "another" a import gauss/log:2 "$DIR/m"
check "and one more" a import gauss/log:3 "$DIR/m"
check "a plan" a retire gauss/log:1 gauss/log:3 --now --reason "superseded"
plan=$(a --json list plans | json 'd["plans"][0]["id"], d["plans"][0]["digest"][:16]')
check "its approval" a approve "${plan% *}@${plan#* }"
check "erased" a wait "${plan% *}" --for erased --timeout 30s
certificate=$(a --json list certificates | json 'd["certificates"][0]["id"]')
check "the trust material" a certificate trust "$DIR/trust"
check "its certificate" a certificate export "$certificate" "$DIR/certificate"
check "verifies" "$AIERASE" verify "$DIR/certificate" --trust "$DIR/trust"
check "openssl verifies what the TPM signed" \
  sh "$SOURCE/tests/cli/tpm_recipe_test.sh" "$SOURCE/man/aierase-certificate.5" "$DIR/certificate"
# The key is derived again from what the page says of it.
tool() { name=$1; shift; "$name" -T "swtpm:path=$DIR/tpm/chip" "$@"; }
tool tpm2_createprimary -Q -C e -g sha256 -G ecc256:ecdsa-sha256:null -c "$DIR/ak" \
  -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign'
tool tpm2_readpublic -Q -c "$DIR/ak" -f der -o "$DIR/ak.der"
tool tpm2_flushcontext -t
contains "status counts rotations" "$(a status)" '1 of its secret in the last 24 hours'
contains "and so do the metrics" "$(a status --openmetrics)" \
  'aierase_root_rotations_last_day{kind="tpm2"} 1'
json 'd["dsseEnvelope"]["payload"]' <"$DIR/certificate" | openssl base64 -d -A >"$DIR/statement"
contains "by a key that who has the TPM derives again" \
  "$(json 'd["predicate"]["evidence"]["tpm"]["tpm_key"]' <"$DIR/statement")" \
  "$(openssl base64 -A -in "$DIR/ak.der")"
contains "and names the TPM" "$(a certificate export "$certificate" - --format text)" 'tpm2'

# Erasures that nobody asked for now share a rotation: a plan says until when it waits for others.
printf '[class.default]\ngrace = "1 second"\nallow-now = true\n' >"$DIR/rules.toml"
check "a short grace" a policy load "$DIR/rules.toml" --reason R
check "a model to go with others" a import gauss/log:4 "$DIR/m"
check "its plan" a retire gauss/log:4 --reason "superseded"
plan=$(a --json list plans | json 'd["plans"][0]["id"], d["plans"][0]["digest"][:16]')
check "its approval" a approve "${plan% *}@${plan#* }"
waits() { a enforce --confirm-clock >"$DIR/run" 2>&1; a show "${plan% *}" | tr -s ' \n' ' ' | grep -q 'waits for others that go with it, and is erased at .* at the latest'; }
check "when its grace is over it waits, and says until when" until_so waits
refused 16 'waits for others to go with it, at the latest until' a wait "${plan% *}" --for erased --timeout 1s
check "it can still be taken back" a cancel "${plan% *}"

refused 2 'tpm2\+file' a slot move chip
refused 6 'already' a slot move tpm2
check "a move into a file" a slot move file
contains "it says what living models keep" "$(cat "$DIR/out")" 'lower of both levels'
contains "status knows" "$(a --json status)" '"kind": *"file"'
equal "nothing is left in the TPM" "$(tool tpm2_getcap handles-nv-index)" ""
contains "doctor shows the way to the next level" "$(a doctor)" 'aierase slot move tpm2'
check "and back" a slot move tpm2+file
contains "with a share in each" "$(a status)" 'second share'
check "and into the TPM alone" a slot move tpm2
contains "doctor names what lived under the weaker slot, and the way to a new key" "$(a doctor | tr -s ' \n' ' ')" \
  'reaches at most EA[01] when it is erased, and not EA2: its key lay under a file slot.*import NEW - --tar'
again() { a export gauss/log:2 - --tar | a import gauss/log:5 - --tar --supersedes gauss/log:2; }
check "a model is imported once more from the store itself" again
a export gauss/log:2 "$DIR/first" >"$DIR/out" && a export gauss/log:5 "$DIR/second" >"$DIR/out"
equal "bit for bit" "$(sha256sum <"$DIR/second/weights")" "$(sha256sum <"$DIR/first/weights")"
for version in 4 5; do
  check "a plan for $version" a retire "gauss/log:$version" --now --reason "superseded"
  plan=$(a --json list plans | json 'd["plans"][0]["id"], d["plans"][0]["digest"][:16]')
  check "its approval" a approve "${plan% *}@${plan#* }"
  check "erased" a wait "${plan% *}" --for erased --timeout 30s
  level[version]=$(a --json list certificates |
    json "[c['assurance'] for c in d['certificates'] if c['plan'] == '${plan% *}'][0]")
done
contains "what lived under the weaker slot has its level" "${level[4]}" '^EA[01]$'
equal "what has a new key has that of the TPM" "${level[5]}" EA2
# An image of the whole disk, but the TPM, from before a hold.
stop_daemon
mkdir "$DIR/image" && cp -a "$DIR/store" "$DIR/slot" "$DIR/image/"
start_daemon
check "a hold" a hold place --matter M --reason R --match name=gauss/log:2
stop_daemon
mv "$DIR/store" "$DIR/newest" && mv "$DIR/slot" "$DIR/newest-slot"
cp -a "$DIR/image/store" "$DIR/image/slot" "$DIR/"
start_daemon
contains "an image of the disk from before a hold is recognised" "$(a status)" 'counted 1 hold more'
refused 15 "counted 1 hold more" a export gauss/log:2 "$DIR/out-of-it"
check "and taken only where somebody says so" a init --adopt
equal "without the hold" "$(a --json list holds | json 'len(d["holds"])')" 0
stop_daemon
switch_off
start_daemon
contains "without its TPM the store is closed" "$(a status)" 'locked'
contains "and says why" "$(a status)" 'cannot be reached'
refused 16 'cannot be reached' a export gauss/log:2 "$DIR/out-of-it"
switch_on
is_open() { [ "$(a --json status | json 'd["state"]')" = open ]; }
check "and opens when it is back, twenty seconds after the last try" until_so is_open
check "with all that lives" a export gauss/log:2 "$DIR/back"
equal "bit for bit" "$(sha256sum <"$DIR/back/weights")" "$(sha256sum <"$DIR/m/weights")"

stop_daemon
tpm2_clear -T "swtpm:path=$DIR/tpm/chip" -c p
start_daemon
contains "a TPM that was cleared is told of" "$(a status)" 'it was cleared since'
refused 15 'cleared since' a export gauss/log:2 "$DIR/out-of-it"
finish
