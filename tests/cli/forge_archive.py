# Forges a section of an archive, in place, as somebody would who has keys of his own and none of the
# store's. Its keyring.json vouches for all of it.
#
#   forge_archive.py foreign-log SECTION           the last record was never in the log
#   forge_archive.py second-signer SECTION ISSUER  a certificate more. To show that it is its signer
#                                                  who is refused, ISSUER becomes a keyring that
#                                                  knows the log of the forger, too.
import base64, hashlib, json, pathlib, struct, subprocess, sys, tempfile

what, section = sys.argv[1], pathlib.Path(sys.argv[2])
place = tempfile.TemporaryDirectory()


def sha256(data):
    return hashlib.sha256(data).digest()


def encode(data):
    return base64.b64encode(data).decode()


class Key:
    def __init__(self, purpose):
        self.purpose, self.file = purpose, place.name + "/" + purpose
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.file], check=True)
        self.der = subprocess.run(["openssl", "pkey", "-in", self.file, "-pubout", "-outform", "DER"],
                                  check=True, capture_output=True).stdout

    def sign(self, message):
        pathlib.Path(place.name + "/message").write_bytes(message)
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.file,
                               "-in", place.name + "/message"], check=True, capture_output=True).stdout

    def row(self):
        return {"purpose": self.purpose, "key_id": sha256(self.der).hex(),
                "public_key": encode(self.der), "first_leaf": 0}


def leaves_of(folder):
    leaves = []
    for file in sorted(folder.glob("entries/*")):
        data = file.read_bytes()
        while data:
            length, = struct.unpack(">H", data[:2])
            leaves.append(data[2:2 + length])
            data = data[2 + length:]
    return leaves


def write_leaves(folder, leaves):
    for file in folder.glob("entries/*"):
        file.unlink()
    for first in range(0, len(leaves), 256):
        (folder / "entries" / ("%012d" % first)).write_bytes(
            b"".join(struct.pack(">H", len(one)) + one for one in leaves[first:first + 256]))


def tree_hash(leaves):
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + tree_hash(leaves[:split]) + tree_hash(leaves[split:]))


def write_head(folder, origin, leaves, key):
    note = "%s\n%d\n%s\n" % (origin, len(leaves), encode(tree_hash(leaves)))
    hint = sha256(origin.encode() + b"\n\1" + key.der[-32:])[:4]
    (folder / "checkpoint").write_text(
        "%s\n\u2014 %s %s\n" % (note, origin, encode(hint + key.sign(note.encode()))))


def drop_from(folder, leaf):
    for part in ("certificates", "refusals", "amendments", "records"):
        for file in folder.glob(part + "/*"):
            if int(file.name[:12]) >= leaf:
                file.unlink()


def add_certificate(folder, leaves, key):
    bundle = json.loads(min(folder.glob("certificates/*")).read_text())
    envelope, [entry] = bundle["dsseEnvelope"], bundle["verificationMaterial"]["tlogEntries"]
    payload = base64.b64decode(envelope["payload"]).replace(b"acme/one", b"acme/six")
    kind = envelope["payloadType"].encode()
    signature = key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    envelope["payload"] = encode(payload)
    envelope["signatures"] = [{"keyid": sha256(key.der).hex(), "sig": encode(signature)}]
    body = json.loads(base64.b64decode(entry["canonicalizedBody"]))
    body["spec"]["dsseV002"]["payloadHash"]["digest"] = encode(sha256(payload))
    leaves.append(json.dumps(body, separators=(",", ":"), sort_keys=True).encode())
    entry["logIndex"] = str(len(leaves) - 1)
    entry["canonicalizedBody"] = encode(leaves[-1])
    (folder / "certificates" / ("%012d.forged.json" % (len(leaves) - 1))).write_text(json.dumps(bundle))


keyring = json.loads((section / "keyring.json").read_text())
signers = [key for key in keyring["keys"] if key["purpose"] == "signer"]
leaves, log, signer = leaves_of(section), Key("log"), Key("signer")
assert json.loads((section / "section.json").read_text())["first"] == 0
keyring["rotations"], keyring["keys"] = [], signers + [log.row()]
if what == "foreign-log":
    last = max(at for at, body in enumerate(leaves) if json.loads(body).get("kind") == "dsse")
    drop_from(section, last)
    del leaves[last:]
else:
    pathlib.Path(sys.argv[3]).write_text(json.dumps(keyring))
    keyring["keys"].append(signer.row())
    add_certificate(section, leaves, signer)
write_leaves(section, leaves)
write_head(section, keyring["origin"], leaves, log)
(section / "keyring.json").write_text(json.dumps(keyring))
