"""Stable Diffusion 2.x: the behaviour."""

from nodeforge.diffusion.families.stable_diffusion import StableDiffusion

SD21 = StableDiffusion("sd21")
