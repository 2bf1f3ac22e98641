#!/bin/bash
# Who called what: by several callers, allowed, denied and mistaken, read back by every filter.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
start_bus
start_daemon
check "init" a init --root-slot "file:$DIR/slot/slot" --unlock none --single-operator
head -c 300000 /dev/urandom >"$DIR/weights"
check "import" a import acme/llama:1 "$DIR/weights"
check "import of another" a import other:1 "$DIR/weights"
check "export" a export acme/llama:1 "$DIR/out-weights"
refused 4 '' a show never:was
refused 2 '' a retire acme/llama:1

# rows METHOD [OPTION...]: "outcome calls" of each call of that method.
rows() {
  local method=$1
  shift
  a --json audit "$@" |
    json "'; '.join(c['outcome'] + ' ' + str(c['calls']) for c in d['calls'] if c.get('method') == '$method')"
}
equal "imports" "$(rows Asset.Import)" "ok 1; ok 1"
equal "an export" "$(rows Asset.Export)" "ok 1"
equal "what is not there" "$(rows Asset.Show --outcome not_found)" "not_found 1"
equal "what it says" "$(a --json audit --outcome not_found | json "d['calls'][0]['subjects'][0]['name']")" never:was
equal "of one asset" "$(rows Asset.Import acme/llama:1)" "ok 1"
equal "of what never was" "$(rows Asset.Show never:was)" "not_found 1"
equal "of one action" "$(rows Asset.Import --action import)" "ok 1; ok 1"
equal "and of no other" "$(rows Asset.Export --action import)" ""
equal "of the last hour" "$(rows Asset.Export --since 1h)" "ok 1"
equal "since a day" "$(rows Asset.Export --since 2020-01-01)" "ok 1"
equal "until a day" "$(rows Asset.Export --until 2020-01-01)" ""
equal "of a person by uid" "$(rows Asset.Export --who "$(id -u)")" "ok 1"
equal "of a person by login" "$(rows Asset.Export --who "$(id -un)")" "ok 1"
equal "of somebody else" "$(rows Asset.Export --who 4711)" ""
equal "an id is enough" "$(rows Asset.Export "$(a --json show acme/llama:1 | json "d['asset']['id']")")" "ok 1"
a audit --until 2020-01-01 >"$DIR/out" 2>"$DIR/err"
contains "none is said" "$(cat "$DIR/err")" 'no such calls'
refused 2 'since' a audit --since yesterday
refused 2 'ends before it begins' a audit --since 2026-02-01 --until 2026-01-01
refused 2 'outcome' a audit --outcome fine
refused 2 'no end' a --json audit --follow
refused 2 'exclude' a audit --follow --until 2020-01-01

# The sample of the manual has the keys of a real row, but for those that need time or a login.
sample=$(sed -n '/BEGIN sample audit/,/^\.Ed/p' "$SOURCE/man/aierase-store.5" | sed '1,2d;$d' | tr -d '\n')
a audit --json-lines --action export acme/llama:1 >"$DIR/lines"
equal "the sample of aierase-store(5)" \
  "$(json "sorted(set(d['call']) - {'last'}), d['schema']" <<<"$sample")" \
  "$(json "sorted(set(d['call']) - {'last', 'audit_login_uid'}), d['schema']" <"$DIR/lines")"

# Columns stand in line, whatever was typed.
a show "$(printf 'x\033[31m')" >/dev/null 2>&1
a audit >"$DIR/table"
contains "a heading" "$(head -1 "$DIR/table")" '^TIME  *WHO  *CALL  *ON  *OUTCOME$'
equal "columns stand in line" "$(python3 - "$DIR/table" <<'PY'
import sys
rows = open(sys.argv[1]).read().splitlines()
starts = [rows[0].index(word) for word in ("WHO", "CALL", "ON", "OUTCOME")]
print(all(row[at - 2:at] == "  " and row[at] != " " for row in rows for at in starts), len(rows) > 5)
PY
)" "True True"
equal "nothing steers the terminal" "$(grep -c '[[:cntrl:]]' "$DIR/table")" 0

