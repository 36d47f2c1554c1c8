"""The layers panel: the layer list, its buttons, and properties of the active layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QItemSelectionModel,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QToolButton,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from nodeforge.canvas import (
    Change,
    ChangeKind,
    Layer,
    LayerKind,
    activate,
    add_layer,
    duplicate_layer,
    flip_layer,
    fold_group,
    group_layers,
    merge_down,
    move_layer,
    remove_layers,
    set_layer,
    ungroup,
)
from nodeforge.canvas.document.layer import PICTURE_KINDS
from nodeforge.imaging import Reading
from nodeforge.lint import Problem
from nodeforge.ui.canvas_view.panels.layer_list import (
    ABOUT,
    DIM,
    EYE,
    ID,
    LOCK,
    NAME,
    THUMBNAIL,
    LayerList,
)
from nodeforge.ui.canvas_view.panels.layer_properties import READINGS, LayerProperties
from nodeforge.ui.canvas_view.rendering.layer_thumbnails import thumbnail
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.prompt_completion import Sources

_PAUSE = 300
"""Milliseconds after painting until thumbnails are redrawn."""


class LayersPanel(QWidget):
    """Shows and edits the layers, the top one first.

    Args:
        session: The canvas.
        workspace: Its model folders.
        words: Complete the prompts of masks.
        problems: What the linter says of such a prompt.
    """

    separate_requested = Signal(str)
    """The person wants a layer taken apart into layers: its id."""

    def __init__(
        self,
        session: CanvasSession,
        workspace: Workspace,
        words: Sources,
        problems: Callable[[str], Sequence[Problem]],
    ) -> None:
        super().__init__()
        self._session = session
        self._filling = False
        self._stale: set[str] = set()
        self._items: dict[str, QTreeWidgetItem] = {}
        self.list = LayerList(self._reorder)
        self.list.itemChanged.connect(self._renamed)
        self.list.itemClicked.connect(self._clicked)
        self.list.currentItemChanged.connect(self._chosen)
        self.list.itemExpanded.connect(lambda item: self._fold(item, False))
        self.list.itemCollapsed.connect(lambda item: self._fold(item, True))
        self.list.remove_requested.connect(self.remove)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.properties = LayerProperties(session, workspace, words, problems)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(6)
        column.addLayout(self._buttons())
        column.addWidget(self.list, 1)
        column.addWidget(self.properties.in_scroll_area())
        self._pause = QTimer(self, singleShot=True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._draw_thumbnails)
        self._end = session.canvas.subscribe(self._on_canvas_changed)
        self._fill()

    def close_panel(self) -> None:
        self._end()
        self._pause.stop()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        title = QLabel("Layers")
        title.setProperty("role", "heading")
        row.addWidget(title)
        row.addStretch(1)
        add = _button("plus", "Add a layer")
        menu = QMenu(add)
        for kind in LayerKind:
            if kind is not LayerKind.PICTURE:
                text = "Group" if kind is LayerKind.GROUP else f"{kind.value.capitalize()} layer"
                menu.addAction(text, lambda kind=kind: self._do(add_layer, kind))
        add.setMenu(menu)
        add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row.addWidget(add)
        for picture, text, edit in (
            ("copy-simple", "Duplicate the layer", duplicate_layer),
            ("git-merge", "Merge with the layer below; a group: to one layer", merge_down),
        ):
            button = _button(picture, text)
            button.clicked.connect(lambda _=False, edit=edit: self._do_active(edit))
            row.addWidget(button)
        remove = _button("trash", "Remove the layer")
        remove.clicked.connect(self.remove)
        row.addWidget(remove)
        return row

    def remove(self) -> None:
        """Remove the active layer."""
        active = self._session.canvas.active
        if active is not None:
            self._do(remove_layers, [active.id])

    def _show_menu(self, place: QPoint) -> None:
        """Show the context menu of a layer."""
        item = self.list.itemAt(place)
        if item is None:
            return
        layer = self._session.canvas.layer(item.data(NAME, ID))
        menu = QMenu(self)
        menu.addAction("Rename", lambda: self.list.editItem(item, NAME))
        if layer.is_mask:
            menu.addAction("Mask colour…", self.properties.ask_tint)
        menu.addAction("Group", lambda: self._do(group_layers, [layer.id]))
        if layer.is_group:
            menu.addAction("Ungroup", lambda: self._do(ungroup, layer.id))
        elif not layer.is_mask:
            alpha = menu.addAction("Lock alpha")
            alpha.setCheckable(True)
            alpha.setChecked(layer.alpha_locked)
            alpha.triggered.connect(lambda on: self._do(set_layer, layer.id, alpha_locked=bool(on)))
        if shows_picture(layer):
            menu.addAction("Separate into layers", lambda: self.separate_requested.emit(layer.id))
        menu.addAction("Mirror left and right", lambda: self._do(flip_layer, layer.id, True))
        menu.addAction("Mirror top and bottom", lambda: self._do(flip_layer, layer.id, False))
        menu.popup(self.list.viewport().mapToGlobal(place))

    def _do(self, edit: Any, *arguments: Any, **settings: Any) -> None:
        self._session.commit()
        self._session.perform(edit(self._session.canvas, *arguments, **settings))

    def _do_active(self, edit: Any) -> None:
        active = self._session.canvas.active
        if active is not None:
            self._do(edit, active.id)

    def _fill(self) -> None:
        self._filling = True
        self.list.clear()
        self._items = {}
        layers = self._session.canvas.layers
        self.list.setRootIsDecorated(any(layer.is_group for layer in layers))
        flags = Qt.ItemFlag
        usual = flags.ItemIsEnabled | flags.ItemIsSelectable | flags.ItemIsEditable
        usual |= flags.ItemIsDragEnabled
        for layer in reversed(layers):
            item = QTreeWidgetItem()
            item.setData(NAME, ID, layer.id)
            item.setFlags(usual | flags.ItemIsDropEnabled if layer.is_group else usual)
            above = self._items.get(layer.group, self.list.invisibleRootItem())
            above.addChild(item)
            self._items[layer.id] = item
            self._show_layer(item, layer)
        self._filling = False
        self._show_active()
        self._draw_thumbnails({layer.id for layer in layers})

    def _show_layer(self, item: QTreeWidgetItem, layer: Layer) -> None:
        filling, self._filling = self._filling, True
        for column, on, icons, tips in (
            (EYE, layer.visible, ("eye", "eye-slash"), ("Hide", "Show")),
            (LOCK, layer.locked, ("lock", "lock-open"), ("Unlock", "Lock")),
        ):
            item.setData(column, ID, icons[0] if on else icons[1])
            item.setData(column, DIM, not on)
            item.setToolTip(column, tips[0] if on else tips[1])
        item.setText(NAME, layer.name)
        if layer.is_group:
            item.setExpanded(not layer.folded)
            item.setData(NAME, THUMBNAIL, "folder" if layer.folded else "folder-open")
        item.setData(NAME, ABOUT, about(layer))
        item.setToolTip(NAME, tooltip(layer))
        item.setData(NAME, Qt.ItemDataRole.AccessibleTextRole, f"{layer.name}, {about(layer)}")
        self._filling = filling

    def _show_active(self) -> None:
        active = self._session.canvas.active
        item = self._item(active.id) if active is not None else None
        filling, self._filling = self._filling, True
        if item is not None:
            flags = QItemSelectionModel.SelectionFlag
            self.list.setCurrentItem(item, NAME, flags.ClearAndSelect | flags.Rows)
        else:
            self.list.clearSelection()
        self._filling = filling
        self.properties.show_layer(active)

    def _item(self, id: str) -> QTreeWidgetItem | None:
        return self._items.get(id)

    def _draw_thumbnails(self, ids: set[str] | None = None) -> None:
        state = self._session.canvas.state
        stale, self._stale = ids or self._stale, set()
        filling, self._filling = self._filling, True
        for id in stale:
            item = self._item(id)
            if item is not None and state.has(id) and not state.layer(id).is_group:
                pixmap = thumbnail(state.layer(id), state, self.devicePixelRatioF())
                item.setData(NAME, THUMBNAIL, pixmap)
        self._filling = filling

    def _on_canvas_changed(self, changes: tuple[Change, ...]) -> None:
        whats = {change.kind for change in changes}
        if ChangeKind.LAYERS in whats or ChangeKind.SIZE in whats:
            self._fill()
            return
        for change in changes:
            if change.kind is ChangeKind.PIXELS:
                self._stale.add(change.layer)
                self._pause.start()
            elif change.kind is ChangeKind.LAYER:
                item = self._item(change.layer)
                if item is not None:
                    self._show_layer(item, self._session.canvas.layer(change.layer))
                    self._draw_thumbnails({change.layer})
                self.properties.show_layer(self._session.canvas.active)
        if ChangeKind.ACTIVE in whats:
            self._show_active()

    def _clicked(self, item: QTreeWidgetItem, column: int) -> None:
        layer = self._session.canvas.layer(item.data(NAME, ID))
        if column == EYE:
            self._do(set_layer, layer.id, visible=not layer.visible)
        elif column == LOCK:
            self._do(set_layer, layer.id, locked=not layer.locked)

    def _chosen(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and not self._filling:
            self._do(activate, item.data(NAME, ID))

    def _renamed(self, item: QTreeWidgetItem, column: int) -> None:
        if self._filling or column != NAME:
            return
        layer = self._session.canvas.layer(item.data(NAME, ID))
        name = item.text(NAME).strip()
        if name:
            self._do(set_layer, layer.id, name=name)
        else:
            self._show_layer(item, layer)

    def _fold(self, item: QTreeWidgetItem, folded: bool) -> None:
        if not self._filling:
            self._do(fold_group, item.data(NAME, ID), folded)

    def _reorder(self, id: str, group: str, place: int) -> None:
        """Move a layer into a group, above `place` others."""
        self._do(move_layer, id, place, group)


def shows_picture(layer: Layer) -> bool:
    """Whether it is part of the picture, or a group."""
    return layer.kind in PICTURE_KINDS or layer.is_group


def about(layer: Layer) -> str:
    """What is said below a layer's name: of a region its prompt."""
    if layer.is_mask and layer.prompt.strip():
        return f"Region: {' '.join(layer.prompt.split())}"
    if layer.kind is LayerKind.CONTROL and layer.control.reading is not Reading.AUTO:
        return f"Control: {READINGS[layer.control.reading].lower()}"
    return "" if shows_picture(layer) else layer.kind.value.capitalize()


def tooltip(layer: Layer) -> str:
    """What a layer is, and what cannot be read in its row."""
    if layer.is_mask:
        lines = ["Region" if layer.prompt.strip() else "Mask", f"strength {layer.strength:.0%}"]
        return "\n".join([", ".join(lines), *filter(None, (layer.prompt.strip(),))])
    if not shows_picture(layer):
        return f"{layer.kind.value.capitalize()} layer"
    what = "Group" if layer.is_group else f"{layer.kind.value.capitalize()} layer"
    return f"{what}, {layer.blend.value}, {layer.opacity:.0%}"


def _button(picture: str, text: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(picture))
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
