#!/bin/bash
# The packages as files: what is where and whose, nothing twice and nothing forgotten, the same bytes
# again, and what lintian says. With --twice (label long): two builds of the source in different
# directories give the same packages.
. "${SOURCE:?run it by ctest}/tests/system/checks.sh"

if [ "${1:-}" = --twice ]; then
  for place in one two/and/deeper; do
    mkdir -p "$work/$place"
    (cd "$SOURCE" && git ls-files -z | xargs -0 cp --parents -t "$work/$place")
    # A cache of compilations would hand out what the other one made.
    check "a build in $place, with one command" \
      env CCACHE_DISABLE=1 sh -c 'cd "$1" && cmake --workflow --preset package' sh "$work/$place"
  done
  for package in "$work"/one/build/package/*.deb; do
    check "the same bytes: $(basename "$package")" \
      cmp "$package" "$work/two/and/deeper/build/package/$(basename "$package")"
  done
  equal "there are three" "$(find "$work/one/build/package" -maxdepth 1 -name '*.deb' | wc -l)" 3
  finish
fi

mkdir "$work/debs" "$work/again"
take_packages "$work/debs"
equal "three packages" "$(cd "$work/debs" && ls | sed 's/_.*//' | sort | xargs)" "aierase aierase-doc aierased"

for package in aierase aierased aierase-doc; do
  dpkg-deb -c "$work/debs/$package"_*.deb | awk '{print $1, $2, $6}' >"$work/$package"
done
equal "everything is root's" "$(cat "$work"/aierase* | awk '$2 != "root/root"' | head -3)" ""
equal "nothing may be written by others" \
  "$(cat "$work"/aierase* | awk 'substr($1, 6, 1) == "w" || substr($1, 9, 1) == "w"' | head -3)" ""
equal "no file is in two packages" "$(cat "$work"/aierase* | awk '$3 !~ /\/$/ {print $3}' | sort | uniq -d)" ""
holds() { equal "$1 has $2" "$(grep -c " ./$2\$" "$work/$1")" 1; }
holds aierase usr/bin/aierase
holds aierase usr/share/bash-completion/completions/aierase
holds aierase usr/share/zsh/vendor-completions/_aierase
holds aierase usr/share/fish/vendor_completions.d/aierase.fish
holds aierased usr/libexec/aierased
for file in libexec/aierase-notify lib/systemd/system/aierased.service lib/sysusers.d/aierase.conf \
  lib/tmpfiles.d/aierase.conf share/dbus-1/system.d/org.aierase1.conf \
  share/dbus-1/system-services/org.aierase1.service share/polkit-1/actions/org.aierase1.policy \
  share/polkit-1/rules.d/50-aierase.rules; do
  holds aierased "usr/$file"
done
for page in "$SOURCE"/man/*.[1-8]; do
  name=$(basename "$page")
  equal "the page $name is in one of them" \
    "$(cat "$work"/aierase* | grep -c " ./usr/share/man/man${name##*.}/$name.gz\$")" 1
done
equal "nothing of a build is in them" \
  "$(for deb in "$work"/debs/*.deb; do dpkg-deb --fsys-tarfile "$deb"; done | grep -c -a -F "$BUILD")" 0

# cmake --install leaves the same files, but for what belongs to a package as such.
check "cmake --install" env DESTDIR="$work/installed" cmake --install "$BUILD" --prefix /usr
(cd "$work/installed" && find . -type f | sort) >"$work/by_install"
cat "$work"/aierase* | awk '$3 !~ /\/$/ {print $3}' |
  grep -vE '/(copyright|changelog\.gz)$|/lintian/' | sort >"$work/by_package"
equal "leaves the same files" "$(diff "$work/by_install" "$work/by_package")" ""

# Later, over other times.
find "$work/installed" "$BUILD/compressed" "$BUILD/ctl/completion" -exec touch {} +
pack "$work/again"
for deb in "$work"/debs/*.deb; do
  check "the same bytes again: $(basename "$deb")" cmp "$deb" "$work/again/$(basename "$deb")"
done
(umask 077 && pack "$work/private")
equal "under another umask every folder is open as before" \
  "$(dpkg-deb -c "$work/private"/aierased_*.deb | awk '{print $1, $2, $6}' | diff - "$work/aierased")" ""

# Against the units of this machine, with the programs where they would be.
mkdir "$work/units"
for unit in "$work"/installed/usr/lib/systemd/system/*; do
  sed "s#=\([-+]*\)/usr/#=\1$work/installed/usr/#" "$unit" >"$work/units/$(basename "$unit")"
done
for unit in "$work"/units/*; do
  check "$(basename "$unit") is one that systemd understands" \
    env SYSTEMD_UNIT_PATH="$work/units:" systemd-analyze verify --man=no "$unit"
  equal "and says nothing about" "$(grep -v "^$" "$work/out")" ""
done
check "the exposure of aierased.service is at most 0.6" systemd-analyze security --offline=yes \
  --no-pager --threshold=6 "$work/installed/usr/lib/systemd/system/aierased.service"
check "and of the nightly run at most 0.7" systemd-analyze security --offline=yes --no-pager \
  --threshold=7 "$work/installed/usr/lib/systemd/system/aierase-enforce.service"
check "shellcheck has nothing to say" shellcheck --severity=warning -e SC1091,SC2034 \
  "$SOURCE"/units/debian/{postinst,prerm,postrm} "$SOURCE/units/aierase-notify"
check "the policies for bus and polkit are what their document types say" xmllint --noout --nonet \
  "$SOURCE"/policies/dbus/*.conf "$SOURCE"/policies/polkit/*.policy "$SOURCE"/lib/bus/interfaces/*.xml
numbers() { grep -oE '[0-9a-f]{32}' "$1" | sort; }
equal "the catalog explains each event of the journal" \
  "$(diff <(numbers "$SOURCE/daemon/journal_events.h") <(numbers "$SOURCE/units/aierase.catalog"))" ""
check "lintian has nothing to say" lintian --allow-root --fail-on error,warning "$work"/debs/*.deb
equal "but for the reasons that are listed" "$(cat "$work/out")" ""
finish
