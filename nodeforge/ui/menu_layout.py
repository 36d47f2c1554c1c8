"""Which commands each menu lists, in what order."""

from __future__ import annotations

from collections.abc import Sequence

SEPARATOR = ""

MENUS: dict[str, tuple[str, Sequence[str]]] = {
    "file": (
        "&File",
        (
            *("file.new", "file.open", SEPARATOR, "file.save", "file.save_as", SEPARATOR),
            *("file.copy_json", "file.copy_picture", "file.copy_svg", "file.export_graph"),
            *(SEPARATOR, "file.preferences"),
            *(SEPARATOR, "file.close", "file.quit"),
        ),
    ),
    "edit": (
        "&Edit",
        (
            *("edit.undo", "edit.redo", SEPARATOR, "edit.cut", "edit.copy", "edit.paste"),
            *("edit.paste_linked", "edit.duplicate", "edit.delete", SEPARATOR),
            *("edit.select_all", "edit.find"),
        ),
    ),
    "node": (
        "&Node",
        (
            *("node.add", "node.rename", "node.open", "node.up", SEPARATOR, "node.mute"),
            *("node.bypass", "node.pin", "node.collapse", SEPARATOR, "node.group"),
            *("node.ungroup", "node.backdrop", SEPARATOR, "node.align_left", "node.align_top"),
            *("node.across", "node.down", "node.layout"),
        ),
    ),
    "view": (
        "&View",
        (
            *("view.palette", SEPARATOR, "view.zoom_all", "view.zoom_selection", SEPARATOR),
            *("view.light", "view.library", "view.inspector", "view.viewer", "view.gallery"),
            *("view.queue", "view.problems", "view.log"),
        ),
    ),
    "run": (
        "&Run",
        (
            *("run.run", "run.to_selected", "run.selected", "run.stop", SEPARATOR),
            *("run.on_change", "run.pause", "run.previews", SEPARATOR),
            *("run.relink", "run.free", "run.restart_worker"),
        ),
    ),
    "help": ("&Help", ("help.shortcuts", "help.logs", "help.about")),
}
