"""The form of a workflow: the inputs that people set without seeing the graph.

`Document.form` has them by ``path.port``; a record is a `Presentation` with the title of the
section that it stands in. Labels name the inputs on the command line, so they differ and hold no
``=``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Node
from nodeforge.graph.ports import input_names, input_spec, port_label, port_title, title_of
from nodeforge.graph.presentation import Presentation, in_order
from nodeforge.spec import Catalogue, PortSpec

SECTION = "section"
"""The field of a record with the title of its section; without one it has none."""


@dataclass(frozen=True)
class FormInput:
    """An input on the form.

    Args:
        key: ``path.port``.
        section: The title of its section; empty for none.
        label: What it is called: its own label, or one made of its port and node.
        port: The input with the help and the range of the form; None where it is not there.
    """

    key: str
    section: str
    label: str
    port: PortSpec | None

    @property
    def path(self) -> str:
        return self.key.partition(".")[0]


def form_entries(document: Document, catalogue: Catalogue) -> list[FormInput]:
    """The entries of the form in their order, section after section."""
    labels = _labels(document, catalogue)
    return [
        FormInput(key, title, labels[key], _spec(document, catalogue, key))
        for title, keys in form_sections(document.form).items()
        for key in keys
    ]


def form_sections(form: Mapping[str, Any]) -> dict[str, list[str]]:
    """The keys of each section, by its title; sections in the order of their first entries."""
    found: dict[str, list[str]] = {}
    for key in in_order(form, form):
        found.setdefault(section_of(form[key]), []).append(key)
    return found


def section_of(record: Any) -> str:
    """The title of the section that a record names; empty for none."""
    title = record.get(SECTION, "") if isinstance(record, Mapping) else ""
    return title if type(title) is str else ""


def new_label(document: Document, catalogue: Catalogue, path: str, port: str) -> str:
    """A label for an input that comes onto the form: no other entry has it.

    The node's title where a person gave it one and the input is its first, else the port's name.
    """
    node = document.node(path)
    names = input_names(node, catalogue)
    first = next((name for name in names if _is_set(node, name, catalogue)), "")
    plain = port_label(node, port)
    title = title_of(node, path.rpartition("/")[2], catalogue)
    wishes = [f"{plain[:1].upper()}{plain[1:]}", f"{title} {plain}"]
    if node.title and port == first:
        wishes.insert(0, title)
    wishes += (f"{wishes[-1]} {number}" for number in range(2, len(document.form) + 3))
    taken = {entry.label for entry in form_entries(document, catalogue)}
    allowed = (wish.replace("=", " ").strip() for wish in wishes)
    return next(wish for wish in allowed if wish and wish not in taken)


def find_entry(document: Document, catalogue: Catalogue, label: str) -> FormInput | None:
    """The entry of this label; where none has it exactly, the one that differs in case alone.

    Raises:
        RequestError: several entries have it.
    """
    entries = [entry for entry in form_entries(document, catalogue) if entry.port is not None]
    found = [entry for entry in entries if entry.label == label]
    found = found or [entry for entry in entries if entry.label.casefold() == label.casefold()]
    if len(found) > 1:
        keys = ", ".join(entry.key for entry in found)
        raise RequestError(
            f"{len(found)} entries of the form are called '{label}': {keys}.",
            way_out="Name the input as NODE.PORT.",
        )
    return found[0] if found else None


def _labels(document: Document, catalogue: Catalogue) -> dict[str, str]:
    """What each entry is called; without a label of its own, as briefly as tells it from others."""
    own = {key: Presentation.from_json(how).label for key, how in document.form.items()}
    plain = {key: label or _plain(document, key) for key, label in own.items()}
    uses = Counter(plain.values())
    return {
        key: name if own[key] or uses[name] == 1 else _whole(document, catalogue, key)
        for key, name in plain.items()
    }


def _plain(document: Document, key: str) -> str:
    path, _, port = key.partition(".")
    node = _node(document, path)
    if node is None:
        return key
    label = port_label(node, port)
    return f"{label[:1].upper()}{label[1:]}"


def _whole(document: Document, catalogue: Catalogue, key: str) -> str:
    path, _, port = key.partition(".")
    node = _node(document, path)
    return port_title(node, path.rpartition("/")[2], port, catalogue) if node else key


def _spec(document: Document, catalogue: Catalogue, key: str) -> PortSpec | None:
    path, _, port = key.partition(".")
    spec = input_spec(_node(document, path), port, catalogue)
    return Presentation.from_json(document.form[key]).on(spec) if spec is not None else None


def _node(document: Document, path: str) -> Node | None:
    try:
        return document.node(path)
    except NoSuchNodeError:
        return None


def _is_set(node: Node, port: str, catalogue: Catalogue) -> bool:
    """Whether an input has a widget."""
    spec = input_spec(node, port, catalogue)
    return spec is not None and spec.widget is not None


def free_inputs(
    document: Document, catalogue: Catalogue, shown: Container[str]
) -> Iterator[tuple[str, Node, list[str]]]:
    """What could come onto the form: path, node, and its inputs with a widget that neither a link
    nor a port of the subgraph around sets.

    Args:
        shown: Inputs, ``path.port``, that are there already.
    """
    for path, node in every_node(document.graph).items():
        ports = [
            port
            for port in input_names(node, catalogue)
            if _is_set(node, port, catalogue)
            and f"{path}.{port}" not in shown
            and not is_given(document, path, port)
        ]
        if ports:
            yield path, node, ports


def is_given(document: Document, path: str, port: str) -> bool:
    """Whether a link, or a port of the subgraph around it, sets an input: its own value is idle."""
    around, name = path.rpartition("/")[0], path.rpartition("/")[2]
    graph = document.group(around)
    if any(end.node == name and end.port == port for end in graph.links):
        return True
    inputs = getattr(document.node(around), "inputs", {}) if around else {}
    return any(end.node == name and end.port == port for ends in inputs.values() for end in ends)
