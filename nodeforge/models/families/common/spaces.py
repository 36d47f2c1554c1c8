"""Latent spaces: what a VAE makes of pictures. Several families may work in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nodeforge.models.families.common.dtypes import FULL_FIRST
from nodeforge.settings import shipped


@dataclass(frozen=True)
class LatentSpace:
    """One latent space.

    Args:
        name: How latents and VAEs name it.
        label: How people name it.
        channels: Of its latents.
        scale: Pixels of the picture for one cell, along each side; samples of a sound.
        factor: What the VAE's latents are multiplied by; None where the VAE's own configuration
            says it, or none is used.
        vae: Class of its VAE in diffusers.
        config: Where in ``resources`` the VAE's configuration is.
        shift: What is taken from the VAE's latents before that.
        layout: Axes of its latents, as in `nodeforge.values.Latent`.
        frames_in_cell: Frames of a video for one cell along time, but for its first, which is one
            cell alone.
        rate: Samples of a sound a second; 0 for pictures and videos.
        usual_file: How people's files of its VAE are called.
        gigabytes: Of that file, about.
        dtypes: What its VAE may compute in, the best first.
        family: The one that it was made for.
        marks: How the names of files that hold its VAE are known, where shapes leave it open.
        alpha: Whether its pictures have alpha.
        multiplies: Whether its VAE's pipelines multiply by the spread of each channel, where others
            divide by its reciprocal: it decides the last bit.
        relatives: Words in names of VAEs of the same shapes that are not run, each with the label
            of what they are for.
    """

    name: str
    label: str
    channels: int
    scale: int
    factor: float | None
    vae: str
    config: str
    family: str
    shift: float = 0.0
    layout: str = "BCHW"
    frames_in_cell: int = 1
    rate: int = 0
    usual_file: str = ""
    gigabytes: float = 0.0
    dtypes: tuple[str, ...] = FULL_FIRST
    marks: tuple[str, ...] = ()
    alpha: bool = False
    multiplies: bool = False
    relatives: Mapping[str, str] = field(default_factory=dict)

    @property
    def config_folder(self) -> Path:
        """The folder with the VAE's ``config.json``."""
        return shipped("resources") / self.config


_KL = "AutoencoderKL"
WAN_VAE = "AutoencoderKLWan"
"""Class of the VAEs of Wan: videos, coded causally along time."""
QWEN21_VAE = "AutoencoderKLQwenImage21"
"""Class of the VAE of Qwen-Image 2.1, built like those for pictures alone, with their alpha."""
OOBLECK = "AutoencoderOobleck"
"""Class of the VAEs of Stable Audio (Evans et al. 2024) and ACE-Step: stereo sound."""

SPACES: Mapping[str, LatentSpace] = {
    space.name: space
    for space in (
        LatentSpace(
            "sd", "Stable Diffusion 1 and 2", 4, 8, 0.18215,
            vae=_KL, config="configs/sd15/vae", family="sd15",
        ),
        LatentSpace(
            "sdxl", "SDXL", 4, 8, 0.13025,
            vae=_KL, config="configs/sdxl/vae", family="sdxl", marks=("sdxl", "xl"),
        ),
        LatentSpace(
            "nano", "nano", 16, 16, None,
            vae=_KL, config="models/nano/vae", family="nano",
        ),
        LatentSpace(
            "flux", "Flux.1", 16, 8, 0.3611, shift=0.1159,
            vae=_KL, config="configs/flux1/vae", family="flux1", marks=("ae", "flux"),
            usual_file="ae.safetensors", gigabytes=0.34,
        ),
        LatentSpace(
            "sd3", "SD 3", 16, 8, 1.5305, shift=0.0609,
            vae=_KL, config="configs/sd3/vae", family="sd3", marks=("sd3", "sd35"),
            usual_file="sd3_vae.safetensors", gigabytes=0.17,
        ),
        LatentSpace(
            "flux2", "Flux.2", 128, 16, None,
            vae="AutoencoderKLFlux2", config="configs/flux2/vae", family="flux2_klein_4b",
            usual_file="flux2-vae.safetensors", gigabytes=0.34,
        ),
        LatentSpace(
            "wan21", "Wan 2.1", 16, 8, None,
            vae=WAN_VAE, config="configs/wan/vae", family="wan21", layout="BCTHW",
            frames_in_cell=4, usual_file="wan_2.1_vae.safetensors", gigabytes=0.25,
        ),
        LatentSpace(
            "wan22", "Wan 2.2", 48, 16, None,
            vae=WAN_VAE, config="configs/wan22_5b/vae", family="wan22_5b", layout="BCTHW",
            frames_in_cell=4, usual_file="wan2.2_vae.safetensors", gigabytes=1.4,
        ),
        LatentSpace(
            "qwen21", "Qwen-Image 2.1", 64, 16, None,
            vae=QWEN21_VAE, config="configs/qwen_image_21/vae", family="qwen_image_21",
            usual_file="qwen_image_2.1_vae_bf16.safetensors", gigabytes=0.68, alpha=True,
            multiplies=True,
        ),
        LatentSpace(
            "qwen_layered", "Qwen-Image Layered", 16, 8, None,
            vae=WAN_VAE, config="configs/qwen_image_layered/vae", family="qwen_image_layered",
            usual_file="qwen_image_layered_vae.safetensors", gigabytes=0.25, alpha=True,
        ),
        LatentSpace(
            "stable_audio", "Stable Audio", 64, 2048, None,
            vae=OOBLECK, config="configs/stable_audio/vae", family="stable_audio", layout="BCL",
            rate=44100,
        ),
        LatentSpace(
            "ace_step", "ACE-Step 1.5", 64, 1920, None,
            vae=OOBLECK, config="configs/ace_step/vae", family="ace_step", layout="BCL",
            rate=48000, usual_file="ace_1.5_vae.safetensors", gigabytes=0.34,
        ),
    )
}  # fmt: skip
"""By name."""
