"""How long it takes to tell what a model file is, from its header, at real names and shapes.

python -m benchmarks.recognition [--json]
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.reporting import options, tell
from nodeforge.models import recognise
from nodeforge.settings import shipped
from tests.support.model_files import real_names, write_safetensors

REPEATS = 15


def measure() -> dict[str, float]:
    """Median milliseconds a file; process CPU time, so that neighbours do not count."""
    with tempfile.TemporaryDirectory() as folder:
        files = {
            name: write_safetensors(Path(folder) / f"{name}.safetensors", shapes)
            for name, shapes in real_names().items()
        }
        files["nano, a folder"] = shipped("resources") / "models" / "nano"
        return {name: _median(file) for name, file in files.items()}


def _median(file: Path) -> float:
    return statistics.median(_milliseconds(file) for _ in range(REPEATS))


def _milliseconds(file: Path) -> float:
    start = time.process_time()
    recognise(file)
    return (time.process_time() - start) * 1000


def main() -> None:
    arguments = options(__doc__).parse_args()
    tell(measure(), arguments.json, lambda name, figure: f"{name:<28}{figure:8.2f} ms")


if __name__ == "__main__":
    main()
