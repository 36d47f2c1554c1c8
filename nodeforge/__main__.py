"""`nodeforge`: chooses the command line or the window, importing only that one."""

from __future__ import annotations

import sys


def _import_from_current_folder_no_more() -> None:
    """Take the current folder out of `sys.path`, where `python -m` puts it first.

    A download may lie there, with modules that have the names of libraries. NodeForge's own
    folder stays, if it is the current one.
    """
    os = sys.modules["os"]  # imported by Python itself: an import here might find another
    try:
        here = os.getcwd()
    except OSError:  # it was removed: nothing can be imported from it
        return
    program = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if here != program:
        sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != here]


_import_from_current_folder_no_more()

import ctypes  # noqa: E402
import gc  # noqa: E402
import os  # noqa: E402
from pathlib import Path  # noqa: E402

WRONG = 2
_OPENS = (".json", ".png", ".jpg", ".jpeg", ".webp")
_HELP = "Without a window: `nodeforge run WORKFLOW`. What is missing here: `nodeforge doctor`."


def main() -> None:
    arguments = sys.argv[1:]
    if not arguments or (len(arguments) == 1 and _is_workflow(arguments[0])):
        sys.exit(_window(Path(arguments[0]) if arguments else None))
    if len(arguments) == 1 and Path(arguments[0]).suffix in _OPENS:
        print(f"{arguments[0]}: there is no such file.", file=sys.stderr)
        sys.exit(WRONG)
    from nodeforge.cli.main import main as command_line

    command_line()


def _is_workflow(argument: str) -> bool:
    return not argument.startswith("-") and Path(argument).is_file()


def _window(file: Path | None) -> int:
    if why := _why_no_window():
        print(f"The window cannot open: {why}\n    {_HELP}", file=sys.stderr)
        return WRONG
    gc.disable()  # imports leave hardly any cycles; the window collects them itself
    from nodeforge.errors import NodeForgeError

    try:
        from nodeforge.ui.application.app import main as window

        return window(file)
    except ImportError as error:
        print(f"The window cannot open: {error}.\n    {_HELP}", file=sys.stderr)
        return WRONG
    except NodeForgeError as error:
        print(error, file=sys.stderr)
        return WRONG


def _why_no_window() -> str:
    """Why Qt would end the process, which it does without asking; empty where it would not."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return ""
    if os.environ.get("WAYLAND_DISPLAY"):
        return ""
    display = os.environ.get("DISPLAY")
    if not display:
        return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)."
    if not _opens(display):
        return f"the display '{display}' does not answer."
    from nodeforge.cli.system_libraries import mending_command, missing_packages

    packages = [name for name in missing_packages() if "wayland" not in name]
    if packages:
        return f"system libraries are missing. Install them: sudo {mending_command(packages)}"
    return ""


def _opens(display: str) -> bool:
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:
        return True  # the list of missing packages says so
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XCloseDisplay.argtypes = [ctypes.c_void_p]
    connection = xlib.XOpenDisplay(display.encode())
    if not connection:
        return False
    xlib.XCloseDisplay(connection)
    return True


if __name__ == "__main__":
    main()
