"""Permissions of third-party packs: each is off until it is allowed, by content hash."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from nodeforge.engine.content.pack_content import PackContentError, content_hash
from nodeforge.settings import Settings

_WARNING = (
    "A pack is a program with your permissions. Allow only packs whose authors you trust."
    " A pack whose files change is turned off again."
)


class PackPermissions(QWidget):
    """A check box for each pack in the packs folder."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._before = settings.packs_allowed
        self._hashes: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        for folder in _folders(settings.packs):
            try:
                self._hashes[folder.name] = content_hash(folder)
            except PackContentError as error:
                self._refused[folder.name] = error.fact
        self.list = QTreeWidget(rootIsDecorated=False)
        self.list.setHeaderLabels(["Pack", "Permission"])
        self.list.setColumnWidth(0, 240)
        self.list.setAccessibleName("Packs")
        self.list.setFixedHeight(110)
        for name in self._hashes:
            self.list.addTopLevelItem(self._item(name))
        for name, fact in self._refused.items():
            self.list.addTopLevelItem(QTreeWidgetItem([name, f"cannot be allowed: {fact}"]))
        self.list.itemChanged.connect(lambda item: item.setText(1, self._words(item)))
        there = bool(self._hashes or self._refused)
        none = f"There are no packs in {settings.packs}." if not there else ""
        note = QLabel(f"{none} {_WARNING} Default: off.".strip(), wordWrap=True)
        note.setProperty("role", "dim")
        self.list.setVisible(there)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)
        column.addWidget(note)

    def allowed(self) -> dict[str, str]:
        """Allowed packs with their content hashes; entries of missing packs are kept."""
        kept = {name: allowed for name, allowed in self._before.items() if name not in self._hashes}
        items = (self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount()))
        on = [i.text(0) for i in items if i and i.checkState(0) is Qt.CheckState.Checked]
        return kept | {name: self._hashes[name] for name in on}

    def _item(self, name: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem([name, ""])
        on = self._before.get(name) == self._hashes[name]
        item.setCheckState(0, Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        item.setText(1, self._words(item))
        return item

    def _words(self, item: QTreeWidgetItem) -> str:
        if item.checkState(0) is Qt.CheckState.Checked:
            return "allowed, as it is now"
        return "off: it has changed since it was allowed" if item.text(0) in self._before else "off"


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(folder for folder in root.iterdir() if (folder / "__init__.py").is_file())
