"""Commands of the Canvas and Tool menus; available while a canvas is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.ui.common.command_registry import Command
from nodeforge.ui.window.base_window import BaseWindow
from nodeforge.ui.window.document_page import VIEWS
from nodeforge.ui.window.menus.picture_files import fetch_batch, may_be_batch, prompt_of

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view import CanvasTab
    from nodeforge.ui.documents.picture import Picture

_TOOLS = (
    ("brush", "Brush", "B", "paint-brush"),
    ("eraser", "Eraser", "E", "eraser"),
    ("clone", "Clone", "S", "sticker"),
    ("fill", "Fill", "G", "paint-bucket"),
    ("gradient", "Gradient", "Shift+G", "square-half"),
    ("rectangle", "Select a rectangle", "M", "selection"),
    ("ellipse", "Select an ellipse", "Shift+M", "circle-dashed"),
    ("lasso", "Lasso", "L", "scribble-loop"),
    ("polygon", "Select a polygon", "Shift+L", "polygon"),
    ("by_colour", "Select by colour", "W", "magic-wand"),
    ("move", "Move and transform", "V", "arrows-out-cardinal"),
    ("crop", "Crop", "C", "crop"),
    ("picker", "Colour picker", "I", "eyedropper"),
    ("box", "Generation box", "K", "bounding-box"),
)

Row = tuple[str, str, Sequence[str], str]
"""A method of `CanvasCommands`, which is also the command's name; text, shortcuts, icon."""

_DEEDS: tuple[Row, ...] = (
    ("swap_mask", "Swap mask and paint layer", ("X",), "swap"),
    ("smaller", "Smaller brush", ("[",), ""),
    ("larger", "Larger brush", ("]",), ""),
    ("swap_colours", "Swap colours", ("Shift+X",), "arrows-left-right"),
    ("plain_colours", "Reset colours", ("D",), "circle-half"),
    ("deselect", "Deselect", ("Ctrl+Shift+A",), "selection-slash"),
    ("invert_selection", "Invert selection", ("Ctrl+Shift+I",), "selection-inverse"),
    ("copy_merged", "Copy merged", ("Ctrl+Shift+C",), "copy"),
    ("mask_from_selection", "Mask from selection", ("Q",), "face-mask"),
    ("mask_from_layer", "Mask from layer's alpha", (), ""),
    ("mask_from_empty", "Mask transparent area", (), ""),
    ("select_layer", "Select layer content", (), ""),
    ("invert_mask", "Invert mask", (), ""),
    ("grow", "Grow mask or selection…", (), ""),
    ("shrink", "Shrink mask or selection…", (), ""),
    ("feather", "Feather mask or selection…", (), ""),
    ("new_layer", "New layer", ("Ctrl+Shift+N",), "plus"),
    ("new_mask", "New mask", ("Ctrl+Shift+M",), "face-mask"),
    ("merge_down", "Merge down", ("Ctrl+E",), "git-merge"),
    ("separate", "Separate into layers", (), ""),
    ("flatten", "Flatten image", (), "stack-simple"),
    ("flip_across", "Flip horizontally", (), ""),
    ("flip_down", "Flip vertically", (), ""),
    ("scale", "Scale image…", ("Ctrl+Alt+I",), "arrows-out"),
    ("resize", "Canvas size…", ("Ctrl+Alt+C",), "corners-out"),
    ("expand", "Expand picture…", (), "corners-out"),
    ("crop_to_selection", "Crop to selection", (), "crop"),
    ("crop_to_box", "Crop to generation box", (), ""),
    ("export", "Export picture…", ("Ctrl+Shift+E",), "export"),
    ("zoom_in", "Zoom in", ("+", "="), "magnifying-glass-plus"),
    ("zoom_out", "Zoom out", ("-",), "magnifying-glass-minus"),
    ("zoom_whole", "Zoom to 100 %", ("1",), ""),
    ("turn_left", "Rotate view left", ("4",), "arrow-counter-clockwise"),
    ("turn_back", "Reset view rotation", ("5",), ""),
    ("turn_right", "Rotate view right", ("6",), "arrow-clockwise"),
    ("clear_guides", "Clear guides", (), ""),
    ("accept", "Accept", ("Return", "Enter"), "check"),
    ("discard", "Discard", ("Backspace",), "x"),
    ("next", "Next candidate", ("Right",), "caret-right"),
    ("previous", "Previous candidate", ("Left",), "caret-left"),
    ("keep_unchanged", "Keep unchanged parts", (), ""),
    ("accept_part", "Paint candidate", ("Shift+Return",), ""),
    ("more", "More like this", ("Ctrl+M",), "sparkle"),
    ("open_workflow", "Open generation workflow", (), "tree-structure"),
    ("auto_box", "Fit generation box to mask", (), "bounding-box"),
)

_SWITCHES: tuple[tuple[str, str, Sequence[str], str], ...] = (
    ("rulers", "Rulers", ("Ctrl+R",), "ruler"),
    ("snap", "Snap", ("Ctrl+Shift+;",), "magnet"),
    ("live", "Live", ("Ctrl+L",), "lightning"),
)


