"""Every way to change a workflow, each a small class to give to `Document.perform`."""

from nodeforge.graph.changes import ABSENT
from nodeforge.graph.edits.base import GraphEdit, Together
from nodeforge.graph.edits.broadcast import Broadcast, JoinBroadcasts, StopBroadcast
from nodeforge.graph.edits.exposed import Expose, SetExposed, SetPorts, Unexpose
from nodeforge.graph.edits.form import AddToForm, MoveOnForm, RemoveFromForm, SetForm
from nodeforge.graph.edits.links import (
    InsertOnLink,
    Link,
    Through,
    Unlink,
    free_item,
    ports_through,
)
from nodeforge.graph.edits.nodes import AddNodes, Detach, RemoveNodes
from nodeforge.graph.edits.paste import Paste, extract
from nodeforge.graph.edits.settings import (
    Fold,
    Move,
    Pin,
    Recolour,
    Rename,
    SetEntry,
    SetMode,
    SetValue,
    Silence,
)
from nodeforge.graph.edits.subgraphs import Collapse, Unpack

__all__ = [
    "ABSENT",
    "AddNodes",
    "AddToForm",
    "Broadcast",
    "Collapse",
    "Detach",
    "Expose",
    "Fold",
    "GraphEdit",
    "InsertOnLink",
    "JoinBroadcasts",
    "Link",
    "Move",
    "MoveOnForm",
    "Paste",
    "Pin",
    "Recolour",
    "RemoveFromForm",
    "RemoveNodes",
    "Rename",
    "SetEntry",
    "SetExposed",
    "SetForm",
    "SetMode",
    "SetPorts",
    "SetValue",
    "Silence",
    "StopBroadcast",
    "Through",
    "Together",
    "Unexpose",
    "Unlink",
    "Unpack",
    "extract",
    "free_item",
    "ports_through",
]
