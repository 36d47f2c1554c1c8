"""Starting: without a display, a second time, after a crash; and the preferences."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QApplication, QPushButton

from nodeforge.settings import load_settings
from nodeforge.ui.application import single_instance
from nodeforge.ui.application.app import show_crash
from nodeforge.ui.application.crash_reports import FATAL, CrashReports
from nodeforge.ui.preferences import Preferences, layout_of


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    clean = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "nodeforge", *arguments]
    return subprocess.run(
        command, env={**clean, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others always have a display")
@pytest.mark.parametrize("environment", [{}, {"DISPLAY": ":4077"}])
def test_without_a_display_one_message_names_the_way_out(home: Path, environment):
    done = start(**environment)
    assert done.returncode == 2
    assert done.stderr.startswith("The window cannot open: ")
    assert "nodeforge run" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_workflow_that_is_not_there_is_named(home: Path):
    done = start("missing.json")
    assert (done.returncode, done.stderr) == (2, "missing.json: there is no such file.\n")


def test_a_second_start_hands_its_file_to_the_first(qtbot, home: Path, tmp_path: Path):
    assert not single_instance.send_to_running_instance(home, None)
    first = single_instance.SingleInstanceServer(home)
    asked: list[str] = []
    first.file_requested.connect(asked.append)
    code = (
        "import sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication;"
        "from nodeforge.ui.application import single_instance; app = QCoreApplication([]);"
        "sent = single_instance.send_to_running_instance(Path(sys.argv[1]), Path(sys.argv[2]));"
        "sys.exit(not sent)"
    )
    second = subprocess.Popen([sys.executable, "-c", code, home, tmp_path / "mine.json"])
    qtbot.waitUntil(lambda: asked == [str(tmp_path / "mine.json")], timeout=20_000)
    assert second.wait() == 0
    first.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe there, with rights of its own")
def test_the_socket_lies_where_nobody_else_can_listen(home: Path, tmp_path: Path, monkeypatch):
    """Reliability F19: another user listened under the name and got the file's path."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "nodeforge"
    assert Path(single_instance.server_name(home)).parent == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)  # made beforehand, so that others may put a socket there
    assert single_instance.server_name(home) == ""
    assert not single_instance.send_to_running_instance(home, None)
    single_instance.SingleInstanceServer(home).close()
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert single_instance.server_name(home) == ""


def test_closing_while_a_later_start_is_still_there_is_no_crash(qtbot, home: Path):
    for _ in range(10):
        first, asked = single_instance.SingleInstanceServer(home), list[str]()
        first.file_requested.connect(asked.append)
        later = QLocalSocket()
        later.connectToServer(single_instance.server_name(home))
        assert later.waitForConnected(1000)
        later.write(b'{"open": "mine.json"}\n')
        qtbot.waitUntil(lambda asked=asked: asked == ["mine.json"])
        first.close()


def test_a_mistake_of_ours_leaves_a_report_that_can_be_copied(qtbot, window, tmp_path: Path):
    shown: list[tuple[Path, str]] = []
    reports = CrashReports(tmp_path, lambda path, text: shown.append((path, text)))
    try:
        raise ValueError("a mistake")
    except ValueError as error:
        reports._caught(type(error), error, error.__traceback__)
    (path, text) = shown[0]
    assert "a mistake" in path.read_text()
    assert "NodeForge" in text
    box = show_crash(window, str(path), text)
    copy = next(b for b in box.findChildren(QPushButton) if b.text() == "Copy report")
    copy.click()
    assert QApplication.clipboard().text() == text
    assert box.isVisible()
    box.close()


def test_what_killed_the_process_is_kept_for_the_next_start(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    (tmp_path / FATAL).write_text("Fatal Python error: Segmentation fault")
    code = (
        "import sys; from pathlib import Path;"
        "from nodeforge.ui.application.crash_reports import CrashReports;"
        "CrashReports(Path(sys.argv[1]), print).install()"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    (report,) = tmp_path.glob("crash-*.txt")
    assert "Segmentation fault" in report.read_text()


def test_preferences_are_written_and_used(window, home: Path, tmp_path: Path):
    (tmp_path / "models" / "loras").mkdir(parents=True)
    dialog = Preferences(window.workspace, window.commands, window)
    dialog.device.setCurrentIndex(dialog.device.findData("cpu"))
    dialog.disk.setValue(3.0)
    dialog.output.setText(str(tmp_path / "out"))
    dialog.add_folder(str(tmp_path / "models"))
    dialog.accept()
    settings = load_settings(home)
    assert settings.device == "cpu"
    assert settings.disk_cache_bytes == 3 * 2**30
    assert settings.outputs == tmp_path / "out"
    assert [folder.layout for folder in settings.model_folders] == ["comfyui"]
    assert window.workspace.settings == settings
    assert json.loads((home / "settings.json").read_text())["device"] == "cpu"


def test_the_layout_of_model_folders_is_seen(tmp_path: Path):
    (tmp_path / "Stable-diffusion").mkdir()
    assert layout_of(tmp_path) == "a1111"


def test_a_second_start_hands_its_file_over_without_importing_the_window():
    code = (
        "import sys, nodeforge.ui.application.app; "
        "sys.exit('nodeforge.ui.window.main_window' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
