"""Every saved result, kept between starts."""

from nodeforge.ui.gallery.panel import Gallery
from nodeforge.ui.gallery.results_database import Result, Results

__all__ = ["Gallery", "Result", "Results"]
