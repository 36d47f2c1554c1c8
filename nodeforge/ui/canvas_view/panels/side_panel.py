"""The side panel of the canvas: Generate and Colour tabs, and layers below."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QScrollArea, QSplitter, QTabWidget, QVBoxLayout, QWidget

from nodeforge.ui.canvas_view.panels.shortcut_override import accept_shortcut_override


class SidePanel(QWidget):
    """Holds the panels at the right of the canvas."""

    def __init__(self, generate: QWidget, colours: QWidget, layers: QWidget) -> None:
        super().__init__()
        self.setMinimumWidth(248)
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.setAccessibleName("Canvas panels")
        self.tabs.addTab(generate, "Generate")
        self.tabs.addTab(in_scroll_area(colours), "Colour")
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.addWidget(self.tabs)
        parts.addWidget(layers)
        parts.setStretchFactor(0, 3)
        parts.setStretchFactor(1, 2)
        parts.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(parts)

    def event(self, event: QEvent) -> bool:
        accept_shortcut_override(event)
        return super().event(event)


def in_scroll_area(widget: QWidget) -> QScrollArea:
    area = QScrollArea(widgetResizable=True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    return area
