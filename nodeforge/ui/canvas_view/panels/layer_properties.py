"""Properties of the active layer, in the rows that its kind has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QAction, QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QColorDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from nodeforge.canvas import (
    PREPROCESSORS,
    CanvasEdit,
    Layer,
    LayerKind,
    State,
    set_layer,
    with_control_found,
)
from nodeforge.canvas.document.layer import STRONGEST
from nodeforge.errors import RequestError
from nodeforge.imaging import BlendMode, Reading
from nodeforge.lint import Problem
from nodeforge.models import Kind
from nodeforge.spec import NumberWidget
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.common.background_task import ReportProgress, run_in_background
from nodeforge.ui.common.icons import SIZE as ICON
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.choice_field import ChoiceField
from nodeforge.ui.fields.field import Field
from nodeforge.ui.fields.model_field import ModelField
from nodeforge.ui.fields.number_field import NumberField
from nodeforge.ui.fields.problem_mark import PAUSE, ProblemMark
from nodeforge.ui.fields.prompt_completion import Sources
from nodeforge.ui.fields.text_field import TextField

_PROMPT_HEIGHT = 64
"""Of a prompt's field, pixels: three lines."""

_PLACEHOLDERS = {
    "prompt": "What should be in this mask",
    "negative": "What should not be in it",
}

LEAST = 112
"""Pixels of the rows that are seen without scrolling, where the window is low: a mask's prompt."""

_FROM_PICTURE = "From picture"

TALL = 208
"""The same where there is room."""

_OF_PICTURES = ("opacity", "blend")
_OF_MASKS = ("prompt", "negative", "strength", "opacity")
_CONTROL = "control."
_OF_CONTROLS = tuple(
    f"{_CONTROL}{name}" for name in ("reading", "strength", "start", "end", "controlnet")
)
ROWS = {
    LayerKind.PICTURE: _OF_PICTURES,
    LayerKind.PAINT: _OF_PICTURES,
    LayerKind.MASK: _OF_MASKS,
    LayerKind.CONTROL: _OF_CONTROLS,
    LayerKind.REFERENCE: (),
    LayerKind.GROUP: _OF_PICTURES,
}
"""What can be set of each kind. How control and reference layers look says nothing to a model."""


READINGS = {
    Reading.AUTO: "Auto",
    Reading.LINES: "As drawn",
    Reading.EDGES: "Edges",
    Reading.SOFT_EDGES: "Soft edges",
    Reading.LINE_ART: "Line art",
    Reading.SCRIBBLE: "Scribble",
    Reading.TILE: "Tile (no details)",
    Reading.PICTURE: "Picture as it is",
}
_LABELS = {"control.reading": "Kind", "control.controlnet": "ControlNet"}
_TOOLTIPS = {
    "control.reading": "What the ControlNet sees: what is drawn, or what is found in it. Auto "
    "takes drawings as drawn and finds the edges of pictures",
    "control.strength": "Weight of this layer; 0 turns it off",
    "control.start": "Share of the steps after which it begins",
    "control.end": "Share of the steps after which it ends",
    "control.controlnet": "The model that sees this layer; layers that name the same share it",
}


