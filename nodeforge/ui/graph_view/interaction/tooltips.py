"""Tooltip texts of the graph view."""

from __future__ import annotations

from nodeforge.spec import type_name
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.node_layout import PortLayout
from nodeforge.ui.graph_view.scene.hit_test import Hit


def tooltip_text(hit: Hit, *, near: bool) -> str:
    """The tooltip text of a hit, with docstring markup; `near`: whether parameters are shown."""
    node_item = hit.item
    if not isinstance(node_item, NodeItem):
        return ""
    if hit.port_item is not None:
        layout = hit.port_item.layout
        return _with_problems(_of_port(layout), node_item, layout.name if layout.is_input else "")
    if badge := node_item.badge_at(hit.place):
        return node_item.badge_tooltip(badge)
    row = node_item.row_at(hit.place) if near else None
    if row is not None:
        return _with_problems(f"{row.label}: {row.spec.doc}\n\n{row.text}", node_item, row.port)
    state = node_item.state
    if text := state.message or node_item.problem:
        return text
    return "\n\n".join(filter(None, (node_item.layout.summary, state.reason)))


def _with_problems(text: str, node_item: NodeItem, port: str) -> str:
    """`text` below what the linter says of the port."""
    problems = node_item.problems.ports.get(port)
    return f"{problems.text}\n\n{text}" if problems else text


def _of_port(port: PortLayout) -> str:
    if not port.known:
        return f"{port.label}: no pack declares this port; its link is kept"
    kind = type_name(port.type)
    kind = f"list of {kind}" if port.many else kind
    kind += ", optional" if port.optional else ""
    return f"{port.label} ({kind}). {port.doc}".strip()
