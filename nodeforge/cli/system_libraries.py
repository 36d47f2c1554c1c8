"""Which system libraries Qt needs on Linux, which are missing, and the command that mends it.

Run as a program by `make install`: installs them on Debian or Ubuntu as root, else names them.
Standard library only, since it runs before anything is installed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

NEEDED = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
"""Library to the Debian package that has it; on Ubuntu 24.04 two of them end in ``t64``."""


def missing_packages() -> list[str]:
    """Debian packages of the libraries that cannot be loaded; empty elsewhere than on Linux."""
    if not sys.platform.startswith("linux"):
        return []
    return [package for library, package in NEEDED.items() if not _loads(library)]


def mending_command(packages: list[str]) -> str:
    """What installs `packages` on Debian and Ubuntu."""
    return f"apt-get install -y --no-install-recommends {' '.join(packages)}"


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def main() -> int:
    missing = missing_packages()
    if not missing:
        return 0
    can_install = shutil.which("apt-get") is not None and os.geteuid() == 0
    if not can_install:
        print(
            "The window needs system libraries that are missing here:\n"
            f"    {' '.join(missing)}\n"
            f"On Debian or Ubuntu: sudo {mending_command(missing)}\n"
            "The command line works without them.",
            file=sys.stderr,
        )
        return 0
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    return subprocess.run(mending_command(missing).split(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
