"""The desktop's file dialog is used where there is one."""

from pathlib import Path

import pytest

from nodeforge.ui.application.file_dialogs import platform_theme


@pytest.fixture
def desktop(tmp_path: Path) -> dict[str, str]:
    """The environment of a desktop with a portal."""
    service = tmp_path / "dbus-1/services/org.freedesktop.portal.Desktop.service"
    portal = tmp_path / "xdg-desktop-portal/portals/kde.portal"
    for file, text in (
        (service, "[D-BUS Service]"),
        (portal, "[portal]\nInterfaces=org.freedesktop.impl.portal.FileChooser;x"),
    ):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    bus = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus"}
    return {"DISPLAY": ":0", "XDG_DATA_DIRS": f"/nowhere:{tmp_path}", **bus}


def test_a_desktop_with_a_portal_shows_its_own_dialog(desktop):
    """Window D43: Qt's own dialog has cut columns and no thumbnails."""
    assert platform_theme(desktop, "linux") == "xdgdesktopportal"


@pytest.mark.parametrize(
    ("changes", "platform"),
    [
        ({}, "win32"),
        ({}, "darwin"),
        ({"DISPLAY": None}, "linux"),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux"),
        ({"QT_QPA_PLATFORMTHEME": "kde"}, "linux"),
        ({"DBUS_SESSION_BUS_ADDRESS": None}, "linux"),
        ({"XDG_DATA_DIRS": "/nowhere"}, "linux"),
    ],
)
def test_elsewhere_qt_chooses(desktop, changes, platform):
    environment = {**desktop, **changes}
    kept = {name: value for name, value in environment.items() if value is not None}
    assert platform_theme(kept, platform) == ""


def test_a_portal_without_a_file_chooser_is_not_used(desktop, tmp_path: Path):
    portal = tmp_path / "xdg-desktop-portal/portals/kde.portal"
    portal.write_text("[portal]\nInterfaces=org.freedesktop.impl.portal.Screenshot")
    assert platform_theme(desktop, "linux") == ""
