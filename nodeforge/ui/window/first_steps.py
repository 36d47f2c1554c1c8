"""Help > First steps: a tour on the real window, one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.settings import shipped
from nodeforge.ui.window.base_window import BaseWindow
from nodeforge.ui.window.tasks import prompt_node, show_prompt, start_task

_WIDTH, _EDGE = 340, 16
_FOLLOW = 200
"""Milliseconds after which the frame follows what it surrounds."""
_START = "text_to_image"


@dataclass(frozen=True)
class Step:
    """One step of the tour.

    Args:
        title: What is shown.
        text: What to do, in a few sentences.
        part: The part of the window to surround; None while it is not there.
        show: Brings that part into sight.
    """

    title: str
    text: str
    part: Callable[[BaseWindow], QWidget | None]
    show: Callable[[BaseWindow], object] = lambda _: None


def _open(window: BaseWindow) -> None:
    opened = window.workspace.current
    if opened is None or not prompt_node(opened.document, window.workspace.catalogue):
        start_task(window, shipped("workflows") / f"{_START}.json")
    window.area.show_view("graph")
    show_prompt(window)


def _dock(name: str) -> tuple[Callable[[BaseWindow], QWidget | None], Callable[[BaseWindow], None]]:
    """A panel, and what brings it to the front."""

    def show(window: BaseWindow) -> None:
        window.area.show_view("graph")
        window.docks.show(name)

    return lambda window: window.docks.all[name], show


STEPS = (
    Step(
        "Say what you want",
        "The inspector shows what is selected: here, the prompt. Write what the picture shows, "
        "for example “a castle on a blue background”.",
        *(lambda window: window.docks.all["inspector"], _open),
    ),
    Step(
        "Run",
        "Press Run, or Ctrl+Enter. The picture grows step by step. Esc stops; what is done is "
        "kept. Each run draws another seed.",
        lambda window: window.findChild(QWidget, "button.run.run"),
    ),
    Step(
        "Look",
        "The viewer shows the result. Double-click enlarges it. With the Denoise node selected, "
        "a slider goes through its steps, and Continue from here goes on with another prompt.",
        *_dock("viewer"),
    ),
    Step(
        "Keep",
        "The gallery has every picture that was saved. A right-click offers what can be done with "
        "one: save, copy, paint on it, make it again, compare. Keys 1 to 5 give stars.",
        *_dock("gallery"),
    ),
    Step(
        "Build",
        "A workflow is a graph. Drag between ports to link, Tab or double-click adds a node, "
        "Delete removes one, Ctrl+Z takes anything back. Nothing is computed twice.",
        lambda window: window.area.view,
        lambda window: window.area.show_view("graph"),
    ),
    Step(
        "Paint",
        "Canvas is for painting: open a picture, paint a mask over what should change, say what "
        "should be there, and press Ctrl+Enter.",
        lambda window: window.area.view_switch.buttons["canvas"],
    ),
    Step(
        "Find the rest",
        "Ctrl+Shift+P finds every command by its name, F1 lists the keys, and Help > Manual has "
        "the documents.",
        lambda window: window.menuBar(),
    ),
)


class FirstSteps(QFrame):
    """A panel over the window that leads through `STEPS`, and a frame around what each is about.

    The window stays in use meanwhile.
    """

    def __init__(self, window: BaseWindow) -> None:
        super().__init__(window)
        self._window, self.index = window, 0
        self.setProperty("role", "card")
        self.setAccessibleName("First steps")
        self.setFixedWidth(_WIDTH)
        self._title, self._text, self._count = QLabel(), QLabel(wordWrap=True), QLabel()
        self._title.setProperty("role", "heading")
        self._count.setProperty("role", "dim")
        self.back, self.next, self.end = (QPushButton(t) for t in ("Back", "Next", "Close"))
        self.back.clicked.connect(lambda: self.go(self.index - 1))
        self.next.clicked.connect(lambda: self.go(self.index + 1))
        self.end.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addWidget(self._count)
        row.addStretch(1)
        for button in (self.end, self.back, self.next):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        for part in (self._title, self._text):
            column.addWidget(part)
        column.addLayout(row)
        self._band = QFrame(window)
        self._band.setProperty("role", "outline")
        self._band.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._follow = QTimer(self)
        self._follow.setInterval(_FOLLOW)
        self._follow.timeout.connect(self._place)
        self._follow.start()
        self.go(0)

    def go(self, index: int) -> None:
        """Show a step; after the last, the tour ends."""
        if not 0 <= index < len(STEPS):
            self.close()
            return
        self.index = index
        step = STEPS[index]
        step.show(self._window)
        self._title.setText(step.title)
        self._text.setText(step.text)
        self._count.setText(f"{index + 1} of {len(STEPS)}")
        self.back.setEnabled(index > 0)
        self.next.setText("Done" if index == len(STEPS) - 1 else "Next")
        self.adjustSize()
        self._place()
        self.show()
        self.raise_()

    def close(self) -> bool:
        self._follow.stop()
        self._band.hide()
        self._band.deleteLater()
        self.deleteLater()
        return super().close()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def _place(self) -> None:
        """Surround the part, and lie where the part is not."""
        part = STEPS[self.index].part(self._window)
        seen = part is not None and part.isVisible()
        self._band.setVisible(seen)
        area = self._window.area
        room = QRect(area.mapTo(self._window, QPoint(0, 0)), area.size())
        if part is not None and seen:
            corner = part.mapTo(self._window, QPoint(0, 0))
            self._band.setGeometry(QRect(corner, part.size()).adjusted(-2, -2, 2, 2))
            self._band.raise_()
        self.raise_()
        place = room.bottomLeft() + QPoint(_EDGE, -self.height() - _EDGE)
        self.move(max(0, place.x()), max(0, place.y()))
