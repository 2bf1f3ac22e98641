#!/usr/bin/env python3
"""What an erasure costs with the root slot in a file, in a TPM made of software, and in both.

    tests/bench/tpm.py --build build/release --dir DIRECTORY [options]

DIRECTORY is on the disk to measure. Needs swtpm (tests/packages test) and a build of aierase and
aierased. swtpm answers from memory of this machine: a chip is slower, firmware too.

  --erasures N   one by one, --now, of each slot (default 21)
  --together N   plans that are due together, one asset each, on the TPM (default 50)
  --coalesce S   seconds that those wait for each other (default 5)
  --json FILE    everything measured

Latency runs from the approval to the certificate, as a client sees it. What reaches the TPM is
counted on its way: commands of all, and those that write its NV memory.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402

NV_WRITE, NV_INCREMENT = 0x137, 0x134


class CountedTpm:
    """swtpm, and somebody in between who counts."""

    def __init__(self, home):
        self.home = home
        os.makedirs(f"{home}/state")
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={home}/state", "--server",
             f"type=unixio,path={home}/chip", "--ctrl", f"type=unixio,path={home}/chip.ctrl",
             "--flags", "not-need-init,startup-clear"],
            stderr=subprocess.DEVNULL)
        while not os.path.exists(f"{home}/chip.ctrl"):
            time.sleep(0.01)
        os.symlink(f"{home}/chip.ctrl", f"{home}/asked.ctrl")
        self.commands = self.writes = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{home}/asked")
        self.listener.listen(4)
        threading.Thread(target=self.serve, daemon=True).start()

    def config(self):
        return f'tpm = "swtpm:path={self.home}/asked"\n'

    @staticmethod
    def message(source):
        head = source.recv(10, socket.MSG_WAITALL)
        if len(head) < 10:
            return b""
        rest = struct.unpack(">HII", head)[1] - 10
        return head + (source.recv(rest, socket.MSG_WAITALL) if rest else b"")

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            with client, socket.socket(socket.AF_UNIX) as chip:
                chip.connect(f"{self.home}/chip")
                while command := self.message(client):
                    self.commands += 1
                    if struct.unpack(">I", command[6:10])[0] in (NV_WRITE, NV_INCREMENT):
                        self.writes += 1
                    chip.sendall(command)
                    client.sendall(self.message(chip))

    def begin(self):
        self.commands = self.writes = 0

    def stop(self):
        self.process.terminate()
        self.process.wait()


def plan_of(ours, name, *how):
    return ours.call("-q", "retire", name, "--reason", "measured", *how)


def one_by_one(ours, tpm, files, count):
    """Seconds of each, and commands and NV writes of the median one."""
    seconds, commands, writes = [], [], []
    for i in range(count):
        ours.call("import", f"bench/one:{i}", files[i % len(files)])
        plan = plan_of(ours, f"bench/one:{i}", "--now")
        tpm.begin()
        begun = time.perf_counter()
        ours.call("approve", plan)
        ours.call("wait", plan.split("@")[0], "--for", "erased")
        seconds.append(time.perf_counter() - begun)
        commands.append(tpm.commands)
        writes.append(tpm.writes)
    return {"median_ms": 1000 * statistics.median(seconds), "worst_ms": 1000 * max(seconds),
            "commands": statistics.median(commands), "nv_writes": statistics.median(writes)}


def together(ours, tpm, files, count):
    """Plans that wait for each other: from the first approval to the last certificate."""
    plans = []
    for i in range(count):
        ours.call("import", f"bench/many:{i}", files[i % len(files)])
        plans.append(plan_of(ours, f"bench/many:{i}"))
    tpm.begin()
    begun = time.perf_counter()
    # Each of them waits for the end of its plan.
    approvals = [subprocess.Popen([*ours.words(), "-q", "approve", plan],
                                  stdout=subprocess.DEVNULL)
                 for plan in plans]
    for approval in approvals:
        if approval.wait() != 0:
            raise RuntimeError("an approval failed")
    took = time.perf_counter() - begun
    return {"plans": count, "seconds": took, "per_second": count / took, "nv_writes": tpm.writes,
            "nv_writes_each": tpm.writes / count}


POLICY = '[class.default]\ngrace = "0 days"\nallow-now = true\napprovals = 1\n'


def measure(build, home, slot, files, arguments):
    tpm = CountedTpm(f"{home}-tpm")
    ours = None
    try:
        ours = peers.Ours(build, home, slot,
                          tpm.config() + f'coalesce = "{arguments.coalesce} seconds"\n')
        row = {"one_by_one": one_by_one(ours, tpm, files, arguments.erasures)}
        with open(f"{home}/policy.toml", "w") as file:
            file.write(POLICY)
        ours.call("policy", "load", f"{home}/policy.toml", "--reason", "measured")
        if slot != "file":
            row["together"] = together(ours, tpm, files, arguments.together)
        return row
    finally:
        if ours:
            ours.stop()
        tpm.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--erasures", type=int, default=21)
    parser.add_argument("--together", type=int, default=50)
    parser.add_argument("--coalesce", type=int, default=5)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    work = tempfile.mkdtemp(prefix="tpm-", dir=arguments.dir)
    result = {}
    try:
        files = []
        for i in range(4):
            files.append(f"{work}/file-{i}")
            with open(files[-1], "wb") as file:
                file.write(os.urandom(4096))
        for slot in ("file", "tpm2", "tpm2+file"):
            row = measure(os.path.abspath(arguments.build), work + "/" + slot.replace("+", "-"), slot,
                          files, arguments)
            result[slot] = row
            one = row["one_by_one"]
            print(f"{slot:10} erase {one['median_ms']:7.1f} ms, worst {one['worst_ms']:7.1f} ms; "
                  f"TPM commands {one['commands']:.0f}, NV writes {one['nv_writes']:.0f}")
            if "together" in row:
                many = row["together"]
                print(f"{'':10} {many['plans']} plans together: {many['seconds']:.1f} s with "
                      f"{arguments.coalesce} s of waiting, {many['nv_writes_each']:.2f} NV writes "
                      "for each")
    finally:
        shutil.rmtree(work)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(result, file, indent=2)


if __name__ == "__main__":
    main()
