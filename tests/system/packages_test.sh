#!/bin/bash
# Makes the packages of this build, for the tests of this folder that install them.
. "${SOURCE:?run it by ctest}/tests/system/checks.sh"
rm -rf "$packages"
pack "$packages"
check "the packages are there" test -s "$(echo "$packages"/aierased_*.deb)"
finish
