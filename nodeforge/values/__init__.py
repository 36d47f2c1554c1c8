"""What travels along links. Tensors are torch tensors on the CPU; torch itself is not imported.

Networks never travel: `Model`, `TextEncoder`, `Vae`, `ControlNet` say how to get one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodeforge.values.every_value import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """Imported when one is asked for: the window needs names of settings alone, and starts so."""
    every_value = import_module("nodeforge.values.every_value")
    if name not in (*every_value.__all__, "__all__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(every_value, name)
