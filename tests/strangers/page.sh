#!/bin/bash
# The page for people in the browser of others: Chromium, without a network and without our help.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator

# What strangers may name, and what nobody may have run.
mkdir "$DIR/m"
HOSTILE="<img src=x onerror='hacked=1'>&amp; \"quoted\" 模型 {{signer}} @bundle@"
printf 'weights' >"$DIR/m/$HOSTILE"
printf 'more' >"$DIR/m/"$'live\u202egnp.exe'
for n in $(seq 30); do head -c "$((n * 1000))" /dev/urandom >"$DIR/m/shard-$n.bin"; done
a import page/model:1 "$DIR/m" >/dev/null || exit 1
a export page/model:1 "$DIR/copy" >/dev/null || exit 1
PLAN=$(a -q retire page/model:1 --now --reason "</script><script>hacked=1</script>") || exit 1
check "erasure" a approve "$PLAN"
check "export of the bundle" a certificate export page/model:1 "$DIR/certificate.json"
check "export of the page" a certificate export page/model:1 "$DIR/page.html" --format html
refused 2 'html or text for people' a certificate export page/model:1 "$DIR/no" --format pdf
KEPT=$(a -q import page/kept:1 "$DIR/m") || exit 1
REFUSED=$(a -q retire "$KEPT" --reason "<b>perhaps</b>") || exit 1
check "a plan is taken back" a cancel "${REFUSED%@*}"
check "export of its record" a certificate export "${REFUSED%@*}" "$DIR/refusal.json"
check "and of its page" a certificate export "${REFUSED%@*}" "$DIR/refusal.html" --format html
AMENDED=$(a --json show page/model:1 | json 'd["asset"]["certificate"]')
printf 'burnt' >"$DIR/tapes.txt"
check "a verdict" a validate "$AMENDED" accept --reason "<i>gone</i>"
check "export of the page with a verdict" a certificate export "$AMENDED" "$DIR/judged.html" --format html
FINGERPRINT=$(a --json status | json 'd["signer"]["key_id"]')
check "the keys are changed" a certificate trust "$DIR/trust" --rotate
check "evidence" a certificate amend "$AMENDED" --evidence "$DIR/tapes.txt" --reason "{{signer}}" \
  --closes plaintext-elsewhere
check "export of the amended page" a certificate export "$AMENDED" "$DIR/amended.html" --format html
# As aierase-certificate(5), PAGE, has it.
sed -n 's/.* id="evidence"[^>]*>\([^<]*\)<.*/\1/p' "$DIR/page.html" | base64 -d >"$DIR/taken-out.json"
check "the signed file can be taken out" cmp "$DIR/taken-out.json" "$DIR/certificate.json"
if ! node "$SOURCE/tests/strangers/page/check.js" "$DIR" "$FINGERPRINT"; then
  FAILED=$((FAILED + 1))
fi
[ -z "${AIERASE_KEEP:-}" ] || cp "$DIR"/page.{html,pdf,png} "$DIR"/{refusal,amended}.{html,png} "$AIERASE_KEEP"
finish
