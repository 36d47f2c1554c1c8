"""The list of layers: visibility, thumbnail and name, lock; reordered by dragging."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QWidget,
)

from nodeforge.ui.canvas_view.rendering.layer_thumbnails import SIDE

EYE, NAME, LOCK = range(3)
ID = Qt.ItemDataRole.UserRole
ROW_HEIGHT = SIDE + 8
"""Of a layer, pixels."""
_Index = QModelIndex | QPersistentModelIndex


class LayerList(QTreeWidget):
    """A list widget that reports a drop as (layer, row) instead of moving items itself."""

    remove_requested = Signal()

    def __init__(self, reorder: Callable[[str, int], object]) -> None:
        super().__init__(columnCount=3, headerHidden=True, rootIsDecorated=False)
        self._reorder = reorder
        self.setAccessibleName("Layers")
        self.setIconSize(QSize(SIDE, SIDE))
        self.setUniformRowHeights(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(24)
        for column, mode in (
            (EYE, QHeaderView.ResizeMode.Fixed),
            (NAME, QHeaderView.ResizeMode.Stretch),
            (LOCK, QHeaderView.ResizeMode.Fixed),
        ):
            header.setSectionResizeMode(column, mode)
        header.resizeSection(EYE, 28)
        header.resizeSection(LOCK, 28)
        self.setItemDelegateForColumn(EYE, _IconDelegate(self))
        self.setItemDelegateForColumn(LOCK, _IconDelegate(self))
        self.setMinimumHeight(96)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() == Qt.Key.Key_Delete:
            self.remove_requested.emit()
        else:
            super().keyPressEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        item = self.currentItem()
        if item is None:
            return
        source = self.indexOfTopLevelItem(item)
        target = self.indexAt(event.position().toPoint())
        row = target.row() if target.isValid() else self.topLevelItemCount() - 1
        below = self.dropIndicatorPosition() is QAbstractItemView.DropIndicatorPosition.BelowItem
        row = row + below if target.isValid() else row
        row = row - 1 if target.isValid() and row > source else row
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        id = item.data(NAME, ID)
        QTimer.singleShot(0, self, lambda: self._reorder(id, row))


class _IconDelegate(QStyledItemDelegate):
    """Draws a centred icon that is not editable."""

    def initStyleOption(  # noqa: N802
        self, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        super().initStyleOption(option, index)
        option.decorationSize = QSize(16, 16)  # pyright: ignore[reportAttributeAccessIssue]
        option.decorationAlignment = (  # pyright: ignore[reportAttributeAccessIssue]
            Qt.AlignmentFlag.AlignCenter
        )

    def createEditor(  # noqa: N802
        self, parent: QWidget | None, option: QStyleOptionViewItem, index: _Index
    ) -> QWidget:
        return None  # pyright: ignore[reportReturnType]  # Qt's word for "not editable"