class LayerProperties(QWidget):
    """Edits the properties of the active layer.

    Args:
        session: The canvas.
        workspace: Its model folders.
        words: Complete the prompts of masks.
        problems: What the linter says of such a prompt.
    """

    def __init__(
        self,
        session: CanvasSession,
        workspace: Workspace,
        words: Sources,
        problems: Callable[[str], Sequence[Problem]],
    ) -> None:
        super().__init__()
        self._session, self._workspace, self._problems = session, workspace, problems
        self._marks: dict[str, ProblemMark] = {}
        self._pause = QTimer(self, singleShot=True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self._show_problems)
        self._id = ""
        share = NumberWidget(0.0, 1.0, 0.01)
        self.fields: dict[str, Field] = {
            "prompt": TextField(multiline=True),
            "negative": TextField(multiline=True),
            "strength": NumberField(share, whole=False, percent=True),
            "opacity": NumberField(share, whole=False, percent=True),
            "blend": ChoiceField([mode.value for mode in BlendMode]),
            "control.reading": ChoiceField(
                [each.value for each in Reading], list(READINGS.values())
            ),
            "control.strength": NumberField(
                NumberWidget(0.0, STRONGEST, 0.05), whole=False, percent=True
            ),
            "control.start": NumberField(share, whole=False, percent=True),
            "control.end": NumberField(share, whole=False, percent=True),
            "control.controlnet": ModelField(workspace, Kind.CONTROLNET, optional=True),
        }
        self.fields["control.controlnet"].set_auto("the workflow's")
        self.tint = QToolButton()
        self.tint.setToolTip("Mask colour…")
        self.tint.setAccessibleName("Mask colour")
        self.tint.setIconSize(QSize(ICON, ICON))
        self.tint.clicked.connect(self.ask_tint)
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setVerticalSpacing(4)
        self._labels: dict[str, QWidget] = {}
        self.from_picture = _from_picture_button()
        self.from_picture.menu().triggered.connect(self._fill_from_picture)
        self._rows.addRow(self.from_picture)
        for name, field in self.fields.items():
            if isinstance(field, TextField):
                field.set_words(words)
                field.set_placeholder(_PLACEHOLDERS[name])
            field.set_label(f"Layer {name}")
            field.edited.connect(lambda value, _, name=name: self._set(name, value))
            self._add_row(name, field)
        self._area = _ScrollArea(self)

    def _add_row(self, name: str, field: Field) -> None:
        label = QLabel(_LABELS.get(name, name.removeprefix(_CONTROL).capitalize()))
        for each in (label, field.editor()):
            each.setToolTip(_TOOLTIPS.get(name, ""))
        label.setProperty("role", "dim")
        label.setBuddy(field.editor())
        self._labels[name] = label
        if not isinstance(field, TextField):
            self._rows.addRow(label, field)
            return
        field.editor().setMinimumHeight(0)
        field.setFixedHeight(_PROMPT_HEIGHT)
        mark = self._marks[name] = ProblemMark()
        swatch = (self.tint,) if name == "prompt" else ()
        self._labels[name] = heading = _row(*swatch, label, mark)
        self._rows.addRow(heading)
        self._rows.addRow(field)

    def in_scroll_area(self) -> QScrollArea:
        """The panel as part of a column: as high as its rows, or less, and then scrolled."""
        return self._area

    def set_least(self, pixels: int) -> None:
        """Show at least so much of the rows without scrolling: `LEAST` or `TALL`."""
        self._area.set_least(pixels)

    def show_layer(self, layer: Layer | None) -> None:
        self._id = layer.id if layer is not None else ""
        wanted = ROWS[layer.kind] if layer is not None else ()
        self._area.setVisible(bool(wanted))
        for name, field in self.fields.items():
            self._rows.setRowVisible(self._labels[name], name in wanted)
            self._rows.setRowVisible(field, name in wanted)
            if layer is not None:
                value = _value(layer, name)
                field.show_value(value.value if isinstance(value, StrEnum) else value)
        self._rows.setRowVisible(self.from_picture, wanted is _OF_CONTROLS)
        if layer is not None:
            self.tint.setIcon(_swatch(layer.tint))
        self._area.updateGeometry()
        self.check_prompts()

    def check_prompts(self) -> None:
        """Ask the linter of the prompts after a pause: one of them was edited, or the model is
        another.
        """
        self._pause.start()

    def _show_problems(self) -> None:
        """Mark the prompts of a mask, and underline words in them."""
        layer = self._session.canvas.active
        mask = layer if layer is not None and layer.kind is LayerKind.MASK else None
        for name, mark in self._marks.items():
            text = _value(mask, name) if mask is not None else ""
            told = self._problems(text) if text else ()
            mark.show_problems(told, self.fields[name], self._workspace.theme)

    def ask_tint(self) -> None:
        """Ask for the colour of the active mask."""
        layer = self._session.canvas.active
        if layer is None:
            return
        colour = QColorDialog.getColor(QColor(layer.tint), self, "Mask colour")
        if colour.isValid():
            self._perform(tint=colour.name())

    def _set(self, name: str, value: Any) -> None:
        gesture = self.fields[name].gesture
        if name.startswith(_CONTROL):
            control = self._session.canvas.layer(self._id).control
            part = name.removeprefix(_CONTROL)
            value = Reading(value) if part == "reading" else value if value is not None else ""
            self._perform(gesture=gesture, control=replace(control, **{part: value}))
        else:
            value = BlendMode(value) if name == "blend" else value
            self._perform(gesture=gesture, **{name: value})

    def _fill_from_picture(self, action: QAction) -> None:
        """Fill the active control layer by a preprocessor, in the background."""
        self._session.commit()
        canvas, preprocessor = self._session.canvas, Reading(action.data())
        state, text = canvas.state, f"Reading the picture below: {action.text().lower()}…"

        def work(_: ReportProgress) -> State:
            return with_control_found(state, self._id, preprocessor)

        self.from_picture.setText(text)
        try:
            made = run_in_background(self.window(), text, work)
        except (RequestError, MemoryError) as error:
            self._session.status_message.emit(str(error) or "There is not enough memory.")
            return
        finally:
            self.from_picture.setText(_FROM_PICTURE)
        if made is not None and canvas.state is state:
            name = f"{preprocessor.value} from picture"
            self._session.perform(CanvasEdit(canvas, name, lambda _: made))

    def _perform(self, **settings: Any) -> None:
        if self._id:
            edit = set_layer(self._session.canvas, self._id, **settings)
            self._session.commit()
            self._session.perform(edit)


class _ScrollArea(QScrollArea):
    """Asks for the height of its widget, and makes do with less."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widgetResizable=True)
        self._rows = widget
        self._least = LEAST
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setWidget(widget)

    def sizeHint(self) -> QSize:  # noqa: N802
        return self._rows.sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(0, min(self._least, self.sizeHint().height()))

    def set_least(self, pixels: int) -> None:
        """Show at least so much of the rows without scrolling."""
        self._least = pixels
        self.updateGeometry()


def _value(layer: Layer, name: str) -> Any:
    if name.startswith(_CONTROL):
        return getattr(layer.control, name.removeprefix(_CONTROL))
    return getattr(layer, name)


def _from_picture_button() -> QPushButton:
    button = QPushButton(_FROM_PICTURE)
    button.setIcon(icon("image"))
    button.setToolTip("Fill the layer by what is found in the picture below it")
    menu = QMenu(button)
    for preprocessor in PREPROCESSORS:
        menu.addAction(READINGS[preprocessor]).setData(preprocessor.value)
    button.setMenu(menu)
    return button


def _row(*widgets: QWidget) -> QWidget:
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return whole


def _swatch(colour: str) -> QIcon:
    pixmap = QPixmap(ICON, ICON)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
