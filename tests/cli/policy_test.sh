#!/bin/bash
# `policy check` and `policy test`, as people run them in their own continuous integration.
. "${SOURCE:?run it by ctest}/tests/cli/lib.sh"
EXAMPLES=$SOURCE/policies/retention
P=$DIR/p.toml

for policy in "$EXAMPLES"/*.toml; do
  case $policy in *.test.toml) continue ;; esac
  check "$(basename "$policy") has no error" "$AIERASE" policy check "$policy"
  check "$(basename "$policy") passes its fixtures" "$AIERASE" policy test "$policy"
done
mapfile -t all < <(find "$EXAMPLES" -name '*.toml' ! -name '*.test.toml' | sort)
check "all of them are one set" "$AIERASE" policy check "${all[@]}"
check "all fixtures are found in the whole set" "$AIERASE" policy test "${all[@]}"

# Every error at once, each with its place; the exit status tells, and so does one sentence.
printf '[class.a]\nretain-fro = "6 months"\ngrace = "6 m"\napprovals = 0\n' >"$P"
refused 6 '3 errors' "$AIERASE" policy check "$P"
out=$(cat "$DIR/out")
contains "an unknown key has its place" "$out" "p.toml:2:1: error: there is no key \"retain-fro\""
contains "and the nearest spelling" "$out" 'did you mean "retain-for"?'
contains "a one-letter unit has its place" "$out" 'p.toml:3:9: error: grace: "6 m"'
contains "approvals = 0 has its place" "$out" 'p.toml:4:13: error: approvals is 0'
refused 6 'policy and fixtures have [0-9]+ errors?' "$AIERASE" policy test "$P"
contains "tells them, and not that fixtures are missing" "$(cat "$DIR/out" "$DIR/err")" 'p.toml:2:1: error'
refused 6 '1 error' "$AIERASE" policy check - <<<'[class.a'
refused 6 '1 error' "$AIERASE" policy check "$EXAMPLES/experiments.test.toml"
contains "a fixture is recognised" "$(cat "$DIR/out")" 'file of fixtures'
refused 6 'directory' "$AIERASE" policy check "$DIR"
refused 4 'No such file' "$AIERASE" policy check "$DIR/missing.toml"
refused 2 'needs FILE' "$AIERASE" policy check
head -c 300000 /dev/zero | tr '\0' '\n' >"$DIR/large.toml"
refused 16 '262144' "$AIERASE" policy check "$DIR/large.toml"
printf '[class.a]\n' >"$P"
printf '[class.a]\n' >"$DIR/q.toml"
refused 6 '1 error' "$AIERASE" policy check "$P" "$DIR/q.toml"
contains "a class in two files names both" "$(cat "$DIR/out")" "first at $P:1:8"

# What it means, for people and for programs.
printf '[class.logs]\nretain-for = "6 months"\n' >"$P"
contains "a policy is told in sentences" "$("$AIERASE" policy check "$P")" \
  'keeps an asset at least 6 months after its import'
equal "as JSON it is valid" "$("$AIERASE" --json policy check "$P" | json 'd["valid"]')" True
equal "with its schema" "$("$AIERASE" --json policy check "$P" | json 'd["schema"]')" \
  aierase/policy-check/v1
equal "durations are ISO 8601" \
  "$("$AIERASE" --json policy check "$P" | json 'd["policy"]["classes"]["logs"]["retain_for"]')" P6M
equal "the version is the digest of the canonical JSON" \
  "$("$AIERASE" policy check -q "$P")" \
  "$("$AIERASE" --json policy check "$P" | python3 -c 'import hashlib,json,sys
text = json.dumps(json.load(sys.stdin)["policy"], sort_keys=True, separators=(",", ":"),
                  ensure_ascii=False)
print(hashlib.sha256(text.encode()).hexdigest())')"
printf '[class.logs]\nretain-for = "6 moons"\n' >"$P"
"$AIERASE" --json policy check "$P" >"$DIR/out" 2>"$DIR/err"
equal "as JSON an error keeps its exit status" $? 6
equal "and its place" \
  "$(json '(d["valid"], d["findings"][0]["line"], d["findings"][0]["column"])' <"$DIR/out")" \
  '(False, 2, 14)'

# Fixtures.
printf '[class.logs]\nretain-for = "6 months"\n' >"$P"
refused 4 'no fixtures' "$AIERASE" policy test "$P"
cat >"$DIR/p.test.toml" <<'TOML'
[[case]]
name = "kept"
at = 2027-02-27T23:59:59Z
asset = { retention = "logs", created = 2026-08-31 }
expect = { verdict = "blocked", floor = 2027-02-28 }
[[case]]
name = "free"
at = 2027-02-28
asset = { retention = "logs", created = 2026-08-31 }
expect = { verdict = "eligible" }
TOML
check "fixtures that hold" "$AIERASE" policy test "$P"
contains "are printed as a table" "$(cat "$DIR/out")" '^passed  blocked '
sed -i 's/6 months/7 months/' "$P"
refused 12 '2 of 2 cases failed' "$AIERASE" policy test "$P"
contains "a case that fails says why" "$(cat "$DIR/out")" \
  'floor is 2027-03-31T00:00:00Z, expected 2027-02-28T00:00:00Z'
"$AIERASE" --json policy test "$P" >"$DIR/out"
equal "as JSON it keeps its exit status" $? 12
equal "and counts" "$(json '(d["schema"], d["passed"], d["failed"])' <"$DIR/out")" \
  "('aierase/policy-test/v1', False, 2)"
printf '[[case]]\nat = "soon"\nexpect = { verdict = "maybe" }\n' >"$DIR/p.test.toml"
refused 6 '2 errors' "$AIERASE" policy test "$P"
refused 2 'file of fixtures' "$AIERASE" policy test "$DIR/p.test.toml"
refused 2 'has to be a file' "$AIERASE" policy test -

"$AIERASE" completion bash >"$DIR/completion.bash"
check "bash completes the second word" bash -c ". '$DIR/completion.bash'
  COMP_WORDS=(aierase policy ch) COMP_CWORD=2; _aierase; [ \"\${COMPREPLY[*]}\" = check ]"
check "bash completes the second word of certificate" bash -c ". '$DIR/completion.bash'
  COMP_WORDS=(aierase certificate tr) COMP_CWORD=2; _aierase; [ \"\${COMPREPLY[*]}\" = trust ]"
check "bash completes files behind it" bash -c "cd '$DIR'; . '$DIR/completion.bash'
  COMP_WORDS=(aierase policy check large) COMP_CWORD=3; _aierase
  [ \"\${COMPREPLY[*]}\" = large.toml ]"

if command -v mandoc >/dev/null; then
  check "the manual is clean" mandoc -Tlint -Wwarning "$SOURCE/man/aierase-policy.5"
fi
finish
