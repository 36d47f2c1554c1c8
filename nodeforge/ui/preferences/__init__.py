"""The Preferences dialog."""

from nodeforge.ui.preferences.dialog import Preferences
from nodeforge.ui.preferences.model_folders import layout_of

__all__ = ["Preferences", "layout_of"]
