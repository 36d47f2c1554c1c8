"""What can be set about the tool in hand."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolBar, QWidget

from nodeforge.spec import ChoiceWidget, NumberWidget
from nodeforge.ui.canvas_view.panels.shortcut_override import keep_key
from nodeforge.ui.canvas_view.session import Studio
from nodeforge.ui.canvas_view.tools.tool_options import Option
from nodeforge.ui.fields.choice_field import ChoiceField, ToggleField
from nodeforge.ui.fields.field import Field
from nodeforge.ui.fields.number_field import NumberField

_WIDE = 136


class OptionsBar(QToolBar):
    """The editors of the options; what does not fit is behind an arrow at its end."""

    def __init__(self, studio: Studio) -> None:
        super().__init__("Tool options")
        self._studio = studio
        self.fields: dict[str, Field] = {}
        self.setMovable(False)
        self.setAccessibleName("Tool options")
        self.setMinimumHeight(40)
        studio.tool_changed.connect(self._build)
        studio.kit.changed.connect(self._refresh)
        self._build()

    def event(self, event: QEvent) -> bool:
        keep_key(event)
        return super().event(event)

    def _build(self) -> None:
        self.clear()
        self.fields = {}
        tool = self._studio.tool
        title = QLabel(tool.title)
        title.setProperty("role", "heading")
        title.setContentsMargins(4, 0, 8, 0)
        self.addWidget(title)
        for option in tool.options:
            field = _field(option)
            field.show_value(self._studio.kit.value(tool.name, option))
            field.edited.connect(lambda value, _, option=option: self._set(option, value))
            field.call(option.label)
            self.fields[option.name] = field
            self.addWidget(_named(option, field))
        self.addWidget(_Hint(tool.hint))

    def _set(self, option: Option, value: Any) -> None:
        self._studio.kit.set(self._studio.tool.name, option, value)
        self._refresh(self._studio.tool.name, option.name)

    def _refresh(self, tool: str, name: str) -> None:
        field = self.fields.get(name)
        if tool == self._studio.tool.name and field is not None:
            field.show_value(self._studio.tool.value(name))


class _Hint(QLabel):
    """Takes the room that is left."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setProperty("role", "small")
        self.setToolTip(text)
        self.setMinimumWidth(8)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(8, super().sizeHint().height())


def _field(option: Option) -> Field:
    match option.widget:
        case NumberWidget() as widget:
            return NumberField(widget, whole=option.whole)
        case ChoiceWidget(options=options):
            return ChoiceField(options)
    return ToggleField()


def _named(option: Option, field: Field) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 12, 0)
    row.setSpacing(6)
    label = QLabel(option.label + (f" ({option.unit})" if option.unit else ""))
    label.setProperty("role", "dim")
    label.setBuddy(field.editor())
    row.addWidget(label)
    if isinstance(field, NumberField):
        field.setFixedWidth(_WIDE)
    holder.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
    row.addWidget(field, 0, Qt.AlignmentFlag.AlignVCenter)
    return holder
