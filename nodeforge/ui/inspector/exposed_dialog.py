"""The Exposed parameters dialog of a subgraph: which, in which order, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.graph.edits import Expose, GraphEdit, SetExposed, Together, Unexpose
from nodeforge.graph.edits.exposed import ordered, subgraph
from nodeforge.graph.model import Input
from nodeforge.graph.paths import join
from nodeforge.graph.ports import input_names, input_spec, port_label, port_title, title_of
from nodeforge.graph.presentation import Presentation, in_order
from nodeforge.spec import INTEGER, NumberWidget, PortSpec
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.number_field import NumberField

_PORT = Qt.ItemDataRole.UserRole

SHOWN = "In this order, they are shown on the subgraph's node and in the inspector."
EMPTY = "No parameter is exposed. Expose one to change it without opening the subgraph."


class ExposedDialog(QDialog):
    """Exposes parameters of the subgraph at `path`, orders and labels them; OK is one edit."""

    def __init__(
        self, workspace: Workspace, opened: OpenDocument, path: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._opened, self._path, self._catalogue = opened, path, workspace.catalogue
        self._group = subgraph(opened.document, path)
        self._before = self._parameters()
        self._targets: dict[str, tuple[str, str]] = {}
        self._records: dict[str, dict[str, Any]] = {
            port: dict(self._group.exposed.get(port, {})) for port in self._before
        }
        title = title_of(self._group, path.rpartition("/")[2], workspace.catalogue)
        self.setWindowTitle(f"Exposed parameters of “{title}”")
        self.list = QListWidget()
        self.list.setAccessibleName("Exposed parameters")
        self.list.setDragDropMode(QListWidget.DragDropMode.InternalMove)
        self.list.currentItemChanged.connect(lambda *_: self._show())
        self.label, self.help = QLineEdit(), QLineEdit()
        self.label.textEdited.connect(lambda text: self._set("label", text.strip()))
        self.help.textEdited.connect(lambda text: self._set("help", text.strip()))
        self._form = QFormLayout()
        self._form.addRow("&Label", self.label)
        self._form.addRow("&Help", self.help)
        self._range: list[NumberField] = []
        self.note = QLabel(wordWrap=True)
        self.note.setProperty("role", "dim")
        self._arrange()
        for port in self._before:
            self._add_item(port, port_label(self._group, port))
        self.list.setCurrentRow(0)
        self._show()
        self.resize(560, 360)

    def _arrange(self) -> None:
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.list, 1)
        right = QVBoxLayout()
        right.addLayout(self._form)
        right.addStretch(1)
        row.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.addWidget(self.note)
        column.addLayout(row)
        column.addLayout(self._tools())
        column.addWidget(buttons)

    def _parameters(self) -> list[str]:
        """The exposed inputs that have a widget, in order."""
        group = self._group
        ports = in_order(group.inputs, group.exposed)
        specs = {port: input_spec(group, port, self._catalogue) for port in ports}
        return [port for port, spec in specs.items() if spec is not None and spec.widget]

    def _tools(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.expose = QPushButton("&Expose")
        self.expose.setMenu(QMenu(self.expose))
        self.expose.menu().aboutToShow.connect(self._fill_menu)
        self.remove = QPushButton("&Stop exposing")
        self.remove.clicked.connect(self._remove)
        self.up, self.down = (QToolButton() for _ in range(2))
        for button, name, text, step in (
            (self.up, "arrow-up", "Move up", -1),
            (self.down, "arrow-down", "Move down", 1),
        ):
            button.setIcon(icon(name))
            button.setToolTip(text)
            button.setAccessibleName(text)
            button.clicked.connect(lambda _=False, step=step: self._move(step))
        for widget in (self.expose, self.remove, self.up, self.down):
            row.addWidget(widget)
        row.addStretch(1)
        return row

    def _add_item(self, port: str, label: str) -> None:
        item = QListWidgetItem(label)
        item.setData(_PORT, port)
        item.setToolTip(self._stands_for(port))
        self.list.addItem(item)

    def _stands_for(self, port: str) -> str:
        name, inner = self._targets.get(port) or self._group.inputs[port][0][:2]
        node = self._group.graph.nodes.get(name)
        return port_title(node, name, inner, self._catalogue) if node else inner

    def _port(self) -> str:
        item = self.list.currentItem()
        return item.data(_PORT) if item is not None else ""

    def _spec(self, port: str) -> PortSpec | None:
        """The parameter as it is inside, with its whole range."""
        name, inner = self._targets.get(port) or self._group.inputs[port][0][:2]
        return input_spec(self._group.graph.nodes.get(name), inner, self._catalogue)

    def _show(self) -> None:
        """Show the record of the chosen parameter."""
        port = self._port()
        self.note.setText(SHOWN if self.list.count() else EMPTY)
        record, spec = self._records.get(port, {}), self._spec(port) if port else None
        for field in self._range:
            self._form.removeRow(field)
        self._range = []
        for widget in (self.label, self.help, self.remove, self.up, self.down):
            widget.setEnabled(bool(port))
        shown = Presentation.from_json(record)
        self.label.setText(shown.label)
        self.label.setPlaceholderText(_plain_label(port))
        self.help.setText(shown.help)
        self.help.setPlaceholderText(spec.doc if spec else "")
        if spec is not None and isinstance(spec.widget, NumberWidget):
            for name in ("minimum", "maximum"):
                self._add_end(name, spec, getattr(shown, name))

    def _add_end(self, name: str, spec: PortSpec, value: float | None) -> None:
        assert isinstance(spec.widget, NumberWidget)
        field = NumberField(NumberWidget(), whole=spec.type == INTEGER, optional=True)
        field.set_label(name)
        own = getattr(spec.widget, name)

        def show(number: float | None) -> None:
            field.show_value(number)
            field.editor().setPlaceholderText(f"{own:g}" if own is not None else "no limit")

        def keep(number: float | None, _before: object) -> None:
            self._set(name, number)
            show(number)

        show(value)
        field.edited.connect(keep)
        self._form.addRow(f"&{name.capitalize()}", field)
        self._range.append(field)

    def _set(self, field: str, value: Any) -> None:
        port = self._port()
        record = self._records[port]
        if value in ("", None):
            record.pop(field, None)
        else:
            record[field] = value
        if field == "label":
            self.list.currentItem().setText(value or _plain_label(port))

    def _move(self, step: int) -> None:
        row = self.list.currentRow()
        if 0 <= row + step < self.list.count():
            self.list.insertItem(row + step, self.list.takeItem(row))
            self.list.setCurrentRow(row + step)

    def _remove(self) -> None:
        port = self._port()
        self.list.takeItem(self.list.currentRow())
        self._records.pop(port, None)
        self._targets.pop(port, None)
        self._show()

    def _fill_menu(self) -> None:
        """Offer the parameters of the nodes inside that are neither linked nor exposed."""
        menu = self.expose.menu()
        menu.clear()
        for name, node in self._group.graph.nodes.items():
            ports = [
                port for port in input_names(node, self._catalogue) if self._is_free(name, port)
            ]
            if ports:
                inner = menu.addMenu(title_of(node, name, self._catalogue))
                for port in ports:
                    inner.addAction(
                        port_label(node, port), lambda name=name, port=port: self._add(name, port)
                    )
        if menu.isEmpty():
            menu.addAction("Nothing else can be exposed").setEnabled(False)

    def _is_free(self, name: str, port: str) -> bool:
        spec = input_spec(self._group.graph.nodes[name], port, self._catalogue)
        end = Input(name, port)
        gone = set(self._before) - self._records.keys()
        exposed = [
            target
            for port_, targets in self._group.inputs.items()
            for target in targets
            if port_ not in gone
        ]
        taken = end in self._group.graph.links or end in exposed
        return bool(
            spec and spec.widget and not taken and (name, port) not in self._targets.values()
        )

    def _add(self, name: str, port: str) -> None:
        key = f"{name}.{port}"  # no port's name has a dot: it gets its own once it is exposed
        self._targets[key] = (name, port)
        self._records[key] = {}
        node = self._group.graph.nodes[name]
        self._add_item(key, port_label(node, port))
        self.list.setCurrentRow(self.list.count() - 1)

    def accept(self) -> None:
        """Make the edit, unless a range is impossible."""
        for row, port in enumerate(self._order()):
            spec, shown = self._spec(port), Presentation.from_json(self._records[port])
            if spec is not None and not shown.fits(spec):
                self.list.setCurrentRow(row)
                allowed = spec.widget.allowed if isinstance(spec.widget, NumberWidget) else ""
                label = shown.label or _plain_label(port)
                self.note.setText(
                    f"“{label}” takes {allowed}: no number is in the range that is given here."
                )
                return
        order = self._order()
        same = {port: self._group.exposed.get(port, {}) for port in self._before}
        if order != self._before or self._records != same:
            name = SetExposed(self._path, {}).name
            self._opened.perform(Together(name, self._edits(order)))
        super().accept()

    def _order(self) -> list[str]:
        return [self.list.item(row).data(_PORT) for row in range(self.list.count())]

    def _edits(self, order: list[str]) -> Iterator[GraphEdit]:
        for port in self._before:
            if port not in order:
                yield Unexpose(self._path, port)
        names = {port: port for port in order}
        for key in order:
            if key in self._targets:
                name, port = self._targets[key]
                expose = Expose(join(self._path, name), port)
                yield expose
                names[key] = expose.exposed_as
        others = {p: how for p, how in self._group.exposed.items() if p not in names.values()}
        records = {names[key]: self._records[key] for key in order}
        yield SetExposed(self._path, others | ordered([names[key] for key in order], records))


def _plain_label(port: str) -> str:
    return port.rpartition(".")[2].replace("_", " ")
