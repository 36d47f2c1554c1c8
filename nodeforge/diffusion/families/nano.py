"""nano, the small model that ships with NodeForge: the behaviour."""

from nodeforge.diffusion.families.stable_diffusion import StableDiffusion

NANO = StableDiffusion("nano")
