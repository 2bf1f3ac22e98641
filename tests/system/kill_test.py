#!/usr/bin/env python3
"""Kills the real daemon at its n-th system call of each kind that writes, syncs or unlinks, in the
middle of an erasure and of an import, starts it again, and looks: no living asset lost, no
certificate without destruction, no destruction without certificate, nothing half.

    kill_test.py BUILD_DIRECTORY [--all]

Without --all a spread of the positions is tried; with it, every one.
"""

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

CALLS = ["fdatasync", "fsync", "pwrite64", "ftruncate", "unlink", "renameat2"]
GROWTH = 1.7      # from position to position, without --all
PATIENCE = 30.0   # seconds


class Failure(Exception):
    pass


class Host:
    """A private bus, a store and a slot in a directory of their own."""

    def __init__(self, build, root):
        self.build, self.root = build, root
        self.address = "unix:path=" + os.path.join(root, "bus")
        self.daemon = None
        self.bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--address=" + self.address, "--nofork", "--nopidfile"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait(lambda: os.path.exists(os.path.join(root, "bus")), "the bus")
        with open(os.path.join(root, "aierased.toml"), "w") as config:
            config.write('slot = "%s"\n' % os.path.join(root, "live", "slot", "slot"))
        os.makedirs(os.path.join(root, "live", "store"), mode=0o700)
        os.makedirs(os.path.join(root, "live", "slot"), mode=0o700)

    @staticmethod
    def wait(condition, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.01)
        raise Failure("gave up waiting for " + what)

    def owned(self):
        return subprocess.run(
            ["dbus-send", "--bus=" + self.address, "--print-reply", "--dest=org.freedesktop.DBus",
             "/", "org.freedesktop.DBus.GetNameOwner", "string:org.aierase1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def start(self, inject=None, trace=None):
        """Whether the daemon came up; under injection it may die before that."""
        command = [os.path.join(self.build, "daemon", "aierased"), "--bus", self.address,
                   "--store", os.path.join(self.root, "live", "store"),
                   "--config", os.path.join(self.root, "aierased.toml")]
        if inject:
            call, position = inject
            command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                       "inject=%s:signal=KILL:when=%d" % (call, position)] + command
        if trace:
            command = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=" + ",".join(CALLS)] + command
        log = open(os.path.join(self.root, "daemon.log"), "a")
        self.daemon = subprocess.Popen(command, stdout=log, stderr=log)
        self.wait(lambda: self.daemon.poll() is not None or self.owned(), "the daemon")
        return self.daemon.poll() is None

    def stop(self):
        if self.daemon and self.daemon.poll() is None:
            # strace passes the signal on to nobody: ask the daemon itself.
            subprocess.run(["pkill", "-TERM", "-f", "aierased --bus " + self.address])
            self.daemon.wait(PATIENCE)
        killed = self.daemon.returncode
        self.daemon = None
        self.wait(lambda: not self.owned(), "the name to be free")
        return killed

    def aierase(self, *arguments):
        done = subprocess.run([os.path.join(self.build, "ctl", "aierase"), "--bus", self.address]
                              + list(arguments), capture_output=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")

    def must(self, *arguments):
        code, out, err = self.aierase(*arguments)
        if code != 0:
            raise Failure("%s: exit %d: %s" % (" ".join(arguments), code, err))
        return out

    def json(self, *arguments):
        return json.loads(self.must("--json", *arguments))

    def keep_baseline(self):
        shutil.copytree(os.path.join(self.root, "live"), os.path.join(self.root, "baseline"))

    def restore_baseline(self):
        shutil.rmtree(os.path.join(self.root, "live"))
        shutil.copytree(os.path.join(self.root, "baseline"), os.path.join(self.root, "live"))


def make_model(directory, seed, size):
    os.makedirs(directory)
    for name, length in (("weights.bin", size), ("config.json", 64)):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(hashlib.shake_256((seed + name).encode()).digest(length))


def reads_back(host, name, directory):
    for file in ("weights.bin", "config.json"):
        with open(os.path.join(directory, file), "rb") as source:
            wanted = source.read()
        if host.must("export", name, "-", "--file", file) != wanted:
            raise Failure("%s of %s does not read back" % (file, name))


def settle(host):
    """Waits until no plan is on its way."""
    def quiet():
        plans = host.json("list", "plans")["plans"]
        return all(plan["state"] not in ("approved", "running") for plan in plans)
    host.wait(quiet, "plans to end")


def look_at_erasure(host, models):
    settle(host)
    reads_back(host, "keep:1", models["keep"])
    reads_back(host, "keep:2", models["keep"])
    victim = host.json("show", "victim:1")["asset"]
    certificates = host.json("list", "certificates")["certificates"]
    if victim["state"] == "erased":
        if [row["asset"] for row in certificates] != [victim["id"]]:
            raise Failure("erased, but the certificates are %s" % certificates)
        bundle = os.path.join(host.root, "bundle.json")
        trust = os.path.join(host.root, "trust")
        for path in (bundle, bundle + ".tlog-proof", trust):
            shutil.rmtree(path, ignore_errors=True)
            if os.path.isfile(path):
                os.unlink(path)
        host.must("certificate", "trust", trust)
        host.must("certificate", "export", certificates[0]["id"], bundle)
        host.must("verify", bundle, "--trust", trust)
        with open(bundle) as file:
            payload = json.load(file)["dsseEnvelope"]["payload"]
        if victim["id"] not in base64.b64decode(payload).decode():
            raise Failure("the certificate is of another asset")
        code, _, _ = host.aierase("export", "victim:1", "-", "--file", "config.json")
        if code != 11:
            raise Failure("an erased asset answers with exit %d" % code)
    else:
        if certificates:
            raise Failure("a certificate without destruction")
        if victim["state"] not in ("active", "suspended"):
            raise Failure("the victim is left %s" % victim["state"])
        if victim["state"] == "active":
            reads_back(host, "victim:1", models["victim"])
    clean(host)
    return victim["state"]


def clean(host):
    """A first check may remove what an interrupted import left; a second finds nothing wrong."""
    host.must("--json", "check", "--deep")
    findings = [f for f in host.json("check", "--deep")["findings"] if f["severity"] != "note"]
    if findings:
        raise Failure("check finds %s" % findings)


def erase(host):
    code, out, _ = host.aierase("--json", "retire", "victim:1", "--now", "--reason", "test")
    if code == 0:
        plan = json.loads(out)["plan"]
        host.aierase("approve", plan["id"] + "@" + plan["digest"][:16])


def look_at_import(host, models):
    reads_back(host, "keep:1", models["keep"])
    code, _, _ = host.aierase("show", "new:1")
    if code == 0:
        reads_back(host, "new:1", models["new"])
        state = "complete"
    elif code == 4:
        state = "absent"
    else:
        raise Failure("show of the new asset: exit %d" % code)
    clean(host)
    host.must("import", "new:1", models["new"])
    reads_back(host, "new:1", models["new"])
    return state


def count_calls(host, act):
    """How often each kind is called by the thread that calls it most, in an undisturbed run."""
    host.restore_baseline()
    trace = os.path.join(host.root, "trace")
    if not host.start(trace=trace):
        raise Failure("the daemon does not start under strace")
    act(host)
    settle(host)
    host.stop()
    counts = {}
    with open(trace) as lines:
        for line in lines:
            thread, _, rest = line.partition(" ")
            call = rest.strip().split("(")[0]
            if call in CALLS:
                counts.setdefault(call, {}).setdefault(thread, 0)
                counts[call][thread] += 1
    return {call: max(threads.values()) for call, threads in counts.items()}


def positions(last, everything):
    """The last ones are the commit, the anchor and what follows them: never left out."""
    if everything:
        return range(1, last + 1)
    spread = {round(GROWTH ** step) for step in range(40)}
    return sorted(at for at in spread | {last - 3, last - 2, last - 1, last} if 1 <= at <= last)


def run(host, models, act, look, everything):
    seen = {}
    for call, last in count_calls(host, act).items():
        for position in positions(last, everything):
            host.restore_baseline()
            if host.start((call, position)):
                act(host)
            killed = host.stop() not in (0,)
            if not host.start():
                raise Failure("%s %d: the daemon does not start again" % (call, position))
            try:
                state = look(host, models)
            except Failure as failure:
                raise Failure("%s at its call %d: %s" % (call, position, failure))
            if host.stop() != 0:
                raise Failure("%s %d: the daemon does not stop cleanly" % (call, position))
            if not killed:
                continue  # another course of threads called it less often this time
            seen[state] = seen.get(state, 0) + 1
    return seen


def main():
    build = sys.argv[1]
    everything = "--all" in sys.argv[2:]
    root = tempfile.mkdtemp()
    host = Host(build, root)
    passed = 0
    try:
        models = {name: os.path.join(root, "model-" + name) for name in ("keep", "victim", "new")}
        make_model(models["keep"], "keep", 20000)
        make_model(models["victim"], "victim", 9 << 20)
        make_model(models["new"], "new", 9 << 20)
        if not host.start():
            raise Failure("the daemon does not start")
        host.must("init", "--single-operator")
        for name, model in (("keep:1", "keep"), ("keep:2", "keep"), ("victim:1", "victim")):
            host.must("import", name, models[model])
        host.stop()
        host.keep_baseline()
        for what, act, look in (("erasure", erase, look_at_erasure),
                                ("import", lambda h: h.aierase("import", "new:1", models["new"]),
                                 look_at_import)):
            seen = run(host, models, act, look, everything)
            if len(seen) < 2:
                raise Failure("%s: all kills ended alike (%s); the test shows nothing" % (what, seen))
            print("%s: killed and recovered %d times, then found %s" %
                  (what, sum(seen.values()), seen))
            passed += 1
        print("%d passed, 0 failed" % passed)
        return 0
    except Failure as failure:
        print("FAILED: %s" % failure)
        with open(os.path.join(root, "daemon.log")) as log:
            print("".join(log.readlines()[-10:]))
        print("%d passed, 1 failed" % passed)
        return 1
    finally:
        if host.daemon and host.daemon.poll() is None:
            host.daemon.kill()
        subprocess.run(["pkill", "-KILL", "-f", "aierased --bus " + host.address])
        host.bus.send_signal(signal.SIGTERM)
        host.bus.wait()
        shutil.rmtree(root, ignore_errors=True)


sys.exit(main())
