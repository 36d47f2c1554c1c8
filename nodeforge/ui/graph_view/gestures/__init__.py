"""Mouse gestures of the graph view: one class each; every gesture is one undo step."""

from nodeforge.ui.graph_view.gestures.cut_links import CutLinks
from nodeforge.ui.graph_view.gestures.drag_number import DragNumber, is_number
from nodeforge.ui.graph_view.gestures.draw_link import DrawLink
from nodeforge.ui.graph_view.gestures.gesture import Gesture
from nodeforge.ui.graph_view.gestures.move_items import MoveItems
from nodeforge.ui.graph_view.gestures.pan_and_select import Pan, RubberBand
from nodeforge.ui.graph_view.gestures.resize import ResizeFrame, ResizePicture

__all__ = [
    "CutLinks",
    "DragNumber",
    "DrawLink",
    "Gesture",
    "MoveItems",
    "Pan",
    "ResizeFrame",
    "ResizePicture",
    "RubberBand",
    "is_number",
]
