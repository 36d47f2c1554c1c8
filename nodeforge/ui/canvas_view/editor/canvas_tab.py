"""The Canvas tab of a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
)
from PySide6.QtWidgets import QStackedWidget

from nodeforge.canvas import (
    Canvas,
    CanvasEdit,
    CanvasSizeError,
    Change,
    Clip,
    LayerKind,
    Opened,
    State,
    What,
    add_layer,
    add_picture,
    clear_area,
    copied,
    cut,
    duplicate_layer,
    paste,
    rectangle,
    remove_layers,
    select,
    straight,
)
from nodeforge.canvas.layers import free_id
from nodeforge.errors import RequestError
from nodeforge.formats import stamp
from nodeforge.ui.canvas_view.editor.canvas_commands import Deeds
from nodeforge.ui.canvas_view.editor.canvas_editor import Workbench
from nodeforge.ui.canvas_view.editor.empty_page import EmptyPage
from nodeforge.ui.canvas_view.editor.picture_files import CanvasFiles, has_pictures, pictures_in
from nodeforge.ui.canvas_view.rendering.qt_images import to_image, to_pixels
from nodeforge.ui.canvas_view.session import Studio
from nodeforge.ui.canvas_view.tools.tool_options import Kit
from nodeforge.ui.canvas_view.view.canvas_view import CanvasView
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.runner import Runner

_CLIP = "application/x-nodeforge-canvas-place"
"""Where on the canvas the picture on the clipboard lay, as ``left top``."""

_DEEP = (
    "“{}” has 16 bits a channel. The canvas shows and exports 8 of them; the file itself stays as "
    "it is."
)
_ABOUT_WHAT_CAN_BE_DONE = {What.ACTIVE, What.SELECTION, What.LAYERS}
_ON_LAYER = {"cut", "copy", "duplicate", "delete_selected"}
_ON_CANVAS = {"select_all", "zoom_all", "zoom_selection"}


class CanvasTab(QStackedWidget):
    """How to begin, or the canvas with its tools."""

    said = Signal(str)
    refused = Signal(str)
    """Why a picture cannot be opened or written."""
    warned = Signal(str)
    """What a person should know of a picture that was opened."""
    menu_asked = Signal(object)
    """Where on the screen."""
    can_changed = Signal()
    """Other commands make sense now."""

    def __init__(
        self, opened: OpenDocument, workspace: Workspace, runner: Runner, kit: Kit
    ) -> None:
        super().__init__()
        self.opened, self._workspace, self._runner, self._kit = opened, workspace, runner, kit
        self.files = CanvasFiles(self)
        self.files.said.connect(self.said)
        self.files.refused.connect(self.refused)
        self.bench: Workbench | None = None
        self.deeds: Deeds | None = None
        self.empty = EmptyPage()
        self.empty.open_asked.connect(self.ask_open)
        self.empty.paste_asked.connect(self.paste)
        self.empty.new_asked.connect(self.new)
        self.empty.back_asked.connect(self._show_bench)
        self.addWidget(self.empty)
        self._ends: list[Callable[[], None]] = []
        self.setAcceptDrops(True)
        self.setFocusProxy(self.empty)
        opened.settling.connect(self.settle)
        if opened.canvas is not None:
            self._build(opened.canvas)

    @property
    def studio(self) -> Studio | None:
        return self.bench.studio if self.bench is not None else None

    @property
    def view(self) -> CanvasView | None:
        return self.bench.view if self.bench is not None else None

    def close_tab(self) -> None:
        self.opened.settling.disconnect(self.settle)
        self.files.close()
        for end in self._ends:
            end()
        if self.bench is not None:
            self.bench.close_bench()

    def set_theme(self, theme: Theme) -> None:
        if self.view is not None:
            self.view.set_theme(theme)

    def settle(self) -> None:
        """Finish what the tool has in hand: the document is about to be used as it is."""
        if self.studio is not None:
            self.studio.settle()

    def generate(self) -> None:
        """Make candidates; without a canvas, say how to begin."""
        if self.bench is not None:
            self.bench.generator.generate()
        else:
            self.said.emit("Open a picture or make a new canvas first.")

    def cancel(self) -> bool:
        """Leave what the tool has in hand, or stop generating; whether there was anything."""
        if self.bench is None:
            return False
        return self.bench.studio.cancel() or self.bench.generator.cancel()

    # pictures in and out

    def show_start(self) -> None:
        """Show how to begin, also where there is a canvas already."""
        self.empty.back.setVisible(self.bench is not None)
        self.setCurrentWidget(self.empty)

    def _show_bench(self) -> None:
        if self.bench is not None:
            self.setCurrentWidget(self.bench)
            self.bench.view.setFocus()

    def new(self, width: int, height: int) -> None:
        """Begin with an empty canvas of a size."""
        try:
            state = State(width, height)
        except CanvasSizeError as error:
            self.refused.emit(str(error))
            return
        self._begin(state)
        self._perform(add_layer(self._canvas, LayerKind.PAINT))

    def ask_open(self) -> None:
        folder = str(self._workspace.store.value("folder", ""))
        self.files.ask_open(self._take, folder)

    def ask_export(self) -> None:
        """Write what is shown, with the workflow in it where there is one."""
        if self.opened.canvas is None:
            return
        self.settle()
        document = self.opened.document
        text = stamp(document, self._workspace.catalogue) if document.graph.nodes else {}
        self.files.ask_export(self.opened.canvas.state, self.opened.name, text)

    def bring(self, source: Path | bytes, name: str) -> None:
        """Put a picture onto the canvas, once it is read."""
        self.files.read(source, name, self._take)

    def drop(self, data: QMimeData) -> bool:
        """Open the pictures in `data`; whether there were any."""
        pictures = pictures_in(data)
        for source, name in pictures:
            self.bring(source, name)
        return bool(pictures)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if has_pictures(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        if self.drop(event.mimeData()):
            event.acceptProposedAction()

    def _take(self, read: Opened | State) -> None:
        """Put what was read onto the canvas, or begin one with it."""
        self.said.emit("")
        try:
            if self.opened.canvas is None:
                self._begin(State(read.width, read.height))
        except RequestError as error:
            self.refused.emit(str(error))
            return
        self._perform(_layers_of(self._canvas, read))
        self._show_bench()
        if isinstance(read, Opened) and read.deep:
            self.warned.emit(_DEEP.format(read.origin.name))

    def _begin(self, state: State) -> None:
        """Have a canvas; one that is there takes another shape, which can be undone."""
        if self.opened.canvas is None:
            self.opened.have_canvas(Canvas(state))
            self._build(self._canvas)
        else:
            self._perform(CanvasEdit(self._canvas, "new canvas", lambda _: state))
            self._show_bench()
            self.zoom_all()

    def _build(self, canvas: Canvas) -> None:
        self.bench = Workbench(self.opened, canvas, self._kit, self._workspace, self._runner)
        self.deeds = Deeds(self, self.bench)
        studio = self.bench.studio
        self.opened.in_hand = lambda: studio.tool.busy
        self.bench.said.connect(self.said)
        self.bench.refused.connect(self.refused)
        self.bench.view.menu_asked.connect(self.menu_asked)
        self.bench.studio.tool_changed.connect(self.can_changed)
        self.bench.staging.changed.connect(self.can_changed)
        self.bench.live.changed.connect(self.can_changed)
        self._ends.append(canvas.subscribe(self._hear))
        self.addWidget(self.bench)
        self.setCurrentWidget(self.bench)
        self.setFocusProxy(self.bench.view)
        self.bench.view.setFocus()
        self.can_changed.emit()

    def _hear(self, changes: tuple[Change, ...]) -> None:
        if any(change.what in _ABOUT_WHAT_CAN_BE_DONE for change in changes):
            self.can_changed.emit()

    @property
    def _canvas(self) -> Canvas:
        assert self.opened.canvas is not None
        return self.opened.canvas

    def _perform(self, edit: CanvasEdit) -> bool:
        self.settle()
        return self.studio is not None and self.studio.perform(edit)

    # what the Edit and View menus do, where the canvas is in front

    def can(self, method: str) -> bool:
        """Whether one of the methods below makes sense now."""
        if method in _ON_LAYER:
            return self.bench is not None and self._canvas.active is not None
        return method == "paste" or (method in _ON_CANVAS and self.bench is not None)

    def copy(self) -> None:
        """Put what is selected of the active layer on the clipboard."""
        self.settle()
        try:
            _to_clipboard(copied(self._canvas.state))
        except RequestError as error:
            self.said.emit(str(error))

    def copy_merged(self) -> None:
        """Put what is selected of the picture that all layers make on the clipboard."""
        self.settle()
        try:
            _to_clipboard(copied(self._canvas.state, merged=True))
        except RequestError as error:
            self.said.emit(str(error))

    def cut(self) -> None:
        self.settle()
        try:
            clip, edit = cut(self._canvas)
        except RequestError as error:
            self.said.emit(str(error))
            return
        if self._perform(edit):
            _to_clipboard(clip)

    def paste(self) -> None:
        """Put the picture of the clipboard into a layer of its own."""
        data = QGuiApplication.clipboard().mimeData()
        if self.bench is not None and data.hasImage() and data.hasFormat(_CLIP):
            left, top = (int(v) for v in bytes(data.data(_CLIP).data()).split())
            image = QImage(data.imageData())
            self._perform(paste(self._canvas, Clip(to_pixels(image), left, top)))
        elif not self.drop(data):
            self.said.emit("There is no picture on the clipboard.")

    def duplicate(self) -> None:
        self._perform(duplicate_layer(self._canvas, self._canvas.state.active))

    def delete_selected(self) -> None:
        """Clear what is selected; without a selection, remove the layer."""
        canvas = self._canvas
        if canvas.selection is not None:
            self._perform(clear_area(canvas))
        elif canvas.active is not None:
            self._perform(remove_layers(canvas, [canvas.active.id]))

    def select_all(self) -> None:
        self._perform(select(self._canvas, rectangle(0, 0, *self._canvas.size)))

    def zoom_all(self) -> None:
        if self.view is not None:
            self.view.fit()

    def zoom_selection(self) -> None:
        if self.view is not None:
            self.view.fit(QRectF(*self._canvas.state.selected()))


def _layers_of(canvas: Canvas, read: Opened | State) -> CanvasEdit:
    """The edit that puts what was read above all layers."""
    if isinstance(read, Opened):
        return add_picture(canvas, read)

    def work(state: State) -> State:
        for layer in read.layers:
            taken = {each.id for each in state.layers}
            added = replace(layer, id=free_id(layer.kind.value, taken))
            state = replace(state, layers=(*state.layers, added), active=added.id)
        return state

    return CanvasEdit(canvas, "add layers", work)


def _to_clipboard(clip: Clip) -> None:
    mask = clip.pixels.ndim == 2
    data = QMimeData()
    data.setImageData(to_image(clip.pixels if mask else straight(clip.pixels), straight=True))
    data.setData(_CLIP, f"{clip.left} {clip.top}".encode())
    QGuiApplication.clipboard().setMimeData(data)
