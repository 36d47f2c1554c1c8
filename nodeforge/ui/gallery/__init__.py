"""The gallery of saved results."""

from nodeforge.ui.gallery.panel import Gallery
from nodeforge.ui.gallery.results_database import Result, ResultsDatabase

__all__ = ["Gallery", "Result", "ResultsDatabase"]
