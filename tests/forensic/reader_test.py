#!/usr/bin/python3
"""The adversary must be able to read: reader.py opens every published FLOE file, and refuses what
was cut, extended, altered or moved. An adversary that could not read anything would find every
erasure perfect."""
import io
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import reader  # noqa: E402

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "floe"
KEY, ASSOCIATED = bytes(32), b"This is AAD"


def opened(message, associated=ASSOCIATED):
    return b"".join(reader.open_floe(KEY, associated, io.BytesIO(message)))


def refuses(message, associated=ASSOCIATED):
    try:
        opened(message, associated)
    except reader.Unreadable:
        return True
    return False


def main():
    count = 0
    for path in sorted(VECTORS.glob("*_ct.txt")):
        sealed = bytes.fromhex(path.read_text().strip())
        plain = bytes.fromhex(Path(str(path).replace("_ct.", "_pt.")).read_text().strip())
        reader.SEGMENT = struct.unpack(">I", sealed[2:6])[0]
        reader.ROTATION = 2 if "rotation" in path.name else 20
        assert opened(sealed) == plain, f"{path.name} does not open to its plaintext"
        assert refuses(sealed[:-1]), f"{path.name}: cut by a byte, and not noticed"
        assert refuses(sealed[:-reader.SEGMENT]) or len(sealed) < 2 * reader.SEGMENT, \
            f"{path.name}: cut by a segment, and not noticed"
        assert refuses(sealed + b"\0"), f"{path.name}: extended, and not noticed"
        assert refuses(sealed, b"another place"), f"{path.name}: moved, and not noticed"
        for at in (2, 20, 60, 80, len(sealed) - 1):
            changed = bytearray(sealed)
            changed[at] ^= 1
            assert refuses(bytes(changed)), f"{path.name}: byte {at} altered, and not noticed"
        count += 1
    assert count >= 15, f"only {count} vectors in {VECTORS}"
    print(f"{count} published FLOE files opened by the independent reader")


if __name__ == "__main__":
    main()
