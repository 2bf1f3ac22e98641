#!/usr/bin/env python3
"""Import and export against peers and against this machine, in one run, on one file set.

    tests/bench/throughput.py --build build/release --dir DIRECTORY [options]

DIRECTORY is on the disk to measure and needs room for the file set four times. Needs age, gocryptfs,
restic, gpg and openssl (tests/packages bench; those absent are left out), and a build of aierase
and aierased.

  --sets one,eight,small   one file of 4 GiB; 8 of 512 MiB; 10,000 of 64 KiB
  --acts in,pipe,disk,mount,map,random,erase
                           sealed and durable on disk; opened into a pipe, with what is read in the
                           page cache; opened and durable on disk; read from a mount, one file after
                           the other; the same out of mappings; as many MiB from there, each from a
                           place of its own; erase of one 4 GiB and one 4 KiB
  --only NAME,...          of ours, cp, age, gocryptfs, restic, gpg, openssl
  --scale S                the large files at S times their size (default 1), the small at as many
  --repeat N               medians of N (default 5); the limits are measured before each repetition
  --json FILE              everything measured

Sources lie in the page cache when the clock starts, for everybody. Every ratio is between figures of
the same repetition. Peers that work on single files run as many at once as there are cores; for many
small files they get a tar archive, which is the fastest way they have. No compression, anywhere.
"""

import argparse
import json
import os
import shutil
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine  # noqa: E402
import peers  # noqa: E402

MIB = 1 << 20
SETS = {"one": (1, 4096 * MIB), "eight": (8, 512 * MIB), "small": (10_000, 64 << 10)}
MOUNTED = tuple(machine.READERS)
ACTS = ("in", "pipe", "disk", *MOUNTED, "erase")


class FileSet:
    def __init__(self, name, directory, scale):
        count, size = SETS[name]
        if name == "small":
            count = max(1, int(count * scale))
        else:
            size = max(MIB, int(size * scale))
        self.name, self.bytes, self.many = name, count * size, name == "small"
        self.directory = os.path.join(directory, "set-" + name)
        os.makedirs(self.directory)
        self.files = []
        for number in range(count):
            path = os.path.join(self.directory, f"weights-{number:05}")
            with open(path, "wb") as file:
                for at in range(0, size, 4 * MIB):
                    file.write(os.urandom(min(4 * MIB, size - at)))
            self.files.append(path)

    def warm(self):
        warm(self.directory)


def warm(path):
    """Into the page cache with whatever lies below `path`."""
    machine.run(["find", path, "-type", "f", "-exec", "cat", "{}", "+"])


def settle():
    """What others have written is on the disk before the clock starts."""
    os.sync()


def expect(whole, got):
    if got < whole:
        raise SystemExit(f"bench: {got} bytes came out of {whole}")


def measure(peer, files, acts):
    """One repetition: {act: Cost}. What went in is gone again at the end."""
    costs = {}
    machine.wake_memory(files.bytes)
    files.warm()
    settle()
    costs["in"] = peer.put(files)
    try:
        if "pipe" in acts:
            warm(peer.sealed())
            cost, got = peer.get_pipe(files)
            expect(files.bytes, got)
            costs["pipe"] = cost
        if "disk" in acts:
            warm(peer.sealed())
            settle()
            costs["disk"] = peer.get_disk(files)
        for act in MOUNTED:
            if act in acts and hasattr(peer, "mounted") and not (files.many and act == "random"):
                warm(peer.sealed())
                costs[act] = measure_mount(peer, files, act)
    finally:
        peer.drop()
    return {act: cost for act, cost in costs.items() if act in acts}


def measure_mount(peer, files, act):
    """Nothing of it is in the page cache of the mount itself when the clock starts."""
    with peer.mounted() as mount:
        machine.forget(mount)
        cost, told = peer.counted_run_told([sys.executable, machine.__file__, act, mount])
        expect(files.bytes, int(told))
        return cost


def limit_of(act, limits, files, cores):
    """The rate that this machine allows for an act, by its slowest part."""
    gcm, sha = limits["aes_256_gcm_core"], limits["sha256_core"]
    if act == "in":
        cpu = cores / (1 / gcm + 1 / sha)
        return min(limits["disk_write"], sha if len(files.files) == 1 else cpu, cpu)
    if act == "pipe":
        return min(cores * gcm, limits["pipe"])
    if act in MOUNTED:
        return cores * gcm
    return min(limits["disk_write"], cores * gcm)


