"""Commands of the Canvas menu, applied to one canvas."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF
from PySide6.QtWidgets import QInputDialog

from nodeforge.canvas import (
    CanvasEdit,
    Layer,
    LayerKind,
    Tiles,
    add_layer,
    alpha_mask,
    clear_mask,
    composite_tiles,
    crop_canvas,
    deselect,
    feather_mask,
    flatten,
    flip_canvas,
    grow_mask,
    invert_mask,
    merge_down,
    pictured,
    rectangle,
    resize_canvas,
    scaled,
    select,
)
from nodeforge.canvas.edits.layers import flat_layer
from nodeforge.canvas.generation.box import expanded
from nodeforge.canvas.generation.intents import Intent
from nodeforge.errors import RequestError
from nodeforge.imaging import Box, Method
from nodeforge.ui.canvas_view.editor.scale_edit import ScaleEdit
from nodeforge.ui.canvas_view.editor.size_dialogs import (
    CanvasSizeDialog,
    ExpandDialog,
    ScaleDialog,
)
from nodeforge.ui.canvas_view.panels.layers_panel import shows_picture
from nodeforge.ui.canvas_view.tools import MoveTool
from nodeforge.ui.common.background_task import run_in_background

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.editor.canvas_editor import CanvasEditor
    from nodeforge.ui.canvas_view.editor.canvas_tab import CanvasTab

_NEED_FLAT_CANDIDATE = {"accept_part", "keep_unchanged"}
_NEED_CANDIDATE = {"discard", "next", "previous", "more"}
_NEED_LAYER = {"mask_from_layer", "select_layer", "merge_down", "flatten"}
_NEED_SELECTION = {"deselect", "crop_to_selection"}


class CanvasCommands(QObject):
    """One method per command, with the command's name."""

    def __init__(self, tab: CanvasTab, editor: CanvasEditor) -> None:
        super().__init__(tab)
        self._tab, self._editor = tab, editor
        self._session, self._view = editor.session, editor.view
        self._rulers = True

    def is_enabled(self, name: str) -> bool:
        """Whether a command can be run now."""
        canvas, staging = self._session.canvas, self._editor.staging
        if name == "accept":
            return staging.candidate is not None or self._tool_uses_enter()
        if name == "discard":
            return staging.is_open or self._session.tool.name == "polygon"
        if name in ("next", "previous"):
            return staging.count > 1 or self._session.tool.name == "move"
        if name in _NEED_CANDIDATE:
            return staging.candidate is not None
        if name in _NEED_FLAT_CANDIDATE:
            return staging.candidate is not None and staging.candidate.layers is None
        if name == "separate":
            return canvas.active is not None and shows_picture(canvas.active)
        if name in _NEED_LAYER:
            return canvas.active is not None
        if name in _NEED_SELECTION:
            return canvas.selection is not None
        if name == "invert_mask":
            return canvas.active is not None and canvas.active.is_mask
        if name in ("grow", "shrink", "feather"):
            return canvas.selection is not None or self._active_mask() != ""
        return True

    def run(self, name: str) -> None:
        getattr(self, name)()

    def toggle(self, name: str) -> None:
        """Toggle ``rulers``, ``snap`` or ``live``."""
        match name:
            case "rulers":
                self._rulers = not self._rulers
                self._editor.show_rulers(self._rulers)
            case "snap":
                self._session.snapping.enabled = not self._session.snapping.enabled
            case "live":
                self._editor.live.set_enabled(not self._editor.live.enabled)

    def is_checked(self, name: str) -> bool:
        return {
            "rulers": self._rulers,
            "snap": self._session.snapping.enabled,
            "live": self._editor.live.enabled,
        }[name]

    # brush and colours

    def swap_mask(self) -> None:
        self._session.commit()
        self._session.swap_mask()

    def smaller(self) -> None:
        self._scale_brush(1 / 1.15)

    def larger(self) -> None:
        self._scale_brush(1.15)

    def swap_colours(self) -> None:
        self._session.tool_options.swap_colours()

    def plain_colours(self) -> None:
        self._session.tool_options.reset_colours()

    # selection and masks

    def deselect(self) -> None:
        self._perform(deselect(self._session.canvas))

    def invert_selection(self) -> None:
        canvas = self._session.canvas
        if canvas.selection is None:
            self._perform(select(canvas, rectangle(0, 0, *canvas.size)))
        else:
            self._perform(invert_mask(canvas))

    def select_layer(self) -> None:
        layer = self._session.canvas.active
        if layer is not None:
            mask = alpha_mask(flat_layer(self._session.canvas.state, layer))
            self._perform(select(self._session.canvas, mask))

    def copy_merged(self) -> None:
        self._tab.copy_merged()

    def mask_from_selection(self) -> None:
        """Add a mask layer from the selection, and deselect."""
        canvas = self._session.canvas
        if canvas.selection is None:
            self._session.status_message.emit("Nothing is selected. Select a part first.")
            return
        self._add_mask(canvas.selection)
        self._perform(deselect(canvas))

    def mask_from_layer(self) -> None:
        layer = self._session.canvas.active
        if layer is not None:
            self._add_mask(alpha_mask(flat_layer(self._session.canvas.state, layer)))

    def mask_from_empty(self) -> None:
        """Add a mask layer of the transparent area, for outpainting."""
        canvas = self._session.canvas
        whole = composite_tiles(list(pictured(canvas.state)), canvas.box)
        self._add_mask(clear_mask(Layer("", "", LayerKind.PAINT, whole), canvas.box))

    def invert_mask(self) -> None:
        self._perform(invert_mask(self._session.canvas, self._active_mask()))

    def grow(self) -> None:
        self._ask_pixels(
            "Grow by", lambda n: grow_mask(self._session.canvas, n, self._active_mask())
        )

    def shrink(self) -> None:
        self._ask_pixels(
            "Shrink by", lambda n: grow_mask(self._session.canvas, -n, self._active_mask())
        )

    def feather(self) -> None:
        self._ask_pixels(
            "Feather by", lambda n: feather_mask(self._session.canvas, n, self._active_mask())
        )

    # layers and the canvas itself

    def new_layer(self) -> None:
        self._perform(add_layer(self._session.canvas, LayerKind.PAINT))

    def new_mask(self) -> None:
        layers = self._session.canvas.layers
        above = layers[-1].id if layers else None
        self._perform(add_layer(self._session.canvas, LayerKind.MASK, above=above))

    def merge_down(self) -> None:
        self._perform(merge_down(self._session.canvas, self._session.canvas.state.active))

    def flatten(self) -> None:
        self._perform(flatten(self._session.canvas))

    def flip_across(self) -> None:
        self._perform(flip_canvas(self._session.canvas, True))

    def flip_down(self) -> None:
        self._perform(flip_canvas(self._session.canvas, False))

    def scale(self) -> None:
        """Show the Scale image dialog and scale all layers."""
        dialog = ScaleDialog(self._view.window(), self._session.canvas.size)
        if dialog.exec():
            self.scale_to(*dialog.value())

    def scale_to(self, width: int, height: int, method: Method) -> None:
        """Scale all layers to a size, in the background."""
        self._session.commit()
        state, text = self._session.canvas.state, f"Scaling to {width} × {height} px…"
        try:
            work = partial(scaled, state, width, height, method)
            made = run_in_background(self._view.window(), text, work)
        except (RequestError, MemoryError) as error:
            words = str(error) or "There is not enough memory for this size."
            self._session.status_message.emit(words)
            return
        if made is not None and self._session.canvas.state is state:
            self._perform(ScaleEdit(self._session, made))
            self._view.fit()

    def resize(self) -> None:
        """Show the Canvas size dialog; layers are not scaled."""
        canvas = self._session.canvas
        dialog = CanvasSizeDialog(self._view.window(), canvas.size)
        if dialog.exec():
            self._perform(resize_canvas(canvas, *dialog.value()))
            self._view.fit()

    def expand(self) -> None:
        """Show the Expand picture dialog and generate what lies beyond the picture."""
        native = self._editor.form.native.side
        dialog = ExpandDialog(self._view.window(), self._session.canvas.size, native // 4)
        if dialog.exec():
            self.expand_by(*dialog.value())

    def expand_by(self, left: int, top: int, right: int, bottom: int) -> None:
        """Generate so many pixels beyond each side of the picture."""
        self._session.commit()
        self._editor.form.choose_intent(Intent.EXPAND)
        side = self._editor.form.native.side
        box = expanded(self._session.canvas.size, left, top, right, bottom, side)
        self._session.set_box(box)
        self._view.fit(self._session.canvas_rect().united(QRectF(*box)))
        self._editor.generator.generate()

    def separate(self) -> None:
        """Take the active layer apart into layers."""
        self._editor.generator.separate_layer(self._session.canvas.state.active)

    def crop_to_selection(self) -> None:
        self._crop(self._session.canvas.state.selected())

    def crop_to_box(self) -> None:
        if (box := self._session.shown_box()) is not None:
            self._crop(box)

    def _crop(self, box: Box) -> None:
        self._perform(crop_canvas(self._session.canvas, box))
        self._view.fit()

    def export(self) -> None:
        self._tab.ask_export()

    # view

    def zoom_in(self) -> None:
        self._view.zoom_by(1.4)

    def zoom_out(self) -> None:
        self._view.zoom_by(1 / 1.4)

    def zoom_whole(self) -> None:
        self._view.zoom_to(1 / self._view.devicePixelRatioF())

    def turn_left(self) -> None:
        self._view.rotate_by(-15)

    def turn_right(self) -> None:
        self._view.rotate_by(15)

    def turn_back(self) -> None:
        self._view.rotate_by(-self._view.camera.rotation)

    def clear_guides(self) -> None:
        self._session.snapping.clear_guides()

    # generating

    def accept(self) -> None:
        """Finish the tool's pending edit; if there is none, accept the candidate."""
        if not self._session.tool.enter():
            self._editor.staging.accept()

    def keep_unchanged(self) -> None:
        self._editor.unchanged_parts.toggle()

    def accept_part(self) -> None:
        self._editor.staging.accept_part()

    def discard(self) -> None:
        if not self._session.tool.backspace():
            self._editor.staging.discard()

    def next(self) -> None:
        self._step(1)

    def previous(self) -> None:
        self._step(-1)

    def more(self) -> None:
        self._editor.generator.more_like_this()

    def open_workflow(self) -> None:
        self._editor.generator.open_workflow()

    def auto_box(self) -> None:
        self._session.set_box(None)

    def _step(self, by: int) -> None:
        """Show another candidate; if there are none, nudge with the move tool."""
        tool = self._session.tool
        if self._editor.staging.count > 1:
            self._editor.staging.step(by)
        elif isinstance(tool, MoveTool):
            tool.nudge(by, 0)

    def _tool_uses_enter(self) -> bool:
        """Whether the current tool handles Enter."""
        return self._session.tool.name in ("crop", "polygon", "move", "paint_in")

    def _active_mask(self) -> str:
        """The active layer's id if it is a mask; empty for the selection."""
        active = self._session.canvas.active
        return active.id if active is not None and active.is_mask else ""

    def _add_mask(self, tiles: Tiles) -> None:
        layers = self._session.canvas.layers
        above = layers[-1].id if layers else None
        self._perform(add_layer(self._session.canvas, LayerKind.MASK, above=above, tiles=tiles))

    def _perform(self, edit: CanvasEdit) -> None:
        self._session.commit()
        self._session.perform(edit)

    def _scale_brush(self, factor: float) -> None:
        tool = self._session.tool
        if tool.has_option("size"):
            size = tool.value("size")
            step = max(1, round(abs(size * factor - size)))
            tool.set("size", size + step if factor > 1 else size - step)

    def _ask_pixels(self, text: str, edit: Callable[[int], CanvasEdit]) -> None:
        pixels, chosen = QInputDialog.getInt(
            self._view.window(), text, f"{text} (pixels)", 8, 1, 512
        )
        if chosen:
            self._perform(edit(pixels))
