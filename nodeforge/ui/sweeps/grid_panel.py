"""The Grids panel: the cells of a sweep, which fill in as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHeaderView,
    QMenu,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from nodeforge.engine.sweeps.cells import Cell
from nodeforge.engine.sweeps.jobs import SWEEP, cell_of, result_of
from nodeforge.engine.sweeps.labels import column_label, page_label, row_label
from nodeforge.engine.sweeps.results import CellResult, table
from nodeforge.errors import NodeForgeError
from nodeforge.settings.whole_file import write_whole
from nodeforge.ui.common.background_task import run_in_background
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.sweeps.cell_painter import CAPTION, FACE
from nodeforge.ui.sweeps.group_panel import GroupPanel
from nodeforge.ui.sweeps.job_groups import Group, JobGroups

EMPTY = (
    "Grids appear here: the same workflow with several values of a field. Right-click a number, "
    "a menu or a text, and choose Grid…"
)
_NUMBER = Qt.ItemDataRole.UserRole


class GridPanel(GroupPanel):
    """Shows a sweep as a table: the first axis in rows, the second in columns, a third in pages."""

    def __init__(self, groups: JobGroups, runner: Runner) -> None:
        self.table = QTableWidget()
        self.table.setAccessibleName("Grid")
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        for header in (self.table.horizontalHeader(), self.table.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            header.setSectionsClickable(False)
        scroll = QAbstractItemView.ScrollMode.ScrollPerPixel
        self.table.setHorizontalScrollMode(scroll)
        self.table.setVerticalScrollMode(scroll)
        self.page = QComboBox()
        self.page.setAccessibleName("Page")
        self.page.setToolTip("The value of the third axis")
        self.page.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.page.setMinimumContentsLength(8)
        self._items: dict[int, QTableWidgetItem] = {}
        self._shape: tuple[str, int, int] = "", 0, 0
        self._of: tuple[str, int] = "", 0
        self._cells: dict[int, Cell] = {}
        super().__init__(groups, runner, SWEEP, EMPTY, self.table)
        self.setAccessibleName("Grids")
        self.page.activated.connect(lambda _: self.fill())
        self.table.itemSelectionChanged.connect(lambda: self.show_number(self.chosen()))
        self.table.itemDoubleClicked.connect(lambda _: self._enlarge())
        self.refresh()

    def buttons(self) -> Iterator[QWidget]:
        yield self.page
        self.save = QPushButton("Save")
        self.save.setAccessibleName("Save the grid")
        menu = QMenu(self.save)
        menu.addAction("As picture…", self._save_picture)
        menu.addAction("As one HTML file…", self._save_sheet)
        menu.addAction("As table (CSV)…", self._save_table)
        self.save.setMenu(menu)
        yield self.save

    def fill(self) -> None:
        group = self.group
        assert group is not None
        if self._of != (group.id, len(group.jobs)):
            self._of, self._cells = (group.id, len(group.jobs)), _cells(group)
            self._show_pages(self._cells)
        shape = (*self._of, self.page.currentData() or 0)
        if shape != self._shape:
            self._shape = shape
            self._seen.clear()
            self._lay_out({n: cell for n, cell in self._cells.items() if cell.page == shape[2]})
        self.update_changed(self._items)

    def update_cell(self, number: int) -> None:
        if (item := self._items.get(number)) is not None:
            item.setData(FACE, self.face(number))
            item.setToolTip(self.tooltip(number))

    def resize_cells(self) -> None:
        side = self.size_slider.value()
        self.table.horizontalHeader().setDefaultSectionSize(side)
        self.table.verticalHeader().setDefaultSectionSize(side + CAPTION)

    def chosen(self) -> int | None:
        found = self.table.selectedItems()
        return found[0].data(_NUMBER) if found else None

    def offer(self) -> None:
        super().offer()
        self.save.setEnabled(bool(self.group and any(job.files for job in self.group.all)))

    def results(self) -> list[CellResult]:
        """What has come so far, in the order of the grid."""
        group = self.group
        found = [result_of(group.jobs[n]) for n in sorted(group.jobs)] if group else []
        return [each for each in found if each is not None and (each.files or each.error)]

    def save_in(self, path: Path, kind: str) -> list[Path]:
        """Write the grid; several pages of a picture become several files.

        Args:
            path: The file.
            kind: ``png``, ``html`` or ``csv``.

        Raises:
            NodeForgeError: it cannot be written.
        """
        from nodeforge.engine.sweeps.contact_sheet import sheet  # they bring PIL
        from nodeforge.engine.sweeps.grid import pages

        results, together = self.results(), self._together()
        if kind == "png":
            made = pages(results, together)
            names = [path, *(path.with_stem(f"{path.stem}_page{n + 2}") for n in range(len(made)))]
        else:
            title = f"Sweep of {self.group.title if self.group else ''}"
            html = kind == "html"
            made = [
                sheet(title, results, path.parent, together)
                if html
                else table(results, path.parent)
            ]
            names = [path]
        for name, data in zip(names, made, strict=False):
            write_whole(name, lambda file, data=data: file.write(data))
        return names[: len(made)]

    def _show_pages(self, cells: dict[int, Cell]) -> None:
        chosen, together = self.page.currentData() or 0, self._together()
        firsts = {cell.page: cell for cell in cells.values()}
        labels = {page: page_label(cell, together) for page, cell in firsts.items()}
        told = {page: label.replace("\n", ", ") for page, label in sorted(labels.items())}
        known = {self.page.itemData(n): self.page.itemText(n) for n in range(self.page.count())}
        if told != known:
            self.page.clear()
            for page, label in told.items():
                self.page.addItem(label, page)
            self.page.setCurrentIndex(max(0, self.page.findData(chosen)))
        self.page.setVisible(len(told) > 1)

    def _lay_out(self, cells: dict[int, Cell]) -> None:
        together = self._together()
        rows = {cell.row: row_label(cell, together) for cell in cells.values()}
        columns = {cell.column: column_label(cell, together) for cell in cells.values()}
        self.table.clear()
        self._items = {}
        self.table.setRowCount(max(rows, default=-1) + 1)
        self.table.setColumnCount(max(columns, default=-1) + 1)
        for row, label in rows.items():
            self.table.setVerticalHeaderItem(row, _header(label))
        for column, label in columns.items():
            self.table.setHorizontalHeaderItem(column, _header(label))
        self.table.horizontalHeader().setVisible(any(columns.values()))
        for number, cell in cells.items():
            item = self._items[number] = QTableWidgetItem()
            item.setData(_NUMBER, number)
            told = ", ".join(f"{name} {text}" for name, text in cell.settings.items())
            item.setData(Qt.ItemDataRole.AccessibleTextRole, told)
            self.table.setItem(cell.row, cell.column, item)
        self.resize_cells()

    def _together(self) -> bool:
        group = self.group.jobs.values() if self.group else ()
        job = next(iter(group), None)
        return bool(job and job.group and job.group.place.get("together"))

    def _enlarge(self) -> None:
        number = self.chosen()
        if number is not None:
            self.enlarge(number)

    def _save_picture(self) -> None:
        self._ask("png", "PNG (*.png)")

    def _save_sheet(self) -> None:
        self._ask("html", "HTML (*.html)")

    def _save_table(self) -> None:
        self._ask("csv", "CSV (*.csv)")

    def _ask(self, kind: str, files: str) -> None:
        assert self.group is not None
        folders = [job.outputs for job in self.group.jobs.values() if job.outputs is not None]
        wish = (folders[0] if folders else Path()) / f"{self.group.title}_grid.{kind}"
        name, _ = QFileDialog.getSaveFileName(self, "Save grid", str(wish), files)
        if not name:
            return
        path = Path(name)
        path = path if path.suffix else path.with_suffix(f".{kind}")
        work: Callable[[object], Sequence[Path] | None] = lambda _: self.save_in(path, kind)  # noqa: E731
        try:
            made = run_in_background(self, "Saving the grid…", work)
        except (NodeForgeError, OSError) as error:
            self.note.setText(f"Not saved: {error}")
            return
        if made:
            self.note.setText(f"Saved {', '.join(each.name for each in made)}")


def _header(label: str) -> QTableWidgetItem:
    """A header of few letters: the input's name, and below it the value."""
    item = QTableWidgetItem(label.replace(" = ", "\n", 1) if label.count("\n") == 0 else label)
    item.setToolTip(label)
    return item


def _cells(group: Group) -> dict[int, Cell]:
    found = {n: cell_of(job.group.place) for n, job in sorted(group.jobs.items()) if job.group}
    return {number: cell for number, cell in found.items() if cell is not None}
