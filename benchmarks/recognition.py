"""How long it takes to tell what model files are, from their headers, at real names and shapes.

python -m benchmarks.recognition [--json]

A zoo of files of all kinds, families and layouts, then a folder of 2,000 of them listed: the
first time, and in a program that is started later. Process CPU time, so that neighbours do not
count; the wall's beside it for the folder.
"""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.reporting import options, tell
from nodeforge.models import ModelFolders, recognise
from nodeforge.settings import Settings, shipped
from tests.support.model_files import write_safetensors
from tests.support.model_headers import model_headers
from tests.support.transformer_headers import transformer_headers

REPEATS = 7
FILES = 2000


def measure() -> dict[str, float]:
    """Milliseconds a file, and seconds for the folder."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = [
            write_safetensors(
                root / f"{each.name}.safetensors",
                each.tensors,
                metadata=each.metadata,
                dtypes=each.dtypes,
            )
            for each in (*model_headers(), *transformer_headers())
        ]
        taken = {file.stem: _median(file) for file in files}
        slowest = max(taken, key=lambda name: taken[name])
        figures = {
            "files in the zoo": float(len(files)),
            "median of them, ms": statistics.median(taken.values()),
            f"slowest, ms ({slowest})": taken[slowest],
            "nano, a folder, ms": _median(shipped("resources") / "models" / "nano"),
        }
        return figures | _listing(root, files)


def _listing(root: Path, files: list[Path]) -> dict[str, float]:
    """Listing a folder of `FILES` models that are links to the zoo's."""
    home = root / "home"
    place = home / "models" / "checkpoints"
    place.mkdir(parents=True)
    for number, file in zip(range(FILES), itertools.cycle(files), strict=False):
        os.link(file, place / f"{number} {file.name}")
    figures = {}
    for name in ("first", "second"):
        wall, processor = time.perf_counter(), time.process_time()
        found = ModelFolders(Settings(home=home)).scan()
        assert len([info for info in found if info.listed == "checkpoint"]) >= FILES
        figures[f"{FILES} files, {name} time, s"] = time.process_time() - processor
        figures[f"{FILES} files, {name} time, s (wall)"] = time.perf_counter() - wall
    return figures


def _median(file: Path) -> float:
    return statistics.median(_milliseconds(file) for _ in range(REPEATS))


def _milliseconds(file: Path) -> float:
    start = time.process_time()
    recognise(file)
    return (time.process_time() - start) * 1000


def main() -> None:
    arguments = options(__doc__).parse_args()
    tell(measure(), arguments.json)


if __name__ == "__main__":
    main()
