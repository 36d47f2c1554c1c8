"""The node library panel: node types by category, with a search and drag and drop."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from nodeforge.spec import Catalogue, NodeSpec
from nodeforge.ui.common.formatting import tooltip_html
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.theme import Theme

MIME = "application/x-nodeforge-node"
"""A dragged node type's id, as UTF-8."""

_TYPE = Qt.ItemDataRole.UserRole
_WORDS = Qt.ItemDataRole.UserRole + 1


class _Tree(QTreeWidget):
    def mimeTypes(self) -> list[str]:  # noqa: N802
        return [MIME]

    def mimeData(self, items: Iterable[QTreeWidgetItem]) -> QMimeData:  # noqa: N802
        data = QMimeData()
        types = [item.data(0, _TYPE) for item in items if item.data(0, _TYPE)]
        if types:
            data.setData(MIME, types[0].encode())
        return data


class NodeLibrary(QWidget):
    """A tree of node types with a search."""

    chosen = Signal(str)
    """The id of a node type that was double-clicked or chosen with Enter."""

    def __init__(self, catalogue: Catalogue, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Node library")
        self.search = QLineEdit(placeholderText="Search nodes", clearButtonEnabled=True)
        self.search.setAccessibleName("Search nodes")
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._choose_first)
        self.tree = _Tree(headerHidden=True)
        self.tree.setIndentation(12)
        self.tree.setAccessibleName("Node types")
        self.tree.setDragEnabled(True)
        self.tree.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.tree.itemActivated.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 0)
        column.addWidget(self.search)
        column.addWidget(self.tree)
        self._catalogue = catalogue
        self.show_theme(theme)

    def show_catalogue(self, catalogue: Catalogue, theme: Theme) -> None:
        self._catalogue = catalogue
        self.show_theme(theme)

    def show_theme(self, theme: Theme) -> None:
        """Fill the tree, with each category in its colour."""
        self.tree.clear()
        specs = sorted(self._catalogue.values(), key=lambda spec: (spec.category, spec.title))
        for category, group in itertools.groupby(specs, key=lambda spec: spec.category):
            parent = QTreeWidgetItem([category.replace("_", " ").capitalize()])
            parent.setFlags(Qt.ItemFlag.ItemIsEnabled)
            parent.setIcon(0, icon("circle-fill", theme.category_colour(category).name()))
            parent.addChildren([_item(spec) for spec in group])
            self.tree.addTopLevelItem(parent)
        self.tree.expandAll()
        self._filter(self.search.text())

    def _filter(self, text: str) -> None:
        parts = text.lower().split()
        for parent in self._parents():
            seen = False
            for index in range(parent.childCount()):
                item = parent.child(index)
                assert item is not None
                item.setHidden(not all(part in item.data(0, _WORDS) for part in parts))
                seen |= not item.isHidden()
            parent.setHidden(not seen)

    def _parents(self) -> list[QTreeWidgetItem]:
        items = (self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount()))
        return [item for item in items if item is not None]

    def _choose(self, item: QTreeWidgetItem) -> None:
        if item.data(0, _TYPE):
            self.chosen.emit(item.data(0, _TYPE))

    def _choose_first(self) -> None:
        for parent in self._parents():
            for index in range(parent.childCount()):
                item = parent.child(index)
                if item is not None and not item.isHidden():
                    self._choose(item)
                    return


def _item(spec: NodeSpec) -> QTreeWidgetItem:
    item = QTreeWidgetItem([spec.title])
    item.setToolTip(0, tooltip_html(spec.summary))
    item.setData(0, _TYPE, spec.type)
    item.setData(0, _WORDS, f"{spec.title} {spec.summary} {spec.type}".lower())
    return item
