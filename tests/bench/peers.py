"""Ours and its peers, each as somebody who knows it well would use it for speed.

A peer puts a file set away (sealed, durable), gives it back into a pipe or onto the disk (durable),
says where what it sealed lies, and drops it. Durable means that syncfs(2) of the disk has returned;
each is timed with it.
"""

import contextlib
import os
import shutil
import subprocess

import machine

NAMES = ("ours", "cp", "age", "gocryptfs", "restic", "gpg", "openssl")


def start(names, build, directory):
    """The peers of `names` that are installed, in this order."""
    found = []
    for name in names:
        if name == "ours":
            found.append(Ours(build, os.path.join(directory, name)))
        elif shutil.which(name):
            found.append({"cp": Copy, "gocryptfs": Gocryptfs, "restic": Restic}.get(
                name, FileByFile)(name, os.path.join(directory, name)))
        else:
            print(f"{name}: not installed, left out")
    return found


class Peer:
    def __init__(self, name, home):
        self.name, self.home = name, home
        self.store, self.out = os.path.join(home, "store"), os.path.join(home, "out")
        os.makedirs(home)

    def shell(self, text, **more):
        """`$S` the store, `$O` the destination, `$H` keys; ends with everything on the disk."""
        return machine.run(f"set -e; {text}", env=self.environment(**more))

    def environment(self, **more):
        return dict(os.environ, S=self.store, O=self.out, H=self.home, N=str(os.cpu_count()),
                    GNUPGHOME=self.home, **more)

    def sealed(self):
        return self.store

    def drop(self):
        for path in (self.store, self.out):
            shutil.rmtree(path, ignore_errors=True)

    def clear_out(self):
        shutil.rmtree(self.out, ignore_errors=True)

    def stop(self):
        pass


class Copy(Peer):
    """No cipher at all: what the disk and the kernel cost."""

    def put(self, files):
        return self.shell('cp -r "$D" "$S"; sync -f "$S"', D=files.directory)

    def get_pipe(self, files):
        return machine.run_into_pipe('find "$S" -type f -exec cat {} +', env=self.environment())

    def get_disk(self, files):
        return self.shell('cp -r "$S" "$O"; sync -f "$O"')


class FileByFile(Peer):
    """age, gpg, openssl: one process for each file, as many at once as there are cores."""

    def __init__(self, name, home):
        super().__init__(name, home)
        os.chmod(home, 0o700)
        with open(os.path.join(home, "pass"), "w") as secret:
            secret.write("a passphrase of no worth\n")
        gpg = ('gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase-file "$H/pass" '
               "--compress-algo none --cipher-algo AES256")
        self.seal, self.open = {
            "age": ('age -r "$(cat "$H/recipient")"', 'age -d -i "$H/key"'),
            "gpg": (f"{gpg} --symmetric -o -", f"{gpg} --decrypt -o -"),
            "openssl": ('openssl enc -aes-256-ctr -pbkdf2 -iter 10000 -pass "file:$H/pass"',
                        'openssl enc -d -aes-256-ctr -pbkdf2 -iter 10000 -pass "file:$H/pass"'),
        }[name]
        if name == "age":
            self.shell('age-keygen -o "$H/key"; age-keygen -y "$H/key" >"$H/recipient"')

    def put(self, files):
        if files.many:
            return self.shell(f'mkdir "$S"; tar -C "$D" -c . | {self.seal} >"$S/all"; sync -f "$S"',
                              D=files.directory)
        return self.shell(
            'mkdir "$S"; cd "$D"; ls | xargs -P "$N" -I{} sh -c '
            f"""'exec {self.seal} <"{{}}" >"$S/{{}}"'; sync -f "$S" """, D=files.directory)

    def get_pipe(self, files):
        return machine.run_into_pipe(f'set -e; for f in "$S"/*; do {self.open} <"$f"; done',
                                     env=self.environment())

    def get_disk(self, files):
        self.clear_out()
        if files.many:
            return self.shell(f'mkdir "$O"; {self.open} <"$S/all" | tar -C "$O" -x; sync -f "$O"')
        return self.shell('mkdir "$O"; cd "$S"; ls | xargs -P "$N" -I{} sh -c '
                          f"""'exec {self.open} <"{{}}" >"$O/{{}}"'; sync -f "$O" """)

    def stop(self):
        if self.name == "gpg":
            subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=self.environment(), check=False)


class Mounting(Peer):
    """One that has a process beside, which counts like our daemon, and a mount to read from."""

    def counted(self, cost):
        self.process.add_to(cost)
        cost.daemon -= self.process.idle
        return cost

    def counted_run_told(self, command):
        """As run(); and what the command has printed, which is short."""
        reading, writing = os.pipe()
        with open(reading) as told, open(writing, "w") as output:
            self.process.begin()
            cost = self.counted(machine.run(command, stdout=output, env=self.environment()))
            output.close()
            return cost, told.read()

    def counted_run_into_pipe(self, command):
        self.process.begin()
        cost, got = machine.run_into_pipe(command, env=self.environment())
        return self.counted(cost), got


