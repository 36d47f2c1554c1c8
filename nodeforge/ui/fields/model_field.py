"""The model field, and the dialog that chooses a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from nodeforge.errors import NodeForgeError
from nodeforge.models import (
    Kind,
    ModelInfo,
    family_label,
    is_pickle,
    kind_label,
    kind_with_article,
    readable,
    references_taken,
    upscaler_label,
    variant_label,
)
from nodeforge.ui.common import formatting
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.images import read_scaled
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.clear_button import ClearButton
from nodeforge.ui.fields.elided import ElidedButton
from nodeforge.ui.fields.field import MIXED, Field
from nodeforge.ui.fields.model_preview import preview_picture
from nodeforge.ui.fields.pickle_dialog import ALLOW, ask_to_allow

_ICON, _PICTURE = 32, 192
"""Size of a model's preview picture in the list and beside it, pixels."""
_INFO = Qt.ItemDataRole.UserRole
_PARTS = {Kind.UNET.value, Kind.VAE.value, Kind.TEXT_ENCODER.value}


class ModelDialog(QDialog):
    """A dialog that lists the models of a kind, with a search."""

    def __init__(self, workspace: Workspace, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Choose {kind_with_article(kind)}")
        self.resize(760, 480)
        self.chosen = ""
        self.granted = ""
        self._search = QLineEdit(placeholderText="Search", clearButtonEnabled=True)
        self._search.setAccessibleName("Search models")
        self._search.textChanged.connect(self._filter)
        self._list = QTreeWidget(rootIsDecorated=False, alternatingRowColors=False)
        self._list.setHeaderLabels(["Name", "Family", "Size"])
        self._list.setAccessibleName("Models")
        self._list.setColumnWidth(0, 240)
        self._list.setColumnWidth(1, 150)
        self._list.setIconSize(QSize(_ICON, _ICON))
        self._list.itemActivated.connect(self.accept)
        self._list.currentItemChanged.connect(self._show_about)
        self._picture = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._picture.setFixedSize(_PICTURE, _PICTURE)
        self._about = QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignTop)
        self._about.setProperty("role", "dim")
        self._workspace, self._kind = workspace, kind
        self._empty = QLabel(_where(workspace, kind), wordWrap=True)
        self._empty.setProperty("role", "dim")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._use = buttons.addButton("Use", QDialogButtonBox.ButtonRole.AcceptRole)
        self._use.setDefault(True)
        other = buttons.addButton("Another file…", QDialogButtonBox.ButtonRole.ActionRole)
        other.clicked.connect(self._browse)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column, row, side = QVBoxLayout(self), QHBoxLayout(), QVBoxLayout()
        row.addWidget(self._list, 1)
        row.addLayout(side)
        side.addWidget(self._picture)
        side.addWidget(self._about, 1)
        column.addWidget(self._search)
        column.addLayout(row, 1)
        column.addWidget(self._empty)
        column.addWidget(buttons)
        self._fill()

    def accept(self) -> None:
        """Take the selected model; of a pickle that is not allowed yet, ask first."""
        chosen = self._list.selectedItems()
        if not chosen:
            return
        name, info = chosen[0].text(0), chosen[0].data(0, _INFO)
        if _is_refused(info):
            if not ask_to_allow(self._workspace.settings, info.path, self):
                return
            self._fill()
            found = self._list.findItems(name, Qt.MatchFlag.MatchExactly)
            if not found or found[0].isDisabled():
                return  # its row says why it cannot be used
        self.chosen = name
        super().accept()

    def _fill(self) -> None:
        """List the models that are there."""
        self._list.clear()
        for info in models_of_kind(self._workspace, self._kind):
            self._add(info)
        self._filter(self._search.text())

    def _add(self, info: ModelInfo) -> None:
        family = family_label(info) or ("any that fits" if info.families else "cannot be used")
        family = upscaler_label(info) if info.is_usable and info.architecture else family
        item = QTreeWidgetItem(
            [info.name, family, formatting.byte_size(info.size) if info.size else ""]
        )
        item.setToolTip(0, str(info.path))
        item.setToolTip(1, info.reason)
        item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        refused = _is_refused(info)
        item.setDisabled(info.kind is Kind.UNKNOWN and not refused)
        if refused:
            item.setText(1, "not allowed yet")
        item.setData(0, _INFO, info)
        item.setIcon(0, _icon_of(info.path))
        self._list.addTopLevelItem(item)

    def _show_about(self, item: QTreeWidgetItem | None) -> None:
        info: ModelInfo | None = item.data(0, _INFO) if item is not None else None
        picture = preview_picture(info.path) if info else None
        image = read_scaled(picture, _PICTURE) if picture else None
        if image is None or image.isNull():
            self._picture.setPixmap(icon("cube", "dim").pixmap(48))
        else:
            self._picture.setPixmap(QPixmap.fromImage(image))
        self._about.setText(_about(info) if info else "")
        self._use.setText(ALLOW if info and _is_refused(info) else "Use")

    def _filter(self, text: str) -> None:
        parts = text.lower().split()
        shown = None
        for index in range(self._list.topLevelItemCount()):
            item = self._list.topLevelItem(index)
            assert item is not None
            words_of_it = f"{item.text(0)} {item.text(1)}".lower()
            item.setHidden(not all(part in words_of_it for part in parts))
            if not item.isHidden() and shown is None:
                shown = item
        self._list.clearSelection()
        if shown is not None:
            self._list.setCurrentItem(shown)

    def _browse(self) -> None:
        kinds = "Models (*.safetensors *.sft *.ckpt *.pt *.pth *.bin);;All files (*)"
        path, _ = QFileDialog.getOpenFileName(self, "Choose a model file", "", kinds)
        settings = self._workspace.settings
        if path and is_pickle(readable(Path(path), settings)):
            path = path if ask_to_allow(settings, Path(path), self) else ""
        if path:
            self.chosen = self.granted = path
            super().accept()


