"""The inspector panel: title, values, links and help of the selected nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.graph.changes import Change, FieldChanged, LinkAdded, LinkRemoved, ValueChanged
from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.edits import Rename
from nodeforge.graph.model import Node, Subgraph
from nodeforge.graph.ports import input_names, input_spec, title_of
from nodeforge.spec import NodeSpec
from nodeforge.ui.common import formatting
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.auto_values import TYPES, auto_values
from nodeforge.ui.documents.measured_loops import CURVE_PORTS, measured_at
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.planned_texts import planned_text
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.inspector.exposing import show_exposed
from nodeforge.ui.inspector.help_picture import HelpPicture
from nodeforge.ui.inspector.measured_curve import MeasuredCurve
from nodeforge.ui.inspector.port_row import PortRow
from nodeforge.ui.inspector.scrolled_rows import ScrolledRows

EMPTY = "Select a node to see and change its values here."


class Inspector(ScrolledRows):
    """Shows and edits the selected nodes of the current document."""

    node_requested = Signal(str)
    """The path of a node to show."""
    grid_requested = Signal(str)
    """The input, ``path.port``, that a grid is wanted of."""
    measurement_requested = Signal(str)
    """The model that is to be measured, by its name."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.setMinimumWidth(260)
        self.setAccessibleName("Inspector")
        self._workspace = workspace
        self._opened: OpenDocument | None = None
        self._paths: list[str] = []
        self._rows: list[PortRow] = []
        self._curves: dict[str, MeasuredCurve] = {}
        """By the node that tells a loop its steps, sampler or guidance."""
        self._title: QLineEdit | None = None
        self._needs: QLabel | None = None
        self._gives: QLabel | None = None
        self._reason: QLabel | None = None
        self.show_nodes(None, [])

    def show_nodes(self, opened: OpenDocument | None, paths: Sequence[str]) -> None:
        """Show the nodes at `paths`; several of the same type are edited together."""
        if self._opened is not opened:
            if self._opened is not None:
                self._opened.changed.disconnect(self._on_changes)
                self._opened.problems_changed.disconnect(self._show_auto)
                self._opened.memory_needs_changed.disconnect(self._show_needs)
                self._opened.states_changed.disconnect(self._show_reason)
            self._opened = opened
            if opened is not None:
                opened.changed.connect(self._on_changes)
                opened.problems_changed.connect(self._show_auto)
                opened.memory_needs_changed.connect(self._show_needs)
                opened.states_changed.connect(self._show_reason)
        self._paths = list(paths)
        self._build()

    def row(self, port: str) -> PortRow:
        """The row of an input."""
        return next(row for row in self._rows if row.port == port)

    def _on_changes(self, changes: tuple[Change, ...]) -> None:
        shown, structural = set(self._paths), False
        for change in changes:
            match change:
                case LinkAdded() | LinkRemoved():
                    structural |= change.input.node in shown
                case FieldChanged(field="inputs" | "exposed"):
                    structural |= change.path in shown
                case ValueChanged():
                    pass
        if structural or any(not self._node(path) for path in self._paths):
            self._paths = [path for path in self._paths if self._node(path)]
            self._build()
            return
        for row in self._rows:
            row.refresh()
        self._show_auto()
        self._show_title()

    def _show_auto(self) -> None:
        """What stands for values that are left to the model."""
        if self._opened is None or len(self._paths) != 1 or self._node(self._paths[0]) is None:
            return
        recognised = self._workspace.recognised(self._opened.granted)
        document, catalogue = self._opened.document, self._workspace.catalogue
        inner = [node for row in self._rows if (node := self._node(row.inner.node))]
        if any(node.type in TYPES for node in inner):
            told = auto_values(document, catalogue, recognised)
        else:
            told = self._opened.auto_texts
        self._show_problems()
        self._show_given()
        for row in self._rows:
            if row.field is not None:
                row.field.set_auto(told.get(row.inner.node, {}).get(row.inner.port, ""))
        self.show_curves()

    def _show_given(self) -> None:
        """Show what the selected node gives, where that is known before a run."""
        if self._gives is None or self._opened is None:
            return
        workspace = self._workspace
        spec = workspace.catalogue.get(node.type) if (node := self._node(self._paths[0])) else None
        known = spec is not None and spec.planned and not spec.holds_value
        catalogue, settings = workspace.catalogue, workspace.settings
        text = planned_text(self._opened, self._paths[0], catalogue, settings) if known else ""
        self._gives.setText(text)
        self._gives.setAccessibleName(text)
        self._gives.setVisible(bool(text))

    def show_curves(self) -> None:
        """Show how near the loop's model comes by steps, where that was measured."""
        if self._opened is None:
            return
        for path, curve in self._curves.items():
            found = measured_at(self._workspace, self._opened, path)
            curve.show_loop(*(found or (None, None)))

    def _show_problems(self) -> None:
        """What the linter says of the inputs of the one node that is shown."""
        path = self._paths[0]
        problems = self._opened.problems if self._opened else []
        for row in self._rows:
            mine = (each for each in problems if (each.node, each.port) == (path, row.port))
            row.show_problems(sorted(mine, key=lambda each: each.severity.rank))

    def _node(self, path: str) -> Node | None:
        try:
            return self._opened.document.node(path) if self._opened else None
        except NoSuchNodeError:
            return None

    def _build(self) -> None:
        self._rows, self._title, self._needs, self._gives = [], None, None, None
        self._curves = {}
        self._reason = None
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(8)
        nodes = [node for path in self._paths if (node := self._node(path)) is not None]
        if not nodes:
            column.addWidget(_label(EMPTY, "empty"))
        elif len({node.type for node in nodes}) > 1:
            column.addWidget(_label(f"{len(nodes)} nodes", "heading"))
            column.addWidget(_label("Select nodes of one type to change them together.", "dim"))
        else:
            self._fill(column, nodes)
        column.addStretch(1)
        self.change_content(content)

    def _fill(self, column: QVBoxLayout, nodes: list[Node]) -> None:
        assert self._opened is not None
        spec = self._workspace.catalogue.get(nodes[0].type)
        if len(nodes) == 1:
            name = self._paths[0].rpartition("/")[2]
            untitled = replace(nodes[0], title="")
            title = title_of(untitled, name, self._workspace.catalogue)
            self._title = QLineEdit(placeholderText=title)
            self._title.setAccessibleName("Title")
            self._title.editingFinished.connect(self._rename)
            column.addWidget(self._title)
            self._show_title()
        else:
            name = spec.title if spec else nodes[0].type
            column.addWidget(_label(f"{len(nodes)} × {name}", "heading"))
        if spec is None and not isinstance(nodes[0], Subgraph):
            text = f"No pack declares '{nodes[0].type}'. Its values are kept in the file."
            column.addWidget(_label(text, "error"))
            return
        if spec is not None:
            column.addWidget(_label(formatting.plain_text(spec.summary), "dim"))
        for name in input_names(nodes[0], self._workspace.catalogue):
            port = input_spec(nodes[0], name, self._workspace.catalogue)
            if port is not None:
                row = PortRow(self._workspace, self._opened, self._paths, port)
                row.source_clicked.connect(self.node_requested)
                row.grid_requested.connect(self.grid_requested)
                row.measurement_requested.connect(self.measurement_requested)
                self._rows.append(row)
                column.addWidget(row)
                self._add_curve(column, row)
        if isinstance(nodes[0], Subgraph) and len(nodes) == 1:
            column.addWidget(self._exposing_button())
        self._gives = _label("", "dim")
        self._gives.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self._gives)
        self._show_auto()
        self._needs = _label("", "dim")
        column.addWidget(self._needs)
        self._show_needs()
        self._reason = _label("", "dim")
        column.addWidget(self._reason)
        self._show_reason()
        if spec is not None:
            self._add_help(column, spec)

    def _add_help(self, column: QVBoxLayout, spec: NodeSpec) -> None:
        """Add what there is to say and to see of a node type."""
        more = help_text(spec.doc, spec.summary)
        picture = HelpPicture.of(spec.type)
        if more or picture:
            column.addWidget(_line())
        if more:
            column.addWidget(_label(more, "small"))
        if picture:
            column.addWidget(picture)

    def _add_curve(self, column: QVBoxLayout, row: PortRow) -> None:
        """Make room for a curve below a row of a single node's steps, sampler or guidance."""
        inner = self._node(row.inner.node)
        place = (inner.type if inner else "", row.inner.port)
        if len(self._paths) == 1 and place in CURVE_PORTS and row.inner.node not in self._curves:
            self._curves[row.inner.node] = MeasuredCurve(self._workspace)
            column.addWidget(self._curves[row.inner.node])

    def _exposing_button(self) -> QPushButton:
        button = QPushButton(icon("sliders-horizontal"), "Exposed parameters…")
        button.setToolTip("Choose which parameters are shown here, and how")
        button.clicked.connect(self._show_exposed)
        return button

    def _show_exposed(self) -> None:
        if self._opened is not None and self._node(self._paths[0]) is not None:
            show_exposed(self._workspace, self._opened, self._paths[0], self)

    def _show_needs(self) -> None:
        """Show the memory needs of the selected node's model."""
        if self._needs is None or self._opened is None:
            return
        known = self._opened.memory_needs.get(self._paths[0]) if len(self._paths) == 1 else None
        self._needs.setText(needs_text(known) if known else "")
        self._needs.setVisible(bool(known))

    def _show_reason(self) -> None:
        """Show why a run would compute the selected node."""
        if self._reason is None or self._opened is None:
            return
        state = self._opened.states.get(self._paths[0]) if len(self._paths) == 1 else None
        self._reason.setText(state.reason if state else "")
        self._reason.setVisible(bool(state and state.reason))

    def _show_title(self) -> None:
        node = self._node(self._paths[0]) if self._paths else None
        if self._title is not None and node is not None and not self._title.isModified():
            self._title.setText(node.title)

    def _rename(self) -> None:
        if self._title is None or self._opened is None or not self._title.isModified():
            return
        self._title.setModified(False)
        self._opened.perform(Rename(self._paths[0], self._title.text().strip()))


def needs_text(networks: Mapping[str, Mapping[str, int]]) -> str:
    """Describe the memory needs of a model's networks."""
    weights = sum(needs["weights"] for needs in networks.values())
    working = max(needs["working"] for needs in networks.values())
    text = f"Takes {formatting.byte_size(weights)} of memory"
    return (
        f"{text}, and up to {formatting.byte_size(working)} more while it works."
        if working
        else text
    )


def help_text(doc: str, summary: str) -> str:
    """A node's description without its summary and arguments."""
    text = doc.strip().removeprefix(summary).strip()
    for section in ("Args:", "Returns:"):
        text = text.partition(section)[0].strip()
    return formatting.plain_text(text)


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text, wordWrap=True)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _line() -> QFrame:
    line = QFrame(frameShape=QFrame.Shape.HLine)
    line.setProperty("role", "line")
    line.setFixedHeight(1)
    return line
