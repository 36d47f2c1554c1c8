"""Stable Diffusion 2.x: the behaviour."""

from nodeforge.diffusion.families.sd15 import StableDiffusion

SD21 = StableDiffusion("sd21")
