"""Whether two ports may be linked, and why not."""

from __future__ import annotations

from nodeforge.graph.cycles import reaches, sources_of
from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.inline import Inlined, inline
from nodeforge.graph.model import Input, Node, Output, Subgraph
from nodeforge.graph.paths import split
from nodeforge.graph.ports import input_spec, output_spec, port_title, title_of
from nodeforge.spec import ANY, Catalogue, Role, fits, type_name


def can_link(document: Document, output: Output, end: Input, catalogue: Catalogue) -> str | None:
    """Why `output` may not feed `end` (a sentence for the user, by titles), or None if it may.

    Both are addressed from the root. What the catalogue does not know is not held against it.
    """
    try:
        source, target = document.node(output.node), document.node(end.node)
    except NoSuchNodeError as error:
        return error.fact
    if split(output.node)[0] != split(end.node)[0]:
        return "They are in different subgraphs: link through the subgraph's ports."
    return (
        _missing_port(source, output, target, end, catalogue)
        or _wrong_type(document, output, end, catalogue)
        or _cycle(document, output, end, catalogue)
    )


def _missing_port(
    source: Node, output: Output, target: Node, end: Input, catalogue: Catalogue
) -> str | None:
    made = output_spec(source, output.port, catalogue)
    if made is None and _is_known(source, catalogue):
        title = title_of(source, split(output.node)[1], catalogue)
        return f"'{title}' has no output '{output.port}'."
    taken = input_spec(target, end.port, catalogue)
    if taken is None and _is_known(target, catalogue):
        title = title_of(target, split(end.node)[1], catalogue)
        return f"'{title}' has no input '{end.port}'."
    if taken is not None and taken.many != (end.item is not None):
        if isinstance(target, Subgraph) and end.item is None:
            return None
        title = port_title(target, split(end.node)[1], end.port, catalogue)
        return f"'{title}' {'needs a place in the list' if taken.many else 'is no list'}."
    return None


def _is_known(node: Node, catalogue: Catalogue) -> bool:
    return isinstance(node, Subgraph) or node.type in catalogue


def _wrong_type(document: Document, output: Output, end: Input, catalogue: Catalogue) -> str | None:
    source, target = document.node(output.node), document.node(end.node)
    taken = input_spec(target, end.port, catalogue)
    made = given_type(inline(document.graph), output, catalogue)
    if taken is None or fits(made, taken.type):
        return None
    giver = port_title(source, split(output.node)[1], output.port, catalogue)
    taker = port_title(target, split(end.node)[1], end.port, catalogue)
    return f"'{giver}' gives {type_name(made)}, '{taker}' takes {type_name(taken.type)}."


def given_type(whole: Inlined, output: Output | None, catalogue: Catalogue) -> str:
    """The type that `output` gives, seen through subgraphs and reroutes."""
    seen: set[Output] = set()
    while output is not None and output not in seen:
        seen.add(output)
        output = whole.innermost(output)
        node = whole.nodes.get(output.node) if output else None
        spec = catalogue.get(node.type) if node else None
        if spec is None or output is None or output.port not in spec.output:
            return ANY
        if spec.role is not Role.REROUTE:
            return spec.output[output.port].type
        output = whole.source(Input(output.node, spec.inputs[0].name))
    return ANY


def _cycle(document: Document, output: Output, end: Input, catalogue: Catalogue) -> str | None:
    whole = inline(document.graph)
    start = whole.innermost(output)
    targets = {inner.node for inner in whole.ends(end)}
    if start is None or not reaches(sources_of(whole.node_links()), start.node, targets):
        return None
    needing, needed = (
        title_of(document.node(path), split(path)[1], catalogue) for path in (output.node, end.node)
    )
    return f"'{needing}' needs the result of '{needed}': this would be a ring."
