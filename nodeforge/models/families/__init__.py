"""Each family's facts, one file a family. Its behaviour is in `nodeforge.diffusion.families`."""

from nodeforge.models.families.family import Family, Sensible
from nodeforge.models.families.nano import NANO
from nodeforge.models.families.sd15 import SD15

FAMILIES: dict[str, Family] = {family.name: family for family in (SD15, NANO)}

__all__ = ["FAMILIES", "Family", "Sensible"]
