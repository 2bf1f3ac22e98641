#!/usr/bin/python3
"""An independent reader of aierase stores, written from the page aierase-store(5) alone.

It shares no code with aierase. Given any number of copies of a store, of any age, any number of
root slots and raw disk images, it opens what can be opened: it tries every slot secret against
every root node, every key found against every version of the node below, and every leaf key
against every asset. That makes it the adversary of tests/forensic, and a last resort for people
whose daemon is gone.

  reader.py --store DIR [--store DIR...] --slot FILE [--carve IMAGE...] [--unlock-secret FILE]
            [--json] [--extract NAME=DIRECTORY]

Needs python3 and python3-cryptography.
"""
import argparse
import base64
import hashlib
import hmac
import json
import mmap
import os
import shutil
import sqlite3
import struct
import sys
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand


class Unreadable(Exception):
    """What was tried does not open; the text says what it was."""


# ---- KEYS ---------------------------------------------------------------------------------------
def derive(key, salt, info, length=32):
    return HKDF(hashes.SHA256(), length, salt or None, info).derive(key)


def root_secret(store, epoch, slot_secret, unlock):
    return derive(slot_secret + unlock, store + struct.pack(">Q", epoch), b"aierase/root/v1")


def key_check_value(leaf_key, store, asset):
    return derive(leaf_key, b"", b"aierase/kcv/v1" + store + asset)


# ---- SEALED MESSAGES ----------------------------------------------------------------------------
def open_message(key, associated, sealed):
    if sealed[:4] != b"AES1" or len(sealed) < 76:
        raise Unreadable("no sealed message")
    salt, commit, body = sealed[4:28], sealed[28:60], sealed[60:]
    derived = derive(key, salt, b"aierase/seal/v1" + associated, 76)
    if not hmac.compare_digest(derived[44:], commit):
        raise Unreadable("a sealed message of another key or place")
    try:
        return AESGCM(derived[:32]).decrypt(derived[32:44], body, associated)
    except InvalidTag:
        raise Unreadable("a sealed message that was altered") from None


# ---- ROOT SLOT ----------------------------------------------------------------------------------
SLOT_COPY_BYTES = 96


def slot_copy(block):
    """(store, epoch, secret) of one copy, or None."""
    if len(block) < SLOT_COPY_BYTES or block[:8] != b"AESL" + struct.pack(">I", 1):
        return None
    store, epoch, secret, check = block[8:24], *struct.unpack(">Q", block[24:32]), block[32:64], block[64:96]
    key = derive(secret, b"", b"aierase/slot-check/v1")
    if not hmac.compare_digest(hmac.digest(key, block[:32], "sha256"), check):
        return None
    return store, epoch, secret


def slots_of_file(path):
    with open(path, "rb") as file:
        content = file.read()
    for offset in (0x1000, 0x2000, 0x111000, 0x112000):
        copy = slot_copy(content[offset:offset + SLOT_COPY_BYTES])
        if copy:
            yield copy


# ---- KEY TREE -----------------------------------------------------------------------------------
NODE_BYTES = 2152


class Nodes:
    """All versions of all nodes that were ever seen, by store, level and index."""

    def __init__(self):
        self.rows = {}

    def add(self, row):
        if len(row) != NODE_BYTES or row[:8] != b"AEN1" + struct.pack(">I", 1):
            return
        level, index = struct.unpack(">II", row[24:32])
        self.rows.setdefault((row[8:24], level, index), set()).add(bytes(row))

    def open(self, store, level, index, key):
        """Entries of every version that this key opens: at most one, unless keys were reused."""
        for row in self.rows.get((store, level, index), ()):
            header, commit, body = row[:56], row[56:88], row[88:]
            derived = derive(key, header[32:56], b"aierase/node/v1" + header, 76)
            if not hmac.compare_digest(derived[44:], commit):
                continue
            try:
                entries = AESGCM(derived[:32]).decrypt(derived[32:44], body, header)
            except InvalidTag:
                continue
            yield [entries[i:i + 32] for i in range(0, 2048, 32)]

    def leaves(self, store, level, index, key, into):
        for entries in self.open(store, level, index, key):
            for position, entry in enumerate(entries):
                if entry == bytes(32):
                    continue
                child = index * 64 + position
                if level == 0:
                    into.setdefault(child, set()).add(entry)
                else:
                    self.leaves(store, level - 1, child, entry, into)


