"""Properties of the active layer: opacity, blend mode; for masks strength and prompts."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from nodeforge.canvas import Layer, set_layer
from nodeforge.imaging import BlendMode
from nodeforge.spec import NumberWidget
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.fields.choice_field import ChoiceField
from nodeforge.ui.fields.field import Field
from nodeforge.ui.fields.number_field import NumberField
from nodeforge.ui.fields.text_field import TextField


class LayerProperties(QWidget):
    """Edits the properties of the active layer."""

    def __init__(self, session: CanvasSession) -> None:
        super().__init__()
        self._session = session
        self._id = ""
        share = NumberWidget(0.0, 1.0, 0.01)
        self.fields: dict[str, Field] = {
            "opacity": NumberField(share, whole=False),
            "blend": ChoiceField([mode.value for mode in BlendMode]),
            "strength": NumberField(share, whole=False),
            "prompt": TextField(multiline=False),
            "negative": TextField(multiline=False),
        }
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setVerticalSpacing(4)
        for name, field in self.fields.items():
            label = QLabel(name.capitalize())
            label.setProperty("role", "dim")
            field.set_label(f"Layer {name}")
            field.edited.connect(lambda value, _, name=name: self._set(name, value))
            self._rows.addRow(label, field)

    def show_layer(self, layer: Layer | None) -> None:
        self._id = layer.id if layer is not None else ""
        self.setVisible(layer is not None)
        if layer is None:
            return
        masks = ("strength", "prompt", "negative")
        for name, field in self.fields.items():
            wanted = name == "opacity" or (name in masks) == layer.is_mask
            self._rows.setRowVisible(field, wanted)
            value = getattr(layer, name)
            field.show_value(value.value if isinstance(value, BlendMode) else value)

    def _set(self, name: str, value: Any) -> None:
        if not self._id:
            return
        value = BlendMode(value) if name == "blend" else value
        gesture = self.fields[name].gesture
        edit = set_layer(self._session.canvas, self._id, gesture=gesture, **{name: value})
        self._session.commit()
        self._session.perform(edit)
