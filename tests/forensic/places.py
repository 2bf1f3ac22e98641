"""Where store and root slot lie in T1: directories, images of file systems, a machine with a TPM.

Each place makes images of itself and says them in the words of reader.py.
"""
import json
import os
import shutil
import signal
import subprocess
import sys


def fail(text):
    sys.exit(f"t1: {text}")


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, **options)
    if done.returncode:
        fail(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


# ---- where store and slot lie -------------------------------------------------------------------
class Directories:
    """Store and slot as directories; an image is a copy of them."""
    init, config = ("--root-slot", "file"), ""

    def __init__(self, work):
        self.work = work
        self.store, self.slot = work / "store", work / "root-slot" / "slot"
        self.slot.parent.mkdir(mode=0o700)
        self.store_images, self.slot_images = [], []

    def snapshot(self, label):
        for name, images in (("store", self.store_images), ("root-slot", self.slot_images)):
            copy = self.work / f"{name}-{label}"
            shutil.copytree(self.work / name, copy)
            images.append(copy)

    def close(self):
        pass

    def as_stores(self, images):
        return [option for image in images for option in ("--store", image)]

    def as_slots(self, images):
        return [option for image in images for option in ("--slot", image / "slot")]


class Machine(Directories):
    """The root slot in a software TPM: an image is a copy of all directories, and apart from them
    one of the TPM's memory, as whoever runs a virtual machine can make it."""
    init = ("--root-slot", "tpm2")

    def __init__(self, work):
        super().__init__(work)
        self.tpm, self.memory, self.swtpm = work / "tpm", [], None
        self.tpm.mkdir()
        self.tcti = f"swtpm:path={work}/tpm/chip"
        self.switch_on()
        self.config = f'tpm = "{self.tcti}"\n'

    def switch_on(self):
        run("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.tpm}", "--server",
            f"type=unixio,path={self.tpm}/chip", "--ctrl", f"type=unixio,path={self.tpm}/chip.ctrl",
            "--flags", "not-need-init,startup-clear", "--pid", f"file={self.tpm}/pid", "--daemon")
        self.swtpm = int((self.tpm / "pid").read_text())

    def snapshot(self, label):
        super().snapshot(label)
        copy = self.work / f"tpm-{label}"
        shutil.copyfile(self.tpm / "tpm2-00.permall", copy)
        self.memory.append(copy)

    def close(self):
        if self.swtpm:
            os.kill(self.swtpm, signal.SIGTERM)
        self.swtpm = None

    def what_the_tpm_tells(self):
        """The two NV indexes as they are now, for somebody with tpm.key, in a file."""
        store = bytes.fromhex(json.loads((self.store / "root-slot").read_text())["store"])
        first = 0x01800000 + 4 * (int.from_bytes(store[:4], "big") % (1 << 20))
        auth = (self.slot.parent / "tpm.key").read_bytes()[8:].hex()
        told = self.work / "told"
        with open(told, "wb") as file:
            for index in (first, first + 1):
                done = subprocess.run(["tpm2_nvread", "-T", self.tcti, "-C", hex(index), "-P",
                                       f"hex:{auth}", hex(index)], capture_output=True, check=True)
                file.write(done.stdout)
        return told


class Images:
    """Store and slot on loop-mounted images; the adversary gets files and raw bytes of each."""
    init, config = ("--root-slot", "file"), ""

    def __init__(self, work, filesystem, separate):
        self.work, self.filesystem, self.separate = work, filesystem, separate
        self.mounted = []
        self.make("store", filesystem, {"ext4": 96, "xfs": 320, "btrfs": 256}[filesystem])
        self.store = work / "store" / "aierase"
        if separate:
            self.make("root-slot", "ext4", 24)
        slot_directory = work / "root-slot" if separate else work / "store" / "root-slot"
        self.slot = slot_directory / "aierase-root" / "slot"
        self.slot.parent.mkdir(mode=0o700, parents=True)
        self.store_images, self.slot_images = [], []

    def make(self, name, filesystem, size_mb):
        image = self.work / f"{name}.img"
        with open(image, "wb") as file:
            file.truncate(size_mb << 20)
        run("mkfs." + filesystem, "-q", image)
        self.mount(image, self.work / name, filesystem)

    # A test beside this one may have taken the first mount along into a namespace of its own: for
    # xfs the copy is a second file system of one uuid then, and refused.
    def mount(self, image, at, filesystem):
        at.mkdir(exist_ok=True)
        run("mount", "-o", "loop,nouuid" if filesystem == "xfs" else "loop", image, at)
        self.mounted.append(at)

    def unmount(self, at):
        run("umount", at)
        self.mounted.remove(at)
        if self.filesystem == "btrfs":  # else the next image of the same uuid is taken for this one
            subprocess.run(["btrfs", "device", "scan", "--forget"], capture_output=True, check=False)

    def snapshot(self, label):
        for at in self.mounted:
            run("sync", "--file-system", at)
        for name, images in (("store", self.store_images), ("root-slot", self.slot_images)):
            if name == "store" or self.separate:
                copy = self.work / f"{name}-{label}.img"
                run("cp", "--sparse=always", self.work / f"{name}.img", copy)
                images.append(copy)

    def close(self):
        for at in list(reversed(self.mounted)):
            self.unmount(at)

    def files_of(self, image):
        """What a mount of the image shows, copied out. A copy is mounted: evidence stays as it was."""
        target = image.with_suffix(".files")
        if not target.exists():
            scratch, at = self.work / "scratch.img", self.work / "scratch"
            run("cp", "--sparse=always", image, scratch)
            of_slot = image.name.startswith("root-slot")
            self.mount(scratch, at, "ext4" if of_slot else self.filesystem)
            shutil.copytree(at, target, ignore=shutil.ignore_patterns("lost+found"))
            self.unmount(at)
            scratch.unlink()
        return target

    def as_stores(self, images):
        options = []
        for image in images:
            options += ["--store", self.files_of(image) / "aierase", "--carve", image]
        return options

    def as_slots(self, images):
        options = []
        for image in images:
            options += ["--slot", self.files_of(image) / "aierase-root" / "slot", "--carve", image]
        return options
