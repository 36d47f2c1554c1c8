"""The wheel is complete: installed elsewhere, it finds its nodes, workflows and models."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIMIT = 100 * 2**20
"""Bytes: package indexes refuse larger files."""


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    tracked = run("git", "ls-files", "-z", cwd=ROOT).stdout.split("\0")
    source = folder / "source"
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
    run(*pip, "-w", folder / "dist", source)
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, wheel)
    return folder


def nodeforge(installed: Path, cwd: Path, *arguments: object) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed), "NODEFORGE_HOME": str(cwd / "home")}
    where = "import nodeforge; print(nodeforge.__file__)"
    assert str(installed) in run(sys.executable, "-c", where, cwd=cwd, env=environment).stdout
    command = (sys.executable, "-m", "nodeforge", *arguments)
    return run(*command, cwd=cwd, env=environment).stdout


def test_the_wheel_is_small_enough_and_holds_only_the_program(wheel: Path):
    assert wheel.stat().st_size < LIMIT
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"nodeforge"}


def test_the_installed_program_makes_a_picture(installed: Path, tmp_path: Path):
    assert "sampling.denoise" in nodeforge(installed, tmp_path, "nodes")
    assert "nano" in nodeforge(installed, tmp_path, "models")
    workflow = installed / "nodeforge" / "_shipped" / "workflows" / "text_to_image.json"
    options = ("--set", "schedule.steps=2", "--json")
    lines = nodeforge(installed, tmp_path, "run", workflow, *options).splitlines()
    (picture,) = json.loads(lines[-1])["outputs"]
    assert Path(picture).is_relative_to(tmp_path)
    assert Path(picture).read_bytes().startswith(b"\x89PNG")
