# Sourced by the tests of this folder: a directory of their own, packing, and checks that count.
# From the environment: BUILD, SOURCE.
set -u
export LC_ALL=C.UTF-8

work=$(mktemp -d /var/tmp/aierase-host.XXXXXX)
checked=0 failed=0
clean_up_host() { :; }  # of a container, where there is one
last_words() { :; }
clean_up() {
  trap - EXIT INT TERM
  clean_up_host
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# ---- packages ------------------------------------------------------------------------------------
pack() {  # DIRECTORY
  (cd "$work" && cpack --config "$BUILD/CPackConfig.cmake" -B "$1") >"$work/cpack.log" 2>&1 ||
    { tail -20 "$work/cpack.log"; echo "FAIL the packages cannot be made"; exit 1; }
  rm -rf "$1/_CPack_Packages"
}
packages=$BUILD/tests/packages  # made once for all, by system.packages
take_packages() {  # DIRECTORY
  cp "$packages"/*.deb "$1" || { echo "FAIL the packages are not there"; exit 1; }
}

# ---- checks --------------------------------------------------------------------------------------
ok() { checked=$((checked + 1)); echo "ok   $1"; }
fail() { checked=$((checked + 1)) failed=$((failed + 1)); echo "FAIL $1"; [ ! -s "$work/out" ] || sed 's/^/     /' "$work/out" | head -30; }
# check WHAT COMMAND...: it succeeds.  refused CODE WHAT COMMAND...: it ends with that code.
check() { refused 0 "$@"; }
refused() {
  local code=$1 what=$2 got
  shift 2
  "$@" >"$work/out" 2>&1 </dev/null
  got=$?
  if [ "$got" = "$code" ]; then ok "$what"; else fail "$what: exit $got instead of $code"; fi
}
says() {  # WHAT PATTERN: in the last output
  if grep -Eq -- "$2" "$work/out"; then ok "$1"; else fail "$1: not /$2/"; fi
}
equal() { if [ "$2" = "$3" ]; then ok "$1"; else : >"$work/out"; fail "$1: '$2' is not '$3'"; fi; }
until_true() {  # COMMAND...: at most a minute
  for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
  return 1
}
# field EXPRESSION: of the JSON object d in the last output
field() { python3 -c "import json,sys; d=json.load(open('$work/out')); print($1)"; }
finish() {
  echo "$checked checks, $failed failed"
  [ "$failed" = 0 ] || { last_words; exit 1; }
  exit 0
}
