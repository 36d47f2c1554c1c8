"""Compares the quick benchmarks' ratios with those that are committed.

Each figure is a median of seven rounds or more; one that is more than 15 % above the committed
one is measured once more before it fails. Ratios are of one run on one machine; seconds are not
compared. ``--update`` writes the committed file anew.

python -m benchmarks.check [--update]
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from benchmarks import denoise_loop, engine_chain, start_up

FILE = Path(__file__).with_name("expected.json")
TOLERANCE = 0.15
Figures = dict[str, float]


def _start_up() -> Figures:
    found = start_up.measure()
    bare = found["python -c pass"]
    return {f"{name} / python": seconds / bare for name, seconds in found.items() if "node" in name}


def _engine_chain() -> Figures:
    found = engine_chain.measure()
    return {
        "1,000 nodes computed / cached": found["1000 computed ms"] / found["1000 cached ms"],
        "computed: a node of 10,000 / of 100": found["computed: time per node at 10000 / at 100"],
        "cached: a node of 10,000 / of 100": found["cached: time per node at 10000 / at 100"],
    }


def _denoise_loop() -> Figures:
    found = denoise_loop.measure()
    return {name: found[name] for name in found if name.endswith("(processor time)")}


QUICK: tuple[Callable[[], Figures], ...] = (_start_up, _engine_chain, _denoise_loop)


def slower(found: Mapping[str, float], expected: Mapping[str, float]) -> list[str]:
    """Figures that are above what is expected by more than the tolerance, or not expected."""
    return [
        name for name, figure in found.items() if figure > expected.get(name, 0.0) * (1 + TOLERANCE)
    ]


@click.command()
@click.option("--update", is_flag=True, help="Write what is measured as what is expected.")
def main(update: bool) -> None:
    """Measure the quick benchmarks and compare them with the committed figures."""
    machine = f"{platform.machine()}, Python {platform.python_version_tuple()[1]}"
    committed = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {"figures": {}}
    found: Figures = {}
    failed = False
    for measure in QUICK:
        figures = measure()
        if not update and slower(figures, committed["figures"]):
            figures = measure()
        wrong = set() if update else set(slower(figures, committed["figures"]))
        failed |= bool(wrong)
        for name, figure in figures.items():
            expected = committed["figures"].get(name)
            mark = "slower" if name in wrong else ""
            click.echo(f"{name:<44}{figure:8.3f}  expected {expected or figure:8.3f}  {mark}")
        found |= figures
    if update:
        FILE.write_text(json.dumps({"machine": machine, "figures": found}, indent=2) + "\n")
    elif committed.get("machine") != machine:
        click.echo(f"expected figures are from another machine: {committed.get('machine')}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
