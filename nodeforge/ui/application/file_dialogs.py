"""The desktop's own file dialog on Linux, through the XDG desktop portal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_THEME = "QT_QPA_PLATFORMTHEME"
_SERVICE = "dbus-1/services/org.freedesktop.portal.Desktop.service"
_CHOOSER = "org.freedesktop.impl.portal.FileChooser"
_DATA = "/usr/local/share:/usr/share"


def platform_theme(environment: Mapping[str, str], platform: str = sys.platform) -> str:
    """The Qt platform theme to set for the desktop's file dialog; empty to leave it to Qt.

    Windows and macOS have theirs, and Qt knows GNOME's. Elsewhere Qt shows a dialog of its own,
    without thumbnails. The portal is used where its service and a file chooser are installed:
    without them Qt's theme for it shows no dialog at all.
    """
    on_desktop = bool({"DISPLAY", "WAYLAND_DISPLAY"} & environment.keys())
    other = environment.get("QT_QPA_PLATFORM", "").partition(":")[0] not in ("", "xcb", "wayland")
    if not platform.startswith("linux") or not on_desktop or other or environment.get(_THEME):
        return ""
    if not environment.get("DBUS_SESSION_BUS_ADDRESS"):
        return ""
    folders = [
        Path(each) for each in (environment.get("XDG_DATA_DIRS") or _DATA).split(":") if each
    ]
    served = any((folder / _SERVICE).is_file() for folder in folders)
    return "xdgdesktopportal" if served and any(_choosers(folders)) else ""


def use_platform_dialogs() -> None:
    """Let Qt use the desktop's file dialog; to be called before the application is made."""
    if theme := platform_theme(os.environ):
        os.environ[_THEME] = theme


def _choosers(folders: list[Path]) -> Iterator[Path]:
    """The portal's back ends that have a file chooser."""
    for folder in folders:
        for file in (folder / "xdg-desktop-portal" / "portals").glob("*.portal"):
            try:
                if _CHOOSER in file.read_text("utf-8", "replace"):
                    yield file
            except OSError:
                continue