# ---- BLOBS --------------------------------------------------------------------------------------
SEGMENT = 262_144     # encrypted
ROTATION = 20         # a new segment key every 2^20 segments


def open_floe(key, associated, file):
    """Plaintext of a FLOE v1 message, segment by segment."""
    header = file.read(74)
    prefix, tag = header[:42], header[42:]
    if prefix[:10] != bytes([0, 0]) + struct.pack(">II", SEGMENT, 32):
        raise Unreadable("no FLOE header of this kind")

    def expand(secret, purpose, length):
        return HKDFExpand(hashes.SHA384(), length, prefix + purpose + associated).derive(secret)
    if not hmac.compare_digest(expand(key, b"HEADER_TAG:", 32), tag):
        raise Unreadable("a FLOE header of another key or place")
    message_key = expand(key, b"MESSAGE_KEY:", 48)
    number, final = 0, False
    while not final:
        segment = file.read(SEGMENT)
        if len(segment) < 32:
            raise Unreadable("a FLOE message that is cut off")
        length = struct.unpack(">I", segment[:4])[0]
        final = length != 0xFFFFFFFF
        if final and length != len(segment):
            raise Unreadable("a FLOE message that is cut off or extended")
        segment_key = expand(message_key, b"DEK:" + struct.pack(">Q", number >> ROTATION << ROTATION), 32)
        where = struct.pack(">QB", number, 1 if final else 0)
        try:
            yield AESGCM(segment_key).decrypt(segment[4:16], segment[16:], where)
        except InvalidTag:
            raise Unreadable("a FLOE segment that was altered") from None
        number += 1
    if file.read(1):
        raise Unreadable("a FLOE message that is extended")


class BlobText:
    """Plaintext of one blob, read forward and back; kept in a temporary file."""

    def __init__(self, path, key, associated, header):
        self.file = tempfile.TemporaryFile()
        with open(path, "rb") as sealed:
            sealed.seek(4096 - 74)
            if sealed.read(74) != header:
                raise Unreadable("another FLOE header than its manifest says")
            sealed.seek(4096 - 74)
            for piece in open_floe(key, associated, sealed):
                self.file.write(piece)

    def read(self, offset, length):
        self.file.seek(offset)
        return self.file.read(length)


# ---- MANIFEST, CATALOG --------------------------------------------------------------------------
class Asset:
    def __init__(self, store, row):
        self.store = store
        (self.uuid, self.name, self.kind, self.state, self.kcv, self.leaf, self.manifest,
         self.payload) = row

    @property
    def id(self):
        return "a-" + base64.b32encode(self.uuid).decode().lower().rstrip("=")


def places(file, raw, magic):
    """Where the magic stands in the image; holes of a sparse file are not searched."""
    start, end = 0, 0
    while True:
        try:
            start = os.lseek(file.fileno(), end, os.SEEK_DATA)
        except OSError:  # ENXIO: no data behind `end`
            return
        end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        at = raw.find(magic, start, min(end + len(magic), len(raw)))
        while at >= 0:
            yield at
            at = raw.find(magic, at + 1, min(end + len(magic), len(raw)))