if [ "$(id -u)" = 0 ]; then
  stranger() {
    setpriv --reuid 65534 --regid 65534 --clear-groups "$AIERASE" --bus "$BUS" "$@"
  }
  refused 5 '' stranger suspend acme/llama:1 --reason mine
  refused 5 '' stranger audit
  for number in $(seq 30); do stranger show "guess$number" >/dev/null 2>&1; done
  contains "a stranger is in it" "$(rows Asset.Suspend --who 65534)" 'access_denied 1'
  equal "with the asset" "$(a --json audit --who 65534 acme/llama:1 | json "d['calls'][0]['subjects'][0]['name']")" acme/llama:1
  stop_daemon
  start_daemon
  equal "all his calls are counted" \
    "$(a --json audit --who 65534 | json "sum(c['calls'] for c in d['calls'])")" 32
  equal "and few are kept in full" \
    "$(a --json audit --who 65534 | json "len(d['calls']) <= 34")" True
fi

# A follower sees what comes, at once, and nothing from before.
a audit --follow --json-lines >"$DIR/followed" 2>"$DIR/follower" &
FOLLOWER=$!
for _ in $(seq 100); do
  a show other:1 >/dev/null
  grep -q Asset.Show "$DIR/followed" && break
  read -rt 0.1 <> <(:) || :
done
kill -INT "$FOLLOWER" 2>/dev/null || kill -TERM "$FOLLOWER"
check "the follower saw it" grep -q '"method":"Asset.Show"' "$DIR/followed"
equal "and nothing older" "$(grep -c Asset.Import "$DIR/followed")" 0
kill -TERM "$FOLLOWER" 2>/dev/null
wait "$FOLLOWER" 2>/dev/null

# Numbers for a monitor.
check "openmetrics" a status --openmetrics
cp "$DIR/out" "$DIR/metrics"
check "they are OpenMetrics" python3 - "$DIR/metrics" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
assert text.endswith("\n# EOF\n") and "\n\n" not in text
family, seen, kinds = None, set(), {}
for row in text.splitlines()[:-1]:
    meta = re.fullmatch(r"# (TYPE|UNIT|HELP) ([a-z_]+) (.+)", row)
    if meta:
        what, name, rest = meta.groups()
        if what == "TYPE":
            assert name not in seen, name
            seen.add(name)
            family, kinds[name] = name, rest
            assert rest in ("gauge", "counter", "info", "stateset"), row
        assert name == family, row
        if what == "UNIT":
            assert name.endswith("_" + rest), row
        continue
    name, labels, value = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="[^"]*"\})? (\d+)', row).groups()
    suffix = {"counter": "_total", "info": "_info"}.get(kinds[family], "")
    assert name == family + suffix, row
PY
contains "assets" "$(cat "$DIR/metrics")" '^aierase_assets{state="active"} 2$'
contains "the state" "$(cat "$DIR/metrics")" '^aierase_store_state{aierase_store_state="open"} 1$'
contains "the audit" "$(cat "$DIR/metrics")" '^aierase_audit_rows_total [1-9]'
contains "bytes" "$(cat "$DIR/metrics")" '^aierase_content_bytes 600000$'
refused 2 'exclude' a --json status --openmetrics
contains "provisions, with what shows them" "$(a status --conformance)" 'partly.*aierase init --two-person'
equal "as JSON" "$(a --json status --conformance | json 'd["schema"], d["provisions"][-1]["state"]')" \
  'aierase/status-conformance/v1 partly'
refused 2 'exclude' a status --openmetrics --conformance
equal "no erasure, no time of one" "$(grep -c last_erasure "$DIR/metrics")" 0
check "a plan" a retire other:1 --now --reason end
PLAN=$(a list plans -q)
contains "an open plan has an age" "$(a status --openmetrics)" '^aierase_oldest_open_plan_timestamp_seconds [1-9]'
check "approved" a approve "$PLAN@$(a --json show "$PLAN" | json 'd["plan"]["digest"][:12]')"
check "erased" a wait "$PLAN" --for erased --timeout 60s
contains "the erasure has a time" "$(a status --openmetrics)" '^aierase_last_erasure_timestamp_seconds [1-9]'
equal "who made an end of it" "$(a --json audit other:1 | json "sorted({c.get('method') for c in d['calls']} & {'Plan.Retire', 'Plan.Approve', 'Daemon.ExecuteDue'})")" \
  "['Daemon.ExecuteDue', 'Plan.Approve', 'Plan.Retire']"
finish
