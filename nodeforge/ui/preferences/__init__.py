"""What a person may change of the program, searchable, each with its default beside it."""

from nodeforge.ui.preferences.dialog import Preferences
from nodeforge.ui.preferences.model_folders import layout_of

__all__ = ["Preferences", "layout_of"]
