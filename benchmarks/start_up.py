"""How long commands that need no worker take, as whole processes.

python -m benchmarks.start_up [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    arguments = parser.parse_args()
    figures = measure()
    for name, seconds in figures.items():
        print(f"{name:<28}{seconds:8.3f} s")
    if arguments.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
