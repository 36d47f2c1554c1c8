"""Encodes pictures to latents and decodes them. Encoding takes the mean, so it repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.networks.loading import LoadedVae
from nodeforge.diffusion.tensors.devices import TILE, out_of_memory_explained
from nodeforge.diffusion.tensors.latents import check_size
from nodeforge.diffusion.tensors.tiles import map_tiles
from nodeforge.diffusion.vae.causal import decoded_picture, encoded_picture, is_causal
from nodeforge.diffusion.vae.normalising import as_encoded, as_latent, cells_folded
from nodeforge.errors import NodeForgeError, OutOfMemoryError
from nodeforge.models import FAMILIES, SPACES
from nodeforge.values import Image, Latent, LatentMismatchError
from nodeforge.values.latent import BCHW, BCTHW

OVERLAP = TILE // 4
"""Pixels that neighbouring tiles share."""


class VaeError(NodeForgeError):
    """A VAE that gives no picture."""


@torch.no_grad()
def encode(
    vae: LoadedVae,
    image: Image,
    *,
    tiled: bool = False,
    normalised: bool = True,
    divided: bool = False,
    generators: Sequence[torch.Generator] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Latent:
    """The latent of `image`; what is transparent is black, and alpha is left out.

    A VAE of pictures with alpha codes that, too, and colours as they are beneath it.

    Args:
        vae: The autoencoder.
        image: Its sides are multiples of the VAE's scale.
        tiled: Work in tiles of `TILE` pixels, which needs less memory and changes numbers.
        normalised: Bring it to the mean and spread that denoisers work in; otherwise it stays
            what the encoder says.
        divided: As in `as_latent`.
        generators: Draw from the posterior with these, as diffusers' pipelines do, instead
            of taking its mean; one, or one an item.
        check: Called between tiles; what it raises stops the work.

    Raises:
        LatentSizeError: the VAE's scale does not divide a side.
    """
    check_size(image.width, image.height, vae.scale)
    known = _with_alpha(image.pixels) if codes_alpha(vae.network) else image.colours
    pixels = 2.0 * known.permute(0, 3, 1, 2) - 1.0
    # the layout in memory that diffusers' image processor gives: it decides the last bit
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    pixels = pixels.to(vae.network.device, vae.network.dtype)
    moments = _moments(vae, pixels, tiled, check)
    mean, log_variance = moments.chunk(2, dim=1)
    if generators:
        spread = torch.exp(0.5 * log_variance.clamp(-30.0, 20.0))
        from diffusers.utils.torch_utils import randn_tensor

        noise = randn_tensor(mean.shape, list(generators), device=mean.device, dtype=mean.dtype)
        mean = mean + spread * noise
    samples = as_latent(vae.network, mean, divided=divided) if normalised else mean
    return Latent(samples.float().cpu().contiguous(), vae.space, vae.scale)


def encode_reference(
    vae: LoadedVae, image: Image, family: str, check: Callable[[], None] = lambda: None
) -> Latent:
    """`image`, in a size of `nodeforge.diffusion.reference_size`, as models of `family` see it."""
    normalised = FAMILIES[family].normalises_references
    return encode(vae, image, normalised=normalised, divided=True, check=check)


def codes_alpha(network: Any) -> bool:
    """Whether a VAE makes pictures with alpha."""
    config = network.config
    patch = config.get("patch_size") or 1
    return "z_dim" in config and config.get("out_channels", 3) == 4 * patch * patch


def _with_alpha(pixels: Tensor) -> Tensor:
    if pixels.shape[3] == 4:
        return pixels
    return torch.cat([pixels, pixels.new_ones(*pixels.shape[:3], 1)], dim=3)


def _moments(vae: LoadedVae, pixels: Tensor, tiled: bool, check: Callable[[], None]) -> Tensor:
    def work(tile: Tensor) -> Tensor:
        if is_causal(vae.network):
            return encoded_picture(vae.network, tile)
        return vae.network.encode(tile, return_dict=False)[0].parameters

    return _in_tiles(pixels, work, TILE, check) if tiled else work(pixels)


@torch.no_grad()
def decode(
    vae: LoadedVae,
    latent: Latent,
    *,
    tiled: bool = False,
    check: Callable[[], None] = lambda: None,
    fell_back: Callable[[], None] = lambda: None,
) -> Image:
    """The picture of `latent`; of layers, each that the picture was taken apart into.

    Args:
        vae: The autoencoder.
        latent: One of its space.
        tiled: Work in tiles of `TILE` pixels, which needs less memory and changes numbers.
        check: Called between tiles; what it raises stops the work.
        fell_back: Called where memory did not suffice and tiles were taken unasked.

    Raises:
        LatentMismatchError: the latent is of another space.
        OutOfMemoryError: memory does not suffice, even in tiles.
        VaeError: what came out is no number, which would be a black picture.
    """
    if latent.layout == BCTHW and FAMILIES[SPACES[vae.space].family].layers:
        latent = _apart(latent)
    if latent.layout != BCHW:
        raise VaeError(
            "the latent is of no picture.",
            place="port 'latent'",
            way_out="Decode a video with 'Decode video', a sound with 'Decode audio'.",
        )
    check_space(vae, latent)
    samples = as_encoded(
        vae.network,
        latent.samples.to(vae.network.device),
        multiplied=SPACES[vae.space].multiplies,
    )
    try:
        with out_of_memory_explained():
            pixels = _decoded(vae, samples, tiled, check)
    except OutOfMemoryError:
        if tiled:
            raise too_large(latent) from None
        pixels = None  # the failed attempt's memory is given back before the next one
    if pixels is None:
        fell_back()
        pixels = _decoded_in_tiles(vae, samples, latent, check)
    check_numbers(pixels)
    pixels = (pixels.float() * 0.5 + 0.5).clamp(0, 1)
    return Image(pixels.permute(0, 2, 3, 1).cpu().contiguous())


def _apart(latent: Latent) -> Latent:
    """The layers of each item as pictures; the first cell is the whole picture again."""
    layers = latent.samples[:, :, 1:].transpose(1, 2).flatten(0, 1)
    return replace(latent, samples=layers.contiguous(), layout=BCHW)


def _decoded(vae: LoadedVae, samples: Tensor, tiled: bool, check: Callable[[], None]) -> Tensor:
    def work(tile: Tensor) -> Tensor:
        if is_causal(vae.network):
            return decoded_picture(vae.network, tile)
        return vae.network.decode(tile, return_dict=False)[0]  # pyright: ignore[reportArgumentType]

    if not tiled:
        return work(samples)
    tile = max(8, TILE * cells_folded(vae.network) // vae.scale)
    return _in_tiles(samples, work, tile, check)


def _in_tiles(
    x: Tensor, work: Callable[[Tensor], Tensor], tile: int, check: Callable[[], None]
) -> Tensor:
    """A quarter of what tiles share is left to the neighbour: there a VAE feels the border."""
    overlap = tile * OVERLAP // TILE
    return map_tiles(x, work, tile, overlap, check, unsure=overlap // 4)


def _decoded_in_tiles(
    vae: LoadedVae, samples: Tensor, latent: Latent, check: Callable[[], None]
) -> Tensor:
    if samples.device.type != "cpu":
        torch.get_device_module(samples.device).empty_cache()
    try:
        with out_of_memory_explained():
            return _decoded(vae, samples, True, check)
    except OutOfMemoryError:
        raise too_large(latent) from None


def check_space(vae: LoadedVae, latent: Latent) -> None:
    """Raise `LatentMismatchError` unless a latent is of the VAE's space."""
    config = vae.network.config
    channels = config.get("z_dim") or config.get("decoder_input_channels")
    channels = channels or config["latent_channels"] * cells_folded(vae.network) ** 2
    if latent.space != vae.space or latent.samples.shape[1] != channels:
        raise LatentMismatchError(
            f"the latent is of the space {latent.space}, the VAE works in {vae.space}.",
            way_out="Use the VAE of the model that made the latent.",
        )


def check_numbers(pixels: Tensor) -> None:
    """Raise `VaeError` where a decoder's answer is no number, which would be a black picture."""
    if bool(pixels.isfinite().all()):
        return
    raise VaeError(
        "the VAE answered with what is no number (NaN or infinite).",
        place="port 'vae'",
        way_out="Its file may be damaged: try another VAE. In half precision numbers may overflow: "
        "choose full precision in the preferences.",
    )


def too_large(latent: Latent) -> OutOfMemoryError:
    """The error for a latent that memory does not suffice for, even in tiles."""
    return OutOfMemoryError(
        f"memory does not suffice to decode {latent.batch} × {latent.width} × {latent.height}.",
        way_out="Decode fewer or smaller pictures at once, or free memory.",
    )
