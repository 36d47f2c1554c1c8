"""Flux.2 klein with 9 billion parameters: the behaviour."""

from nodeforge.diffusion.families.flux2_klein_4b import Flux2

FLUX2_KLEIN_9B = Flux2("flux2_klein_9b")
