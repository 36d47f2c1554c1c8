"""How long commands that need no worker take, as whole processes.

python -m benchmarks.start_up [--json]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.reporting import options, tell

COMMANDS = (("nodes",), ("run", "--help"))
REPEATS = 9


def measure() -> dict[str, float]:
    """Median seconds of each command, beside those of an empty Python process."""
    figures = {"python -c pass": _median([sys.executable, "-c", "pass"])}
    for command in COMMANDS:
        figures["nodeforge " + " ".join(command)] = _median(
            [sys.executable, "-m", "nodeforge", *command]
        )
    return figures


def _median(command: list[str]) -> float:
    return statistics.median(_seconds(command) for _ in range(REPEATS))


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    arguments = options(__doc__).parse_args()
    tell(measure(), arguments.json, lambda name, figure: f"{name:<28}{figure:8.3f} s")


if __name__ == "__main__":
    main()
