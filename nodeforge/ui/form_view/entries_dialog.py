"""The Entries of the form dialog: which inputs it shows, in which order and section, and how."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QLineEdit, QWidget

from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.edits import GraphEdit, SetForm
from nodeforge.graph.edits.exposed import ordered
from nodeforge.graph.form import SECTION, form_sections, free_inputs, new_label, section_of
from nodeforge.graph.ports import input_spec, port_label, port_title, title_of
from nodeforge.spec import PortSpec
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.inspector.parameters_dialog import ParametersDialog


class EntriesDialog(ParametersDialog):
    """Chooses the entries of the form of a document, orders, groups and labels them."""

    SHOWN = (
        "The form shows these, section by section. On the command line, a label names its entry."
    )
    EMPTY = "The form is empty. Add what is set often, so that no one needs the graph for it."

    def __init__(
        self, workspace: Workspace, opened: OpenDocument, parent: QWidget | None = None
    ) -> None:
        self._workspace = workspace
        form = opened.document.form
        keys = [key for section in form_sections(form).values() for key in section]
        records = {key: _without_order(form[key]) for key in keys}
        self.section = QLineEdit()
        super().__init__(opened, records, "Entries of the form", ("&Add", "&Remove"), parent)
        self._add_text("&Section", SECTION, self.section)
        self.section.setPlaceholderText("No title")
        self.setWindowTitle("Entries of the form")
        self._show()

    def _spec(self, key: str) -> PortSpec | None:
        path, _, port = key.partition(".")
        try:
            return input_spec(self._opened.document.node(path), port, self._workspace.catalogue)
        except NoSuchNodeError:
            return None

    def _plain_label(self, key: str) -> str:
        label = key.partition(".")[2].replace("_", " ")
        return f"{label[:1].upper()}{label[1:]}"

    def _stands_for(self, key: str) -> str:
        path, _, port = key.partition(".")
        try:
            node = self._opened.document.node(path)
        except NoSuchNodeError:
            return key
        return port_title(node, path.rpartition("/")[2], port, self._workspace.catalogue)

    def _show(self) -> None:
        super()._show()
        key = self._key()
        self.section.setEnabled(bool(key))
        self.section.setText(section_of(self._records.get(key)))

    def _fill_menu(self) -> None:
        menu = self.add.menu()
        menu.clear()
        document, catalogue = self._opened.document, self._workspace.catalogue
        for path, node, ports in free_inputs(document, catalogue, self._records):
            inner = menu.addMenu(title_of(node, path.rpartition("/")[2], catalogue))
            for port in ports:
                inner.addAction(
                    port_label(node, port),
                    lambda path=path, port=port: self._add_input(path, port),
                )
        if menu.isEmpty():
            menu.addAction("Nothing else can be added").setEnabled(False)

    def _add_input(self, path: str, port: str) -> None:
        document, catalogue = self._opened.document, self._workspace.catalogue
        label = new_label(document, catalogue, path, port)
        if label in map(self._label_of, self._records):
            label = self._stands_for(f"{path}.{port}")
        section = section_of(self._records.get(self._key()))
        record = {"label": label} | ({SECTION: section} if section else {})
        self._add(f"{path}.{port}", record)

    def _fault(self, order: list[str]) -> tuple[int, str] | None:
        labels = [self._label_of(key) for key in order]
        for row, label in enumerate(labels):
            if "=" in label:
                return row, f"“{label}” has '=', which ends a label on the command line."
            if labels.index(label) != row:
                return row, f"“{label}” is the label of another entry, too."
        return None

    def _edit_name(self) -> str:
        return SetForm({}).name

    def _edits(self, order: list[str]) -> Iterator[GraphEdit]:
        yield SetForm(ordered(order, self._records))


def _without_order(record: object) -> dict[str, object]:
    known = record if isinstance(record, dict) else {}
    return {name: value for name, value in known.items() if name != "order"}
