"""The Canvas tab of a document: the start page, or the canvas editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    ChangeKind,
    Clip,
    LayerKind,
    OpenedPicture,
    State,
    Tiles,
    add_layer,
    add_picture,
    add_pictures,
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
from nodeforge.canvas.edits.layers import free_id
from nodeforge.engine.content.files import Files
from nodeforge.errors import RequestError
from nodeforge.formats import stamp
from nodeforge.ui.canvas_view.editor.canvas_commands import CanvasCommands
from nodeforge.ui.canvas_view.editor.canvas_editor import CanvasEditor
from nodeforge.ui.canvas_view.editor.canvas_start_page import CanvasStartPage
from nodeforge.ui.canvas_view.editor.picture_files import PictureFiles, has_pictures, pictures_in
from nodeforge.ui.canvas_view.rendering.qt_images import to_image, to_pixels
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.canvas_view.tools.tool_options import ToolOptions
from nodeforge.ui.canvas_view.view.canvas_view import CanvasView
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.runner import Runner

_CLIPBOARD_ORIGIN = "application/x-nodeforge-canvas-place"
"""MIME type of the canvas position (``left top``) of a copied picture."""

_SIXTEEN_BIT = (
    "“{}” has 16 bits a channel. The canvas shows and exports 8 of them; the file itself stays as "
    "it is."
)
_CHANGE_COMMANDS = {ChangeKind.ACTIVE, ChangeKind.SELECTION, ChangeKind.LAYERS}
_NEED_LAYER = {"cut", "copy", "duplicate", "delete_selected"}
_NEED_CANVAS = {"select_all", "zoom_all", "zoom_selection"}


class CanvasTab(QStackedWidget):
    """Shows the canvas start page, or the canvas editor."""

    status_message = Signal(str)
    refused = Signal(str)
    """The reason why a picture cannot be opened or written."""
    warned = Signal(str)
    """A warning about an opened picture."""
    menu_requested = Signal(object)
    """The position on the screen."""
    commands_changed = Signal()
    """The enabled state of commands may have changed."""

    def __init__(
        self, opened: OpenDocument, workspace: Workspace, runner: Runner, tool_options: ToolOptions
    ) -> None:
        super().__init__()
        self.opened, self._workspace, self._runner, self._tool_options = (
            opened,
            workspace,
            runner,
            tool_options,
        )
        self.files = PictureFiles(self)
        self.files.status_message.connect(self.status_message)
        self.files.refused.connect(self.refused)
        self.editor: CanvasEditor | None = None
        self.commands: CanvasCommands | None = None
        self.start_page = CanvasStartPage()
        self.start_page.open_requested.connect(self.ask_open)
        self.start_page.paste_requested.connect(self.paste)
        self.start_page.new_requested.connect(self.new)
        self.start_page.back_requested.connect(self._show_editor)
        self.addWidget(self.start_page)
        self._ends: list[Callable[[], None]] = []
        self._offered = ""
        """A prompt to use once there is a canvas."""
        self.setAcceptDrops(True)
        self.setFocusProxy(self.start_page)
        opened.commit_requested.connect(self.commit)
        if opened.canvas is not None:
            self._build(opened.canvas)

    @property
    def session(self) -> CanvasSession | None:
        return self.editor.session if self.editor is not None else None

    @property
    def view(self) -> CanvasView | None:
        return self.editor.view if self.editor is not None else None

    def close_tab(self) -> None:
        self.opened.commit_requested.disconnect(self.commit)
        self.files.close()
        for end in self._ends:
            end()
        if self.editor is not None:
            self.editor.close_editor()
        for part in (self.files, self.commands):
            if part is not None:
                part.deleteLater()

    def set_theme(self, theme: Theme) -> None:
        if self.view is not None:
            self.view.set_theme(theme)

    def commit(self) -> None:
        """Commit the tool's pending edit."""
        if self.session is not None:
            self.session.commit()

    def generate(self) -> None:
        """Generate candidates; without a canvas, show a hint."""
        if self.editor is not None:
            self.editor.generator.generate()
        else:
            self.status_message.emit("Open a picture or make a new canvas first.")

    def cancel(self) -> bool:
        """Cancel the tool's pending edit or the generation; returns whether there was any."""
        if self.editor is None:
            return False
        return self.editor.session.cancel() or self.editor.generator.cancel()

    # pictures in and out

    def show_start_page(self) -> None:
        """Show the canvas start page, even if there is a canvas."""
        self.start_page.back.setVisible(self.editor is not None)
        self.setCurrentWidget(self.start_page)

    def _show_editor(self) -> None:
        if self.editor is not None:
            self.setCurrentWidget(self.editor)
            self.editor.view.setFocus()

    def new(self, width: int, height: int, transparent: bool = False) -> None:
        """Create a canvas with a white background, or an empty one."""
        try:
            state = State(width, height)
        except CanvasSizeError as error:
            self.refused.emit(str(error))
            return
        self._set_canvas(state)
        if transparent:
            self._perform(add_layer(self._canvas, LayerKind.PAINT))
            return
        white = Tiles.plain(state.box, (255, 255, 255, 255))
        self._perform(add_layer(self._canvas, LayerKind.PAINT, "Background", tiles=white))

    def ask_open(self) -> None:
        folder = str(self._workspace.store.value("folder", ""))
        self.files.ask_open(self._add_picture, folder)

    def ask_export(self) -> None:
        """Export the canvas, with the workflow embedded if there is one."""
        if self.opened.canvas is None:
            return
        self.commit()
        document = self.opened.document
        recognised = self._workspace.recognised(self.opened.granted)
        made = document.graph.nodes
        resolve = Files(self._workspace.settings, **self.opened.meaning).resolve
        catalogue = self._workspace.catalogue
        text = stamp(document, catalogue, recognised, resolve) if made else {}
        self.files.ask_export(self.opened.canvas.state, self.opened.name, text)

    def import_picture(self, source: Path | bytes, name: str) -> None:
        """Read a picture and add it to the canvas."""
        self.files.read(source, name, self._add_picture)

    def import_layers(self, sources: Sequence[Path | bytes], name: str) -> None:
        """Read pictures and add them to the canvas as the layers of a group, the first lowest."""
        self.files.read_all(sources, name, lambda read: self._add_layers(read, name))

    def _add_layers(self, read: list[OpenedPicture], name: str) -> None:
        if self._take_size(read[0]):
            self._perform(add_pictures(self._canvas, read, name))
            self._show_editor()

    def offer_prompt(self, text: str) -> None:
        """Use `text` as the prompt of the canvas once it is shown, unless it has one."""
        self._offered = text
        self._take_offered()

    def _take_offered(self) -> None:
        if self.editor is not None and self._offered:
            self.editor.form.offer_prompt(self._offered)
            self._offered = ""

    def drop(self, data: QMimeData) -> bool:
        """Import the pictures in `data`; returns whether there were any."""
        pictures = pictures_in(data)
        for source, name in pictures:
            self.import_picture(source, name)
        return bool(pictures)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if has_pictures(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        if self.drop(event.mimeData()):
            event.acceptProposedAction()

    def _add_picture(self, read: OpenedPicture | State) -> None:
        """Add a picture to the canvas, which is created if there is none."""
        if not self._take_size(read):
            return
        self._perform(_layers_of(self._canvas, read))
        self._show_editor()
        if isinstance(read, OpenedPicture) and read.deep:
            self.warned.emit(_SIXTEEN_BIT.format(read.origin.name))

    def _take_size(self, read: OpenedPicture | State) -> bool:
        """Create a canvas of a picture's size if there is none; whether there is one now."""
        self.status_message.emit("")
        try:
            if self.opened.canvas is None:
                self._set_canvas(State(read.width, read.height))
        except RequestError as error:
            self.refused.emit(str(error))
            return False
        return True

    def _set_canvas(self, state: State) -> None:
        """Create the canvas, or replace its content (undoable)."""
        if self.opened.canvas is None:
            self.opened.set_canvas(Canvas(state))
            self._build(self._canvas)
        else:
            self._perform(CanvasEdit(self._canvas, "new canvas", lambda _: state))
            self._show_editor()
            self.zoom_all()

    def _build(self, canvas: Canvas) -> None:
        self.editor = CanvasEditor(
            self.opened, canvas, self._tool_options, self._workspace, self._runner
        )
        self.commands = CanvasCommands(self, self.editor)
        session = self.editor.session
        self.opened.has_pending_edit = lambda: session.tool.busy
        self.editor.status_message.connect(self.status_message)
        self.editor.refused.connect(self.refused)
        self.editor.view.menu_requested.connect(self.menu_requested)
        self.editor.session.tool_changed.connect(self.commands_changed)
        self.editor.generate.expand_requested.connect(self.commands.expand)
        self.editor.staging.changed.connect(self.commands_changed)
        self.editor.live.changed.connect(self.commands_changed)
        self._ends.append(canvas.subscribe(self._on_canvas_changed))
        self.addWidget(self.editor)
        self.setCurrentWidget(self.editor)
        self.setFocusProxy(self.editor.view)
        self.editor.view.setFocus()
        self._take_offered()
        self.commands_changed.emit()

    def _on_canvas_changed(self, changes: tuple[Change, ...]) -> None:
        if any(change.kind in _CHANGE_COMMANDS for change in changes):
            self.commands_changed.emit()

    @property
    def _canvas(self) -> Canvas:
        assert self.opened.canvas is not None
        return self.opened.canvas

    def _perform(self, edit: CanvasEdit) -> bool:
        self.commit()
        return self.session is not None and self.session.perform(edit)

    # methods called by the Edit and View menus while the canvas is shown

    def can_run(self, method: str) -> bool:
        """Whether one of the methods below can be called now."""
        if method in _NEED_LAYER:
            return self.editor is not None and self._canvas.active is not None
        return method == "paste" or (method in _NEED_CANVAS and self.editor is not None)

    def copy(self) -> None:
        """Copy the selected part of the active layer."""
        self.commit()
        try:
            _to_clipboard(copied(self._canvas.state))
        except RequestError as error:
            self.status_message.emit(str(error))

    def copy_merged(self) -> None:
        """Copy the selected part of the composite of all layers."""
        self.commit()
        try:
            _to_clipboard(copied(self._canvas.state, merged=True))
        except RequestError as error:
            self.status_message.emit(str(error))

    def cut(self) -> None:
        self.commit()
        try:
            clip, edit = cut(self._canvas)
        except RequestError as error:
            self.status_message.emit(str(error))
            return
        if self._perform(edit):
            _to_clipboard(clip)

    def paste(self) -> None:
        """Paste the clipboard picture as a new layer."""
        data = QGuiApplication.clipboard().mimeData()
        if self.editor is not None and data.hasImage() and data.hasFormat(_CLIPBOARD_ORIGIN):
            left, top = (int(v) for v in bytes(data.data(_CLIPBOARD_ORIGIN).data()).split())
            image = QImage(data.imageData())
            self._perform(paste(self._canvas, Clip(to_pixels(image), left, top)))
        elif not self.drop(data):
            self.status_message.emit("There is no picture on the clipboard.")

    def duplicate(self) -> None:
        self._perform(duplicate_layer(self._canvas, self._canvas.state.active))

    def delete_selected(self) -> None:
        """Clear the selected area; without a selection, remove the layer."""
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


def _layers_of(canvas: Canvas, read: OpenedPicture | State) -> CanvasEdit:
    """The edit that adds a picture or layers above all others."""
    if isinstance(read, OpenedPicture):
        return add_picture(canvas, read)

    def work(state: State) -> State:
        taken = {each.id for each in state.layers}
        names = {"": ""}
        for layer in read.layers:
            names[layer.id] = free_id(layer.kind.value, taken)
            taken.add(names[layer.id])
        added = tuple(replace(x, id=names[x.id], group=names[x.group]) for x in read.layers)
        active = added[-1].id if added else state.active
        return replace(state, layers=(*state.layers, *added), active=active)

    return CanvasEdit(canvas, "add layers", work)


def _to_clipboard(clip: Clip) -> None:
    mask = clip.pixels.ndim == 2
    data = QMimeData()
    data.setImageData(to_image(clip.pixels if mask else straight(clip.pixels), straight=True))
    data.setData(_CLIPBOARD_ORIGIN, f"{clip.left} {clip.top}".encode())
    QGuiApplication.clipboard().setMimeData(data)
