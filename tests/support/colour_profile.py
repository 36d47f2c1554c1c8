"""Colour profiles made without a file: ICC version 2, a curve and primaries."""

import struct

import numpy as np

_PRIMARIES = {  # columns of RGB to XYZ under D50
    "sRGB": ((0.4361, 0.3851, 0.1431), (0.2225, 0.7169, 0.0606), (0.0139, 0.0971, 0.7142)),
    "Display P3": ((0.5151, 0.2920, 0.1571), (0.2412, 0.6922, 0.0666), (-0.0011, 0.0419, 0.7841)),
}
_WHITE = (0.9642, 1.0, 0.8249)


def linear_rgb_profile():
    """sRGB's primaries with a straight curve in place of its own."""
    return rgb_profile("linear", 1.0)


def rgb_profile(name, curve, primaries="sRGB"):
    """A profile called `name`: `curve` is a gamma or ``sRGB``."""
    columns = zip(*_PRIMARIES[primaries], strict=True)
    colours = {f"{c}XYZ": _xyz(*xyz) for c, xyz in zip("rgb", columns, strict=True)}
    return _profile(name, b"RGB ", colours | dict.fromkeys(("rTRC", "gTRC", "bTRC"), _trc(curve)))


def profile_named(name, *, grey, curve=1.0):
    """A profile of greys, or of sRGB's primaries, with a gamma."""
    return _profile(name, b"GRAY", {"kTRC": _trc(curve)}) if grey else rgb_profile(name, curve)


def _profile(name, space, tags):
    tags = {"desc": _text(name), "wtpt": _xyz(*_WHITE), "cprt": b"text\0\0\0\0free\0", **tags}
    table, body = b"", b""
    first = 128 + 4 + 12 * len(tags)
    for key, raw in tags.items():
        table += struct.pack(">4sII", key.encode(), first + len(body), len(raw))
        body += raw + b"\0" * (-len(raw) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", first + len(body), b"lcms", 0x02400000, b"mntr", space, b"XYZ "
    )
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28
    head += struct.pack(">3i", *(round(x * 65536) for x in _WHITE))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _xyz(*values):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(x * 65536) for x in values))


def _text(text):
    raw = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(raw)) + raw + b"\0" * (4 + 4 + 2 + 1 + 67)


def _trc(curve):
    if curve == 1.0:
        return b"curv\0\0\0\0\0\0\0\0"
    if curve != "sRGB":
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(curve * 256))
    x = np.linspace(0, 1, 1024)
    values = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    raw = np.round(values * 65535).astype(">u2").tobytes()
    return b"curv\0\0\0\0" + struct.pack(">I", 1024) + raw
