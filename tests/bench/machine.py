"""What this machine can do at most, and what a command costs: the two sides of every ratio.

Sizes in bytes, times in seconds, rates in bytes per second.
"""

import mmap
import os
import random
import subprocess
import sys
import threading
import time

MIB = 1 << 20
PIECE = MIB
DEPTH = 4  # requests that the disk has at a time


class Cost:
    """Wall time, CPU time of everything that took part, and peak memory of daemon and client."""

    def __init__(self, wall, cpu, client, daemon=0):
        self.wall, self.cpu, self.client, self.daemon = wall, cpu, client, daemon


def run(command, stdin=None, stdout=subprocess.DEVNULL, env=None):
    """Runs a command (text: by the shell) to its end. Exits where it fails: nothing is measured."""
    errors = open(os.environ.get("BENCH_LOG", os.devnull), "ab")
    began = time.monotonic()
    child = subprocess.Popen(command, shell=isinstance(command, str),
                             stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=errors,
                             env=env)
    # ru_maxrss would begin with this program's own memory, from before exec(2).
    peak = Peak(child.pid)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"bench: exit {child.returncode} of: {command}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak.end())


class Peak(threading.Thread):
    """Peak memory of one process, looked at until it is gone."""

    def __init__(self, pid):
        super().__init__()
        self.pid, self.bytes, self.over = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.02):
            self.bytes = max(self.bytes, memory(self.pid, "VmHWM"))

    def end(self):
        self.over.set()
        self.join()
        return self.bytes


def memory(pid, name):
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass  # it has ended
    return 0


def run_into_pipe(command, env=None):
    """As run(), with a pipe as standard output that is read as fast as it goes. The CPU time of the
    reader is this program's, and does not count."""
    reading, writing = os.pipe()
    got = [0]

    def drain():
        piece = bytearray(PIECE)
        while True:
            count = os.readv(reading, [piece])
            if count == 0:
                return
            got[0] += count

    reader = threading.Thread(target=drain)
    reader.start()
    try:
        cost = run(command, stdout=writing, env=env)
    finally:
        os.close(writing)
        reader.join()
        os.close(reading)
    return cost, got[0]


def files_below(path):
    return sorted(os.path.join(directory, name)
                  for directory, _, names in os.walk(path) for name in names)


def forget(path):
    """What the page cache has of the files below `path` goes."""
    for name in files_below(path):
        handle = os.open(name, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def read_all(path):
    """One file below `path` after the other, in pieces of a MiB. Returns their bytes."""
    got, piece = 0, bytearray(PIECE)
    for name in files_below(path):
        handle = os.open(name, os.O_RDONLY)
        while count := os.readv(handle, [piece]):
            got += count
        os.close(handle)
    return got


def map_all(path):
    """As read_all(), copied out of shared mappings: as model servers load their files."""
    got, piece = 0, memoryview(bytearray(PIECE))
    for name in files_below(path):
        with open(name, "rb") as file:
            with mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ) as mapped:
                with memoryview(mapped) as view:
                    for at in range(0, len(view), PIECE):
                        part = view[at:at + PIECE]
                        piece[:len(part)] = part
                        got += len(part)
                        part.release()
    return got


def read_anywhere(path):
    """As many pieces of a MiB as the files below `path` have, each from anywhere in one of them."""
    got, chance = 0, random.Random(1)
    handles = [(os.open(name, os.O_RDONLY), os.path.getsize(name)) for name in files_below(path)]
    piece = bytearray(PIECE)
    for _ in range(sum(size for _, size in handles) // PIECE):
        handle, size = chance.choice(handles)
        got += os.preadv(handle, [piece], chance.randrange(max(1, size - PIECE)))
    return got


def wake_memory(size):
    """A host may have taken free memory of this machine back, and gives it again when it is touched,
    at a fraction of the speed of memory: not while the clock runs."""
    with open("/proc/meminfo") as told:
        free = next(int(line.split()[1]) << 10 for line in told if line.startswith("MemFree:"))
    size = min(size, free * 3 // 4)
    with mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        for at in range(0, size, mmap.PAGESIZE):
            memory[at] = 1


class Process:
    """A process that runs beside: what it used between two moments."""

    def __init__(self, pid):
        self.pid = pid
        self.idle = memory(pid, "VmRSS")

    def cpu(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def begin(self):
        with open(f"/proc/{self.pid}/clear_refs", "w") as peaks:
            peaks.write("5")  # forgets the peak so far
        self.began = self.cpu()

    def add_to(self, cost):
        cost.cpu += self.cpu() - self.began
        cost.daemon = memory(self.pid, "VmHWM")
        return cost


# ---- limits -------------------------------------------------------------------------------------


def _in_threads(work):
    threads = [threading.Thread(target=work, args=(lane,)) for lane in range(DEPTH)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return began


def disk_write(path, size):
    """New file, direct I/O, on the disk when the clock stops."""
    piece = mmap.mmap(-1, PIECE)
    piece.write(os.urandom(PIECE))
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_DIRECT, 0o600)

    def write(lane):
        for at in range(lane * PIECE, size, DEPTH * PIECE):
            os.pwrite(handle, piece, at)

    begin = time.monotonic()
    os.posix_fallocate(handle, 0, size)  # a file that grows with each write takes them one by one
    _in_threads(write)
    os.fdatasync(handle)
    rate = size / (time.monotonic() - begin)
    os.close(handle)
    return rate


def disk_read(path, size):
    handle = os.open(path, os.O_RDONLY | os.O_DIRECT)

    def read(lane):
        piece = mmap.mmap(-1, PIECE)
        for at in range(lane * PIECE, size, DEPTH * PIECE):
            os.preadv(handle, [piece], at)

    began = _in_threads(read)
    rate = size / (time.monotonic() - began)
    os.close(handle)
    return rate


def cipher(name):
    """One core, pieces of a MiB, as openssl measures itself."""
    told = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", "-bytes", str(PIECE), "-evp",
                           name], capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        if line.startswith("+F:"):
            return float(line.rsplit(":", 1)[1])
    raise SystemExit("bench: openssl speed says nothing")


def pipe(size):
    """One process writes, this one reads: what a pipe carries where neither side does more."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        piece = bytes(PIECE)
        for _ in range(size // PIECE):
            at = 0
            while at < PIECE:
                at += os.write(writing, memoryview(piece)[at:])
        os._exit(0)
    os.close(writing)
    piece = bytearray(PIECE)
    began = time.monotonic()
    while os.readv(reading, [piece]):
        pass
    rate = size / (time.monotonic() - began)
    os.close(reading)
    os.waitpid(child, 0)
    return rate


def limits(directory, size):
    """All limits at this moment; a file of `size` is written and read for it."""
    path = os.path.join(directory, "limit")
    found = {"disk_write": disk_write(path, size), "disk_read": disk_read(path, size)}
    os.unlink(path)
    found["sha256_core"] = cipher("sha256")
    found["aes_256_gcm_core"] = cipher("aes-256-gcm")
    found["pipe"] = pipe(size)
    return found


READERS = {"mount": read_all, "map": map_all, "random": read_anywhere}

if __name__ == "__main__":
    print(READERS[sys.argv[1]](sys.argv[2]))
