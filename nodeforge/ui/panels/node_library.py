"""The node library panel: node types by category, with a search and drag and drop."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from PySide6.QtCore import QFile, QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QMenu,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from nodeforge.graph.model import SUBGRAPH
from nodeforge.spec import Catalogue, NodeSpec
from nodeforge.ui.common.file_manager import show_in_file_manager
from nodeforge.ui.common.formatting import help_picture_html, tooltip_html
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.library.node_use import NodeUse
from nodeforge.ui.library.ranking import CANVAS, by_use, search
from nodeforge.ui.library.saved_subgraphs import PREFIX, SavedSubgraphs

MIME = "application/x-nodeforge-node"
"""A dragged node type's id, as UTF-8."""

_TYPE = Qt.ItemDataRole.UserRole


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
    """A tree of node types: favourites, recent ones, then all by category; or what a search finds.

    Args:
        use: Which types are used; a type's menu makes it a favourite.
        saved: The subgraphs that the person keeps.
    """

    chosen = Signal(str)
    """The id of a node type that was double-clicked or chosen with Enter."""

    def __init__(
        self,
        catalogue: Catalogue,
        theme: Theme,
        use: NodeUse | None = None,
        saved: SavedSubgraphs | None = None,
    ) -> None:
        super().__init__()
        self.setAccessibleName("Node library")
        self.search = QLineEdit(placeholderText="Search nodes", clearButtonEnabled=True)
        self.search.setAccessibleName("Search nodes")
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self._choose_first)
        self.tree = _Tree(headerHidden=True)
        self.tree.setIndentation(12)
        self.tree.setAccessibleName("Node types")
        self.tree.setDragEnabled(True)
        self.tree.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.tree.itemActivated.connect(self._choose)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._show_menu)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 0)
        column.addWidget(self.search)
        column.addWidget(self.tree)
        self._catalogue, self._theme = catalogue, theme
        self._use = use or NodeUse()
        self._use.changed.connect(self._fill)
        self._saved = saved
        if saved is not None:
            saved.changed.connect(self._fill)
        self._fill()

    def show_catalogue(self, catalogue: Catalogue, theme: Theme) -> None:
        self._catalogue = catalogue
        self.show_theme(theme)

    def show_theme(self, theme: Theme) -> None:
        """Fill the tree, with each category in its colour."""
        self._theme = theme
        self._fill()

    def _fill(self) -> None:
        scrolled = self.tree.verticalScrollBar().value()
        self.tree.clear()
        text = self.search.text()
        if text.strip():
            found = search(text, by_use(self._specs().values(), self._use))
            self.tree.addTopLevelItems([self._item(spec) for spec in found])
            if not found:
                nothing = QTreeWidgetItem([f"Nothing matches “{text}”."])
                nothing.setFlags(Qt.ItemFlag.NoItemFlags)
                self.tree.addTopLevelItem(nothing)
            return
        for title, picture, specs in self._groups():
            parent = QTreeWidgetItem([title])
            parent.setFlags(Qt.ItemFlag.ItemIsEnabled)
            parent.setIcon(0, picture)
            parent.addChildren([self._item(spec) for spec in specs])
            self.tree.addTopLevelItem(parent)
        self.tree.expandAll()
        self.tree.verticalScrollBar().setValue(scrolled)

    def _specs(self) -> dict[str, NodeSpec]:
        """The kept subgraphs, then the catalogue's types."""
        saved = self._saved.specs(self._catalogue) if self._saved is not None else []
        return {spec.type: spec for spec in (*saved, *self._catalogue.values())}

    def _groups(self) -> Iterator[tuple[str, QIcon, list[NodeSpec]]]:
        """Favourites and recent types, kept subgraphs, then the categories; the canvas' own types
        are last."""
        known = self._specs()
        for title, types, picture in (
            ("Favourites", self._use.favourites, "star-fill"),
            ("Recent", self._use.recent, "clock-counter-clockwise"),
        ):
            if specs := [known[each] for each in types if each in known]:
                yield title, icon(picture, "dim"), specs
        specs = sorted(
            known.values(),
            key=lambda spec: (
                not self._is_own(spec),
                spec.category != SUBGRAPH,
                spec.category == CANVAS,
                spec.category,
                spec.title,
            ),
        )
        groups = itertools.groupby(specs, key=lambda spec: (spec.category, self._is_own(spec)))
        for (category, own), group in groups:
            colour = self._theme.category_colour(category).name()
            title = "My subgraphs" if own else _group_title(category)
            yield title, icon("circle-fill", colour), list(group)

    def _is_own(self, spec: NodeSpec) -> bool:
        """Whether it is a subgraph that the person kept."""
        if self._saved is None or spec.category != SUBGRAPH:
            return False
        return self._saved.is_own(spec.type)

    def _item(self, spec: NodeSpec) -> QTreeWidgetItem:
        item = QTreeWidgetItem([spec.title])
        item.setToolTip(0, tooltip_html(spec.summary) + help_picture_html(spec.type))
        item.setData(0, _TYPE, spec.type)
        return item

    def _show_menu(self, place: QPoint) -> None:
        item = self.tree.itemAt(place)
        type_id = item.data(0, _TYPE) if item is not None else None
        if type_id:
            menu = self.menu_of(type_id)
            menu.popup(self.tree.viewport().mapToGlobal(place))

    def menu_of(self, type_id: str) -> QMenu:
        """The context menu of a node type."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("plus"), "Add to the graph", lambda: self.chosen.emit(type_id))
        is_favourite = type_id in self._use.favourites
        text = "Remove from favourites" if is_favourite else "Add to favourites"
        menu.addAction(
            icon("star"), text, lambda: self._use.set_favourite(type_id, not is_favourite)
        )
        if self._saved is not None and type_id.startswith(PREFIX):
            file = self._saved.file(type_id)
            menu.addSeparator()
            menu.addAction("Show in folder", lambda: show_in_file_manager(file, self))
            if self._saved.is_own(type_id):
                menu.addAction(icon("trash"), "Move to trash", lambda: self._discard(file))
        return menu

    def _discard(self, file: Path) -> None:
        if QFile(str(file)).moveToTrash() and self._saved is not None:
            self._saved.changed.emit()

    def _choose(self, item: QTreeWidgetItem) -> None:
        if item.data(0, _TYPE):
            self.chosen.emit(item.data(0, _TYPE))

    def _choose_first(self) -> None:
        item = self.tree.topLevelItem(0) if self.search.text().strip() else None
        if item is not None:
            self._choose(item)


def _group_title(category: str) -> str:
    if category == SUBGRAPH:
        return "Subgraphs"
    return category.replace("_", " ").capitalize()
