"""The gallery's list of thumbnails: how it is painted, its keys, and what is dragged out of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QUrl,
    Signal,
)
from PySide6.QtGui import (
    QIcon,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from nodeforge.ui.common.clip_files import VIDEO_SUFFIXES, is_sound_file
from nodeforge.ui.common.formatting import clip_length
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.picture_badge import paint_badge
from nodeforge.ui.gallery.results_database import MOST_STARS, Result

SIDE = 96
"""Longer side of a thumbnail, pixels."""
_TOP = 3
"""Pixels over a thumbnail."""
_LENGTH = Qt.ItemDataRole.UserRole
"""How long a video or a sound is; empty for pictures."""
_CELL = QSize(SIDE + 24, SIDE + 32)
_ROOT = QModelIndex()
_KEPT = 400
"""Thumbnails that stay decoded; a list has up to 300."""

_KEYS = {
    "Space": "large",
    "Return": "large",
    "Enter": "large",
    "F": "large",
    "Ctrl+Return": "again",
    "Ctrl+Enter": "again",
    "Ctrl+C": "copy",
    "Ctrl+Z": "undo",
    "Del": "delete",
    **{str(stars): f"stars {stars}" for stars in range(MOST_STARS + 1)},
}
"""Key to the command of the list; the window's shortcuts on these keys wait meanwhile."""


class _Delegate(QStyledItemDelegate):
    """Paints a picture in its own colours also where it is selected: the frame says so."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        states = QStyle.StateFlag
        selected = bool(option.state & states.State_Selected)
        hovered = bool(option.state & states.State_MouseOver)
        plain = QStyleOptionViewItem(option)
        plain.state &= ~(states.State_Selected | states.State_MouseOver | states.State_HasFocus)
        super().paint(painter, plain, index)
        if length := index.data(_LENGTH):
            size = index.data(Qt.ItemDataRole.DecorationRole).actualSize(QSize(SIDE, SIDE))
            left = option.rect.center().x() - size.width() / 2
            picture = QRectF(left, option.rect.top() + _TOP, size.width(), size.height())
            paint_badge(painter, picture, length, option.font)
        if selected or hovered:
            palette = option.palette
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(palette.highlight() if selected else palette.mid(), 2))
            painter.drawRoundedRect(option.rect.adjusted(2, 2, -2, -2), 4, 4)
            painter.restore()

    def sizeHint(  # noqa: N802
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return _CELL


class _Results(QAbstractListModel):
    """The results as a model; thumbnails are decoded as they are painted."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.results: list[Result] = []

    def show(self, results: Sequence[Result]) -> None:
        self.beginResetModel()
        self.results = list(results)
        self.endResetModel()

    def insert(self, result: Result) -> None:
        """Add a result at the front."""
        self.beginInsertRows(QModelIndex(), 0, 0)
        self.results.insert(0, result)
        self.endInsertRows()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(self.results)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        result = self.results[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return _caption(result)
            case Qt.ItemDataRole.DecorationRole:
                return _thumbnail(result.thumbnail, _icon_of(result))
            case role if role == _LENGTH:
                return clip_length(0, result.seconds) if result.seconds else ""
            case Qt.ItemDataRole.ToolTipRole:
                return _tooltip(result)
        return None

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        flags = Qt.ItemFlag
        return flags.ItemIsSelectable | flags.ItemIsEnabled | flags.ItemIsDragEnabled

    def mimeData(self, indexes: Iterable[QModelIndex]) -> QMimeData:  # noqa: N802
        rows = sorted({index.row() for index in indexes})
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(self.results[row].path)) for row in rows])
        return data

    def mimeTypes(self) -> list[str]:  # noqa: N802
        return ["text/uri-list"]


class ThumbnailList(QListView):
    """Saved results as thumbnails."""

    command = Signal(str)
    """A key was pressed that stands for ``large``, ``again``, ``copy``, ``delete``, ``undo`` or
    ``stars 0`` to ``stars 5``."""
    row_shown = Signal(int)
    """The row that was clicked or reached by the arrow keys."""

    def __init__(self) -> None:
        super().__init__()
        self._results = _Results(self)
        self.setModel(self._results)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setGridSize(_CELL)
        self._delegate = _Delegate(self)
        self.setItemDelegate(self._delegate)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Results")
        self.clicked.connect(lambda index: self.row_shown.emit(index.row()))

    def show_results(self, results: Sequence[Result]) -> None:
        """List these results; those selected before stay so, by their files."""
        chosen = {result.path for result in self.chosen()}
        self._results.show(results)
        for row, result in enumerate(results):
            if result.path in chosen:
                index = self._results.index(row)
                select = QItemSelectionModel.SelectionFlag.Select
                self.selectionModel().select(index, select)
                self.selectionModel().setCurrentIndex(index, select)

    def insert(self, result: Result) -> None:
        """List a new result at the front."""
        self._results.insert(result)

    def count(self) -> int:
        return len(self._results.results)

    def caption(self, row: int) -> str:
        """The text below a thumbnail."""
        return _caption(self._results.results[row])

    def row_rect(self, row: int) -> QRect:
        """Where a row is drawn, in the viewport."""
        return self.visualRect(self._results.index(row))

    def select_row(self, row: int) -> None:
        """Select a row alone."""
        select = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(self._results.index(row), select)

    def result(self, row: int) -> Result:
        return self._results.results[row]

    def chosen(self) -> list[Result]:
        """The selected results, in the order of the list."""
        return [self.result(row) for row in sorted(i.row() for i in self.selectedIndexes())]

    def all(self) -> list[Result]:
        """All results of the list."""
        return list(self._results.results)

    def mime_data(self) -> QMimeData:
        """What is dragged out: the files of the selected results."""
        return self._results.mimeData(self.selectedIndexes())

    def currentChanged(  # noqa: N802
        self,
        current: QModelIndex | QPersistentModelIndex,
        previous: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().currentChanged(current, previous)
        if current.isValid() and self.hasFocus():
            self.row_shown.emit(current.row())

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() is QEvent.Type.ShortcutOverride
            and _named(event) in _KEYS
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        command = _KEYS.get(_named(event))
        if command is None:
            super().keyPressEvent(event)
        else:
            self.command.emit(command)


def _caption(result: Result) -> str:
    name = result.prompt.split("\n")[0] or result.path.stem
    return f"{'★' * result.stars} {name}".strip()


@lru_cache(_KEPT)
def _thumbnail(data: bytes, instead: str) -> QIcon:
    pixmap = QPixmap()
    pixmap.loadFromData(data)
    return icon(instead, "dim") if pixmap.isNull() else QIcon(pixmap)


def _icon_of(result: Result) -> str:
    """What stands for a result that has no thumbnail."""
    if is_sound_file(result.path):
        return "speaker-high"
    return "film-strip" if result.path.suffix.lower() in VIDEO_SUFFIXES else "image"


def _tooltip(result: Result) -> str:
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(result.made))
    lines = [result.prompt, f"Seed {result.seed}" if result.seed else ""]
    lines += [f"{result.workflow}, {made}", str(result.path)]
    lines += [f"In {', '.join(result.collections)}" if result.collections else ""]
    lines += ["" if result.path.exists() else "The file is no longer there."]
    return "\n".join(filter(None, lines))


def _named(event: QKeyEvent) -> str:
    keys = event.keyCombination().toCombined() & ~int(Qt.KeyboardModifier.KeypadModifier.value)
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.PortableText)
