#!/bin/bash
# The root slot in a TPM that the kernel drives, with the daemon in its sandbox: a machine of its own
# under QEMU with a Debian kernel, our packages, and swtpm behind /dev/tpmrm0. It is booted anew in the
# middle, loses its power while it erases, and comes up with an image of its disk from before.
#
# Everything is emulated, the processor too: what the figures say of a real machine is the number of
# commands of the TPM, not the time. What goes on inside stands in guest_inside.sh.
. "${SOURCE:?run it by ctest}/tests/system/checks.sh"
. "$SOURCE/tests/system/debian.sh"

[ "$(id -u)" = 0 ] || skip "needs root, to make the disk of a guest"
for program in qemu-system-x86_64 swtpm swtpm_setup mkfs.ext4 debugfs mandoc; do
  command -v "$program" >/dev/null || skip "$program is not installed: tests/packages guest test"
done

# ---- kernel and disk -----------------------------------------------------------------------------
# The kernel for clouds has disk, file system and TPM built in: neither modules nor initramfs.
make_kernel() {
  local name
  name=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
  [ -n "$name" ] || skip "no package lists of Debian here: apt-get update"
  [ "$(cat "$cache/kernel.holds" 2>/dev/null)" != "$name" ] || return 0
  rm -rf "$cache/kernel.deb" && mkdir "$cache/kernel.deb"
  (cd "$cache/kernel.deb" && apt-get -q download "$name") >"$cache/kernel.log" 2>&1 ||
    skip "the kernel of Debian cannot be had: $(tail -n 1 "$cache/kernel.log")"
  dpkg-deb --fsys-tarfile "$cache"/kernel.deb/*.deb |
    tar -xO --wildcards './boot/vmlinuz-*' >"$cache/vmlinuz" || skip "the kernel of Debian cannot be unpacked"
  rm -rf "$cache/kernel.deb"
  echo "$name" >"$cache/kernel.holds"
}

make_disk() {
  mkdir -p "$work/root/share/debs"
  take_packages "$work/root/share/debs"
  cp "$SOURCE"/tests/system/{checks.sh,guest_inside.sh} "$work/root/share/"
  chmod -R a+rX "$work/root/share"
  echo '/dev/nvme0n1 / ext4 rw 0 1' >"$work/root/etc/fstab"
  echo guest >"$work/root/etc/hostname"
  cat >"$work/root/etc/systemd/system/guest-test.service" <<'UNIT'
[Unit]
Description=What tests/system/guest_test.sh looks at
Wants=dbus.service
After=dbus.service systemd-user-sessions.service
[Service]
Type=oneshot
ExecStart=/bin/bash -c "exec bash /share/guest_inside.sh >/dev/ttyS1 2>&1"
ExecStopPost=systemctl --no-block poweroff
UNIT
  ln -s ../guest-test.service "$work/root/etc/systemd/system/multi-user.target.wants/"
  truncate -s 2G "$work/disk"
  mkfs.ext4 -q -F -d "$work/root" "$work/disk" || { echo "FAIL the disk cannot be made"; exit 1; }
  umount "$work/root"
}

# ---- the machine ---------------------------------------------------------------------------------
machine='' tpm=''
clean_up_host() {
  [ -z "$machine" ] || kill -KILL "$machine" 2>/dev/null
  [ -z "$tpm" ] || kill -KILL "$tpm" 2>/dev/null
  ! mountpoint -q "$work/root" || umount -l "$work/root"
}

# PART DISK: goes on in the background until the guest turns itself off.
turn_on() {
  : >"$work/tpm.log"
  swtpm socket --tpm2 --tpmstate "dir=$work/tpm" --ctrl "type=unixio,path=$work/tpm.sock" --terminate \
    --log "file=$work/tpm.log,level=20" 2>/dev/null &
  tpm=$!
  for _ in $(seq 100); do [ ! -S "$work/tpm.sock" ] || break; sleep 0.05; done
  : >"$work/said"
  qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -nodefaults -no-reboot \
    -display none -nic none -serial "file:$work/console" -serial "file:$work/said" \
    -kernel "$cache/vmlinuz" \
    -append "console=ttyS0 root=/dev/nvme0n1 rw quiet systemd.show_status=0 panic=-1 part=$1" \
    -drive "file=$2,if=none,id=d0,format=raw" -device nvme,drive=d0,serial=root \
    -chardev "socket,id=c,path=$work/tpm.sock" -tpmdev emulator,id=t,chardev=c -device tpm-tis,tpmdev=t \
    2>"$work/why" &
  machine=$!
}
is_off() { ! kill -0 "$machine" 2>/dev/null; }
cut_power() {
  kill -KILL "$machine"
  wait "$machine" "$tpm" 2>/dev/null
  machine='' tpm=''
}
# What the guest found counts here.
count_said() {
  local line
  while IFS= read -r line; do
    line=${line%$'\r'}
    case $line in
      "ok   "*) ok "${line#ok   }" ;;
      "FAIL "*) : >"$work/out"; fail "${line#FAIL }" ;;
      *) echo "     $line" ;;
    esac
  done <"$work/said"
}
run() {  # PART DISK
  echo "---- $1"
  turn_on "$@"
  for _ in $(seq 6000); do ! is_off || break; sleep 0.1; done
  if ! is_off; then
    count_said
    cut_power
    : >"$work/out"
    fail "the guest came to an end within ten minutes; its console: $(tail -n 5 "$work/console")"
    finish
  fi
  wait "$machine" "$tpm" 2>/dev/null
  machine='' tpm=''
  # Before anything of ours is in it: then this machine cannot.
  [ -s "$work/said" ] || [ "$1" != first ] ||
    skip "no guest boots here: $(tail -n 2 "$work/why" "$work/console")"
  count_said
  grep -q '^the end of this part' "$work/said" || { : >"$work/out"; fail "the guest came to the end of part $1"; finish; }
}

with_cache make_root
with_cache make_kernel
lay_over_root
make_disk
mkdir "$work/tpm"
swtpm_setup --tpm2 --tpmstate "$work/tpm" --pcr-banks sha256 --overwrite >"$work/out" 2>&1 ||
  { fail "a TPM is made"; finish; }

run first "$work/disk"
cp --sparse=always "$work/disk" "$work/image"  # of the whole machine but its TPM
run second "$work/disk"

# ---- what the guest handed out, looked at by a stranger ------------------------------------------
mkdir "$work/handed"
debugfs -R "rdump /root/handed $work/handed" "$work/disk" >"$work/out" 2>&1
program=$BUILD/ctl/aierase
check "the certificate verifies on another machine" \
  "$program" verify "$work/handed/handed/certificate" --trust "$work/handed/handed/trust"
check "and openssl verifies what the TPM signed" \
  sh "$SOURCE/tests/cli/tpm_recipe_test.sh" "$SOURCE/man/aierase-certificate.5" "$work/handed/handed/certificate"

# ---- its power is cut while it erases ------------------------------------------------------------
# Processor, memory and TPM stop at once; what the disk has been given it keeps. When: at the write of
# the TPM's memory with that number, of an erasure: the first brings the new secret, the second the
# zeros over the old one.
nv_writes() { grep -Ec '^ 80 02( [0-9A-F]{2}){4} 00 00 01 37' "$work/tpm.log"; }
soon() {  # COMMAND...: at most five minutes, while the guest runs
  for _ in $(seq 10000); do
    ! "$@" || return 0
    ! is_off || break
    sleep 0.03
  done
  return 1
}
erasing_now() { grep -q '^erasing now' "$work/said"; }
written() { [ "$(nv_writes)" -ge "$goal" ]; }
while read -r write pause; do
  echo "---- power is cut $pause s after write $write of the TPM's memory"
  turn_on erasing "$work/disk"
  soon erasing_now
  goal=$(($(nv_writes) + write))
  if soon written; then sleep "$pause"; fi
  cut_power
  seen=$(nv_writes)
  count_said
  [ "$seen" -ge "$goal" ] && ok "it was erasing" || { : >"$work/out"; fail "it was erasing"; }
done <<'CUTS'
1 0
1 0.4
2 0
CUTS
run after "$work/disk"

run late "$work/disk"
run image "$work/image"
last_words() { tail -n 20 "$work/console"; }
finish
