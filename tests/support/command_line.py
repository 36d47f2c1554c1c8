"""Runs `nodeforge` in a process and a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
WORKFLOWS = ROOT / "workflows"


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The events on stdout, of `--json`."""
        return [json.loads(line) for line in self.out.splitlines()]

    def computed(self) -> set[str]:
        """The nodes whose result was computed."""
        return {
            line["node"]
            for line in self.lines
            if line["event"] == "finished" and line["source"] == "computed"
        }


@dataclass
class CommandLine:
    """`nodeforge` on one home."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "NODEFORGE_HOME": str(self.home), "COLUMNS": "200"}

    def start(self, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "nodeforge", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            **options,
        )

    def __call__(self, *arguments: object, **options: Any) -> Done:
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=240)
        assert "Traceback" not in err, err
        return Done(process.returncode, out, err)


def workflow(name: str = "text_to_image") -> dict[str, Any]:
    """A shipped workflow's file, to be changed."""
    return json.loads((WORKFLOWS / f"{name}.json").read_text("utf-8"))
