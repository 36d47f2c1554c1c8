"""Starting in every locale."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from support.windows import __file__ as support

UI = Path(__file__).parents[3] / "nodeforge" / "ui"
FILES = sorted(UI.rglob("*.py"))
START = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from nodeforge.settings import load_settings
from nodeforge.ui.application.app import make_app, window_store
from nodeforge.ui.common import theme
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.window.main_window import MainWindow
from support.windows import quiet_worker
settings = load_settings()
app = make_app()
workspace = Workspace(settings, window_store(settings.home))
theme.apply(app, workspace.theme)
window = MainWindow(workspace, quiet_worker)
window.show()
window.files.open(Path(sys.argv[1]))
window.area.show_view("canvas")
window.area.show_view("graph")
app.processEvents()
print(window.windowTitle())
window.close()
"""


def compiled_locale(folder: Path, language: str) -> str:
    """The name of a UTF-8 locale compiled into `folder`; skips where it cannot be."""
    if shutil.which("localedef") is None:
        pytest.skip("localedef, which makes locales, is not installed")
    name = f"{language}.UTF-8"
    command = ["localedef", "-i", language, "-f", "UTF-8", str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not (folder / name).exists():
        pytest.skip(f"localedef cannot make {name}: {done.stderr.strip()[:200]}")
    return name


def test_the_window_starts_in_turkish(home: Path, tmp_path: Path):
    """Window A1: PySide makes a setter's name with the locale's upper case: i has a dotted I."""
    name = compiled_locale(tmp_path, "tr_TR")
    tests = str(Path(support).parents[1])
    environment = {
        **os.environ,
        "LC_ALL": name,
        "LOCPATH": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")]),
    }
    file = tmp_path / "mine.json"
    shutil.copy(UI.parents[1] / "workflows" / "text_to_image.json", file)
    done = subprocess.run(
        [sys.executable, "-c", START, file],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=UI.parents[1],
    )
    assert (done.returncode, done.stdout) == (0, "mine[*] – NodeForge\n"), done.stderr


def own_classes(trees: Iterable[ast.Module], qt: set[str]) -> dict[str, set[str]]:
    """Our classes that derive from a class of Qt, with the parameters of their constructors."""
    found: dict[str, set[str]] = {}
    classes = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    before = -1
    while before < (before := len(found)):  # bases may follow what derives from them
        for each in classes:
            if any(ast.unparse(base) in {*qt, *found} for base in each.bases):
                found[each.name] = {
                    argument.arg
                    for method in each.body
                    if isinstance(method, ast.FunctionDef) and method.name == "__init__"
                    for argument in (*method.args.args, *method.args.kwonlyargs)
                }
    return found


def property_keywords(trees: dict[str, ast.Module]) -> list[str]:
    """Where a keyword that begins with i is given to an object of Qt as it is built."""
    imports = [n for t in trees.values() for n in ast.walk(t) if isinstance(n, ast.ImportFrom)]
    qt = {
        alias.asname or alias.name
        for node in imports
        if (node.module or "").startswith("PySide6")
        for alias in node.names
    }
    ours = own_classes(trees.values(), qt)
    built = {name: set[str]() for name in (*qt, "super().__init__")} | ours
    return [
        f"{name}:{call.lineno}: {keyword.arg}"
        for name, tree in trees.items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and (taken := built.get(ast.unparse(call.func))) is not None
        for keyword in call.keywords
        if (keyword.arg or "").startswith("i") and keyword.arg not in taken
    ]


def test_no_qt_object_is_built_with_a_keyword_that_turkish_spells_otherwise():
    """Window A1, its kind: any property whose name begins with i."""
    trees = {str(file.relative_to(UI)): ast.parse(file.read_text("utf-8")) for file in FILES}
    assert property_keywords(trees) == []


def test_such_keywords_are_found():
    source = """
from PySide6.QtCore import QTimer
class Later(Tree): ...
class Tree(QTimer):
    def __init__(self, icon): super().__init__(indent=1)
Tree(icon=1); Later(indentation=2); QTimer(interval=3); print(item=4)
"""
    found = property_keywords({"a.py": ast.parse(source)})
    assert [place.split(": ")[1] for place in found] == ["indentation", "interval", "indent"]
