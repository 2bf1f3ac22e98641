# Sourced by the tests of this folder that need a host of their own, in a container or as a guest: a
# minimal Debian, made once from the package sources of this machine, and kept in /var/cache, which is
# root's alone: builds may belong to others. Where one cannot be made, the test says why and is
# skipped (77).

cache=/var/cache/aierase-tests
skip() { echo "skipped: $*"; exit 77; }

# What the packages depend on, and what the tests look with. Theirs are installed by dpkg alone.
included=systemd,systemd-sysv,dbus,polkitd,debconf,procps,util-linux,strace,openssh-client,openssh-server,fuse3,python3
included+=,libarchive13,libfmt9,libsodium23,libspdlog1.10,libsqlite3-0,libssl3,libsystemd0,libfuse3-3
included+=,libtss2-esys-3.0.2-0,libtss2-mu0,libtss2-rc0,libtss2-tctildr0

sources() {
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Identifier: Packages' 'Origin: Debian' | sort -u
}

make_root() {
  [ "$(cat "$cache/root.holds" 2>/dev/null)" != "$included" ] || return 0
  command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed: tests/packages test"
  [ -n "$(sources)" ] || skip "no package lists of Debian here: apt-get update"
  echo "making a Debian root in $cache, once"
  rm -rf "$cache/root"
  sources | mmdebstrap --quiet --variant=minbase --include="$included" \
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$cache/root" - >"$cache/root.log" 2>&1 </dev/stdin || {
    tail -5 "$cache/root.log"
    rm -rf "$cache/root"
    skip "no Debian root can be made here, for the reason above"
  }
  echo "$included" >"$cache/root.holds"
}

# COMMAND...: alone with the cache.
with_cache() {
  mkdir -p "$cache"
  exec 8>"$cache/lock"
  flock 8
  "$@"
  flock -u 8
}

# A layer over the root, in $work/root: what is written there is thrown away with $work.
lay_over_root() {
  mkdir "$work"/{upper,below,root}
  mount -t overlay overlay \
    -o "lowerdir=$cache/root,upperdir=$work/upper,workdir=$work/below" "$work/root" 2>"$work/why" ||
    skip "no overlay can be mounted here: $(cat "$work/why")"
}
