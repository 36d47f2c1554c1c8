"""The gallery of saved results."""

from nodeforge.ui.gallery.panel import Gallery
from nodeforge.ui.gallery.results_database import (
    MOST_STARS,
    GalleryError,
    Result,
    ResultsDatabase,
)
from nodeforge.ui.gallery.trash import Trash

__all__ = ["MOST_STARS", "Gallery", "GalleryError", "Result", "ResultsDatabase", "Trash"]
