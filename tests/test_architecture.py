"""The shape of the house, and that each rule about it can fail."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = (
    "nodeforge.api",
    "nodeforge.diffusion",
    "nodeforge.graph.planned",
    "nodeforge.imaging",
    "nodeforge.media",
)


_MEASURING = "import nodeforge.engine.measurements.measuring"
_SAMPLER_PAIRS = "import nodeforge.diffusion.samplers.pairs"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("spec/types.py", "import nodeforge.engine", "Imports point down"),
        ("graph/model.py", "import nodeforge.api", "Imports point down"),
        ("lint/__init__.py", "import nodeforge.formats", "Imports point down"),
        ("engine/planning/plan.py", "import torch", "reach torch"),
        (
            "engine/worker_client/client.py",
            "import nodeforge.engine.queue.runner",
            "does not know its queue",
        ),
        ("engine/queue/job.py", "import nodeforge.engine.queue.lease", "within the queue"),
        ("engine/sweeps/axes.py", "import nodeforge.engine.sweeps.cells", "within sweeps"),
        ("engine/measurements/workflow.py", _MEASURING, "within measurements"),
        ("imaging/__init__.py", "import diffusers", "reach torch"),
        ("media/sound.py", "import torch", "reach torch"),
        ("imaging/tiles.py", "import nodeforge.media", "Imports point down"),
        ("media/sound.py", "import PySide6", "knows Qt"),
        ("cli/main.py", "from nodeforge import diffusion", "reach torch"),
        ("engine/worker_client/client.py", "import PySide6", "knows Qt"),
        ("canvas/document/tiles.py", "import torch", "reach torch"),
        ("diffusion/tensors/noise.py", "import nodeforge.diffusion.families", "within diffusion"),
        ("diffusion/samplers/stepper.py", _SAMPLER_PAIRS, "within samplers"),
        ("canvas/document/layer.py", "import nodeforge.canvas.edits", "within canvas"),
        ("models/files/header.py", "import nodeforge.models.detection", "within models"),
        ("worker/codec.py", "import NodeGraphQt", "knows Qt"),
        ("worker/packs.py", "import nodeforge_packs", "does not know its packs"),
        ("ui/common/icons.py", "import nodeforge.ui.documents.workspace", "Rooms of the window"),
        ("ui/files/model_lock.py", "import nodeforge.ui.gallery.panel", "Rooms of the window"),
        (
            "ui/window/menus/run_menu.py",
            "import nodeforge.ui.window.main_window",
            "Main window, menus and panels",
        ),
        (
            "ui/canvas_view/tools/brush.py",
            "import nodeforge.ui.canvas_view.session",
            "Rooms of the canvas view",
        ),
        (
            "ui/graph_view/items/pens.py",
            "import nodeforge.ui.graph_view.scene.overview",
            "Rooms of the graph view",
        ),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, module: str, line: str, contract: str):
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "nodeforge", tmp_path / "nodeforge", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / "nodeforge" / module
    planted.write_text(planted.read_text() + f"\n{line}  # planted\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    broken = [row for row in result.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(contract in row for row in broken), result.stdout


def test_a_new_package_must_find_its_layer(tmp_path: Path):
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "nodeforge", tmp_path / "nodeforge", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "nodeforge" / "utils.py").touch()
    assert lint_imports(tmp_path).returncode == 1


def pack_files() -> list[Path]:
    return sorted((ROOT / "nodes").rglob("*.py"))


def ours(imported: str) -> bool:
    return imported.split(".")[0] in ("nodeforge", "nodes", "nodeforge_packs", "tools", "tests")


@pytest.mark.parametrize("file", pack_files(), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_pack_imports_what_a_third_party_could(file: Path):
    for statement in ast.walk(ast.parse(file.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            if statement.level > 1:
                pytest.fail(f"line {statement.lineno}: imports from another pack")
            names = [] if statement.level else [statement.module or ""]
            if names == ["nodeforge"]:
                names = [f"nodeforge.{alias.name}" for alias in statement.names]
        for name in names:
            allowed = not ours(name) or name.startswith(MAY_IMPORT)
            assert allowed, f"line {statement.lineno}: imports {name}"


@pytest.mark.parametrize(
    ("imported", "absent"),
    [
        ("nodeforge.cli.run, nodeforge.cli.lint, nodeforge.cli.doctor", "torch"),
        ("nodeforge.engine.worker_client.client, nodeforge.lint, nodeforge.formats", "torch"),
        ("nodeforge.cli.nodes", "numpy"),
        ("nodeforge.worker.build", "PySide6"),
    ],
)
def test_a_fresh_process_stays_without(imported: str, absent: str):
    code = f"import sys, {imported}; sys.exit('{absent}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


ROOMS = (*("ui", "diffusion", "canvas", "models", "imaging", "media", "formats", "engine"),)
COLLECTIONS = {
    "nodeforge/ui/canvas_view/tools",
    "nodeforge/formats/comfyui/rows",
    "nodeforge/models/families",
    "nodeforge/diffusion/families",
}
"""Folders of one item a file."""


def room_folders() -> list[Path]:
    inside = [path for name in ROOMS for path in (ROOT / "nodeforge" / name).rglob("*")]
    folders = [ROOT / "nodeforge", *(ROOT / "nodeforge" / name for name in ROOMS), *inside]
    return [path for path in folders if path.is_dir() and path.name != "__pycache__"]


@pytest.mark.parametrize("folder", room_folders(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_holds_few_entries(folder: Path):
    entries = [path for path in folder.iterdir() if path.name != "__pycache__"]
    limit = 24 if str(folder.relative_to(ROOT)) in COLLECTIONS else 18
    limit = 20 if folder == ROOT / "nodeforge" else limit  # the layers, as they are documented
    assert len(entries) <= limit


NEVER_IMPORTED = {
    "accelerate": "diffusers loads large models with it",
    "setuptools": "NodeGraphQt imports distutils",
    "torchsde": "diffusers' Brownian noise",
    "peft": "diffusers' LoRA loaders need it, with which tests compare ours",
    "qtawesome": "its fonts are read as files",
}
IMPORT_NAMES = {
    "pillow": "PIL",
    "opencv-python-headless": "cv2",
    "pyyaml": "yaml",
    "pyside6-essentials": "PySide6",
    "nodegraphqt": "NodeGraphQt",
}


def test_every_dependency_is_imported():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = {
        re.split(r"[<>=!;\[ ]", each)[0].lower() for each in declared["project"]["dependencies"]
    }
    imported = set()
    for folder in ("nodeforge", "nodes"):
        for file in (ROOT / folder).rglob("*.py"):
            for statement in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(statement, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in statement.names}
                elif isinstance(statement, ast.ImportFrom) and statement.module:
                    imported.add(statement.module.split(".")[0])
    unused = {name for name in names if IMPORT_NAMES.get(name, name) not in imported}
    assert unused <= NEVER_IMPORTED.keys()
