"""The viewer panel: the selected node's picture, and a slider over the denoising steps to it.

A video or a sound plays; the timeline of its frames stands above that of the denoising steps.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QImage, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.formats.sampling_settings import LOOP, LoopTrace
from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.edits import Together
from nodeforge.graph.planned import flatten_with_values
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.images import read_scaled
from nodeforge.ui.documents.node_state import NodeState
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.documents.seeds import FIXED, moving_seeds, set_modes
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.file_clips import open_file_clip
from nodeforge.ui.running.result_clips import ClipSource
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.viewer.clip_controls import ClipControls
from nodeforge.ui.viewer.copy_chooser import CopyChooser
from nodeforge.ui.viewer.picture_view import PictureView

_LARGEST = 4096
"""Longer side at which a saved picture is read, pixels."""
HINT = "Drag to an earlier step, then"
_HINT_SEEN = "continue_hint_seen"
EMPTY = "The picture of the selected node appears here, after a run."


class Viewer(QWidget):
    """Shows the selected node's picture; if it has none, the document's latest picture.

    Args:
        empty: What is said while there is no picture.
    """

    node_requested = Signal(str)
    """The path of a node whose text is to be edited next."""
    menu_requested = Signal(list, QPoint)
    """The shown `Picture` in a list, and a screen position."""
    command = Signal(str, list)
    """A command of the picture menu, by key or double-click, with the shown `Picture`."""

    def __init__(self, workspace: Workspace, runner: Runner, empty: str = EMPTY) -> None:
        super().__init__()
        self._empty = empty
        self.setAccessibleName("Viewer")
        self._workspace, self._runner = workspace, runner
        self._opened: OpenDocument | None = None
        self._node = ""
        self._loop = ""
        """The denoise loop whose steps are offered: the nearest upstream of the shown result."""
        self._whole = QImage()
        """The shown result, for the last step of the slider."""
        self._file: Path | None = None
        self._shown_run: object = None
        """The `last_run` of the document when its result was shown."""
        self._count = 0
        """The number of steps of the shown loop."""
        self._chosen = False
        self._clip_of = "", ""
        """The document and the node whose clip is shown."""
        self._latest = ""
        self._follow = QTimer(self, singleShot=True)
        self._follow.setInterval(33)
        self._follow.timeout.connect(self._show_latest)
        self._asked = 0
        self._busy = False
        self._wanted: int | None = None
        self.picture_view = PictureView(empty)
        self.picture_view.setAccessibleName("Picture")
        self.clip = ClipControls(self.picture_view)
        self._name, self._caption = QLabel(), ""
        self._name.setProperty("role", "dim")
        self.copies = CopyChooser()
        self.copies.chosen.connect(self._choose_copy)
        self._zoom = QLabel()
        self._zoom.setProperty("role", "dim")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Denoising step")
        self.slider.setToolTip("Drag to see the denoising steps")
        self.slider.valueChanged.connect(self._slid)
        self._step = QLabel()
        self.continue_button = QPushButton(icon("git-branch"), "Continue from here")
        self.continue_button.setToolTip(
            "Keep the steps up to the one shown, and change the prompt from there.\n"
            "Drag to an earlier step first."
        )
        self.continue_button.clicked.connect(self._continue)
        self.hint = QLabel(HINT)
        self.hint.setProperty("role", "dim")
        self.hint.setWordWrap(True)
        self._steps = QWidget()
        self._lay_out()
        view = self.picture_view
        view.zoomed.connect(self._show_zoom)
        view.hovered.connect(self._show_pixel)
        view.enlarge_requested.connect(lambda: self._command("large"))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._menu)
        runner.stepped.connect(self._stepped)
        self._steps.hide()

    def show_nodes(self, opened: OpenDocument | None, paths: list[str]) -> None:
        """Show the picture of the first of `paths` that has one, or keep the latest."""
        changed = opened is not self._opened
        if changed:
            if self._opened is not None:
                self._opened.picture_changed.disconnect(self._changed)
                self._opened.states_changed.disconnect(self._show_state)
            self._opened, self._loop = opened, ""
            self._set_steps(0)
            if opened is not None:
                opened.picture_changed.connect(self._changed)
                opened.states_changed.connect(self._show_state)
        chosen = [path for path in paths if self._makes_picture(path)]
        before, self._chosen = self._chosen, bool(chosen)
        if chosen:
            self._show(chosen[0])
        elif changed or before or not self._node:
            self._show(self._last())

    def show_file(self, picture: Picture) -> None:
        """Show a saved picture, until a node is selected or a run gives another picture."""
        self._chosen = False
        self.copies.show_number(1, 1)
        self._file = picture.path
        self._node = ""
        self._asked += 1
        self._wanted, self._busy = None, False
        self.picture_view.set_empty_text("The file is no longer there.")
        self.picture_view.set_beside(None)
        self.clip.open(None)
        self._clip_of = "", ""
        self._put(None if self._opens_clip(picture.path) else self._read(picture.path))
        self._show_name(picture.path.name if picture.path else "", str(picture.path or ""))
        saved = self._opened.saved_files.items() if self._opened else ()
        self._offer_steps(next((node for node, files in saved if picture.path in files), ""))

    def _read(self, path: Path | None) -> QImage | None:
        return read_scaled(path, _LARGEST) if path is not None else None

    def _opens_clip(self, path: Path | None) -> bool:
        """Open a file that plays; whether it is one."""
        if path is None or not path.exists():
            return False
        use, tell = partial(self._open_clip, self._asked), self.picture_view.set_empty_text
        opens = open_file_clip(path, use, self, lambda fact: tell(f"The file {fact}"))
        if opens:
            tell("Reading the file…")
        return opens

    @property
    def picture(self) -> Picture | None:
        """The picture that is shown; None while there is none."""
        if self.picture_view.image.isNull():
            return None
        if self._file is not None:
            return Picture.of_file(self._file)
        return self.picture_of(self._opened, self._node) if self._opened and self._node else None

    def picture_of(self, opened: OpenDocument, node: str) -> Picture:
        """The picture of a node's result, with the file where one holds it."""
        title = self._workspace.node_title(opened.document, node)
        return Picture(f"{opened.name} {title}", opened.saved_file(node), opened, node)

    def _menu(self, place: QPoint) -> None:
        if (picture := self.picture) is not None:
            self.menu_requested.emit([picture], self.picture_view.mapToGlobal(place))

    def _command(self, name: str) -> None:
        self.clip.pause()
        if (picture := self.picture) is not None:
            self.command.emit(name, [picture])

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        column.addWidget(self.picture_view, 1)
        column.addWidget(self.clip)
        below, steps = QVBoxLayout(self._steps), QHBoxLayout()
        below.setContentsMargins(8, 0, 8, 0)
        below.setSpacing(4)
        below.addLayout(steps)
        again = QHBoxLayout()
        again.addWidget(self.hint, 1)
        again.addStretch()
        again.addWidget(self.continue_button)
        below.addLayout(again)
        steps.addWidget(self.slider, 1)
        steps.addWidget(self._step)
        column.addWidget(self._steps)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 0, 8, 0)
        bar.addWidget(self._name, 1)
        bar.addWidget(self.copies)
        bar.addWidget(self._zoom)
        self.save_button = _button("floppy-disk", "Save picture as…", lambda: self._command("save"))
        bar.addWidget(self.save_button)
        bar.addWidget(_button("corners-out", "Fit", self.picture_view.fit))
        bar.addWidget(_button("magnifying-glass", "100 %", lambda: self.picture_view.zoom_to(1.0)))
        column.addLayout(bar)
        self.clip.watch(*self.findChildren(QAbstractButton))

    def _makes_picture(self, node: str) -> bool:
        opened = self._opened
        if opened is None or not _type_of(opened, node):
            return False
        shown = node in opened.pictures or node in opened.steps
        return shown or bool(self._runner.pictures.picture_port(opened, node))

    def _last(self) -> str:
        """The node with the latest picture."""
        if self._opened is None:
            return ""
        shown, picture_port = self._opened.pictures, self._runner.pictures.picture_port
        return next((node for node in reversed(shown) if picture_port(self._opened, node)), "")

    def _show(self, node: str) -> None:
        self._node, self._file = node, None
        self._shown_run = self._opened.last_run if self._opened else None
        self._asked += 1
        self._wanted, self._busy = None, False
        image = self._opened.pictures.get(node) if self._opened else None
        self._offer_clip(node)
        self._put(image)
        self.picture_view.set_beside(self._opened.beside.get(node) if self._opened else None)
        self._show_name(self._title(node))
        self.copies.show_number(*self._copies_of(node))
        self.picture_view.set_empty_text(self._empty)
        facts = self._opened.clips.get(node) if self._opened else None
        if self._opened is not None and image is not None and not (facts and facts.frames):
            self._ask_large()
        self._offer_steps(node)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        self.clip.pause()
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if not self.clip.handle_key(event):
            super().keyPressEvent(event)

    def _offer_clip(self, node: str, step: int = 0) -> None:
        """Play the result of a node, or what it held after a denoising step, if it moves.

        What plays already goes on where it is the same value.
        """
        opened = self._opened
        shown = self._opened.clips.get(self._node) if self._opened else None
        if opened is None or shown is None or self._clip_of != (opened.id, self._node):
            self.clip.open(None)
        self._clip_of = (opened.id, self._node) if opened is not None else ("", "")
        if opened is not None and shown is not None:
            use = partial(self._open_clip, self._asked)
            self._runner.pictures.open_clip(opened, node, use, step=step)

    def _open_clip(self, asked: int, source: ClipSource | None) -> None:
        """Show a clip; at the same place as the one before, where that was of the same node."""
        if asked != self._asked:
            return
        player = self.clip.player
        self.clip.open(source, player.position / max(1, player.count - 1))

    def _copies_of(self, node: str) -> tuple[int, int]:
        return self._opened.copies.get(node, (1, 1)) if self._opened else (1, 1)

    def _choose_copy(self, number: int) -> None:
        """Show another result of the list, at all nodes that have as many."""
        opened, (_, of) = self._opened, self._copies_of(self._node)
        if opened is None:
            return
        for node, (_, count) in list(opened.copies.items()):
            if count == of:
                opened.copies[node] = number, of
                opened.step_pictures.pop(node, None)
                self._runner.pictures.fetch(opened, node)
        self.copies.show_number(number, of)

    def _offer_steps(self, node: str) -> None:
        """Offer the steps of the denoise loop that led to the result of `node`, if one did."""
        before, self._loop = self._loop, self._loop_of(node)
        stays = self._loop == before and self._steps.isVisible()
        self._set_steps(self._count, self.slider.maximum()) if stays else self._set_steps(0)
        if self._opened is not None and self._loop:
            on_count = partial(self._on_step_count, self._asked)
            self._runner.pictures.count_steps(self._opened, self._loop, on_count)

    def _loop_of(self, node: str) -> str:
        """The nearest denoise loop upstream of `node`; empty for none."""
        if self._opened is None or not node:
            return ""
        traced = LoopTrace(
            flatten_with_values(self._opened.document.graph, self._workspace.catalogue)
        )
        upstream = traced.upstream(node) if node in traced.flat.nodes else [node]
        return next((path for path in upstream if self._is_loop(path)), "")

    def _put(self, image: QImage | None) -> None:
        """Show `image`, the whole result; latents are small previews."""
        self._whole = image or QImage()
        pictures = self._runner.pictures
        latent = (
            self._opened is not None and pictures.picture_type(self._opened, self._node) == "latent"
        )
        facts = self._opened.clips.get(self._node) if self._opened else None
        if facts is None or latent or not facts.frames or image is None:
            self.picture_view.show_image(image, coarse=latent)
        elif not self.clip.player.cached:  # else its frames are shown
            self.picture_view.show_image(image, size=QSize(facts.width, facts.height))

    def _title(self, node: str) -> str:
        if self._opened is None or not node:
            return ""
        title = self._workspace.node_title(self._opened.document, node)
        return f"{title}, out of date" if self._opened.is_out_of_date(node) else title

    def _show_state(self, states: dict[str, NodeState]) -> None:
        """Say in the name whether the shown picture is out of date."""
        if self._file is None and self._node in states:
            self._show_name(self._title(self._node))

    def _is_loop(self, node: str) -> bool:
        assert self._opened is not None
        return self._workspace.catalogue.get(_type_of(self._opened, node)) is not None and (
            _type_of(self._opened, node) == LOOP or node in self._opened.steps
        )

    def _ask_large(self) -> None:
        assert self._opened is not None
        if self._runner.pictures.picture_port(self._opened, self._node):
            show = partial(self._show_large, self._asked)
            self._runner.pictures.render(self._opened, self._node, show)
        if port := self._runner.pictures.beside_port(self._opened, self._node):
            show = partial(self._show_large_beside, self._asked)
            self._runner.pictures.render(self._opened, self._node, show, port=port)

    def _show_large(self, asked: int, image: QImage | None) -> None:
        if asked == self._asked and image is not None and self._at_end():
            self._put(image)

    def _show_large_beside(self, asked: int, image: QImage | None) -> None:
        if asked == self._asked and image is not None:
            self.picture_view.set_beside(image)

    def _changed(self, node: str) -> None:
        if self._opened is None:
            return
        state = self._opened.states.get(node)
        running = state is not None and state.kind == "running"
        if node != self._node:
            whole = not running and self._runner.pictures.picture_port(self._opened, node)
            if whole and not self._chosen:
                self._latest = node
                self._follow.start()
        elif running:
            self._steps.hide()
            self.clip.open(None)
            self._put(self._opened.pictures[node])
        elif not self._step_chosen():
            self._show(node)

    def _show_latest(self) -> None:
        latest, opened = self._latest, self._opened
        if not self._chosen and opened and latest in opened.pictures and not self._step_chosen():
            self._show(latest)

    def _step_chosen(self) -> bool:
        """Whether a step of the last run is shown, which stays when pictures arrive late."""
        run = self._opened.last_run if self._opened else None
        return not self._at_end() and run is self._shown_run

    def _stepped(self, opened: OpenDocument, node: str) -> None:
        if opened is self._opened and node != self._node and not self._chosen:
            self._node, self._file = node, None
            self._steps.hide()
            self.clip.open(None)
            self._show_name(self._title(node))
            self.picture_view.show_image(opened.pictures[node], coarse=True)

    def _set_steps(self, count: int, kept: int = 0) -> None:
        """Offer the steps up to `kept`, of `count`."""
        self._count = count
        self.slider.blockSignals(True)
        self.slider.setRange(1, max(1, kept))
        self.slider.setValue(kept)
        self.slider.blockSignals(False)
        self.hint.setVisible(self._workspace.store.read(_HINT_SEEN, "false", str) != "true")
        self._steps.setVisible(kept > 1)
        self._show_step(kept)

    def _on_step_count(self, asked: int, count: int, kept: int) -> None:
        known = self._steps.isVisible() and (self._count, self.slider.maximum()) == (count, kept)
        if asked == self._asked and not known:  # else a step may be chosen already
            self._set_steps(count, kept)

    def _at_end(self) -> bool:
        return not self._steps.isVisible() or self.slider.value() == self.slider.maximum()

    def _show_step(self, step: int) -> None:
        self._step.setText(f"step {step}/{self._count}")
        self.continue_button.setEnabled(step < self._count)

    def _slid(self, step: int) -> None:
        self._show_step(step)
        self._wanted = step
        if not self._busy:
            self._ask_step()

    def _ask_step(self) -> None:
        """Request the picture of a step; one request at a time, then the last step wanted.

        If all steps were previewed, the previews are shown instead.
        """
        if self._wanted is None or self._opened is None:
            return
        if self._wanted == self._count and self._loop != self._node and not self._whole.isNull():
            self._wanted = None
            self.picture_view.show_image(self._whole)
            self._offer_clip(self._node)
            return
        previews = self._opened.step_pictures.get(self._loop, {})
        if len(previews) == self.slider.maximum() and self._wanted in previews:
            self.picture_view.show_image(previews[self._wanted], coarse=True)
            return
        step, self._wanted, self._busy = self._wanted, None, True
        show = partial(self._show_step_picture, self._asked)
        self._runner.pictures.render(self._opened, self._loop, show, step=step)

    def _show_step_picture(self, asked: int, image: QImage | None) -> None:
        if asked != self._asked:
            return
        self._busy = False
        if image is not None:
            self.picture_view.set_beside(None)
            self.picture_view.show_image(image, coarse=True)
            if self._wanted is None:
                self._offer_clip(self._loop, self.slider.value())
        self._ask_step()

    def _continue(self) -> None:
        """Change the prompt from the shown step on ("Continue from here")."""
        from nodeforge.ui.viewer.continue_from_step import (  # with the graph's view
            ContinueFrom,
            steps_run,
        )

        if self._opened is None or not self._loop:
            return
        self._workspace.store.setValue(_HINT_SEEN, "true")
        document, step = self._opened.document, self.slider.value()
        catalogue = self._workspace.catalogue
        steps = steps_run(document, self._loop, self._count, catalogue)
        edit = ContinueFrom(self._loop, step, steps, catalogue)
        fix = set_modes(moving_seeds(document, catalogue), FIXED)  # the steps are of this seed
        if self._opened.perform(Together(edit.name, [edit, fix])) and edit.node:
            self.node_requested.emit(edit.node)

    def _show_pixel(self, text: str) -> None:
        """The pixel under the mouse, in the place of the name."""
        self._name.setText(text or self._caption)

    def _show_name(self, name: str, tip: str = "") -> None:
        self._caption = name
        self._name.setText(name)
        self._name.setToolTip(tip)

    def _show_zoom(self, zoom: float) -> None:
        self._zoom.setText("" if self.picture_view.image.isNull() else f"{zoom * 100:.0f} %")


def _type_of(opened: OpenDocument, node: str) -> str:
    try:
        return opened.document.node(node).type
    except NoSuchNodeError:
        return ""


def _button(name: str, text: str, do: object) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(name))
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.clicked.connect(do)
    return button
