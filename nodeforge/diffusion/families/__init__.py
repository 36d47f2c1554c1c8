"""Each family's behaviour: how its denoiser is called, how its text is encoded.

Its facts are in `nodeforge.models.families`.
"""

from collections.abc import Mapping

from nodeforge.diffusion.families.nano import NANO
from nodeforge.diffusion.families.sd15 import SD15
from nodeforge.diffusion.families.stable_diffusion import StableDiffusion
from nodeforge.errors import NodeForgeError

BEHAVIOUR: Mapping[str, StableDiffusion] = {family.name: family for family in (SD15, NANO)}


class UnknownFamilyError(NodeForgeError):
    """A family that this version cannot run."""


def behaviour(family: str) -> StableDiffusion:
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


__all__ = ["BEHAVIOUR", "StableDiffusion", "UnknownFamilyError", "behaviour"]
