"""Old names of public things: they work for one release, with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any


def old_names(
    module: str, names: Mapping[str, str], found: Mapping[str, Any]
) -> Callable[[str], Any]:
    """A module's ``__getattr__`` that finds its public things by their old names.

    Args:
        module: The module's name.
        names: New names by old ones.
        found: The module's globals.
    """

    def by_old_name(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(
            f"{module}.{name} is now called {names[name]}; the next release drops the old name.",
            DeprecationWarning,
            stacklevel=2,
        )
        return found[names[name]]

    return by_old_name