class Evidence:
    """Everything the adversary holds."""

    def __init__(self):
        self.nodes = Nodes()
        self.secrets = set()   # (store, epoch, slot secret)
        self.assets = {}       # (store, uuid) -> list of Asset, as each database knew it
        self.generations = {}  # (store, uuid) -> (generation, state) of the newest database
        self.blobs = {}        # blob uuid, hex -> paths
        self.leaf_keys = {}    # store -> leaf -> keys

    def add_store(self, directory):
        for path in Path(directory).rglob("*"):
            if path.is_file() and path.parent.parent.name == "blobs" and len(path.name) == 32:
                self.blobs.setdefault(path.name, []).append(path)
        for name in ("catalog.db", ".init/catalog.db"):
            path = Path(directory) / name
            if path.is_file():
                self.add_database(path)

    def add_database(self, path):
        # A copy, so that a hot journal beside it may be played back without touching evidence.
        with tempfile.TemporaryDirectory() as copy:
            for suffix in ("", "-journal"):
                if os.path.exists(f"{path}{suffix}"):
                    shutil.copyfile(f"{path}{suffix}", f"{copy}/catalog.db{suffix}")
            connection = sqlite3.connect(f"{copy}/catalog.db")
            store, generation = connection.execute("SELECT uuid, generation FROM store").fetchone()
            for table in ("node", "undo_node"):
                for (row,) in connection.execute(f"SELECT node FROM {table}"):
                    self.nodes.add(row or b"")
            for row in connection.execute("SELECT uuid, name, kind, state, kcv, leaf, "
                                          "sealed_manifest, sealed_payload FROM asset"):
                asset = Asset(store, row)
                self.assets.setdefault((store, asset.uuid), []).append(asset)
                newest = self.generations.get((store, asset.uuid), (-1, ""))
                if generation > newest[0]:
                    self.generations[(store, asset.uuid)] = (generation, asset.state)
            connection.close()

    def carve(self, path):
        """Node rows and slot copies anywhere in a raw image, file system or not."""
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            for at in places(file, raw, b"AEN1\0\0\0\1"):
                self.nodes.add(raw[at:at + NODE_BYTES])
            for at in places(file, raw, b"AESL\0\0\0\1"):
                copy = slot_copy(raw[at:at + SLOT_COPY_BYTES])
                if copy:
                    self.secrets.add(copy)

    def climb(self, unlock):
        for store, epoch, secret in self.secrets:
            root = root_secret(store, epoch, secret, unlock)
            self.nodes.leaves(store, 4, 0, root, self.leaf_keys.setdefault(store, {}))

    def keys_for(self, asset):
        """Any key anywhere in the tree that checks as this asset's: rows may have been swapped."""
        for keys in self.leaf_keys.get(asset.store, {}).values():
            for key in keys:
                if hmac.compare_digest(key_check_value(key, asset.store, asset.uuid), asset.kcv):
                    yield key

    # Files of an asset, as (path, bytes) pieces through `take`; the number of files and bytes.
    def read_asset(self, asset, key, take):
        place = asset.store + asset.uuid
        if asset.kind == "dataset-key":
            payload = open_message(derive(key, b"", b"aierase/payload/v1"), place, asset.payload)
            take("key", payload)
            return 1, len(payload)
        if not asset.manifest:
            raise Unreadable("no copy of its manifest")
        manifest = json.loads(open_message(derive(key, b"", b"aierase/manifest/v1"), place,
                                           asset.manifest))
        headers = {blob["id"]: bytes.fromhex(blob["floe_header"]) for blob in manifest["blobs"]}
        texts, total = {}, 0
        for entry in manifest["files"]:
            blob = entry["blob"]
            if blob not in texts:
                if len(texts) == 2:  # a pack, and the blob of a large file
                    del texts[next(iter(texts))]
                texts[blob] = self.open_blob(asset, key, blob, headers[blob])
            texts[blob] = texts.pop(blob)  # the one used last goes last
            digest, left, offset = hashlib.sha256(), entry["bytes"], entry["offset"]
            while left:
                piece = texts[blob].read(offset, min(left, 1 << 22))
                if not piece:
                    raise Unreadable(f"{entry['path']}: its blob is too short")
                digest.update(piece)
                take(entry["path"], piece)
                offset, left = offset + len(piece), left - len(piece)
            if not entry["bytes"]:
                take(entry["path"], b"")
            if digest.hexdigest() != entry["sha256"]:
                raise Unreadable(f"{entry['path']}: another SHA-256 than its manifest says")
            total += entry["bytes"]
        return len(manifest["files"]), total

    def open_blob(self, asset, key, blob, header):
        uuid = bytes.fromhex(blob)
        blob_key = derive(key, b"", b"aierase/blob/v1" + uuid)
        associated = b"aierase/v1" + asset.store + asset.uuid + uuid
        reason = "no copy of its blob"
        for path in self.blobs.get(blob, ()):
            try:
                return BlobText(path, blob_key, associated, header)
            except Unreadable as error:
                reason = str(error)
        raise Unreadable(f"blob {blob}: {reason}")


