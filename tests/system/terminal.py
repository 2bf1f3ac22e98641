#!/usr/bin/python3
"""Runs a command as a user at a terminal of its own, as a person would.

Usage: terminal.py USER PASSWORD COMMAND...
Each question for a password is answered with PASSWORD; `^C` stands for that key, `wait` for nothing
typed. Prints what the terminal showed; ends with the command's code, and 99 where echo was left off.
"""
import os
import pty
import select
import signal
import sys
import termios
import time

user, password, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp("setpriv", ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--", *command])

keys = b"\x03" if password == "^C" else password.encode() + b"\n"
seen, answered, code = b"", 0, None
end = time.monotonic() + 60
while time.monotonic() < end:
    if select.select([terminal], [], [], 0.05)[0]:
        try:
            seen += os.read(terminal, 65536)
        except OSError:  # nobody has it open any more
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            break
    asked = seen.count(b"assword: ")
    if asked > answered and password != "wait":
        answered = asked
        time.sleep(0.2)  # the prompt stands before echo is off
        os.write(terminal, keys)
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        code = os.waitstatus_to_exitcode(status)
        while select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
        break
sys.stdout.write(seen.decode(errors="replace").replace("\r\n", "\n"))
if code is None:
    os.kill(child, signal.SIGKILL)
    sys.exit("\nit did not end in a minute")
try:
    echoes = termios.tcgetattr(terminal)[3] & termios.ECHO
except termios.error:
    echoes = True
sys.exit(code if echoes else 99)
