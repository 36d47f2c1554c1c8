"""The Generate panel: intent, form fields of the workflow, Generate and Live buttons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.canvas.generation.intents import METHODS, Intent
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.generation.form_fields import FormEntry
from nodeforge.ui.canvas_view.generation.generation_form import GenerationForm
from nodeforge.ui.canvas_view.generation.generation_source import active_masks
from nodeforge.ui.canvas_view.generation.generator import Generator
from nodeforge.ui.canvas_view.generation.live_generation import LiveGeneration
from nodeforge.ui.canvas_view.panels.generation_history import GenerationHistoryButton
from nodeforge.ui.canvas_view.panels.lora_rows import LoraRows
from nodeforge.ui.canvas_view.panels.side_panel import in_scroll_area
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.common.formatting import tooltip_html
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.field import Field, ignore_wheel
from nodeforge.ui.fields.field_factory import make_field
from nodeforge.ui.fields.problem_mark import PAUSE, ProblemMark
from nodeforge.ui.fields.prompt_assistant import PromptAssistant
from nodeforge.ui.fields.seed_field import SeedField
from nodeforge.ui.fields.text_field import TextField

_ROOMY = 250
"""Height of the panel from which on the intent is explained in it, pixels."""
_PROMPT_HEIGHT = 84
"""Height of a prompt field with its token count, pixels."""


class GeneratePanel(QWidget):
    """Edits the generation form and starts generating."""

    expand_requested = Signal()
    """The person wants to expand the picture by pixels."""

    def __init__(
        self,
        session: CanvasSession,
        generator: Generator,
        live: LiveGeneration,
        workspace: Workspace,
    ) -> None:
        super().__init__()
        self._session, self._generator, self._live = session, generator, live
        self._form: GenerationForm = generator.form
        self._workspace = workspace
        self.fields: dict[str, Field] = {}
        self.intents = _menu("What for")
        self.intents.activated.connect(self._choose_intent)
        self.explains = QLabel(wordWrap=True)
        self.explains.setTextFormat(Qt.TextFormat.PlainText)
        self.explains.setProperty("role", "small")
        self.expand = QPushButton("Expand by…")
        self.expand.setIcon(icon("corners-out"))
        self.expand.setToolTip("Choose sides and pixels, and generate what lies beyond the picture")
        self.expand.clicked.connect(self.expand_requested)
        self.workflows = _menu("Workflow")
        self.workflows.activated.connect(self._choose_workflow)
        self.history = GenerationHistoryButton(session, self._form, workspace)
        self.box = QLabel()
        self.box.setProperty("role", "small")
        self.generate = QPushButton("Generate")
        self.generate.setProperty("primary", True)
        self.generate.setIcon(icon("sparkle", "on_accent"))
        self.generate.setToolTip("Generate candidates in the generation box (Ctrl+Enter)")
        self.generate.clicked.connect(generator.generate)
        self.live = QToolButton(checkable=True, text="Live")
        self.live.setIcon(icon("lightning"))
        self.live.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.live.setToolTip("Repaint the box while you paint, in a few steps (Ctrl+L)")
        self.live.clicked.connect(live.set_enabled)
        self.loras = LoraRows(self._form, workspace)
        self._marks: dict[str, ProblemMark] = {}
        """Beside the names of fields, by the fields."""
        self._pause = QTimer(self, singleShot=True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self._show_problems)
        self._assistants: list[PromptAssistant] = []
        """Of the form's prompts, in their order."""
        self._form_rows = QVBoxLayout()
        self._form_rows.setSpacing(6)
        self._arrange()
        self._form.form_changed.connect(self._build)
        self._form.value_changed.connect(self._refresh)
        live.changed.connect(lambda: self.live.setChecked(live.enabled))
        workspace.opened.connect(self._list_workflows)
        workspace.closed.connect(self._list_workflows)
        session.overlay_changed.connect(self._show_box)
        self._build()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._explain()

    def _explain(self) -> None:
        """Say what the intent does; where there is little room, only what it lacks.

        The prompt comes first there, and the menu's tooltip says the rest.
        """
        explains = self._form.explains
        self.explains.setText(explains)
        self.intents.setToolTip(tooltip_html(explains))
        usual = explains == METHODS[self._form.intent].explains
        self.explains.setVisible(not usual or self.height() >= _ROOMY)

    def prompt_words(self) -> Iterable[Iterable[str]]:
        """What completes the prompts of masks, too: the words of the first prompt here."""
        return self._assistants[0].words() if self._assistants else ()

    def _arrange(self) -> None:
        rows = QWidget()
        column = QVBoxLayout(rows)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self.intents)
        column.addWidget(self.explains)
        column.addWidget(self.expand)
        column.addLayout(self._form_rows)
        column.addWidget(self.loras)
        row = QHBoxLayout()
        row.addWidget(self.workflows, 1)
        edit = QToolButton()
        edit.setIcon(icon("tree-structure"))
        edit.setToolTip("Open the generation workflow as a graph")
        edit.setAccessibleName("Open the workflow")
        edit.clicked.connect(self._generator.open_workflow)
        row.addWidget(edit)
        row.addWidget(self.history)
        column.addWidget(_dim("Workflow"))
        column.addLayout(row)
        column.addStretch(1)
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 8)
        row.addWidget(self.generate, 1)
        row.addWidget(self.live)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(in_scroll_area(rows), 1)
        self.box.setContentsMargins(8, 4, 8, 0)
        whole.addWidget(self.box)
        whole.addLayout(row)

    def _build(self) -> None:
        """Rebuild the form fields."""
        while self._form_rows.count():
            item = self._form_rows.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        self.fields = {}
        self._marks.clear()
        self._assistants.clear()
        entries = self._form.entries()
        if self._form.lacks_model:
            entries.sort(key=lambda entry: not entry.is_model)  # what is missing comes first
        for entry in entries:
            field = make_field(entry.port, self._workspace, self._form.seed_mode)
            if field is not None:
                self._add(entry, field)
        self._show_intents()
        self.expand.setVisible(self._form.intent is Intent.EXPAND)
        self._list_workflows()
        self._show_box()
        self._show_auto()
        self._pause.start()
        self.loras.show_loras()

    def _show_intents(self) -> None:
        """All intents in their order, the chosen one explained."""
        self.intents.clear()
        for place, intent in enumerate(self._form.intents):
            self.intents.addItem(intent.value.capitalize(), intent)
            explains = tooltip_html(METHODS[intent].explains)
            self.intents.setItemData(place, explains, Qt.ItemDataRole.ToolTipRole)
        self.intents.setCurrentIndex(self.intents.findData(self._form.intent))
        self._explain()

    def _show_auto(self) -> None:
        """What stands for values that are left to the model."""
        told = self._form.auto_values()
        for entry in self._form.entries():
            if (field := self.fields.get(entry.name)) is not None:
                port = entry.name.rpartition(".")[2]
                field.set_auto(told.get(entry.path, {}).get(port, ""))

    def _show_problems(self) -> None:
        """Mark the fields that the linter says something of, and underline words of prompts."""
        told = self._form.problems()
        for name, mark in self._marks.items():
            mark.show_problems(told.get(name, ()), self.fields.get(name), self._workspace.theme)

    def _add(self, entry: FormEntry, field: Field) -> None:
        label = _dim(entry.label)
        label.setToolTip(tooltip_html(entry.port.doc))
        editor = field.editor()
        label.setBuddy(editor)
        field.set_label(entry.label)
        editor.setToolTip(tooltip_html(entry.port.doc))
        if isinstance(editor, QPlainTextEdit):
            field.setFixedHeight(_PROMPT_HEIGHT)
        if isinstance(field, TextField) and entry.label in ("Prompt", "Instruction"):
            field.set_placeholder(METHODS[self._form.intent].describes)
        if isinstance(field, TextField) and self._form.reads_prompts(entry):
            tags = self._generator.layer_tags
            help_ = PromptAssistant(self._workspace, self._form, entry.path, tags)
            field.set_assistant(help_.count, help_.words)
            self._assistants.append(help_)
        field.show_value(self._form.value(entry))
        field.edited.connect(lambda value, _, name=entry.name: self._form.set(name, value))
        if isinstance(field, SeedField):
            field.mode_chosen.connect(self._choose_seed_mode)
        self.fields[entry.name] = field
        self._marks[entry.name] = mark = ProblemMark()
        heading = QWidget()
        row = QHBoxLayout(heading)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label)
        row.addWidget(mark)
        row.addStretch(1)
        self._form_rows.addWidget(heading)
        self._form_rows.addWidget(field)

    def _refresh(self, name: str) -> None:
        """Update a field; a change of model also updates token counts."""
        for entry in self._form.entries():
            field = self.fields.get(entry.name)
            counts = isinstance(field, TextField) and name.endswith(".file")
            if field is not None and (entry.name == name or counts):
                field.show_value(self._form.value(entry))
        self._pause.start()
        if not name.endswith(".text"):
            self._show_auto()
        if name.endswith(".file"):
            self._show_intents()
        if name.endswith(".strength"):
            self._session.overlay_changed.emit()

    def _choose_intent(self, index: int) -> None:
        self._form.choose_intent(Intent(self.intents.itemData(index)))
        self._session.overlay_changed.emit()

    def _choose_seed_mode(self, mode: str) -> None:
        self._form.choose_seed_mode(mode)

    def _list_workflows(self, _: object = None) -> None:
        """List the automatic choice and all open workflows that the canvas can run."""
        self.workflows.clear()
        self.workflows.addItem("Chosen by intent", None)
        for opened in self._workspace.documents:
            if self._form.supports(opened):
                self.workflows.addItem(opened.name, opened.id)
        own = self._form.custom_workflow
        self.workflows.setCurrentIndex(max(0, self.workflows.findData(own.id if own else None)))

    def _choose_workflow(self, index: int) -> None:
        chosen: Any = self.workflows.itemData(index)
        self._form.choose_workflow(self._workspace.find(chosen) if chosen else None)

    def _show_box(self) -> None:
        box = self._session.shown_box()
        if box is not None:
            self.box.setText(f"Box {box.width} × {box.height} px, {self._how(box)}")

    def _how(self, box: Box) -> str:
        """How the generation box came to be."""
        canvas = self._session.canvas.box
        if canvas.around(box) != canvas:
            return "reaches beyond the picture"
        if self._session.box is not None:
            return "drawn"
        if box == canvas:
            return "the whole canvas"
        masks = active_masks(self._session.canvas.state)
        return f"fitted to the {'mask' if any(each.id for each in masks) else 'selection'}"


def _menu(name: str) -> QComboBox:
    menu = QComboBox()
    menu.setAccessibleName(name)
    ignore_wheel(menu)
    return menu


def _dim(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "dim")
    return label
