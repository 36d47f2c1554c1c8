"""Contents of the menus: command names in order."""

from __future__ import annotations

from collections.abc import Sequence

SEPARATOR = ""

TOOLS = (
    *("tool.brush", "tool.eraser", "tool.clone", "tool.fill", "tool.gradient", SEPARATOR),
    *("tool.rectangle", "tool.ellipse", "tool.lasso", "tool.polygon", "tool.by_colour"),
    *(SEPARATOR, "tool.move", "tool.crop", "tool.picker", "tool.box"),
)

Entry = str | tuple[str, Sequence[str]]
"""A command, or a submenu: its title and its commands."""

MENUS: dict[str, tuple[str, Sequence[Entry]]] = {
    "file": (
        "&File",
        (
            *("file.new", "file.open", SEPARATOR, "file.save", "file.save_as"),
            *("file.versions", "file.compare", SEPARATOR),
            *("file.copy_json", "file.copy_picture", "file.copy_svg", "file.export_graph"),
            *(SEPARATOR, "file.wildcards", "file.smaller_model", "file.preferences"),
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
            *("node.bypass", "node.pin", "node.collapse", "node.broadcast", SEPARATOR),
            *("node.group", "node.ungroup", "node.keep", "node.backdrop", SEPARATOR),
            *("node.align_left", "node.align_top"),
            *("node.across", "node.down", "node.layout"),
        ),
    ),
    "view": (
        "&View",
        (
            *("view.palette", SEPARATOR, "view.graph", "view.canvas", "view.form", SEPARATOR),
            *("view.zoom_all", "view.zoom_selection", "canvas.zoom_in", "canvas.zoom_out"),
            *("canvas.zoom_whole", "canvas.turn_left", "canvas.turn_back", "canvas.turn_right"),
            SEPARATOR,
            *("view.links_curved", "view.links_straight", "view.links_hidden", SEPARATOR),
            *("view.next_region", "view.previous_region", SEPARATOR),
            "view.light",
            (
                "&Panels",
                (
                    *("view.library", "view.inspector", "view.viewer", "view.gallery"),
                    *("view.queue", "view.grids", "view.candidates", "view.problems", "view.log"),
                    *(SEPARATOR, "view.reset_layout"),
                ),
            ),
        ),
    ),
    "canvas": (
        "&Canvas",
        (
            *("canvas.new", "canvas.import", "canvas.bring"),
            *("canvas.bring_layers", "canvas.export", SEPARATOR),
            (
                "&Size",
                (
                    *("canvas.scale", "canvas.resize", "canvas.expand", SEPARATOR),
                    *("canvas.crop_to_selection", "canvas.crop_to_box"),
                ),
            ),
            (
                "&Layer",
                (
                    *("canvas.new_layer", "canvas.new_mask", SEPARATOR, "canvas.merge_down"),
                    *("canvas.flatten", SEPARATOR, "canvas.separate", SEPARATOR),
                    *("canvas.flip_across", "canvas.flip_down"),
                ),
            ),
            (
                "S&election",
                (
                    *("canvas.deselect", "canvas.invert_selection", "canvas.select_layer"),
                    *(SEPARATOR, "canvas.copy_merged"),
                ),
            ),
            (
                "&Mask",
                (
                    *("canvas.mask_from_selection", "canvas.mask_from_layer"),
                    *("canvas.mask_from_empty", SEPARATOR, "canvas.invert_mask", "canvas.grow"),
                    *("canvas.shrink", "canvas.feather"),
                ),
            ),
            (
                "&Brush",
                (
                    *("canvas.swap_mask", "canvas.swap_colours", "canvas.plain_colours"),
                    *(SEPARATOR, "canvas.smaller", "canvas.larger"),
                ),
            ),
            (
                "&Candidates",
                (
                    *("canvas.accept", "canvas.keep_unchanged", "canvas.accept_part"),
                    *("canvas.discard", SEPARATOR),
                    *("canvas.next", "canvas.previous", "canvas.more"),
                ),
            ),
            ("&Guides", ("canvas.rulers", "canvas.snap", "canvas.clear_guides")),
            *(SEPARATOR, "canvas.live", "canvas.auto_box", "canvas.open_workflow"),
        ),
    ),
    "tool": ("&Tool", TOOLS),
    "run": (
        "&Run",
        (
            *("run.run", "run.to_selected", "run.selected", "run.stop", SEPARATOR),
            *("run.grid", "run.explore", "run.measure", SEPARATOR),
            *("run.on_change", "run.pause", "run.previews", SEPARATOR),
            *("run.relink", "run.check_contents", "run.free", "run.restart_worker"),
        ),
    ),
    "help": (
        "&Help",
        ("help.first_steps", "help.manual", "help.shortcuts", "help.logs", "help.about"),
    ),
}
