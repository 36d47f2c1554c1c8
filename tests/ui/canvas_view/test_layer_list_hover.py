"""How a layer's row looks under the mouse."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QHoverEvent
from PySide6.QtWidgets import QApplication

from nodeforge.ui.canvas_view.panels.layer_list import LayerList
from nodeforge.ui.common import theme


@pytest.mark.parametrize("shown", [theme.DARK, theme.LIGHT], ids=lambda each: each.name)
def test_a_selected_layer_keeps_its_background_under_the_mouse(driver, canvas_window, shown):
    """The background of the row under the mouse was drawn over that of the selection."""
    app = QApplication.instance()
    theme.apply(app, shown)
    try:
        layers = driver.editor.findChild(LayerList)
        row = layers.visualItemRect(layers.currentItem())
        place = QPoint(layers.viewport().width() // 2, row.center().y())
        before = layers.viewport().grab().toImage()
        point = QPointF(place)
        hover = QHoverEvent(QEvent.Type.HoverEnter, point, point, QPointF(-1, -1))
        QApplication.sendEvent(layers.viewport(), hover)
        after = layers.viewport().grab().toImage()
        spot = (layers.viewport().width() - 40, row.top() + 6)
        assert before.pixelColor(*spot) == shown.accent
        assert after.pixelColor(*spot) == shown.accent
    finally:
        theme.apply(app, canvas_window.workspace.theme)
