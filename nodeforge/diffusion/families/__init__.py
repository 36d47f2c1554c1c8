"""Each family's behaviour: how its denoiser is called, how its text is encoded.

Its facts are in `nodeforge.models.families`.
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from nodeforge.diffusion.families.behaviour import Behaviour
from nodeforge.errors import NodeForgeError


def _found() -> dict[str, Behaviour]:
    """The behaviour in each module here, so that a new family is a new file and nothing else."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    there = [v for m in modules for v in vars(m).values() if isinstance(v, Behaviour)]
    return {family.name: family for family in there}


BEHAVIOUR: Mapping[str, Behaviour] = _found()


class UnknownFamilyError(NodeForgeError):
    """A family that this version cannot run."""


def behaviour(family: str) -> Behaviour:
    """How models of `family` are run.

    Raises:
        UnknownFamilyError: this version cannot run it.
    """
    try:
        return BEHAVIOUR[family]
    except KeyError:
        raise UnknownFamilyError(
            f"models of the family '{family}' cannot be run by this version.",
            way_out=f"Choose a model of one of: {', '.join(BEHAVIOUR)}.",
        ) from None


__all__ = ["BEHAVIOUR", "Behaviour", "UnknownFamilyError", "behaviour"]
