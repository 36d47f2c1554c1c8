"""Each family's facts, one file a family. Its behaviour is in `nodeforge.diffusion.families`."""

import pkgutil
from importlib import import_module

from nodeforge.models.families.family import Family, RecommendedSettings


def _found() -> dict[str, Family]:
    """The family of each module here, so that a new one is a new file and nothing else."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    there = [value for m in modules for value in vars(m).values() if isinstance(value, Family)]
    return {family.name: family for family in there}


FAMILIES: dict[str, Family] = _found()

__all__ = ["FAMILIES", "Family", "RecommendedSettings"]