def models_of_kind(workspace: Workspace, kind: str) -> list[ModelInfo]:
    """The models that a port of `kind` accepts."""
    wanted = {kind, Kind.CHECKPOINT.value} if kind in _PARTS else {kind}
    return [info for info in workspace.folders.scan() if info.listed in wanted]


def _is_refused(info: ModelInfo) -> bool:
    """Whether it is a pickle that the person has not allowed."""
    return info.kind is Kind.UNKNOWN and is_pickle(info.path)


def _icon_of(model: Path) -> QIcon:
    picture = preview_picture(model)
    image = read_scaled(picture, _ICON) if picture else None
    if image is None or image.isNull():
        return icon("cube", "dim")
    return QIcon(QPixmap.fromImage(image))


def _about(info: ModelInfo) -> str:
    """A description of a model, one fact per line."""
    numbers = f"{info.parameters / 1e6:,.0f} million parameters" if info.parameters else ""
    made = ", ".join(filter(None, [info.dtype, numbers]))
    family = f"Family: {family_label(info) or 'any that has its layers'}"
    family = info.reason or upscaler_label(info) or family
    variant = variant_label(info)
    lines = [info.name, family, f"Variant: {variant}" if variant else "", made]
    lines += ["For inpainting"] if info.inpainting else []
    lines += ["Edits by instruction"] if references_taken(info) else []
    return "\n".join(filter(None, lines))


def _where(workspace: Workspace, kind: str) -> str:
    what, folder = kind_label(kind), workspace.settings.models / f"{kind}s"
    return (
        f"Put .safetensors files of this kind ({what}) into {folder}, drop them on the window, or "
        "add the folder that you have in Preferences. Families that cannot be used say why."
    )


class ModelField(Field):
    """Shows a model's name and opens the model dialog; optional models can be cleared."""

    def __init__(self, workspace: Workspace, kind: str, *, optional: bool = False) -> None:
        super().__init__()
        self._workspace, self._kind = workspace, kind
        self._name = "model"
        self._auto = ""
        self._button = ElidedButton()
        self._button.setIcon(icon("cube"))
        self._button.setStyleSheet("text-align: left")
        self._button.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._button, 1)
        self._clear = ClearButton(self._button) if optional else None
        if self._clear is not None:
            row.addWidget(self._clear)
            self._clear.clicked.connect(self._use_none)

    def editor(self) -> QWidget:
        return self._button

    def set_label(self, name: str) -> None:
        self._name = name
        self._say()
        if self._clear is not None:
            self._clear.setAccessibleName(f"use no {name}")

    def _say(self) -> None:
        self._button.setAccessibleName(f"{self._name}: {self._button.text()}")

    def show_value(self, value: Any) -> None:
        text = "Several models" if value is MIXED else str(value or "")
        self._button.setText(Path(text).name if text else self._nothing)
        self._button.setToolTip(text)
        self._say()
        self._button.setIcon(self._picture(text) if text and value is not MIXED else icon("cube"))
        if self._clear is not None:
            self._clear.setVisible(bool(text))

    def set_auto(self, text: str) -> None:
        before, self._auto = self._nothing, text
        if self._button.text() == before:
            self._button.setText(self._nothing)
            self._button.setToolTip(f"Found in the model folders: {text}" if text else "")
            self._say()

    @property
    def _nothing(self) -> str:
        """What is shown while no model is chosen."""
        if self._auto:
            return f"Auto: {self._auto}"
        what = kind_with_article(self._kind)
        return f"None; choose {what}…" if self._clear else f"Choose {what}…"

    def _picture(self, name: str) -> QIcon:
        opened = self._workspace.current
        granted = frozenset(map(Path, opened.granted)) if opened else frozenset[Path]()
        try:
            return _icon_of(self._workspace.folders.find(self._kind, name, granted))
        except NodeForgeError:
            return icon("cube")  # shown in the problems panel

    def _use_none(self) -> None:
        self._button.setFocus()
        self.new_gesture()
        self.edited.emit(None, [])

    def _choose(self) -> None:
        dialog = ModelDialog(self._workspace, self._kind, self)
        if dialog.exec():
            if dialog.granted and self._workspace.current is not None:
                self._workspace.current.granted.append(dialog.granted)
            self.new_gesture()
            self.edited.emit(dialog.chosen, [])
