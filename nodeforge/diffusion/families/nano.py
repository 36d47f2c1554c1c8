"""nano, the small model that ships with NodeForge: the behaviour."""

from nodeforge.diffusion.families.sd15 import StableDiffusion

NANO = StableDiffusion("nano")
