"""The tool options bar: editors of the current tool's options."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolBar, QWidget

from nodeforge.spec import ChoiceWidget, NumberWidget
from nodeforge.ui.canvas_view.panels.shortcut_override import accept_shortcut_override
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.canvas_view.tools.tool_options import PERCENT, ToolOption
from nodeforge.ui.fields.choice_field import ChoiceField, ToggleField
from nodeforge.ui.fields.elided import ElidedLabel
from nodeforge.ui.fields.field import Field
from nodeforge.ui.fields.number_field import NumberField

_WIDE, _WIDE_PERCENT = 136, 152


class ToolOptionsBar(QToolBar):
    """Shows the current tool's options; overflow goes into the extension menu."""

    def __init__(self, session: CanvasSession) -> None:
        super().__init__("Tool options")
        self._session = session
        self.fields: dict[str, Field] = {}
        self.setMovable(False)
        self.setAccessibleName("Tool options")
        self.setMinimumHeight(40)
        session.tool_changed.connect(self._build)
        session.tool_options.changed.connect(self._refresh)
        self._build()

    def event(self, event: QEvent) -> bool:
        accept_shortcut_override(event)
        return super().event(event)

    def _build(self) -> None:
        self.clear()
        self.fields = {}
        tool = self._session.tool
        title = QLabel(tool.title)
        title.setProperty("role", "heading")
        title.setContentsMargins(4, 0, 8, 0)
        self.addWidget(title)
        for option in tool.options:
            field = _field(option)
            field.show_value(self._session.tool_options.value(tool.name, option))
            field.edited.connect(lambda value, _, option=option: self._set(option, value))
            field.set_label(option.label)
            self.fields[option.name] = field
            self.addWidget(_named(option, field))
        hint = ElidedLabel(tool.hint)
        hint.setProperty("role", "small")
        self.addWidget(hint)

    def _set(self, option: ToolOption, value: Any) -> None:
        self._session.tool_options.set(self._session.tool.name, option, value)
        self._refresh(self._session.tool.name, option.name)

    def _refresh(self, tool: str, name: str) -> None:
        field = self.fields.get(name)
        if tool == self._session.tool.name and field is not None:
            field.show_value(self._session.tool.value(name))


def _field(option: ToolOption) -> Field:
    match option.widget:
        case NumberWidget() as widget:
            percent = option.unit == PERCENT
            return NumberField(widget, whole=option.is_integer, percent=percent)
        case ChoiceWidget(options=options):
            return ChoiceField(options)
    return ToggleField()


def _named(option: ToolOption, field: Field) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 12, 0)
    row.setSpacing(6)
    unit = option.unit if option.unit != PERCENT else ""  # beside the number
    label = QLabel(option.label + (f" ({unit})" if unit else ""))
    label.setProperty("role", "dim")
    label.setBuddy(field.editor())
    row.addWidget(label)
    if isinstance(field, NumberField):
        field.setFixedWidth(_WIDE_PERCENT if option.unit == PERCENT else _WIDE)
    holder.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
    row.addWidget(field, 0, Qt.AlignmentFlag.AlignVCenter)
    return holder
