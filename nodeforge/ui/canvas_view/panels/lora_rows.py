"""The LoRAs of the generation form: one row each, with its weight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from nodeforge.canvas.generation.loras import Lora
from nodeforge.models import Kind
from nodeforge.spec import NumberWidget
from nodeforge.ui.canvas_view.generation.generation_form import GenerationForm
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.model_field import ModelDialog, ModelField
from nodeforge.ui.fields.number_field import NumberField

_WEIGHT = NumberWidget(-4.0, 4.0, 0.05)
_WEIGHT_WIDTH = 72


class LoraRows(QWidget):
    """Adds, changes and removes the form's LoRAs."""

    def __init__(self, form: GenerationForm, workspace: Workspace) -> None:
        super().__init__()
        self._form, self._workspace = form, workspace
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self.add_button = QPushButton("Add a LoRA…")
        self.add_button.setIcon(icon("plus"))
        self.add_button.clicked.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._rows)
        column.addWidget(self.add_button)
        self.files: list[ModelField] = []
        self.weights: list[NumberField] = []
        self.show_loras()

    def show_loras(self) -> None:
        """Show what the form has; a workflow of one's own has its LoRAs in the graph."""
        self.setVisible(self._form.custom_workflow is None)
        loras = self._form.loras
        while len(self.files) > len(loras):
            self._drop_row()
        while len(self.files) < len(loras):
            self._add_row(len(self.files))
        for file, weight, lora in zip(self.files, self.weights, loras, strict=True):
            file.show_value(lora.file)
            weight.show_value(lora.weight)

    def add(self, file: str) -> None:
        """Add a LoRA at its full weight."""
        self._form.set_loras([*self._form.loras, Lora(file)])
        self.show_loras()

    def _choose(self) -> None:
        dialog = ModelDialog(self._workspace, Kind.LORA, self)
        if dialog.exec() and dialog.chosen:
            self.add(dialog.chosen)

    def _add_row(self, place: int) -> None:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        file = ModelField(self._workspace, Kind.LORA, optional=True)
        file.set_label(f"LoRA {place + 1}")
        file.edited.connect(lambda value, _: self._set_file(place, value))
        weight = NumberField(_WEIGHT, whole=False)
        weight.set_label(f"Weight of LoRA {place + 1}")
        weight.setFixedWidth(_WEIGHT_WIDTH)
        weight.edited.connect(lambda value, _: self._set_weight(place, value))
        row.addWidget(file, 1)
        row.addWidget(weight)
        self._rows.addWidget(holder)
        self.files.append(file)
        self.weights.append(weight)

    def _drop_row(self) -> None:
        holder = self.files.pop().parentWidget()
        self.weights.pop()
        if holder is not None:
            self._rows.removeWidget(holder)
            holder.setParent(None)
            holder.deleteLater()

    def _set_file(self, place: int, file: Any) -> None:
        loras = list(self._form.loras)
        loras[place : place + 1] = [replace(loras[place], file=str(file))] if file else []
        self._form.set_loras(loras)
        self.show_loras()

    def _set_weight(self, place: int, weight: Any) -> None:
        loras = list(self._form.loras)
        loras[place] = replace(loras[place], weight=float(weight))
        self._form.set_loras(loras)
