"""The side panel of the canvas: Generate and Colour tabs, and layers below."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QScrollArea, QSplitter, QTabWidget, QVBoxLayout, QWidget

from nodeforge.ui.canvas_view.panels.layer_list import ROW_HEIGHT
from nodeforge.ui.canvas_view.panels.layer_properties import LEAST, TALL
from nodeforge.ui.canvas_view.panels.layers_panel import LayersPanel
from nodeforge.ui.canvas_view.panels.shortcut_override import accept_shortcut_override

_HEADER = 56
"""Pixels of the layers panel besides its list and properties."""
_ROWS, _FEW_ROWS, _TALL = 6, 3, 780
"""Rows of layers that stay in sight on a panel of so many pixels, and on a smaller one."""


class SidePanel(QWidget):
    """Holds the panels at the right of the canvas."""

    def __init__(self, generate: QWidget, colours: QWidget, layers: LayersPanel) -> None:
        super().__init__()
        self._layers = layers
        self._tall = False
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

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Layers keep their rows in sight; on a small screen what is above them folds first."""
        self._tall = event.size().height() >= _TALL
        rows, properties = _shown(self._tall)
        self._layers.list.setMinimumHeight(rows)
        self._layers.properties.set_least(properties)
        # The same for every kind of layer: the list must not move under the mouse.
        self._layers.setMinimumHeight(rows + properties + _HEADER)
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """That of a small screen: what a tall one shows besides must not keep the window tall."""
        more = sum(_shown(self._tall)) - sum(_shown(False))
        return super().minimumSizeHint() - QSize(0, more)

    def event(self, event: QEvent) -> bool:
        accept_shortcut_override(event)
        return super().event(event)


def _shown(tall: bool) -> tuple[int, int]:
    """Pixels of the layer list, and of the properties below it, that stay in sight."""
    return (_ROWS if tall else _FEW_ROWS) * ROW_HEIGHT, TALL if tall else LEAST


def in_scroll_area(widget: QWidget) -> QScrollArea:
    area = QScrollArea(widgetResizable=True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    return area
