"""Flux.2 dev: the behaviour."""

from nodeforge.diffusion.families.flux2_klein_4b import Flux2

FLUX2_DEV = Flux2("flux2_dev", layers=(10, 20, 30), left_out="[IMG]")
