#!/usr/bin/python3
"""Calls methods of org.aierase1 as whoever runs it, with the least that their signatures take.

Usage: caller.py [--ask] <METHODS     lines `Manager Status a{sv}`; one line for each answer:
                                      `Manager.Status<TAB>outcome<TAB>sentence`
--ask: a person may be asked for a password. sd-bus itself, so no module of Python is needed.
"""
import ctypes
import os
import sys

BUS = ctypes.CDLL("libsystemd.so.0")
TIMEOUT = 60_000_000
NAME = "nothing-of-that-name"
# What would be refused as malformed before polkit is asked: other arguments, in their order.
OTHERS = {
    "Certificate.Validate": [NAME, "accept", {}],
    "Manager.MoveSlot": ["file", {}],
    "Plan.Retire": [[NAME], {"reason": "t"}],
    "Plan.TextToSign": [["p-aaaaaaaa"], {}],
    "Plan.HandIn": ["approve", NAME, NAME, {}],
    "Plan.ApproveStanding": [NAME, "2026-12-20T00:00:00Z", {}],
    "Policy.Load": [["a.toml"], ["[class.default]\n"], {"reason": "t"}],
}


class Error(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("message", ctypes.c_char_p), ("free", ctypes.c_int)]


def must(result):
    if result < 0:
        sys.exit(f"sd-bus: {os.strerror(-result)}")


def text(message, value):
    must(BUS.sd_bus_message_append_basic(message, b"s", value.encode()))


def within(message, kind, contents, put):
    must(BUS.sd_bus_message_open_container(message, kind, contents))
    put()
    must(BUS.sd_bus_message_close_container(message))


def pair(message, key, value):
    text(message, key)
    within(message, b"v", b"s", lambda: text(message, value))


def append(message, kind, value):
    if kind == "s":
        text(message, value)
    elif kind == "h":
        nothing = ctypes.c_int(os.open("/dev/null", os.O_RDWR))
        must(BUS.sd_bus_message_append_basic(message, b"h", ctypes.byref(nothing)))
        os.close(nothing.value)
    elif kind == "as":
        within(message, b"a", b"s", lambda: [text(message, one) for one in value])
    else:
        within(message, b"a", b"{sv}", lambda: [
            within(message, b"e", b"sv", lambda entry=entry: pair(message, *entry))
            for entry in value.items()])


def call(bus, interface, method, kinds, asking):
    message = ctypes.c_void_p()
    must(BUS.sd_bus_message_new_method_call(
        bus, ctypes.byref(message), b"org.aierase1", b"/org/aierase1",
        f"org.aierase1.{interface}".encode(), method.encode()))
    must(BUS.sd_bus_message_set_allow_interactive_authorization(message, int(asking)))
    least = {"s": NAME, "as": [], "a{sv}": {}}
    values = OTHERS.get(f"{interface}.{method}", [least.get(kind) for kind in kinds])
    for kind, value in zip(kinds, values, strict=True):
        append(message, kind, value)
    error = Error()
    reply = ctypes.c_void_p()
    if BUS.sd_bus_call(bus, message, ctypes.c_uint64(TIMEOUT), ctypes.byref(error),
                       ctypes.byref(reply)) >= 0:
        return "ok", ""
    return error.name.decode(), (error.message or b"").decode()


def main():
    for name in ("sd_bus_message_append_basic", "sd_bus_message_open_container"):
        getattr(BUS, name).argtypes = [ctypes.c_void_p, ctypes.c_char, ctypes.c_char_p
                                       if name.endswith("container") else ctypes.c_void_p]
    BUS.sd_bus_message_close_container.argtypes = [ctypes.c_void_p]
    BUS.sd_bus_message_set_allow_interactive_authorization.argtypes = [ctypes.c_void_p, ctypes.c_int]
    bus = ctypes.c_void_p()
    must(BUS.sd_bus_open_system(ctypes.byref(bus)))
    for line in sys.stdin:
        interface, method, *kinds = line.split()
        outcome, sentence = call(bus, interface, method, kinds, "--ask" in sys.argv)
        print(f"{interface}.{method}\t{outcome.rsplit('.', 1)[-1]}\t{sentence}", flush=True)


main()
