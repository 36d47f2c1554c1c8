"""'Show in folder', with a file manager on a session bus of its own, and without one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nodeforge.ui.common import file_manager as revealing

PROGRAM = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QObject, QTimer
from PySide6.QtDBus import QDBusConnection, QDBusVirtualObject
from nodeforge.ui.common import file_manager as revealing

class Manager(QDBusVirtualObject):
    def introspect(self, path):
        return ""
    def handleMessage(self, message, connection):
        print("asked", message.member(), message.signature(), message.arguments()[0][0])
        connection.send(message.createReply())
        app.quit()
        return True

def opened(path):
    print("opened", path.parent)
    app.quit()

app = QCoreApplication([])
revealing._open_folder = opened
manager, parent = Manager(), QObject()
theirs = QDBusConnection.connectToBus(QDBusConnection.BusType.SessionBus, "theirs")
if sys.argv[2] == "managed":
    theirs.registerVirtualObject("/org/freedesktop/FileManager1", manager)
    theirs.registerService("org.freedesktop.FileManager1")
revealing.show_in_file_manager(Path(sys.argv[1]), parent)
QTimer.singleShot(5000, app.quit)
app.exec()
"""


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("dbus-run-session") is None, reason="needs D-Bus"
)
@pytest.mark.parametrize("manager", ["managed", "alone"])
def test_the_file_manager_selects_the_file_and_without_one_the_folder_opens(
    tmp_path: Path, manager: str
):
    picture = tmp_path / "a fox ü#1.png"
    picture.write_bytes(b"")
    command = ["dbus-run-session", "--", sys.executable, "-c", PROGRAM, str(picture), manager]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
    uri = f"asked ShowItems ass {tmp_path.as_uri()}/a%20fox%20%C3%BC%231.png"
    assert answer == (uri if manager == "managed" else f"opened {tmp_path}")


def test_of_a_file_that_is_gone_the_folder_opens(qapp, tmp_path: Path, monkeypatch):
    opened: list[Path] = []
    monkeypatch.setattr(revealing, "_open_folder", opened.append)
    revealing.show_in_file_manager(tmp_path / "gone.png", qapp)
    assert opened == [tmp_path / "gone.png"]


@pytest.mark.parametrize(
    ("platform", "command"),
    [
        ("darwin", ["open", "-R", "{}"]),
        ("win32", 'explorer /select,"{}"'),
    ],
)
def test_other_systems_are_asked_by_a_command(qapp, tmp_path, monkeypatch, platform, command):
    started: list[object] = []
    monkeypatch.setattr(revealing.sys, "platform", platform)
    monkeypatch.setattr(revealing.subprocess, "Popen", started.append)
    picture = tmp_path / "a.png"
    picture.write_bytes(b"")
    revealing.show_in_file_manager(picture, qapp)
    told = command if isinstance(command, str) else "\n".join(command)
    asked = started[0] if isinstance(started[0], str) else "\n".join(started[0])
    assert asked == told.format(picture)
