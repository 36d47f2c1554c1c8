"""Runs `nodeforge` in a home of its own: in a process of its own, or in this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from nodeforge.cli.main import main

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


@dataclass
class CommandHere:
    """The same in this process, for commands that start no worker: their errors are told too."""

    home: Path
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: object) -> Done:
        self.patch.setenv("NODEFORGE_HOME", str(self.home))
        self.patch.setenv("COLUMNS", "200")
        self.patch.setattr(sys, "argv", ["nodeforge", *map(str, arguments)])
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())


def workflow(name: str = "text_to_image") -> dict[str, Any]:
    """A shipped workflow's file, to be changed."""
    return json.loads((WORKFLOWS / f"{name}.json").read_text("utf-8"))
