"""One axis of the Grid dialog: which input, and its values."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from nodeforge.engine.sweeps.axes import Axis, axis_of_lines
from nodeforge.graph.document import Document
from nodeforge.graph.ports import input_value
from nodeforge.spec import (
    Catalogue,
    ChoiceWidget,
    ModelFileWidget,
    NumberWidget,
    SeedWidget,
    TextWidget,
    ToggleWidget,
)
from nodeforge.ui.documents.sweep_inputs import SweepInput
from nodeforge.ui.documents.workspace import Workspace

_VALUE = Qt.ItemDataRole.UserRole
_HIGH = 84
_NUMBERS = "A list as 10, 20, 30, or FROM:TO:STEP as 10:30:5"
_TEXTS = "One text a line"


class ValuesEditor(QWidget):
    """Chooses an input, and the values that it takes.

    Args:
        workspace: Node types and model folders.
        document: The workflow.
        inputs: What can be chosen.
        title: Of the axis: ``Rows``.
        first: The input that is chosen at first; None for no axis.
    """

    changed = Signal()

    def __init__(
        self,
        workspace: Workspace,
        document: Document,
        inputs: Sequence[SweepInput],
        title: str,
        first: SweepInput | None,
    ) -> None:
        super().__init__()
        self._workspace, self._document, self._inputs = workspace, document, list(inputs)
        self.input = QComboBox()
        self.input.setAccessibleName(f"{title}: field")
        self.input.setMaxVisibleItems(24)
        if first is None:
            self.input.addItem("None", None)
        for each in inputs:
            self.input.addItem(each.label, each.name)
        self.text = QPlainTextEdit()
        self.text.setAccessibleName(f"{title}: values")
        self.text.setTabChangesFocus(True)
        self.options = QListWidget()
        self.options.setAccessibleName(f"{title}: values")
        self._hint = QLabel()
        self._hint.setProperty("role", "small")
        self._pages = QStackedWidget()
        for page in (self.text, self.options):
            self._pages.addWidget(page)
        self._pages.setFixedHeight(_HIGH)
        name = QLabel(title)
        name.setProperty("role", "heading")
        name.setFixedWidth(64)
        row, column = QHBoxLayout(), QVBoxLayout(self)
        row.addWidget(name)
        row.addWidget(self.input, 1)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self._pages)
        column.addWidget(self._hint)
        if first is not None:
            self.input.setCurrentIndex(self._inputs.index(first))
        self.input.currentIndexChanged.connect(self._show_input)
        self.text.textChanged.connect(self.changed)
        self.options.itemChanged.connect(lambda _: self.changed.emit())
        self._show_input()

    @property
    def chosen(self) -> SweepInput | None:
        """The input; None for no axis."""
        name = self.input.currentData()
        return next((each for each in self._inputs if each.name == name), None)

    def axis(self) -> Axis | None:
        """The axis; None where no input is chosen.

        Raises:
            AxisError: a value does not fit, or there is none.
        """
        chosen = self.chosen
        if chosen is None:
            return None
        lines = self.text.toPlainText()
        if self._pages.currentWidget() is self.options:
            items = [self.options.item(row) for row in range(self.options.count())]
            ticked = [i for i in items if i.checkState() is Qt.CheckState.Checked]
            lines = "\n".join(_quoted(item.data(_VALUE)) for item in ticked)
        return axis_of_lines(chosen.name, lines, self._document, self._workspace.catalogue)

    def _show_input(self) -> None:
        chosen = self.chosen
        for part in (self._pages, self._hint):
            part.setVisible(chosen is not None)
        if chosen is not None:
            options = _options(self._workspace, chosen)
            self._pages.setCurrentWidget(self.options if options else self.text)
            self._hint.setVisible(not options)
            self._hint.setText(_TEXTS if isinstance(chosen.port.widget, TextWidget) else _NUMBERS)
            now = _now(self._document, self._workspace.catalogue, chosen)
            self.options.blockSignals(True)
            self.options.clear()
            for value, label in options:
                self._add_option(value, label, on=value == now)
            self.options.blockSignals(False)
            if not options:
                self.text.setPlainText(now)
        self.changed.emit()

    def _add_option(self, value: str, label: str, *, on: bool) -> None:
        item = QListWidgetItem(label)
        item.setData(_VALUE, value)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.options.addItem(item)


def _options(workspace: Workspace, chosen: SweepInput) -> list[tuple[str, str]]:
    """The values that a menu has, with what people call them; none of other fields."""
    match chosen.port.widget:
        case ChoiceWidget() as widget:
            return [(option, widget.label(option)) for option in widget.options]
        case ToggleWidget():
            return [("true", "On"), ("false", "Off")]
        case ModelFileWidget(kind=kind):
            return [(name, name) for name in workspace.folders.names(kind)]
    return []


def _now(document: Document, catalogue: Catalogue, chosen: SweepInput) -> str:
    """The value as it is set, as the field of values has it."""
    value = input_value(document.node(chosen.path), chosen.port.name, catalogue)
    if value is None:
        return "auto" if isinstance(chosen.port.widget, NumberWidget | SeedWidget) else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _quoted(value: str) -> str:
    return f'"{value}"' if "," in value and '"' not in value else value
