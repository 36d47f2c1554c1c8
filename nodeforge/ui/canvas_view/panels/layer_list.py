"""The list of layers: visibility, thumbnail and name, lock; reordered by dragging."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QDropEvent, QFont, QKeyEvent, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from nodeforge.ui.canvas_view.rendering.layer_thumbnails import SIDE
from nodeforge.ui.common import theme
from nodeforge.ui.common.icons import SIZE as ICON
from nodeforge.ui.common.icons import draw

EYE, NAME, LOCK = range(3)
ID = Qt.ItemDataRole.UserRole
"""In the name's column the layer's id, in the others the name of the icon."""
THUMBNAIL, ABOUT, DIM = (ID + number for number in (1, 2, 3))
"""A pixmap, or the name of an icon; what is said below the name; whether an icon is drawn dim."""

_MARGIN = 4
ROW_HEIGHT = SIDE + 2 * _MARGIN
"""Of a layer, pixels."""
_INDENT = 14
"""Pixels that what is in a group is moved to the right."""
_Index = QModelIndex | QPersistentModelIndex


class LayerList(QTreeWidget):
    """A list widget that reports a drop instead of moving items itself.

    Args:
        reorder: Called with a layer, the group that it was dropped into (empty for none), and how
            many of what is in there are to be below it.
    """

    remove_requested = Signal()

    def __init__(self, reorder: Callable[[str, str, int], object]) -> None:
        super().__init__(columnCount=3, headerHidden=True, rootIsDecorated=False)
        self.setTreePosition(NAME)
        self.setIndentation(_INDENT)
        self.setExpandsOnDoubleClick(False)
        self._reorder = reorder
        self.setAccessibleName("Layers")
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
        for column in (EYE, LOCK):
            self.setItemDelegateForColumn(column, _CellDelegate(self))
        self.setItemDelegateForColumn(NAME, _NameDelegate(self))
        self.setMinimumHeight(96)

    def drawRow(  # noqa: N802
        self, painter: QPainter, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        """Draw a selected row in one piece, below all its cells."""
        if self.selectionModel().isSelected(index):
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().highlight())
            row = QRectF(0, _rect(option).top(), self.viewport().width(), _rect(option).height())
            painter.drawRoundedRect(row, theme.RADIUS, theme.RADIUS)
            painter.restore()
        super().drawRow(painter, option, index)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() == Qt.Key.Key_Delete:
            self.remove_requested.emit()
        else:
            super().keyPressEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        item = self.currentItem()
        if item is None:
            return
        target = self.itemAt(event.position().toPoint())
        place = self.drop_place(item, target, self.dropIndicatorPosition())
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        id = item.data(NAME, ID)
        QTimer.singleShot(0, self, lambda: self._reorder(id, *place))

    def drop_place(
        self,
        item: QTreeWidgetItem,
        target: QTreeWidgetItem | None,
        where: QAbstractItemView.DropIndicatorPosition,
    ) -> tuple[str, int]:
        """The group that `item` is dropped into, and how many there are below it.

        Args:
            target: What it is dropped on; None for the room below all.
            where: Above, on or below the target; below an open group is in it.
        """
        positions = QAbstractItemView.DropIndicatorPosition
        if target is None:
            return "", 0
        into = where is positions.OnItem or (
            where is positions.BelowItem and target.isExpanded() and target.childCount() > 0
        )
        if into:
            return target.data(NAME, ID), target.childCount()
        group = target.parent()
        root = group or self.invisibleRootItem()
        beside = [each for row in range(root.childCount()) if (each := root.child(row)) is not item]
        below = len(beside) - (
            beside.index(target) if target in beside else root.indexOfChild(item)
        )
        below -= where is positions.BelowItem and target is not item
        return group.data(NAME, ID) if group is not None else "", below


class _CellDelegate(QStyledItemDelegate):
    """Draws no background: the list draws that of a whole row. Not editable."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        colour = _text_colour(option, dim=bool(index.data(DIM)))
        place = QRectF(0, 0, ICON, ICON)
        place.moveCenter(QRectF(_rect(option)).center())
        if name := index.data(ID):
            draw(painter, name, place, colour)

    def createEditor(  # noqa: N802
        self, parent: QWidget | None, option: QStyleOptionViewItem, index: _Index
    ) -> QWidget:
        return None  # pyright: ignore[reportReturnType]  # Qt's word for "not editable"


class _NameDelegate(QStyledItemDelegate):
    """Draws a thumbnail, as it is also where the row is selected; a name; what is said of it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: N802
        return QSize(SIDE, SIDE + 2 * _MARGIN)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        rect, text = _rect(option), self._text_rect(option)
        pixmap = index.data(THUMBNAIL)
        if isinstance(pixmap, QPixmap):
            size = pixmap.deviceIndependentSize().toSize()
            painter.drawPixmap(
                rect.left() + _MARGIN, rect.center().y() - size.height() // 2 + 1, pixmap
            )
        elif isinstance(pixmap, str):
            place = QRectF(0, 0, ICON, ICON)
            place.moveCenter(
                QRectF(rect.left() + _MARGIN, rect.top(), SIDE, rect.height()).center()
            )
            draw(painter, pixmap, place, _text_colour(option))
        painter.save()
        name, about = str(index.data() or ""), str(index.data(ABOUT) or "")
        half = text.adjusted(0, 0, 0, -(text.height() // 2)) if about else text
        self._write(painter, half, name, theme.NORMAL, _text_colour(option))
        if about:
            lower = text.adjusted(0, text.height() // 2, 0, 0)
            self._write(painter, lower, about, theme.SMALL, _text_colour(option, dim=True))
        painter.restore()

    def updateEditorGeometry(  # noqa: N802
        self, editor: QWidget, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        text = self._text_rect(option)
        height = min(editor.sizeHint().height(), text.height())
        editor.setGeometry(text.left(), text.center().y() - height // 2, text.width(), height)

    def _text_rect(self, option: QStyleOptionViewItem) -> QRect:
        return _rect(option).adjusted(SIDE + 3 * _MARGIN, 2, 0, -2)

    def _write(self, painter: QPainter, rect: QRect, text: str, size: int, colour: QColor) -> None:
        font = QFont(painter.font())
        font.setPixelSize(size)
        painter.setFont(font)
        painter.setPen(colour)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect, align, shown)


def _rect(option: QStyleOptionViewItem) -> QRect:
    return option.rect  # pyright: ignore[reportAttributeAccessIssue]


def _text_colour(option: QStyleOptionViewItem, *, dim: bool = False) -> QColor:
    state = option.state  # pyright: ignore[reportAttributeAccessIssue]
    palette: QPalette = option.palette  # pyright: ignore[reportAttributeAccessIssue]
    if state & QStyle.StateFlag.State_Selected:
        return palette.highlightedText().color()
    return palette.placeholderText().color() if dim else palette.text().color()
