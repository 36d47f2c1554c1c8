"""What a press of the mouse becomes: each gesture is one class, and one step to undo."""

from nodeforge.ui.graph_view.gestures.base import Gesture
from nodeforge.ui.graph_view.gestures.cutting import CutLinks
from nodeforge.ui.graph_view.gestures.linking import DrawLink
from nodeforge.ui.graph_view.gestures.looking import Band, Pan
from nodeforge.ui.graph_view.gestures.moving import MoveItems
from nodeforge.ui.graph_view.gestures.sizing import ResizeFrame, ResizePicture
from nodeforge.ui.graph_view.gestures.turning import TurnNumber, is_number

__all__ = [
    "Band",
    "CutLinks",
    "DrawLink",
    "Gesture",
    "MoveItems",
    "Pan",
    "ResizeFrame",
    "ResizePicture",
    "TurnNumber",
    "is_number",
]