def canvas_commands(window: BaseWindow) -> list[Command]:
    """All commands of the Canvas and Tool menus."""
    return [
        *_faces(window),
        Command(
            "canvas.new",
            "New canvas",
            lambda: show_new_canvas(window),
            (),
            "plus",
        ),
        Command(
            "canvas.import",
            "Import picture…",
            lambda: _canvas_in_front(window).ask_open(),
            (),
            "image",
        ),
        Command(
            "canvas.bring",
            "Send viewed picture to canvas",
            partial(_bring_viewed, window),
            (),
            "paint-brush",
            lambda: not window.viewer.picture_view.image.isNull(),
        ),
        Command(
            "canvas.bring_layers",
            "Send viewed batch to canvas as layers",
            partial(_bring_viewed_batch, window),
            (),
            "stack",
            lambda: (
                window.viewer.picture is not None
                and may_be_batch(window.runner, [window.viewer.picture])
            ),
        ),
        *(_tool(window, *row) for row in _TOOLS),
        *(_deed(window, *row) for row in _DEEDS),
        *(_switch(window, *row) for row in _SWITCHES),
    ]


def _faces(window: BaseWindow) -> list[Command]:
    area = window.area
    return [
        Command(
            f"view.{name}",
            text,
            partial(area.show_view, name),
            (keys,),
            icon,
            window.has_document,
            checked=lambda name=name: area.shown == name,
        )
        for name, text, keys, icon in VIEWS
    ]


def _canvas_in_front(window: BaseWindow) -> CanvasTab:
    """Show and return the canvas of the current document, or of a new one."""
    if window.workspace.current is None:
        window.workspace.new()
    window.area.show_view("canvas")
    assert window.area.canvas is not None
    return window.area.canvas


def show_new_canvas(window: BaseWindow) -> None:
    """Offer a new canvas, or a picture to paint on."""
    _canvas_in_front(window).show_start_page()


def bring_to_canvas(window: BaseWindow, source: Path | bytes, name: str, prompt: str = "") -> None:
    """Import a picture into the canvas of the current document.

    Args:
        window: The window.
        source: The picture's file, or its content.
        name: What its layer is called.
        prompt: What made it; it becomes that of the canvas, where this has none.
    """
    canvas = _canvas_in_front(window)
    canvas.import_picture(source, name)
    if prompt:
        canvas.offer_prompt(prompt)


def bring_batch_to_canvas(window: BaseWindow, pictures: Sequence[Picture]) -> None:
    """Import several pictures, or all of a result's batch, as the layers of one group.

    The lowest comes first; a single one comes without a group, as by `bring_to_canvas`.
    """
    first = pictures[0]
    prompt = prompt_of(window.workspace, first)

    def bring(sources: Sequence[Path | bytes]) -> None:
        if not sources:
            window.area.message_bars.show_message("canvas", f"{first.name}: the pictures are gone.")
        elif len(sources) == 1:
            bring_to_canvas(window, sources[0], first.name, prompt)
        else:
            canvas = _canvas_in_front(window)
            canvas.import_layers(sources, first.name)
            canvas.offer_prompt(prompt)

    fetch_batch(window.runner, pictures, bring)


def _bring_viewed(window: BaseWindow) -> None:
    from nodeforge.ui.canvas_view.rendering.qt_images import (
        to_png,  # the canvas needs numpy and OpenCV
    )

    picture = window.viewer.picture
    prompt = prompt_of(window.workspace, picture) if picture is not None else ""
    bring_to_canvas(window, to_png(window.viewer.picture_view.image), "Result", prompt)


def _bring_viewed_batch(window: BaseWindow) -> None:
    if (picture := window.viewer.picture) is not None:
        bring_batch_to_canvas(window, [picture])


def _tool(window: BaseWindow, name: str, text: str, keys: str, icon: str) -> Command:
    def choose() -> None:
        canvas = window.area.canvas
        if canvas is not None and canvas.session is not None:
            canvas.session.select_tool(name)

    return _on_canvas(window, f"tool.{name}", text, choose, (keys,), icon, partial(_ready, window))


def _deed(window: BaseWindow, name: str, text: str, keys: Sequence[str], icon: str) -> Command:
    def do() -> None:
        canvas = window.area.canvas
        if canvas is not None and canvas.commands is not None:
            canvas.commands.run(name)

    def can() -> bool:
        canvas = window.area.canvas
        return (
            canvas is not None and canvas.commands is not None and canvas.commands.is_enabled(name)
        )

    return _on_canvas(window, f"canvas.{name}", text, do, keys, icon, can)


def _switch(window: BaseWindow, name: str, text: str, keys: Sequence[str], icon: str) -> Command:
    def turn() -> None:
        canvas = window.area.canvas
        if canvas is not None and canvas.commands is not None:
            canvas.commands.toggle(name)

    def on() -> bool:
        canvas = window.area.canvas
        return (
            canvas is not None and canvas.commands is not None and canvas.commands.is_checked(name)
        )

    ready = partial(_ready, window)
    return _on_canvas(window, f"canvas.{name}", text, turn, keys, icon, ready, on)


def _ready(window: BaseWindow) -> bool:
    canvas = window.area.canvas
    return canvas is not None and canvas.session is not None


def _on_canvas(
    window: BaseWindow,
    name: str,
    text: str,
    do: Callable[[], None],
    keys: Sequence[str],
    icon: str,
    enabled: Callable[[], bool],
    checked: Callable[[], bool] | None = None,
) -> Command:
    return Command(name, text, do, keys, icon, enabled, checked, context=window.area.tabs)
