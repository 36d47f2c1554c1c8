"""Every saved result, kept between starts."""

from nodeforge.ui.gallery.panel import Gallery
from nodeforge.ui.gallery.results_database import Result, ResultsDatabase

__all__ = ["Gallery", "Result", "ResultsDatabase"]
