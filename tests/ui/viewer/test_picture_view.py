"""The picture view on a scaled desktop."""

import os
import subprocess
import sys

import pytest

CODE = """
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from nodeforge.ui.viewer.picture_view import PictureView
app = QApplication([])
view = PictureView("empty")
view.resize(208, 208)
image = QImage(100, 100, QImage.Format.Format_RGB32)
image.fill(QColor("red"))
image.setPixelColor(99, 0, QColor("blue"))
view.show_image(image)
view.show()
ratio = view.devicePixelRatioF()
print(ratio, view.zoom)
view.zoom_to(1.0)
shown = view.grab().toImage()
wide = sum(shown.pixelColor(x, shown.height() // 2) == QColor("red") for x in range(shown.width()))
print(wide, view._pixel_text(QPointF(104 + 49.6 / ratio, 104 - 49.6 / ratio)))
"""


@pytest.mark.parametrize("ratio", [1, 2])
def test_a_hundred_per_cent_is_one_pixel_of_the_screen(ratio: int):
    """Window, HiDPI 2x: 100 % showed each pixel as four."""
    env = {**os.environ, "QT_SCALE_FACTOR": str(ratio), "QT_QPA_PLATFORM": "offscreen"}
    told = subprocess.run(
        [sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=True
    )
    scale, first, second = told.stdout.partition("\n")[0].split()[0], *told.stdout.splitlines()
    assert float(scale) == ratio
    assert float(first.split()[1]) == 2.0 * ratio  # 200 of 208, at either scale
    assert second.split()[0] == "100"
    assert second.split()[2] == "99"
    assert "#0000ff" in second
