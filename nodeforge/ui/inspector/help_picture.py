"""The picture in a node's help: what goes in and what comes out."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from nodeforge.settings import help_picture


class HelpPicture(QWidget):
    """A picture that shrinks to the width it has, and never grows."""

    def __init__(self, pixmap: QPixmap) -> None:
        super().__init__()
        self._pixmap = pixmap
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("What goes in, and what comes out")

    @classmethod
    def of(cls, type_id: str) -> HelpPicture | None:
        """The picture of a node type, if there is one."""
        file = help_picture(type_id)
        pixmap = QPixmap(str(file)) if file.is_file() else QPixmap()
        return None if pixmap.isNull() else cls(pixmap)

    def sizeHint(self) -> QSize:  # noqa: N802
        return self._pixmap.size()

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        return self._fitted(width).height()

    def _fitted(self, width: int) -> QSize:
        size = self._pixmap.size()
        return size.scaled(
            min(width, size.width()), size.height(), Qt.AspectRatioMode.KeepAspectRatio
        )

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._fitted(self.width())
        painter.drawPixmap(0, 0, size.width(), size.height(), self._pixmap)
