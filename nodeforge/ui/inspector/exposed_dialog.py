"""The Exposed parameters dialog of a subgraph: which, in which order, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QWidget

from nodeforge.graph.edits import Expose, GraphEdit, SetExposed, Unexpose
from nodeforge.graph.edits.exposed import ordered, subgraph
from nodeforge.graph.model import Input
from nodeforge.graph.paths import join
from nodeforge.graph.ports import input_names, input_spec, port_label, port_title, title_of
from nodeforge.graph.presentation import in_order
from nodeforge.spec import PortSpec
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.inspector.parameters_dialog import ParametersDialog


class ExposedDialog(ParametersDialog):
    """Exposes parameters of the subgraph at `path`, orders and labels them."""

    SHOWN = "In this order, they are shown on the subgraph's node and in the inspector."
    EMPTY = "No parameter is exposed. Expose one to change it without opening the subgraph."

    def __init__(
        self, workspace: Workspace, opened: OpenDocument, path: str, parent: QWidget | None = None
    ) -> None:
        self._path, self._catalogue = path, workspace.catalogue
        self._group = group = subgraph(opened.document, path)
        self._targets: dict[str, tuple[str, str]] = {}
        """Inputs inside that are to be exposed, by their key."""
        ports = in_order(group.inputs, group.exposed)
        specs = {port: input_spec(group, port, self._catalogue) for port in ports}
        records = {
            port: dict(group.exposed.get(port, {}))
            for port, spec in specs.items()
            if spec is not None and spec.widget
        }
        buttons = "&Expose", "&Stop exposing"
        super().__init__(opened, records, "Exposed parameters", buttons, parent)
        title = title_of(group, path.rpartition("/")[2], workspace.catalogue)
        self.setWindowTitle(f"Exposed parameters of “{title}”")

    def _spec(self, key: str) -> PortSpec | None:
        name, inner = self._target(key)
        return input_spec(self._group.graph.nodes.get(name), inner, self._catalogue)

    def _plain_label(self, key: str) -> str:
        return key.rpartition(".")[2].replace("_", " ")

    def _stands_for(self, key: str) -> str:
        name, inner = self._target(key)
        node = self._group.graph.nodes.get(name)
        return port_title(node, name, inner, self._catalogue) if node else inner

    def _target(self, key: str) -> tuple[str, str]:
        return self._targets.get(key) or self._group.inputs[key][0][:2]

    def _remove(self) -> None:
        self._targets.pop(self._key(), None)
        super()._remove()

    def _fill_menu(self) -> None:
        """Offer the parameters of the nodes inside that are neither linked nor exposed."""
        menu = self.add.menu()
        menu.clear()
        for name, node in self._group.graph.nodes.items():
            ports = [
                port for port in input_names(node, self._catalogue) if self._is_free(name, port)
            ]
            if ports:
                inner = menu.addMenu(title_of(node, name, self._catalogue))
                for port in ports:
                    inner.addAction(
                        port_label(node, port),
                        lambda name=name, port=port: self._expose(name, port),
                    )
        if menu.isEmpty():
            menu.addAction("Nothing else can be exposed").setEnabled(False)

    def _is_free(self, name: str, port: str) -> bool:
        spec = input_spec(self._group.graph.nodes[name], port, self._catalogue)
        end = Input(name, port)
        gone = self._before.keys() - self._records.keys()
        exposed = [
            target
            for port_, targets in self._group.inputs.items()
            for target in targets
            if port_ not in gone
        ]
        taken = end in self._group.graph.links or end in exposed
        return bool(
            spec and spec.widget and not taken and (name, port) not in self._targets.values()
        )

    def _expose(self, name: str, port: str) -> None:
        key = f"{name}.{port}"  # no port's name has a dot: it gets its own once it is exposed
        self._targets[key] = (name, port)
        self._add(key, {})

    def _edit_name(self) -> str:
        return SetExposed(self._path, {}).name

    def _edits(self, order: list[str]) -> Iterator[GraphEdit]:
        for port in self._before:
            if port not in order:
                yield Unexpose(self._path, port)
        names = {port: port for port in order}
        for key in order:
            if key in self._targets:
                name, port = self._targets[key]
                expose = Expose(join(self._path, name), port)
                yield expose
                names[key] = expose.exposed_as
        others = {p: how for p, how in self._group.exposed.items() if p not in names.values()}
        records = {names[key]: self._records[key] for key in order}
        yield SetExposed(self._path, others | ordered([names[key] for key in order], records))
