"""The tool bar at the left of the canvas."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QVBoxLayout, QWidget

from nodeforge.ui.canvas_view.panels.colour_panel import ColourButton
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.canvas_view.tools import GROUPS
from nodeforge.ui.common.icons import icon


class ToolBar(QWidget):
    """One button per tool; the current tool's is checked."""

    def __init__(self, session: CanvasSession) -> None:
        super().__init__()
        self._session = session
        self.setAccessibleName("Tools")
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(2)
        self.buttons: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        for number, kinds in enumerate(GROUPS):
            if number:
                line = QFrame()
                line.setProperty("role", "line")
                line.setFixedHeight(1)
                column.addWidget(line)
            for kind in kinds:
                button = self._button(kind.name, kind.title, kind.icon, kind.key)
                group.addButton(button)
                column.addWidget(button)
        column.addStretch(1)
        self.colours = ColourButton(session.tool_options)
        column.addWidget(self.colours, 0, Qt.AlignmentFlag.AlignHCenter)
        session.tool_changed.connect(self._show)
        self._show()

    def _button(self, name: str, title: str, picture: str, key: str) -> QToolButton:
        button = QToolButton(checkable=True)
        button.setIcon(icon(picture))
        button.setIconSize(QSize(16, 16))
        button.setToolTip(f"{title} ({key})")
        button.setAccessibleName(title)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._session.select_tool(name))
        self.buttons[name] = button
        return button

    def _show(self) -> None:
        button = self.buttons.get(self._session.tool.name)
        if button is not None:
            button.setChecked(True)
