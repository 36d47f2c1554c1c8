"""What naming models by their content costs: at first sight, later, and to planning meanwhile.

python -m benchmarks.fingerprints [--gigabytes 2] [--files 5] [--folder PATH] [--json]

Files of random bytes are written into a folder and dropped from the page cache (`posix_fadvise`)
before each cold figure. One is read cold, and then named cold; named again; and while all of
them are named in a thread, a graph that loads each is planned over and over.
"""

from __future__ import annotations

import os
import random
import statistics
import struct
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.reporting import options, tell
from nodeforge.models import Fingerprints, without_reading

_CHUNK = 8 * 2**20
_HEADER = '{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}'


def write(path: Path, size: int) -> Path:
    """A safetensors file of one tensor of `size` random bytes."""
    text = (_HEADER % (size, size)).encode()
    piece = random.Random(path.name).randbytes(_CHUNK)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in range(size // _CHUNK):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return path


def drop(path: Path) -> None:
    """Take a file out of the page cache."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read(path: Path) -> None:
    piece = bytearray(_CHUNK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(piece):
            pass


def seconds(work, *arguments) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def measure(folder: Path, size: int, count: int) -> dict[str, float]:
    """Seconds, milliseconds and ratios."""
    files = [write(folder / f"{number}.safetensors", size) for number in range(count)]
    time.sleep(0.1)  # until their times are settled
    first, cold, named = files[0], [], []
    memories = [Fingerprints(folder / f"cache{turn}") for turn in range(3)]
    for prints in memories:
        drop(first)
        cold.append(seconds(read, first))
        drop(first)
        named.append(seconds(prints.of, first))
    later = [seconds(memories[0].of, first) for _ in range(100)]
    again = Fingerprints(folder / "cache0")
    figures = {
        "reading cold, s": min(cold),
        "naming cold, s": min(named),
        "naming / reading": min(named) / min(cold),
        "later, median, ms": 1000 * statistics.median(later),
        "later, in another process, ms": 1000 * seconds(again.of, first),
    }
    return figures | _planning(folder, files)


def _planning(folder: Path, files: list[Path]) -> dict[str, float]:
    """How long planning waits for names while all files are being read."""
    prints = Fingerprints(folder / "cache")
    for file in files:
        drop(file)

    def name_all() -> None:
        for file in files:
            prints.of(file)

    def plan() -> None:
        with without_reading():
            for file in files:
                prints.of(file)

    reading, waits = threading.Thread(target=name_all), []
    start = time.perf_counter()
    reading.start()
    while reading.is_alive():
        waits.append(seconds(plan))
        time.sleep(0.02)
    return {
        "naming all, s": time.perf_counter() - start,
        "names for planning meanwhile, worst, ms": 1000 * max(waits),
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--gigabytes", type=float, default=2, help="of one file")
    parser.add_argument("--files", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where, on the disk to measure")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        size = int(given.gigabytes * 2**30) // _CHUNK * _CHUNK
        tell(measure(Path(folder), size, given.files), given.json)


if __name__ == "__main__":
    main()