class Gocryptfs(Mounting):
    """Through its mount for everything."""

    def put(self, files):
        self.mount = os.path.join(self.home, "mount")
        os.makedirs(self.mount, exist_ok=True)
        os.makedirs(self.store)
        self.shell('echo pass >"$H/pass"; gocryptfs -q -init -passfile "$H/pass" -scryptn 10 "$S"; '
                   'gocryptfs -q -passfile "$H/pass" "$S" "$H/mount"')
        pids = subprocess.run(["pgrep", "-f", f"gocryptfs.*{self.mount}"], capture_output=True,
                              text=True, check=True).stdout.split()
        self.process = machine.Process(int(pids[0]))
        self.process.begin()
        return self.counted(
            self.shell('cp -r "$D"/. "$H/mount"; sync -f "$S"', D=files.directory))

    @contextlib.contextmanager
    def mounted(self):
        yield self.mount

    def get_pipe(self, files):
        return self.counted_run_into_pipe('find "$H/mount" -type f -exec cat {} +')

    def get_disk(self, files):
        self.process.begin()
        return self.counted(self.shell('cp -r "$H/mount" "$O"; sync -f "$O"'))

    def drop(self):
        subprocess.run(["fusermount", "-u", self.mount], check=False)
        super().drop()


class Restic(Peer):
    def environment(self, **more):
        return super().environment(RESTIC_REPOSITORY=self.store, RESTIC_PASSWORD="pass",
                                   RESTIC_CACHE_DIR=os.path.join(self.home, "cache"), **more)

    def put(self, files):
        self.shell("restic init -q")
        return self.shell('cd "$D"; restic backup -q --compression off .; sync -f "$S"',
                          D=files.directory)

    def get_pipe(self, files):
        return machine.run_into_pipe("restic dump -q latest /", env=self.environment())

    def get_disk(self, files):
        return self.shell('restic restore -q latest --target "$O"; sync -f "$O"')


class Ours(Mounting):
    """A daemon with a store of its own on a bus of its own."""

    def __init__(self, build, home, slot="file", config=""):
        super().__init__("ours", home)
        self.client = os.path.join(build, "ctl", "aierase")
        self.bus_address = f"unix:path={home}/bus"
        with open(os.path.join(home, "bus.conf"), "w") as file:
            file.write("<busconfig><type>custom</type><listen>" + self.bus_address + "</listen>"
                       "<auth>EXTERNAL</auth><policy context='default'><allow user='*'/>"
                       "<allow own='*'/><allow send_destination='*'/>"
                       "<allow receive_sender='*'/></policy></busconfig>")
        with open(os.path.join(home, "aierased.toml"), "w") as file:
            file.write(f'slot = "{home}/slot/slot"\nallow-unencrypted-swap = true\n{config}')
        for name in ("slot", "store"):
            os.makedirs(os.path.join(home, name))
        self.bus = subprocess.Popen(["dbus-daemon", f"--config-file={home}/bus.conf", "--nofork",
                                     "--nopidfile", "--print-address"], stdout=subprocess.PIPE)
        self.bus.stdout.readline()  # its address: it listens
        self.daemon = subprocess.Popen(
            [os.path.join(build, "daemon", "aierased"), "--bus", self.bus_address, "--store",
             self.store, "--config", f"{home}/aierased.toml", "--log-level", "error"])
        # Until it owns its name it cannot be reached.
        while subprocess.run([*self.words(), "init", "--single-operator",
                              "--root-slot", slot], capture_output=True,
                             check=False).returncode == 3 and self.daemon.poll() is None:
            pass
        self.process = machine.Process(self.daemon.pid)

    def words(self):
        return [self.client, "--bus", self.bus_address]

    def call(self, *arguments):
        return subprocess.run([*self.words(), *arguments], capture_output=True, text=True,
                              check=True).stdout.strip()

    @contextlib.contextmanager
    def mounted(self):
        mount = os.path.join(self.home, "mount")
        os.makedirs(mount, exist_ok=True)
        client = subprocess.Popen([*self.words(), "mount", "bench/set:1", mount],
                                  stdout=subprocess.PIPE)
        client.stdout.readline()  # it is served
        try:
            yield mount
        finally:
            client.terminate()
            client.wait()

    def put_path(self, path):
        self.process.begin()
        return self.counted(machine.run([*self.words(), "import", "bench/set:1", path]))

    def put(self, files):
        return self.put_path(files.directory)

    def get_pipe(self, files):
        how = [] if len(files.files) == 1 else ["--tar"]
        return self.counted_run_into_pipe([*self.words(), "export", "bench/set:1", "-", *how])

    def get_disk(self, files):
        self.process.begin()
        return self.counted(machine.run([*self.words(), "export", "bench/set:1", self.out]))

    def erase(self):
        """Seconds from the approval to the certificate."""
        plan = self.call("-q", "retire", "bench/set:1", "--now", "--reason", "measured")
        cost = machine.run([*self.words(), "approve", plan])
        self.call("wait", plan.split("@")[0], "--for", "erased")
        return cost.wall

    def drop(self):
        self.erase()
        self.clear_out()

    def stop(self):
        for process in (self.daemon, self.bus):
            process.terminate()
            process.wait()
