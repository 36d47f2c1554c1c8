"""Commands of the File, Edit, Node, View and Help menus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt

from nodeforge.errors import RequestError
from nodeforge.ui.common.command_registry import Command
from nodeforge.ui.documents.measured_loops import model_names
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.files.smaller_dialog import SmallerDialog, smaller_text
from nodeforge.ui.panels.wildcard_files import WildcardFilesDialog
from nodeforge.ui.window.base_window import BaseWindow
from nodeforge.ui.window.documents_area import LINK_STYLES
from nodeforge.ui.window.menus.canvas_menu import canvas_commands
from nodeforge.ui.window.menus.graph_export import GraphExport
from nodeforge.ui.window.menus.run_menu import RunMenu
from nodeforge.ui.window.regions import walk_regions

_WORDS = {
    "node.broadcast": ("Anything everywhere", "Link to all open inputs"),
    "node.backdrop": ("Frame", "Group box", "Comment box"),
    "node.group": ("Make group", "Group nodes", "Collapse into subgraph"),
    "node.ungroup": ("Ungroup", "Expand group"),
    "node.mute": ("Never", "Disable"),
    "node.bypass": ("Skip", "Pass through"),
    "node.collapse": ("Minimise", "Hide parameters"),
    "node.layout": ("Arrange", "Tidy up"),
    "view.zoom_all": ("Fit", "Frame all"),
    "view.zoom_selection": ("Frame selected",),
}
"""What other node editors call these commands; the command palette finds them by these names."""


def all_commands(window: BaseWindow, run_menu: RunMenu) -> list[Command]:
    """Every command of the window."""
    return [
        *_file(window),
        *_edit(window),
        *_node(window),
        *_view(window),
        *run_menu.commands(),
        *canvas_commands(window),
        *_help(window),
    ]


def _with(window: BaseWindow, do: Callable[[OpenDocument], object]) -> Callable[[], object]:
    """A function that calls `do` with the current document."""

    def run() -> object:
        current = window.workspace.current
        return do(current) if current is not None else None

    return run


def _file(window: BaseWindow) -> list[Command]:
    files, any_open, drawn = window.files, window.has_document, GraphExport(window)
    return [
        Command("file.new", "New workflow", window.workspace.new, ("Ctrl+N",), "file-plus"),
        Command("file.open", "Open…", files.ask_open, ("Ctrl+O",), "folder-open"),
        Command(
            "file.save", "Save", _with(window, files.save), ("Ctrl+S",), "floppy-disk", any_open
        ),
        Command(
            "file.save_as",
            "Save as…",
            _with(window, files.save_as),
            ("Ctrl+Shift+S",),
            "",
            any_open,
        ),
        Command(
            "file.versions",
            "Versions…",
            _with(window, files.show_versions),
            (),
            "clock-counter-clockwise",
            any_open,
            words=("Restore", "Earlier versions", "Backups", "File history"),
        ),
        Command(
            "file.compare",
            "Compare with…",
            _with(window, files.ask_compare),
            (),
            "columns",
            any_open,
            words=("Diff", "Differences", "What changed"),
        ),
        Command(
            "file.copy_json", "Copy as JSON", _with(window, window.copy_json), (), "", any_open
        ),
        Command(
            "file.copy_picture",
            "Copy as picture",
            window.call_in_front("copy_as_picture"),
            (),
            "image",
            any_open,
        ),
        Command("file.copy_svg", "Copy as SVG", drawn.copy_svg, (), "", any_open),
        Command(
            "file.export_graph",
            "Export graph…",
            _with(window, drawn.export),
            (),
            "export",
            any_open,
        ),
        Command(
            "file.wildcards",
            "Wildcard files…",
            partial(_edit_wildcards, window),
            (),
            "shuffle",
            words=("Dynamic prompts", "Random prompts", "Word lists"),
        ),
        Command(
            "file.smaller_model",
            "Save model smaller…",
            partial(_save_smaller, window),
            (),
            "arrows-in",
            words=("Quantise", "8 bits", "int8", "fp8", "Shrink checkpoint"),
        ),
        Command("file.preferences", "Preferences…", window.show_preferences, ("Ctrl+,",), "gear"),
        Command("file.close", "Close tab", _with(window, files.close), ("Ctrl+W",), "x", any_open),
        Command("file.quit", "Quit", window.close, ("Ctrl+Q",)),
    ]


def _save_smaller(window: BaseWindow) -> None:
    """Ask for a model to write with smaller weights; that of the current workflow is proposed."""
    opened = window.workspace.current
    file = None if opened is None else _model_file(window, opened)
    dialog = SmallerDialog(window.workspace.settings, file, window)
    dialog.written.connect(lambda made: window.area.status_message.emit(smaller_text(made)))
    dialog.open()


def _model_file(window: BaseWindow, opened: OpenDocument) -> Path | None:
    """The first model of a workflow that is one file."""
    granted = frozenset(map(Path, opened.granted))
    for name in model_names(window.workspace, opened):
        with suppress(RequestError):
            found = window.workspace.folders.find("checkpoint", name, granted)
            if found.is_file():
                return found
    return None


def _edit_wildcards(window: BaseWindow) -> None:
    """Show the wildcard files; what nodes give is shown anew once it is closed."""
    dialog = WildcardFilesDialog(window.workspace.settings.wildcards, window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    current = window.workspace.current
    if current is not None:
        dialog.finished.connect(lambda _: current.problems_changed.emit())
    dialog.open()


def _edit(window: BaseWindow) -> list[Command]:
    """Undo and redo act on the document, all others on the focused graph or canvas."""
    undo_name, redo_name = window.undo_name, window.redo_name
    undo, redo = partial(_named, "Undo", undo_name), partial(_named, "Redo", redo_name)
    return [
        Command(
            "edit.undo",
            "Undo",
            _with(window, lambda each: each.undo()),
            ("Ctrl+Z",),
            "arrow-u-up-left",
            window.can_undo,
            label=undo,
        ),
        Command(
            "edit.redo",
            "Redo",
            _with(window, lambda each: each.redo()),
            ("Ctrl+Shift+Z", "Ctrl+Y"),
            "arrow-u-up-right",
            lambda: bool(redo_name()),
            label=redo,
        ),
        *_on_graph(
            window,
            ("edit.cut", "Cut", "cut", ("Ctrl+X",), "scissors", True),
            ("edit.copy", "Copy", "copy", ("Ctrl+C",), "copy", True),
            ("edit.paste", "Paste", "paste", ("Ctrl+V",), "clipboard", False),
            ("edit.duplicate", "Duplicate", "duplicate", ("Ctrl+D",), "copy-simple", True),
            ("edit.delete", "Delete", "delete_selected", ("Del",), "trash", True),
            ("edit.select_all", "Select all", "select_all", ("Ctrl+A",), "selection-all", False),
            ("edit.find", "Find node…", "find", ("Ctrl+F",), "magnifying-glass", False),
        ),
        Command(
            "edit.paste_linked",
            "Paste with links",
            window.call_in_front("paste", keep_inputs=True),
            ("Ctrl+Shift+V",),
            "",
            lambda: window.area.shown == "graph" and window.has_document(),
            context=window.area.tabs,
        ),
    ]


def _named(verb: str, name: Callable[[], str]) -> str:
    return f"{verb} {name()}".strip()


def _node(window: BaseWindow) -> list[Command]:
    return [
        *_on_graph(
            window,
            ("node.add", "Add node…", "search_add", ("Tab",), "plus", False),
            ("node.rename", "Rename", "rename", ("F2",), "text-aa", True),
            ("node.open", "Open subgraph", "open_selected", ("Return",), "", True),
            ("node.up", "Leave subgraph", "go_up", ("Alt+Up",), "", False),
            ("node.mute", "Mute", "mute", ("M",), "speaker-slash", True),
            ("node.bypass", "Bypass", "bypass", ("B",), "arrow-bend-double-up-right", True),
            ("node.pin", "Keep result in cache", "pin", ("P",), "push-pin", True),
            ("node.collapse", "Collapse", "collapse", ("C",), "", True),
            ("node.group", "Convert to subgraph", "group", ("Ctrl+G",), "stack", True),
            ("node.ungroup", "Unpack subgraph", "ungroup", ("Ctrl+Alt+G",), "", True),
            ("node.broadcast", "Broadcast outputs", "broadcast", (), "broadcast", True),
            ("node.keep", "Keep in library", "keep_in_library", (), "bookmark-simple", True),
            (
                "node.backdrop",
                "Add backdrop",
                "backdrop",
                ("Ctrl+Shift+G",),
                "frame-corners",
                False,
            ),
            ("node.layout", "Lay out", "auto_layout", ("L",), "tree-structure", False),
        ),
        *(
            Command(f"node.{name}", text, window.call_in_front(*call), (), "", window.has_selection)
            for name, text, call in (
                ("align_left", "Align left", ("align", "left")),
                ("align_top", "Align top", ("align", "top")),
                ("across", "Distribute across", ("distribute", "across")),
                ("down", "Distribute down", ("distribute", "down")),
            )
        ),
    ]


def _on_graph(
    window: BaseWindow, *rows: tuple[str, str, str, Sequence[str], str, bool]
) -> list[Command]:
    """Commands that call a method of the graph view, or of the canvas if it has that method; the
    last field says whether they need a selection in the graph."""
    return [
        Command(
            name,
            text,
            window.call_in_front(method),
            keys,
            icon,
            partial(window.can_call_in_front, method, selection=needs),
            context=window.area.tabs,
            words=_WORDS.get(name, ()),
        )
        for name, text, method, keys, icon, needs in rows
    ]


def _view(window: BaseWindow) -> list[Command]:
    on_graph = _on_graph(
        window,
        ("view.zoom_all", "Zoom to all", "zoom_all", ("Home",), "arrows-out", False),
        ("view.zoom_selection", "Zoom to selection", "zoom_selection", ("F",), "crosshair", True),
    )
    return [
        Command(
            "view.palette", "Command palette…", window.show_palette, ("Ctrl+Shift+P",), "command"
        ),
        *on_graph,
        *(
            Command(
                f"view.{name}_region",
                f"{name.capitalize()} panel",
                lambda step=step: walk_regions(window.area, window.docks.all, step),
                (keys,),
            )
            for name, step, keys in (("next", 1, "F6"), ("previous", -1, "Shift+F6"))
        ),
        Command(
            "view.light",
            "Light theme",
            window.switch_theme,
            (),
            "sun",
            checked=lambda: not window.workspace.theme.is_dark,
            words=("Dark theme", "Colours"),
        ),
        *(
            Command(
                f"view.links_{style}",
                f"{style.capitalize()} links",
                partial(window.area.set_link_style, style),
                checked=lambda style=style: window.area.link_style == style,
            )
            for style in LINK_STYLES
        ),
        Command(
            "view.reset_layout",
            "Reset layout",
            window.docks.reset_layout,
            (),
            "layout",
            lambda: window.area.shown == "graph",
            words=("Default panels", "Workspace"),
        ),
        *(
            Command(
                f"view.{name}",
                dock.accessibleName(),
                partial(window.toggle_dock, name),
                checked=lambda dock=dock: not dock.isHidden(),
            )
            for name, dock in window.docks.all.items()
        ),
    ]


def _help(window: BaseWindow) -> list[Command]:
    return [
        Command("help.first_steps", "First steps", window.show_first_steps, (), "map-trifold"),
        Command("help.manual", "Manual", window.show_manual, (), "book-open"),
        Command("help.shortcuts", "Shortcuts", window.show_shortcuts, ("F1",), "keyboard"),
        Command("help.logs", "Show logs and crash reports", window.show_logs, (), "folder-open"),
        Command("help.about", "About NodeForge", window.show_about, (), "info"),
    ]
