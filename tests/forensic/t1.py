#!/usr/bin/python3
"""T1, the headline test: what an adversary with every image of the disks can still open.

Usage: t1.py MODE BUILD_DIR, with MODE one of
  directory      copies of directories, no mounts; needs no root
  ext4|xfs|btrfs the store on a loop image of that file system, the root slot on an ext4 image of
                 its own; the adversary holds raw images of both, from before, between and after
  inside-btrfs   store and root slot on one btrfs image: the certificate must say EA0
  tpm2           the root slot in a TPM (swtpm): the adversary holds every copy of the whole machine
                 but the TPM; his control is the TPM's own memory, since a software TPM is EA2

Three rounds of erasures. The adversary is reader.py, which shares no code with aierase. With every
store image and today's slot it must open no erased asset and every living one. The honesty
control: with the slot images from before, it opens them all, and every certificate had said what
may have copied the slot.
"""
import base64
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True

from places import Directories, Images, Machine, fail, run  # noqa: E402

HERE = Path(__file__).resolve().parent
ROUNDS, FIRST_IMPORT, PER_ROUND = 3, 18, 4


# ---- the daemon ---------------------------------------------------------------------------------
class Daemon:
    def __init__(self, work, build, place):
        self.aierase = build / "ctl" / "aierase"
        self.bus = f"unix:path={work}/bus"
        (work / "bus.conf").write_text(
            '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"\n'
            ' "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">\n'
            f"<busconfig><type>custom</type><listen>{self.bus}</listen><auth>EXTERNAL</auth>"
            '<policy context="default"><allow user="*"/><allow own="*"/>'
            '<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>\n')
        (work / "aierased.toml").write_text(
            f'slot = "{place.slot}"\nallow-unencrypted-swap = true\n{place.config}')
        place.store.mkdir(mode=0o700, exist_ok=True)
        self.log = open(work / "log", "wb")
        self.children = []
        self.start("dbus-daemon", f"--config-file={work}/bus.conf", "--nofork", "--nopidfile")
        self.until((work / "bus").exists, "the message bus")
        self.start(build / "daemon" / "aierased", "--bus", self.bus, "--store", place.store,
                   "--config", work / "aierased.toml")
        self.until(lambda: subprocess.run([self.aierase, "--bus", self.bus, "status"], check=False,
                                          capture_output=True).returncode != 3, "aierased")

    def start(self, *command):
        self.children.append(subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL,
                                              stdout=self.log, stderr=self.log))

    def until(self, ready, what):
        for _ in range(400):
            if ready():
                return
            if self.children[-1].poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        fail(f"{what} did not come up:\n{Path(self.log.name).read_text()}")

    def stop(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                child.wait(30)
        self.children = []

    def __call__(self, *arguments):
        return run(self.aierase, "--bus", self.bus, *arguments)

    def json(self, *arguments):
        return json.loads(self("--json", *arguments))


# ---- the story ----------------------------------------------------------------------------------
def make_files(directory, seed):
    directory.mkdir(parents=True)
    source = random.Random(seed)
    for name in ("weights.bin", "nested/tokenizer.json"):
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(source.randbytes(20_000 + source.randrange(60_000)))


def import_assets(daemon, work, first, count):
    names = []
    for number in range(first, first + count):
        if number % 5 == 4:
            name = f"acme/key-{number:02}:v1"
            daemon("-q", "import", name, "--kind", "dataset-key", "--generate")
        else:
            name = f"acme/model-{number:02}:v1"
            make_files(work / "plain" / f"model-{number:02}", number)
            daemon("-q", "import", name, work / "plain" / f"model-{number:02}")
        names.append(name)
    return names


def erase(daemon, names, reason):
    plan = daemon.json("retire", *names, "--now", "--reason", reason)
    plan = plan.get("plan", plan)
    daemon("approve", f"{plan['id']}@{plan['digest'][:16]}")
    daemon("wait", plan["id"], "--for", "erased", "--timeout", "60s")


def statements(daemon, work):
    """The signed statement of each certificate, verified on the way."""
    daemon("certificate", "trust", work / "trust")
    result = []
    for row in daemon.json("list", "certificates")["certificates"]:
        path = work / f"{row['id']}.json"
        daemon("certificate", "export", row["id"], path)
        run(daemon.aierase, "verify", path, "--trust", work / "trust")
        bundle = json.loads(path.read_text())
        result.append(json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"])))
    return result


def check_statements(found, erased, place, mode):
    if len(found) != len(erased):
        fail(f"{len(erased)} assets were erased, {len(found)} certificates exist")
    levels = set()
    for statement in found:
        predicate = statement["predicate"]
        levels.add(predicate["assurance"]["level"])
        if isinstance(place, Images) and predicate["assurance"]["level"] != "EA0":
            fail(f"on a loop device a certificate must say EA0: {predicate['assurance']}")
        if mode == "tpm2" and predicate["assurance"]["level"] != "EA2":
            fail(f"with a software TPM a certificate must say EA2: {predicate['assurance']}")
        if mode == "inside-btrfs" and "btrfs" not in json.dumps(predicate["root_slots"]):
            fail(f"the certificate should name btrfs: {predicate['root_slots']}")
        if predicate["method"]["purge_claimed"]:
            fail("a certificate claims purge")
        copies = [r["text"] for r in predicate["residuals"] if "copy of the root slot" in r["text"]]
        if len(copies) < 2:
            fail(f"a certificate does not say what may have copied the root slot: {copies}")
    print(f"  {len(found)} certificates verified; level on all of them: {', '.join(sorted(levels))}")


def adversary(work, what, options, expected):
    done = json.loads(run("/usr/bin/python3", HERE / "reader.py", "--json", *options))
    opened = {answer["name"] for answer in done["assets"] if answer["opens"]}
    reasons = {answer["name"]: answer.get("reason") for answer in done["assets"]}
    print(f"  {what}: {len(opened)} of {len(done['assets'])} open "
          f"({done['node_rows']} node rows, slot epochs {done['slot_epochs']})")
    for name in sorted(expected - opened):
        fail(f"{what}: {name} should open and does not: {reasons.get(name)}")
    for name in sorted(opened - expected):
        fail(f"{what}: {name} opens and should not")
    return done


def story(work, build, place, mode):
    begun = time.monotonic()
    daemon = Daemon(work, build, place)
    try:
        daemon("init", "--single-operator", "--unlock", "none", *place.init)
        living = import_assets(daemon, work, 0, FIRST_IMPORT)
        place.snapshot("0")
        erased = []
        for number in range(1, ROUNDS + 1):
            chosen = living[1::3][:PER_ROUND]
            erase(daemon, chosen, f"round {number}")
            erased += chosen
            living = [name for name in living if name not in chosen]
            living += import_assets(daemon, work, 40 + 2 * number, 2)
            place.snapshot(str(number))
        found = statements(daemon, work)
    finally:
        daemon.stop()
    check_statements(found, erased, place, mode)
    if mode == "tpm2":
        judge_tpm(work, build, place, set(living), set(erased))
    else:
        place.close()
        judge(work, place, set(living), set(erased))
    print(f"  {time.monotonic() - begun:.1f} s")


def judge(work, place, living, erased):
    stores = place.as_stores(place.store_images)
    if not place.slot_images:  # inside-btrfs: slot and store share the images, nothing to hold back
        done = json.loads(run("/usr/bin/python3", HERE / "reader.py", "--json", *stores))
        back = sum(1 for a in done["assets"] if a["opens"] and a["name"] in erased)
        print(f"  raw images that hold the slot, too: {back} of {len(erased)} erased assets open; "
              "the certificates said EA0")
        return
    adversary(work, "every store image, no slot", stores, set())
    adversary(work, "every store image, today's slot",
              stores + place.as_slots(place.slot_images[-1:]), living)
    adversary(work, "honesty control: every slot image too",
              stores + place.as_slots(place.slot_images), living | erased)
    spot_check(work, place, stores, living)


def judge_tpm(work, build, place, living, erased):
    everything = place.as_stores(place.store_images) + place.as_slots(place.slot_images)
    for directory in place.slot_images:
        everything += ["--carve", directory / "tpm.key"]
    adversary(work, "every image of the whole machine, without the TPM", everything, set())
    told = ["--carve", place.what_the_tpm_tells()]
    adversary(work, "the same, and the TPM as it is today", everything + told, living)
    put_back(work, build, place)
    place.close()
    memory = [option for copy in place.memory for option in ("--carve", copy)]
    adversary(work, "honesty control: every older memory of the software TPM too",
              everything + memory, living | erased)
    spot_check(work, place, everything + told, living)


def put_back(work, build, place):
    """The image from before the first erasure on the machine of today: nothing opens."""
    for name in ("store", "root-slot"):
        shutil.rmtree(work / name)
        shutil.copytree(work / f"{name}-0", work / name)
    (work / "bus").unlink(missing_ok=True)
    daemon = Daemon(work, build, place)
    try:
        status = daemon.json("status")
    finally:
        daemon.stop()
    if status["state"] != "damaged" or "older database" not in status["message"]:
        fail(f"an old image was put back, and status says {status['state']}: {status['message']}")
    print(f"  the whole machine of before, put back: {status['state']}, it does not open")


def spot_check(work, place, stores, living):
    """What the reader calls open is the very content."""
    name = sorted(name for name in living if "/model-" in name)[0]
    target = work / "extracted"
    run("/usr/bin/python3", HERE / "reader.py", *stores, *place.as_slots(place.slot_images[-1:]),
        "--extract", f"{name}={target}")
    plain = work / "plain" / name.split("/")[1].split(":")[0]
    for path in sorted(p for p in plain.rglob("*") if p.is_file()):
        copy = target / path.relative_to(plain)
        if hashlib.sha256(copy.read_bytes()).digest() != hashlib.sha256(path.read_bytes()).digest():
            fail(f"{name}: {copy.name} differs from what was imported")


def become_root(arguments):
    if os.geteuid() == 0:
        return
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], check=False,
                                               capture_output=True).returncode == 0:
        os.execvp("sudo", ["sudo", "-n", "/usr/bin/python3", __file__, *arguments])
    fail("mounting loop images takes root: run the tests as root, or give this user sudo without a "
         "password. (The mode `directory` of this test needs neither.)")


def main():
    modes = ("directory", "ext4", "xfs", "btrfs", "inside-btrfs", "tpm2")
    if len(sys.argv) != 3 or sys.argv[1] not in modes:
        fail(f"usage: t1.py {'|'.join(modes)} BUILD_DIR")
    mode, build = sys.argv[1], Path(sys.argv[2]).resolve()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    os.environ["LC_ALL"] = "C.UTF-8"
    if mode not in ("directory", "tpm2"):
        become_root(sys.argv[1:])
    os.umask(0o077)
    print(f"T1, {mode}:")
    with tempfile.TemporaryDirectory(prefix="aierase-t1-", dir="/var/tmp") as directory:
        work = Path(directory)
        if mode in ("directory", "tpm2"):
            place = Machine(work) if mode == "tpm2" else Directories(work)
        else:
            place = Images(work, "btrfs" if mode == "inside-btrfs" else mode, mode != "inside-btrfs")
        with contextlib.closing(place):
            story(work, build, place, mode)


if __name__ == "__main__":
    main()
