"""Every saved result, kept between starts."""

from nodeforge.ui.gallery.panel import Gallery
from nodeforge.ui.gallery.store import Result, Results

__all__ = ["Gallery", "Result", "Results"]
