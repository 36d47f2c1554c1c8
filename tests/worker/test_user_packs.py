"""A user's pack runs exactly the bytes that were allowed (F2)."""

import importlib
import importlib.util
import os
import py_compile
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nodeforge.engine.content.pack_content import PackContentError, content_hash
from nodeforge.settings import Settings
from nodeforge.worker.pack_import import NAMESPACE
from nodeforge.worker.packs import load_packs

SOURCE = """
from pathlib import Path
from nodeforge.api import node

TEXT = (Path(__file__).parent / "data.txt").read_text()

@node("mine.theirs")
def theirs(text: str = "") -> str:
    \"\"\"Give a text.

    Args:
        text: It.
    \"\"\"
    return text + TEXT
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    pack = tmp_path / "packs" / "mine"
    (pack / "inner").mkdir(parents=True)
    (pack / "__init__.py").write_text(SOURCE)
    (pack / "data.txt").write_text("data")
    (pack / "late.py").write_text("WHO = 'allowed'\n")
    (pack / "inner" / "__init__.py").write_text("WHO = 'inner'\n")
    yield Settings(home=tmp_path)
    for name in [name for name in sys.modules if name.startswith(f"{NAMESPACE}.mine")]:
        del sys.modules[name]


def allowed(settings: Settings) -> Settings:
    pack = settings.packs / "mine"
    return replace(settings, packs_allowed={"mine": content_hash(pack)})


def module(name: str):
    return importlib.import_module(f"{NAMESPACE}.mine.{name}")


def test_an_allowed_pack_runs_from_a_private_copy(settings: Settings):
    packs = load_packs(allowed(settings))
    assert "mine.theirs" in packs.node_types
    assert packs.node_types["mine.theirs"].function("more ") == "more data"
    copy = Path(sys.modules[f"{NAMESPACE}.mine"].__file__ or "")
    assert settings.pack_copies in copy.parents
    assert settings.packs not in copy.parents
    assert settings.pack_copies.stat().st_mode & 0o777 == 0o700
    assert copy.stat().st_mode & 0o222 == 0
    assert not list(settings.pack_copies.rglob("__pycache__"))
    assert module("inner").WHO == "inner"


def test_what_is_changed_after_it_was_allowed_does_not_run(settings: Settings):
    before = allowed(settings)
    load_packs(before)
    (settings.packs / "mine" / "late.py").write_text("WHO = 'changed'\n")
    for name in [name for name in sys.modules if name.startswith(f"{NAMESPACE}.mine")]:
        del sys.modules[name]
    assert "its content is new or has changed" in load_packs(before).refused["mine"]


def test_a_file_that_comes_into_the_copy_is_refused_also_when_imported_late(settings: Settings):
    load_packs(allowed(settings))
    copy = Path(sys.modules[f"{NAMESPACE}.mine"].__file__ or "").parent
    for folder in (copy, copy / "inner"):
        folder.chmod(0o700)
    (copy / "planted.py").write_text("WHO = 'planted'\n")
    (copy / "inner" / "planted.py").write_text("WHO = 'planted'\n")
    (copy / "inner" / "__init__.py").chmod(0o600)
    (copy / "inner" / "__init__.py").write_text("WHO = 'replaced'\n")
    for name in ("planted", "inner", "inner.planted"):
        sys.modules.pop(f"{NAMESPACE}.mine.{name}", None)
        with pytest.raises(ImportError, match="allowed"):
            module(name)
    with pytest.raises(ModuleNotFoundError, match="allowed"):
        importlib.import_module(f"{NAMESPACE}.other")
    # the next start makes the copy anew
    for name in [name for name in sys.modules if name.startswith(f"{NAMESPACE}.mine")]:
        del sys.modules[name]
    assert "mine.theirs" in load_packs(allowed(settings)).node_types
    assert module("inner").WHO == "inner"


@pytest.mark.parametrize("mode", ["unchecked", "timestamp"])
def test_bytecode_in_the_pack_is_not_run(settings: Settings, tmp_path: Path, mode: str):
    """A .pyc of other code beside the allowed source, which Python alone would run."""
    pack = settings.packs / "mine"
    given = allowed(settings)
    evil = tmp_path / "evil.py"
    evil.write_text("WHO = 'bytecode'\n")
    target = importlib.util.cache_from_source(str(pack / "late.py"))
    how = py_compile.PycInvalidationMode
    if mode == "timestamp":
        source = (pack / "late.py").stat()
        evil.write_text("WHO = 'bytecod'\n".ljust(source.st_size))
        os.utime(evil, ns=(source.st_atime_ns, source.st_mtime_ns))
    kind = how.UNCHECKED_HASH if mode == "unchecked" else how.TIMESTAMP
    py_compile.compile(str(evil), target, invalidation_mode=kind)
    load_packs(given)
    assert module("late").WHO == "allowed"


@pytest.mark.parametrize("kind", ["file", "folder", "dangling", "fifo"])
def test_a_pack_with_a_link_or_a_device_is_refused(settings: Settings, tmp_path: Path, kind: str):
    pack = settings.packs / "mine"
    given = allowed(settings)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "__init__.py").write_text("WHO = 'elsewhere'\n")
    match kind:
        case "file":
            (pack / "sub.py").symlink_to(tmp_path / "elsewhere" / "__init__.py")
        case "folder":
            (pack / "sub").symlink_to(tmp_path / "elsewhere")
        case "dangling":
            (pack / "sub.py").symlink_to(tmp_path / "nowhere")
        case "fifo":
            os.mkfifo(pack / "sub.py")
    with pytest.raises(PackContentError, match=r"link|regular file"):
        content_hash(pack)
    assert "sub" in load_packs(given).refused["mine"]


def test_a_linked_pack_folder_is_refused(settings: Settings, tmp_path: Path):
    given = allowed(settings)
    (settings.packs / "mine").rename(tmp_path / "real")
    (settings.packs / "mine").symlink_to(tmp_path / "real")
    assert "is a link" in load_packs(given).refused["mine"]


def test_copies_of_packs_that_are_not_allowed_any_longer_are_removed(settings: Settings):
    load_packs(allowed(settings))
    assert list(settings.pack_copies.iterdir())
    load_packs(settings)
    assert not list(settings.pack_copies.iterdir())
