"""Dynamic prompts: choices ``{a|b}`` and wildcards ``__name__`` in a text.

The syntax is that of A1111's extension Dynamic Prompts; files are its and SwarmUI's.
"""

from nodeforge.graph.planned.wildcards.combine import combinations
from nodeforge.graph.planned.wildcards.draw import draw
from nodeforge.graph.planned.wildcards.folder import (
    MOST_BYTES,
    SUFFIXES,
    WildcardFolder,
    files_below,
    text_of_file,
)
from nodeforge.graph.planned.wildcards.grammar import WildcardError, is_dynamic

__all__ = [
    "MOST_BYTES",
    "SUFFIXES",
    "WildcardError",
    "WildcardFolder",
    "combinations",
    "draw",
    "files_below",
    "is_dynamic",
    "text_of_file",
]
