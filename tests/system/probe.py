#!/usr/bin/env python3
"""Run by sandbox_test.sh in the place of aierased, in its sandbox: tries what must be denied and what
must work, and prints one line for each, `ok` or `FAIL` in front."""
import ctypes
import mmap
import os
import socket
import struct
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
FAILED = 0


def tell(good, what, seen=""):
    global FAILED
    FAILED += not good
    print(("ok   " if good else "FAIL ") + what + ("" if good else f" ({seen})"), flush=True)


def denied(what, act):
    try:
        result = act()
    except (OSError, PermissionError, ValueError) as error:
        tell(True, what, error)
    else:
        tell(False, what, f"it gave {result!r}")


def works(what, act):
    try:
        tell(bool(act()), what, "it gave nothing")
    except (OSError, PermissionError, ValueError) as error:
        tell(False, what, error)


def call(name, *arguments):
    result = getattr(LIBC, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def write(path):
    with open(path, "w") as file:
        file.write("x")
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read(64)


def made_setuid(path):
    os.chmod(path, 0o4755)
    return oct(os.stat(path).st_mode)


def set_clock():
    return call("adjtimex", ctypes.create_string_buffer(struct.pack("I", 0x0002), 512)) + 1


def cached_pages():
    page = mmap.mmap(-1, mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return call("mincore", ctypes.c_void_p(address), mmap.PAGESIZE, ctypes.create_string_buffer(1)) + 1


stranger, login = sys.argv[1:]  # a process of another user, and who he logged in as
tell(os.getuid() not in (0, 65534), "it is a user of its own", os.getuid())
with open("/proc/self/status") as status:
    caps = {row.split(":")[0]: row.split(":")[1].strip() for row in status if row.startswith("Cap")}
tell(set(caps.values()) == {"0" * 16}, "it has no capability, nor can get one", caps)

denied("writing below /etc", lambda: write("/etc/probe"))
denied("writing below /usr", lambda: write("/usr/probe"))
denied("writing below /var/lib, but for its own", lambda: write("/var/lib/probe"))
denied("looking into a home", lambda: os.listdir("/home/alice"))
denied("looking into root's home", lambda: os.listdir("/root"))
denied("writing a setting of the kernel", lambda: write("/proc/sys/kernel/core_pattern"))
denied("writing into a cgroup", lambda: os.mkdir("/sys/fs/cgroup/probe"))
denied("reading the log of the kernel", lambda: read("/dev/kmsg"))
denied("a socket of the network", lambda: socket.socket(socket.AF_INET))
denied("a socket of the kernel", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
denied("a namespace of its own", lambda: call("unshare", 0x10000000) + 1)
denied("mounting", lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None) + 1)
denied("memory to write and run", lambda: mmap.mmap(
    -1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC))
denied("another personality", lambda: call("personality", 0x0008) + 1)
denied("tracing itself by others", lambda: call("ptrace", 16, int(stranger), 0, 0) + 1)
denied("setting the clock", set_clock)
denied("a signal to somebody else", lambda: os.kill(int(stranger), 0) or True)
denied("a file that runs as its owner", lambda: made_setuid(write("/var/lib/aierase/probe")))
denied("the processor in real time",
       lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)) or True)
tell(not [name for name in os.listdir("/dev") if name.startswith(("sd", "vd", "nvme", "mem", "fuse"))],
     "no device of the host in /dev", os.listdir("/dev"))
with open("/proc/self/net/dev") as devices:
    names = [row.split(":")[0].strip() for row in devices if ":" in row]
tell(names == ["lo"], "no network but the loopback of its own", names)
tell("visible" not in os.listdir("/tmp"), "a /tmp of its own", os.listdir("/tmp"))

works("its own store", lambda: write("/var/lib/aierase/probe"))
works("its own slot", lambda: write("/var/lib/aierase-root/probe"))
works("asking timedated whether the clock is synchronised", lambda: subprocess.run(
    ["busctl", "get-property", "org.freedesktop.timedate1", "/org/freedesktop/timedate1",
     "org.freedesktop.timedate1", "NTPSynchronized"], capture_output=True, check=True).stdout)
works("the login uid of a caller", lambda: read(f"/proc/{stranger}/loginuid") == login.encode())
works("the unit of a caller", lambda: read(f"/proc/{stranger}/cgroup"))
works("the table of swap", lambda: read("/proc/swaps"))
works("where the store lies", lambda: read("/proc/self/mountinfo"))
works("the pattern of core files", lambda: read("/proc/sys/kernel/core_pattern"))
works("which pages of a file are cached", cached_pages)
works("locked memory", lambda: call("mlock", ctypes.create_string_buffer(1 << 20), 1 << 20) + 1)
works("telling the journal", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect(
    "/run/systemd/journal/socket") is None)
works("the bus", lambda: socket.socket(socket.AF_UNIX).connect("/run/dbus/system_bus_socket") is None)
works("running a program of the host is of no use: it has the same limits",
      lambda: subprocess.run(["id", "-u"], capture_output=True, check=True).stdout.strip()
      == str(os.getuid()).encode())
for name in ("/var/lib/aierase/probe", "/var/lib/aierase-root/probe"):
    os.unlink(name)
print("the probe is over" if FAILED == 0 else f"the probe found {FAILED}", flush=True)
sys.exit(FAILED != 0)
