"""What the tooltips over the graph say."""

from __future__ import annotations

from nodeforge.spec import type_name
from nodeforge.ui.graph_view.items.node_item import NodeBox
from nodeforge.ui.graph_view.items.node_layout import PortFace
from nodeforge.ui.graph_view.scene.hit_test import Hit


def tip_of(hit: Hit, *, near: bool) -> str:
    """Words for what lies under the mouse, a docstring's marks among them; `near` where parameters
    can be read.
    """
    box = hit.item
    if not isinstance(box, NodeBox):
        return ""
    if hit.dot is not None:
        return _of_port(hit.dot.face)
    if badge := box.badge_at(hit.place):
        return box.tip(badge)
    row = box.row_at(hit.place) if near else None
    if row is not None:
        return f"{row.label}: {row.spec.doc}\n\n{row.text}"
    return box.state.message or box.problem or box.face.summary


def _of_port(port: PortFace) -> str:
    if not port.known:
        return f"{port.label}: no pack declares this port; its link is kept"
    kind = type_name(port.type)
    kind = f"list of {kind}" if port.many else kind
    kind += ", optional" if port.optional else ""
    return f"{port.label} ({kind}). {port.doc}".strip()
