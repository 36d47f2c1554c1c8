"""A row of the inspector: an input's name, its field or link, and a reset button."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QDrag, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from nodeforge.graph.edits import ABSENT, GraphEdit, SetValue, Together
from nodeforge.graph.model import Input, Output, Subgraph
from nodeforge.graph.paths import join, split
from nodeforge.graph.ports import innermost_input, input_value, port_label
from nodeforge.lint import Problem
from nodeforge.spec import PortSpec, SeedWidget
from nodeforge.ui.common import formatting
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.seeds import FIXED, RANDOMISE, seed_mode, set_modes
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.elided import ElidedButton
from nodeforge.ui.fields.field import MIXED, Field
from nodeforge.ui.fields.field_factory import make_field
from nodeforge.ui.fields.picture_field import PictureField
from nodeforge.ui.fields.problem_mark import ProblemMark
from nodeforge.ui.fields.prompt_assistant import PromptAssistant, reads_prompts
from nodeforge.ui.fields.seed_field import SeedField
from nodeforge.ui.fields.text_field import TextField
from nodeforge.ui.inspector.exposing import add_exposing
from nodeforge.ui.inspector.form_entry import add_form_entry
from nodeforge.ui.inspector.grid_entry import add_grid
from nodeforge.ui.inspector.measure_entry import add_measuring

_TALL = TextField, PictureField
"""Fields that need the whole width."""
_NAME_WIDTH = 110
"""Pixels of a name beside its field."""
INPUT_MIME = "application/x-nodeforge-input"
"""What is dragged of an input: ``path.port`` in UTF-8."""


def dragged_input(data: QMimeData) -> str:
    """The input, ``path.port``, that is dragged; empty for anything else."""
    if not data.hasFormat(INPUT_MIME):
        return ""
    return bytes(data.data(INPUT_MIME).data()).decode("utf-8", "replace")


class InputName(QLabel):
    """The name of an input, which can be dragged onto the form.

    Args:
        key: ``path.port``; empty where it cannot be dragged.
    """

    def __init__(self, text: str, key: str) -> None:
        super().__init__(text)
        self._key = key
        self._pressed: QPoint | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        left = event.button() is Qt.MouseButton.LeftButton
        self._pressed = event.position().toPoint() if left and self._key else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if self._pressed is None:
            return
        moved = (event.position().toPoint() - self._pressed).manhattanLength()
        if moved >= QApplication.startDragDistance():
            self._pressed = None
            data = QMimeData()
            data.setData(INPUT_MIME, self._key.encode())
            drag = QDrag(self.window())  # this name may be replaced where it is dropped
            drag.setMimeData(data)
            drag.setPixmap(self.grab())
            drag.exec(Qt.DropAction.CopyAction)


class PortRow(QWidget):
    """Edits one port of one node, or of several nodes of one type.

    Args:
        paths: The nodes, as in the document.
        label: What the port is called here; empty: as on its node.
        compact: Put fields of one line beside the name, not below it.
    """

    source_clicked = Signal(str)
    grid_requested = Signal(str)
    """The input, ``path.port``, that a grid is wanted of."""
    measurement_requested = Signal(str)
    """The model that is to be measured, by its name."""

    def __init__(
        self,
        workspace: Workspace,
        opened: OpenDocument,
        paths: Sequence[str],
        port: PortSpec,
        *,
        label: str = "",
        compact: bool = False,
    ) -> None:
        super().__init__()
        self._opened, self._paths, self._port = opened, list(paths), port
        self.path, self.port = self._paths[0], port.name
        self.source = self._linked_from()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        self._workspace = workspace
        node = opened.document.node(self._paths[0])
        self.inner = innermost_input(node, self._paths[0], port.name)
        """What an exposed port stands for; itself for other ports."""
        self._label = label or port_label(node, port.name)
        name = InputName(self._label, "" if len(self._paths) > 1 else f"{self.path}.{port.name}")
        name.setToolTip(formatting.tooltip_html(port.doc))
        name.setProperty("role", "dim")
        self._mark = ProblemMark()
        heading = QHBoxLayout()
        heading.setSpacing(6)
        heading.addWidget(name)
        heading.addWidget(self._mark)
        heading.addStretch(1)
        grid.addLayout(heading, 0, 0)
        grid.setColumnStretch(0, 1)
        self.field: Field | None = None
        if self.source is not None:
            grid.addWidget(self._link_button(workspace), 0, 1, Qt.AlignmentFlag.AlignRight)
            return
        self.field = make_field(port, workspace, self._seed_mode())
        if self.field is None:
            grid.addWidget(self._unlinked(), 0, 1, Qt.AlignmentFlag.AlignRight)
            return
        self._reset = self._reset_button()
        if compact and not isinstance(self.field, _TALL):
            name.setFixedWidth(_NAME_WIDTH)
            name.setWordWrap(True)
            grid.setColumnStretch(0, 0)
            grid.setColumnStretch(1, 1)
            grid.addWidget(self.field, 0, 1)
            grid.addWidget(self._reset, 0, 2)
        else:
            grid.addWidget(self._reset, 0, 1, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(self.field, 1, 0, 1, 2)
        self._connect(self.field)
        if isinstance(self.field, TextField) and self._reads_prompts(workspace):
            help_ = PromptAssistant(workspace, opened, self.inner.node)
            self.field.set_assistant(help_.count, help_.words)
        name.setBuddy(self.field.editor())
        self.refresh()

    def refresh(self) -> None:
        """Update from the document."""
        if self.field is None:
            return
        values = [self._value(path) for path in self._paths]
        same = all(type(each) is type(values[0]) and each == values[0] for each in values)
        self.field.show_value(values[0] if same else MIXED)
        own = any(self._port.name in self._opened.document.node(p).values for p in self._paths)
        if isinstance(self.field, SeedField):
            self.field.show_mode(self._seed_mode())
        differs = not same or values[0] != self._port.default
        inner = isinstance(self._opened.document.node(self._paths[0]), Subgraph)
        self._reset.setEnabled(own and (differs or inner))

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Mark the row, and underline the words that problems are about.

        Args:
            problems: Those of this input, the worst first.
        """
        self._mark.show_problems(problems, self.field, self._workspace.theme)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """Offer a grid, and to expose the parameter on the subgraph around."""
        self._show_menu(QMenu(self), event.globalPos())

    def _show_menu(self, menu: QMenu, place: QPoint) -> None:
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if len(self._paths) == 1:
            where = menu, self._workspace, self._opened, self._paths[0], self.port
            if not menu.isEmpty():
                menu.addSeparator()
            add_grid(*where, self.grid_requested.emit)
            add_exposing(*where)
            add_form_entry(*where)
            inner = self.inner.node, self.inner.port, self.measurement_requested.emit
            add_measuring(menu, self._workspace, self._opened, *inner)
        if not menu.isEmpty():
            menu.popup(place)

    def _share_menus(self, editor: QWidget) -> None:
        """What this row offers is also in the menus of the fields that texts are typed in."""
        found = [editor, *editor.findChildren(QLineEdit)]
        for field in found:
            if isinstance(field, QLineEdit | QPlainTextEdit):
                field.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
                field.customContextMenuRequested.connect(partial(self._show_text_menu, field))

    def _show_text_menu(self, field: QLineEdit | QPlainTextEdit, place: QPoint) -> None:
        self._show_menu(field.createStandardContextMenu(), field.mapToGlobal(place))

    def _connect(self, field: Field) -> None:
        editor = field.editor()
        self._share_menus(editor)
        field.set_label(self._label)
        editor.setAccessibleDescription(formatting.plain_text(self._port.doc))
        editor.setToolTip(formatting.tooltip_html(self._port.doc))
        field.edited.connect(self._edit)
        field.refused.connect(self._opened.refused)
        if isinstance(field, SeedField):
            field.mode_chosen.connect(self._choose_mode)

    def _edit(self, value: Any, before: list[GraphEdit]) -> None:
        assert self.field is not None
        gesture = self.field.gesture and (id(self), self.field.gesture)
        if isinstance(self.field, SeedField) and self._seed_mode() == RANDOMISE:
            before = [*before, set_modes(self._seeds(), FIXED)]  # a seed of one's own is kept
        edits = [SetValue(path, self._port.name, value) for path in self._paths]
        if len(edits) == 1 and not before:
            edits[0].gesture = gesture
            self._opened.perform(edits[0])
            return
        what = f"change {self._port.name} of " + (
            split(self._paths[0])[1] if len(edits) == 1 else f"{len(edits)} nodes"
        )
        self._opened.perform(Together(what, [*before, *edits], gesture=gesture))

    def _value(self, path: str) -> Any:
        node = self._opened.document.node(path)
        return input_value(node, self._port.name, self._workspace.catalogue)

    def _linked_from(self) -> Output | None:
        """The output linked to this input, addressed from the root; only for a single node."""
        group, name = split(self._paths[0])
        links = self._opened.document.group(group).links
        for end, start in links.items():
            if end.node == name and end.port == self._port.name:
                return Output(join(group, start.node), start.port)
        return None

    def _link_button(self, workspace: Workspace) -> QPushButton:
        assert self.source is not None
        source = self.source
        count = self._links()
        title = workspace.node_title(self._opened.document, source.node)
        text = f"{title} · {source.port.replace('_', ' ')}"
        button = ElidedButton(text if count == 1 else f"{text} and {count - 1} more")
        button.setIcon(icon("link-simple"))
        button.setFlat(True)
        button.setToolTip(f"Linked to {button.text()}; click to show the node")
        button.setAccessibleName(f"{self._label} comes from {text}")
        button.clicked.connect(lambda: self.source_clicked.emit(source.node))
        return button

    def _links(self) -> int:
        group, name = split(self._paths[0])
        ends: list[Input] = list(self._opened.document.group(group).links)
        return sum(end.node == name and end.port == self._port.name for end in ends)

    def _unlinked(self) -> QLabel:
        label = QLabel("not linked" if self._port.optional else "needs a link")
        label.setProperty("role", "dim")
        return label

    def _reset_button(self) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon("arrow-counter-clockwise", "dim"))
        default = "" if self._port.default is None else f" ({self._port.default})"
        inner = isinstance(self._opened.document.node(self._paths[0]), Subgraph)
        button.setToolTip("Back to the value inside" if inner else f"Back to the default{default}")
        button.setAccessibleName(f"reset {self._label}")
        button.clicked.connect(self._back_to_default)
        return button

    def _back_to_default(self) -> None:
        assert self.field is not None
        self.field.new_gesture()
        self._edit(ABSENT, [])

    def _reads_prompts(self, workspace: Workspace) -> bool:
        node_type = self._opened.document.node(self.inner.node).type
        return reads_prompts(workspace.catalogue, node_type, self._port)

    def _seed_mode(self) -> str:
        if not isinstance(self._port.widget, SeedWidget):
            return FIXED
        return seed_mode(self._opened.document, self._paths[0], self._port.name)

    def _choose_mode(self, mode: str) -> None:
        self._opened.perform(set_modes(self._seeds(), mode))

    def _seeds(self) -> list[tuple[str, str]]:
        return [(path, self._port.name) for path in self._paths]
