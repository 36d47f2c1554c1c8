"""Stable Diffusion 1.x: the behaviour."""

from nodeforge.diffusion.families.stable_diffusion import StableDiffusion

SD15 = StableDiffusion("sd15")