# ---- the answer ---------------------------------------------------------------------------------
def attempt(evidence, versions, take):
    """Opens the asset from any version of its row with any key; (files, bytes) or Unreadable."""
    reason = "no key: no root node leads to its leaf"
    for asset in versions:
        for key in evidence.keys_for(asset):
            try:
                return evidence.read_asset(asset, key, take)
            except (Unreadable, KeyError, ValueError) as error:
                reason = f"its key was found, but: {error}"
    raise Unreadable(reason)


def counted(files):
    return "1 file" if files == 1 else f"{files} files"


def writer_into(directory):
    def take(path, piece):
        target = Path(directory) / path
        if not target.resolve().is_relative_to(Path(directory).resolve()):
            raise Unreadable("a path that leads out of the directory")
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "ab") as file:
            file.write(piece)
    return take


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", action="append", default=[], metavar="DIR")
    parser.add_argument("--slot", action="append", default=[], metavar="FILE")
    parser.add_argument("--carve", action="append", default=[], metavar="IMAGE")
    parser.add_argument("--unlock-secret", metavar="FILE", help="32 bytes, raw")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--extract", action="append", default=[], metavar="NAME=DIRECTORY")
    options = parser.parse_args()

    evidence = Evidence()
    for directory in options.store:
        evidence.add_store(directory)
    for path in options.slot:
        evidence.secrets.update(slots_of_file(path))
    for path in options.carve:
        evidence.carve(path)
    unlock = Path(options.unlock_secret).read_bytes() if options.unlock_secret else b""
    evidence.climb(unlock)

    wanted = dict(item.split("=", 1) for item in options.extract)
    answers = []
    for (store, uuid), versions in sorted(evidence.assets.items(), key=lambda item: item[1][0].name):
        asset = versions[-1]
        answer = {"id": asset.id, "name": asset.name, "kind": asset.kind,
                  "state": evidence.generations[(store, uuid)][1]}
        take = writer_into(wanted[asset.name]) if asset.name in wanted else lambda path, piece: None
        try:
            answer["files"], answer["bytes"] = attempt(evidence, versions, take)
            answer["opens"] = True
        except Unreadable as error:
            answer["opens"], answer["reason"] = False, str(error)
        answers.append(answer)

    rows = sum(len(versions) for versions in evidence.nodes.rows.values())
    epochs = sorted(epoch for _, epoch, _ in evidence.secrets)
    if options.json:
        print(json.dumps({"assets": answers, "slot_epochs": epochs, "node_rows": rows}, indent=2))
        return 0
    print(f"{rows} node rows, slot secrets of epochs {', '.join(map(str, epochs)) or 'none'}")
    for answer in answers:
        if answer["opens"]:
            print(f"opens        {answer['name']}  ({answer['state']}): {counted(answer['files'])}, "
                  f"{answer['bytes']} bytes, each SHA-256 as the manifest says")
        else:
            print(f"cannot open  {answer['name']}  ({answer['state']}): {answer['reason']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
