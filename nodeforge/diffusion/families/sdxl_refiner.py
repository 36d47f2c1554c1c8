"""Stable Diffusion XL's refiner: the behaviour."""

from nodeforge.diffusion.families.sdxl import Refiner

SDXL_REFINER = Refiner("sdxl_refiner")
