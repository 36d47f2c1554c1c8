"""The picture of a workflow's graph, and the hands that change it. The only NodeGraphQt.

NodeGraphQt gives the items and the view; its model, undo stack, files and clipboard stay
unused: the document is the only truth.
"""

from __future__ import annotations

import os

os.environ.setdefault("QT_PREFERRED_BINDING", "PySide6")  # before NodeGraphQt chooses one

from nodeforge.ui.graph_view.interaction.input_handler import NODE_MIME
from nodeforge.ui.graph_view.interaction.menu_request import MenuRequest
from nodeforge.ui.graph_view.items.status_icons import NodeState
from nodeforge.ui.graph_view.view.graph_view import GraphView

__all__ = ["NODE_MIME", "GraphView", "MenuRequest", "NodeState"]
