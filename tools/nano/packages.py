"""The npm packages the pictures and words come from, fetched once into a cache folder.

Versions are pinned: the data, and so the trained weights, repeat.
"""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

FLUENT_3D = "@lobehub/fluent-emoji-3d@1.1.0"
FLUENT_FLAT = "@lobehub/fluent-emoji-flat@1.1.0"
NOTO = "@iconify-json/noto@1.2.9"
NAMES = "unicode-emoji-json@0.9.0"
TAGS = "emojibase-data@17.0.0"


class PackageError(RuntimeError):
    """A package could neither be found in the cache nor fetched."""


def archive_name(package: str) -> str:
    """The file name `npm pack` gives: scope and name joined by hyphens."""
    name, _, version = package.rpartition("@")
    return f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"


def fetch(package: str, cache: Path) -> Path:
    """The package's archive, packed by npm unless the cache has it."""
    archive = cache / archive_name(package)
    if archive.exists():
        return archive
    npm = shutil.which("npm")
    if npm is None:
        raise PackageError(
            f"{package}: not in {cache}, and npm is not installed.\n"
            f"    Install Node.js, or put {archive.name} there."
        )
    cache.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", "--silent", package], cwd=cache, capture_output=True, text=True, check=False
    )
    if done.returncode or not archive.exists():
        raise PackageError(
            f"{package}: npm pack failed: {done.stderr.strip()}\n    Look at npm's registry."
        )
    return archive


def read_files(archive: Path, suffix: str) -> Iterator[tuple[str, bytes]]:
    """Names (without folder) and contents of the archive's files that end with `suffix`."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(suffix):
                content = tar.extractfile(member)
                assert content is not None
                yield PurePosixPath(member.name).name, content.read()


def read_json(archive: Path, suffix: str) -> Any:
    """The one JSON file of the archive whose path ends with `suffix`."""
    for _, content in read_files(archive, suffix):
        return json.loads(content)
    raise PackageError(f"{archive}: holds no {suffix}.\n    Delete it; it is fetched again.")
