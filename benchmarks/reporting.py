"""How every benchmark speaks: one figure a line, and with --json one JSON object at the end."""

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any


def options(description: str | None) -> argparse.ArgumentParser:
    """A command line with `--json`; a benchmark adds its own options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    return parser


def tell(
    figures: Mapping[str, Any], as_json: bool, line: Callable[[str, Any], str] | None = None
) -> None:
    """Print the figures, each as `line(name, figure)`; four decimals unless told otherwise."""
    width = max(map(len, figures), default=0) + 2
    for name, figure in figures.items():
        print(line(name, figure) if line else f"{name:<{width}}{figure:12.4f}")
    if as_json:
        print(json.dumps(figures))
