"""The graph view; the only package that imports NodeGraphQt.

NodeGraphQt provides base classes of items and view. Its model, undo stack, files and clipboard
are not used: the document holds all data.
"""

from __future__ import annotations

import os

os.environ.setdefault("QT_PREFERRED_BINDING", "PySide6")  # before NodeGraphQt chooses one

from nodeforge.ui.graph_view.interaction.input_handler import NODE_MIME
from nodeforge.ui.graph_view.interaction.menu_request import MenuRequest
from nodeforge.ui.graph_view.items.status_icons import NodeState
from nodeforge.ui.graph_view.view.graph_view import GraphView

__all__ = ["NODE_MIME", "GraphView", "MenuRequest", "NodeState"]
