"""Recovery copies: none is lost on the way, and none keeps the window from opening."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nodeforge.formats import save
from nodeforge.graph.document import Document
from nodeforge.graph.model import Node
from nodeforge.ui.documents.autosave import Autosave
from nodeforge.ui.documents.recovery_files import AutosaveSession


def copy_in(folder: Path, name: str = "999999-abc") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    document = Document()
    document.graph.nodes["kept"] = Node("values.text", {"text": "precious"})
    save(document, folder / f"{name}.json")
    return folder / f"{name}.json"


@contextmanager
def nothing_can_be_written() -> Iterator[None]:
    """Every write fails with an error of the system, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on writing there")
def test_recovering_on_a_full_disk_keeps_the_only_copy(window, home: Path):
    """Reliability F5: the copy was removed although the new one could not be written."""
    file = copy_in(home / "autosave")
    told: list[str] = []
    window.autosave.failed.connect(told.append)
    with nothing_can_be_written():
        opened = window.autosave.recover(file)
    assert opened.document.node("kept").values == {"text": "precious"}
    assert told
    assert file.exists()
    window.autosave.recover(file)
    assert not file.exists()
    assert len(list((home / "autosave").glob("*.json"))) == 1


def test_what_is_recovered_comes_behind_what_the_person_opened(window, home: Path, tmp_path: Path):
    """As a file that is named on the command line: it is opened before copies are looked for."""
    named = tmp_path / "named.json"
    save(Document(), named)
    window.files.open(named)
    recovered = window.autosave.recover(copy_in(home / "autosave"))
    assert recovered in window.workspace.documents
    assert window.workspace.current.path == named


def test_of_several_that_are_recovered_the_last_is_in_front(window, home: Path):
    for name in ("999999-abc", "999999-def"):
        last = window.autosave.recover(copy_in(home / "autosave", name))
    assert window.workspace.current is last


@pytest.mark.parametrize(
    "about", ["[]", "5", "null", '{"path": 5}', '{"name": []}', '{"path": "a\\u0000b"}', "{", ""]
)
def test_what_is_written_beside_a_copy_may_be_anything(window, home: Path, about: str):
    """Reliability F12."""
    file = copy_in(home / "autosave")
    file.with_suffix(".about").write_text(about)
    opened = window.autosave.recover(file)
    assert opened.path is None
    assert opened.name == "Recovered"


def test_every_damaged_copy_is_kept_under_a_name_of_its_own(window, home: Path):
    """Reliability F12: the second damaged folder of one name raised."""
    folder = home / "autosave"
    for number in (1, 2, 3):
        damaged = folder / "999999-abc.nforge"
        damaged.mkdir(parents=True)
        (damaged / "project.json").write_text("[" * number)
        assert window.autosave.recoverable_files() == [damaged]
        assert window.autosave.recover(damaged) is None
        assert (folder / f"999999-abc.nforge.damaged-{number}" / "project.json").exists()
    assert window.autosave.recoverable_files() == []


def test_copies_of_a_running_window_are_not_offered_until_it_has_ended(tmp_path: Path):
    """By a lock that the system releases, as process numbers repeat in containers (F24)."""
    code = (
        "import sys, time; from pathlib import Path;"
        "from nodeforge.ui.documents.recovery_files import AutosaveSession;"
        "session = AutosaveSession(Path(sys.argv[1])); session.hold();"
        "session.file('abc', '.json').write_text('{}'); print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    ours = AutosaveSession(tmp_path)
    assert ours.left_over((".json",)) == []
    ours.clean_up()
    other.kill()
    other.wait()
    (left,) = ours.left_over((".json",))
    renamed = left.with_name(left.name.replace(str(other.pid), str(os.getpid()), 1))
    left.rename(renamed)  # the number of a process of a container that runs again
    assert ours.left_over((".json",)) == [renamed]
    ours.clean_up()
    assert list(tmp_path.glob("*.lock")) == []


def test_temporary_files_of_killed_processes_are_removed_at_the_next_start(window, home: Path):
    """Reliability F17."""
    folder = home / "autosave"
    copy_in(folder)
    old, new = folder / ".1-a.json.x1.part", folder / ".2-a.json.x1.part"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    Autosave(window.workspace).recoverable_files()
    assert not old.exists()
    assert new.exists()  # another window may be writing it now


def test_links_among_the_copies_are_not_followed(window, home: Path, tmp_path: Path):
    (home / "autosave").mkdir(parents=True)
    (tmp_path / "elsewhere.json").write_text(json.dumps({"format": 3}))
    (home / "autosave" / "999999-a.json").symlink_to(tmp_path / "elsewhere.json")
    assert window.autosave.recoverable_files() == []