def rows_of(samples, files, cores):
    """Medians over repetitions of one file set; `samples` is a list of (limits, {peer: costs})."""
    rows = []
    for act in ACTS[:-1]:
        for name in samples[0][1]:
            rates, shares, all_costs = [], [], []
            for limits, peers_now in samples:
                cost = peers_now[name].get(act)
                if cost is None:
                    continue
                rates.append(files.bytes / cost.wall)
                shares.append(rates[-1] / limit_of(act, limits, files, cores))
                all_costs.append(cost)
            if not rates:
                continue
            rows.append({"set": files.name, "act": act, "peer": name,
                         "bytes_per_second": statistics.median(rates),
                         "of_limit": statistics.median(shares),
                         "cpu_seconds": statistics.median(c.cpu for c in all_costs),
                         "client_peak_bytes": max(c.client for c in all_costs),
                         "daemon_peak_above_idle_bytes": max(c.daemon for c in all_costs),
                         "runs": len(rates)})
    for row in rows:
        ours = [r for r in rows if r["act"] == row["act"] and r["peer"] == "ours"]
        if ours:
            row["ours_is_times_as_fast"] = ours[0]["bytes_per_second"] / row["bytes_per_second"]
    pairs = [(one[1]["ours"]["pipe"], one[1]["ours"]["mount"]) for one in samples
             if {"pipe", "mount"} <= one[1].get("ours", {}).keys()]
    for row in rows:
        if pairs and row["act"] == "mount" and row["peer"] == "ours":
            row["of_export_to_pipe"] = statistics.median(p.wall / m.wall for p, m in pairs)
    return rows


def print_rows(rows):
    print(f"{'set':6} {'act':5} {'who':10} {'MB/s':>8} {'of limit':>8} {'ours is':>8} {'CPU s':>7} "
          f"{'client':>8} {'daemon':>8}")
    for row in rows:
        times = row.get("ours_is_times_as_fast")
        print(f"{row['set']:6} {row['act']:5} {row['peer']:10} {row['bytes_per_second'] / 1e6:8.0f} "
              f"{row['of_limit']:8.2f} {f'{times:.2f} x' if times else '-':>8} "
              f"{row['cpu_seconds']:7.2f} {row['client_peak_bytes'] / MIB:6.0f} M "
              f"{row['daemon_peak_above_idle_bytes'] / MIB:6.0f} M", flush=True)
        if "of_export_to_pipe" in row:
            print(f"       {row['of_export_to_pipe']:.2f} of the export into a pipe")


def measure_erase(ours, directory, scale, repeat):
    """Erase of one large and one small asset, alternating, of files that are whole on the disk."""
    walls = {"large": [], "small": []}
    paths = {name: os.path.join(directory, name) for name in walls}
    for name, size in (("large", max(MIB, int(4096 * MIB * scale))), ("small", 4096)):
        with open(paths[name], "wb") as file:
            for at in range(0, size, 4 * MIB):
                file.write(os.urandom(min(4 * MIB, size - at)))
    for _ in range(repeat):
        for name, path in paths.items():
            ours.put_path(path)
            settle()
            walls[name].append(ours.erase())
    for path in paths.values():
        os.unlink(path)
    large, small = (statistics.median(walls[name]) for name in ("large", "small"))
    print(f"erase: {large * 1e3:.1f} ms of {4096 * scale:.0f} MiB, {small * 1e3:.1f} ms of 4 KiB, "
          f"ratio {large / small:.2f}, {repeat} runs each")
    return {"large_s": large, "small_s": small, "ratio": large / small, "runs": repeat}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--acts", default=",".join(ACTS))
    parser.add_argument("--only", default=",".join(peers.NAMES))
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json")
    given = parser.parse_args()
    given.sets, given.acts, given.only = (
        [word for word in text.split(",") if word] for text in (given.sets, given.acts, given.only))
    for word in given.sets + given.acts + given.only:
        if word not in (*SETS, *ACTS, *peers.NAMES):
            parser.error(f"there is no {word}")
    return given


def main():
    given = arguments()
    cores = os.cpu_count()
    directory = os.path.join(given.dir, f"bench-throughput-{os.getpid()}")
    os.makedirs(directory)
    told = {"schema": "aierase/bench-throughput/v1", "cores": cores, "scale": given.scale,
            "limits": [], "rows": []}
    competitors = []
    try:
        competitors = peers.start(given.only, given.build, directory)
        for name in given.sets if set(given.acts) - {"erase"} else ():
            files = FileSet(name, directory, given.scale)
            samples = []
            for _ in range(given.repeat):
                limits = machine.limits(directory, int(2048 * MIB * min(1, given.scale)))
                told["limits"].append(limits)
                samples.append((limits, {peer.name: measure(peer, files, given.acts)
                                         for peer in competitors}))
            rows = rows_of(samples, files, cores)
            print_rows(rows)
            told["rows"] += rows
            shutil.rmtree(files.directory)
        if told["limits"]:
            medians = {key: statistics.median(one[key] for one in told["limits"])
                       for key in told["limits"][0]}
            print("limits, MB/s: " + ", ".join(f"{key} {value / 1e6:.0f}"
                                               for key, value in medians.items()))
        ours = [peer for peer in competitors if peer.name == "ours"]
        if "erase" in given.acts and ours:
            told["erase"] = measure_erase(ours[0], directory, given.scale, given.repeat)
    finally:
        for peer in competitors:
            peer.stop()
        shutil.rmtree(directory, ignore_errors=True)
    if given.json:
        with open(given.json, "w") as file:
            json.dump(told, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
