"""Code beside a workflow, in the current folder or in NODEFORGE_HOME is never run (F1)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodeforge.settings import shipped

NAMES = (
    *("random", "struct", "json", "ctypes", "numpy", "torch", "peft", "yaml", "PIL", "click"),
    *("diffusers", "transformers", "tokenizers", "msgspec", "sitecustomize", "blake3"),
)


def plant(folder: Path, mark: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        code = f"open({str(mark)!r}, 'a').write({name!r} + ' ')\nraise SystemExit('planted')\n"
        (folder / f"{name}.py").write_text(code)


@pytest.mark.parametrize("start", ["-m", "script"])
def test_planted_modules_do_not_run(tmp_path: Path, start: str):
    """A whole run and a lint from a folder full of modules with the names of libraries."""
    mark = tmp_path / "ran"
    home, download = tmp_path / "home", tmp_path / "download"
    for folder in (home, download, home / "worker", home / "packs"):
        plant(folder, mark)
    workflow = download / "w.json"
    workflow.write_text((shipped("workflows") / "text_to_image.json").read_text())
    script = Path(sys.executable).with_name("nodeforge")
    program = [sys.executable, "-m", "nodeforge"] if start == "-m" else [str(script)]
    if start == "script" and not script.exists():
        pytest.skip("NodeForge is not installed as a script")
    environment = {**os.environ, "NODEFORGE_HOME": str(home)}
    last = ["run", "w.json", "--set", "schedule.steps=1"] if start == "-m" else ["lint", "w.json"]
    done = subprocess.run(
        [*program, *last],
        cwd=download,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not mark.exists(), mark.read_text()
    assert done.returncode == 0, done.stderr
