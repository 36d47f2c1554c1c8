"""The large view: one picture over the whole window, and the arrow keys for its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QImage, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.running.result_clips import ClipSource
from nodeforge.ui.viewer.clip_controls import ClipControls
from nodeforge.ui.viewer.picture_view import PictureView

Fetch = Callable[[Picture, Callable[[QImage | None], None]], None]
OpenClip = Callable[[Picture, Callable[[ClipSource | None], None]], None]
_GONE = "This picture is no longer there."
_CLOSING = (Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class LargeView(QDialog):
    """Shows pictures one at a time, fitted or pixel by pixel.

    Args:
        pictures: What the arrow keys go through.
        index: The first that is shown.
        fetch: Gives the image of a picture, at once or later; None where there is none.
        open_clip: Gives what there is to play of it, at once or later; None for a still picture.
        parent: The window that it covers.
    """

    menu_requested = Signal(list, QPoint)
    """The shown `Picture` in a list, and a screen position."""
    command = Signal(str, list)
    """A command of the picture menu by its key, with the shown `Picture`."""

    def __init__(
        self,
        pictures: Sequence[Picture],
        index: int,
        fetch: Fetch,
        open_clip: OpenClip,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._open_clip = open_clip
        self._pictures, self._index, self._fetch = list(pictures), index, fetch
        self._asked = 0
        self.setWindowTitle("Large view")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setSizeGripEnabled(True)
        self.view = PictureView(_GONE)
        self.view.setAccessibleName("Picture, large")
        self.view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.view.hovered.connect(self._show_pixel)
        self.view.zoomed.connect(lambda _: self._show_facts())
        self.view.enlarge_requested.connect(self._switch_zoom)
        self.clip = ClipControls(self.view, arrows=False)
        self._name, self._facts, self._pixel = QLabel(), QLabel(), QLabel()
        for label in (self._facts, self._pixel):
            label.setProperty("role", "dim")
        column, bar = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view, 1)
        column.addWidget(self.clip)
        column.addLayout(bar)
        bar.setContentsMargins(12, 4, 12, 8)
        bar.setSpacing(12)
        for part in (self._name, self._facts, self._pixel):
            bar.addWidget(part)
        bar.addStretch(1)
        self.buttons: dict[str, QToolButton] = {}
        for name, text, do in (
            ("caret-left", "Previous picture (Left)", lambda: self.step(-1)),
            ("caret-right", "Next picture (Right)", lambda: self.step(1)),
            ("floppy-disk", "Save as… (Ctrl+S)", lambda: self._command("save")),
            ("corners-out", "Fit (F)", self.view.fit),
            ("magnifying-glass", "100 % (1)", lambda: self.view.zoom_to(1.0)),
            ("arrows-out", "Full screen (F11)", self._switch_full_screen),
            ("x", "Close (Esc)", self.close),
        ):
            button = QToolButton()
            button.setIcon(icon(name))
            button.setToolTip(text)
            button.setAccessibleName(text.partition(" (")[0])
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(do)
            bar.addWidget(button)
            self.buttons[name] = button
        self.setGeometry(parent.window().geometry())
        self._show()

    @property
    def picture(self) -> Picture:
        """The picture that is shown."""
        return self._pictures[self._index]

    def step(self, by: int) -> None:
        """Show a neighbour; at either end, the picture stays."""
        index = min(max(self._index + by, 0), len(self._pictures) - 1)
        if index != self._index:
            self._index = index
            self._show()

    def forget(self, pictures: Sequence[Picture]) -> None:
        """Leave out deleted pictures; the view closes with the last."""
        shown = self.picture
        left = [each for each in self._pictures if each not in pictures]
        if not left:
            self.close()
            return
        passed = sum(each in pictures for each in self._pictures[: self._index])
        self._pictures, self._index = left, min(self._index - passed, len(left) - 1)
        if self.picture != shown:
            self._show()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        self.view.setFocus()
        super().showEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self.clip.handle_key(event):
            return
        match event.key():
            case _ if enter and control:
                self._command("again")
            case Qt.Key.Key_C if control:
                self._command("copy")
            case Qt.Key.Key_S if control:
                self._command("save")
            case Qt.Key.Key_Delete:
                self._command("delete")
            case key if key in _CLOSING:
                self.close()
            case Qt.Key.Key_Right | Qt.Key.Key_Down:
                self.step(1)
            case Qt.Key.Key_Left | Qt.Key.Key_Up:
                self.step(-1)
            case Qt.Key.Key_Home:
                self.step(-len(self._pictures))
            case Qt.Key.Key_End:
                self.step(len(self._pictures))
            case Qt.Key.Key_F | Qt.Key.Key_0:
                self.view.fit()
            case Qt.Key.Key_1:
                self.view.zoom_to(1.0)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.view.zoom_to(self.view.zoom * 1.25)
            case Qt.Key.Key_Minus:
                self.view.zoom_to(self.view.zoom / 1.25)
            case Qt.Key.Key_F11:
                self._switch_full_screen()
            case _:
                super().keyPressEvent(event)

    def _command(self, name: str) -> None:
        self.command.emit(name, [self.picture])

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        self.menu_requested.emit([self.picture], event.globalPos())

    def _show(self) -> None:
        self._asked += 1
        asked = self._asked
        self.buttons["caret-left"].setEnabled(self._index > 0)
        self.buttons["caret-right"].setEnabled(self._index < len(self._pictures) - 1)
        path = self.picture.path
        self._name.setText(path.name if path is not None else self.picture.name)
        self._name.setToolTip(str(path) if path is not None else "")
        self._pixel.setText("")

        def show(image: QImage | None) -> None:
            if asked == self._asked and not self.clip.player.cached:
                self.view.show_image(image)
                self._show_facts()

        def play(source: ClipSource | None) -> None:
            if asked == self._asked:
                self.clip.open(source)

        self.clip.open(None)
        self._fetch(self.picture, show)
        self._open_clip(self.picture, play)

    def _show_facts(self) -> None:
        size = self.view.size_shown
        several = f"{self._index + 1} of {len(self._pictures)}" if len(self._pictures) > 1 else ""
        measured = f"{size.width()} × {size.height()} px, {self.view.zoom * 100:.0f} %"
        self._facts.setText("   ".join(filter(None, [measured if size.isValid() else "", several])))

    def _show_pixel(self, text: str) -> None:
        self._pixel.setText(text)

    def _switch_zoom(self) -> None:
        """Between the whole picture and its pixels."""
        if self.view.is_fitted:
            self.view.zoom_to(1.0)
        else:
            self.view.fit()

    def _switch_full_screen(self) -> None:
        self.showNormal() if self.isFullScreen() else self.showFullScreen()
