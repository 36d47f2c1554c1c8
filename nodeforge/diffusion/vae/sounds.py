"""Encodes sounds to latents and decodes them. Encoding takes the mean, so it repeats."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from nodeforge.diffusion.networks.loading import LoadedVae
from nodeforge.diffusion.tensors.devices import out_of_memory_explained
from nodeforge.diffusion.tensors.latents import LatentSizeError
from nodeforge.diffusion.vae.autoencoder import VaeError, check_numbers, check_space
from nodeforge.errors import OutOfMemoryError
from nodeforge.models import FAMILIES, SPACES, SoundLength
from nodeforge.values import Audio, Latent
from nodeforge.values.latent import BCL

TILE, OVERLAP = 512, 64
"""Cells that are decoded at once in tiles, and that are decoded beside them and cut off."""
WHOLE = 1024
"""The most cells that are decoded at once unasked: ten minutes would take 70 GB."""
_SILENT = 1e-6
"""What is no louder stays silent."""


@torch.no_grad()
def decode_audio(
    vae: LoadedVae,
    latent: Latent,
    *,
    seconds: float | None = None,
    tiled: bool = False,
    check: Callable[[], None] = lambda: None,
    fell_back: Callable[[], None] = lambda: None,
) -> Audio:
    """The sounds of `latent`.

    Args:
        vae: The autoencoder.
        latent: Of its space.
        seconds: Where to cut them; None is the length that the latent was made for.
        tiled: Work in tiles along time, which needs less memory and changes numbers; long sounds
            are so decoded in any case.
        check: Called between tiles; what it raises stops the work.
        fell_back: Called where memory did not suffice and tiles were taken unasked.

    Raises:
        VaeError: the latent is of no sound, or what came out is no number.
        LatentMismatchError: the latent is of another space.
        LatentSizeError: it is shorter than `seconds`, or nothing would be left.
        OutOfMemoryError: memory does not suffice, even in tiles.
    """
    if latent.layout != BCL:
        raise VaeError(
            "the latent is of no sound.",
            place="port 'latent'",
            way_out="Decode pictures with 'VAE decode', videos with 'Decode video'.",
        )
    check_space(vae, latent)
    rate = int(vae.network.config.sampling_rate)
    wanted = latent.seconds if seconds is None else seconds
    count = int(wanted * rate) or latent.samples.shape[-1] * latent.scale
    _check_length(latent, count, rate)
    samples = latent.samples.to(vae.network.device, vae.network.dtype)
    try:
        with out_of_memory_explained():
            made = _decoded(vae, samples, tiled, check)
    except OutOfMemoryError:
        if tiled:
            raise
        made = None  # the failed attempt's memory is given back before the next one
    if made is None:
        fell_back()
        with out_of_memory_explained():
            made = _decoded(vae, samples, True, check)
    check_numbers(made)
    made = made.float()
    if (peak := _sound_of(vae).peak) is not None:
        made = _peaking_at(made, peak)
    return Audio(made[..., :count].cpu().contiguous(), rate)


def _peaking_at(samples: Tensor, decibels: float) -> Tensor:
    """Each sound as loud as its loudest sample may be, (batch, channels, samples).

    In two divisions, as ACE-Step's authors do: the last bit is theirs.
    """
    samples = samples / _peaks(samples).clamp(min=1.0)
    return samples * (10 ** (decibels / 20) / _peaks(samples).clamp(min=_SILENT))


def _peaks(samples: Tensor) -> Tensor:
    return samples.abs().amax(dim=(1, 2), keepdim=True)


def _check_length(latent: Latent, count: int, rate: int) -> None:
    there = latent.samples.shape[-1] * latent.scale
    if not 0 < count <= there:
        raise LatentSizeError(
            f"{count / rate:g} seconds: the latent holds {there / rate:.1f}.",
            place="port 'seconds'",
            way_out="Leave it empty, or choose a length up to that.",
        )


def _decoded(vae: LoadedVae, samples: Tensor, tiled: bool, check: Callable[[], None]) -> Tensor:
    network = vae.network
    length = samples.shape[-1]
    if length <= (TILE if tiled else WHOLE):
        check()
        return network.decode(samples, return_dict=False)[0]
    parts = []
    for start in range(0, length, TILE - 2 * OVERLAP):
        check()
        stop = min(start + TILE - 2 * OVERLAP, length)
        first = max(0, start - OVERLAP)
        tile = network.decode(samples[..., first : stop + OVERLAP], return_dict=False)[0]
        at = (start - first) * vae.scale
        parts.append(tile[..., at : at + (stop - start) * vae.scale])
    return torch.cat(parts, -1)


@torch.no_grad()
def encode_audio(
    vae: LoadedVae,
    audio: Audio,
    *,
    cells: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> Latent:
    """The latent of `audio`, as long as the model's; what is after the sound is silence.

    Args:
        vae: The autoencoder.
        audio: At the VAE's rate, of one channel or as many as it has.
        cells: How long the model's latents are at most; None is as its family's.
        check: Called before the work; what it raises stops it.

    Raises:
        LatentSizeError: it has another rate, is longer than the model's sounds, or has no samples.
    """
    config = vae.network.config
    rate = int(config.sampling_rate)
    if audio.rate != rate:
        raise LatentSizeError(
            f"the sound has {audio.rate} samples a second, this VAE codes {rate}.",
            place="port 'audio'",
            way_out=f"Resample it to {rate} with 'Resample audio'.",
        )
    if audio.channels not in (1, config.audio_channels):
        raise LatentSizeError(
            f"the sound has {audio.channels} channels, this VAE codes {config.audio_channels}.",
            place="port 'audio'",
            way_out="Mix it down to one channel, or to as many.",
        )
    sound = _sound_of(vae)
    most = (cells or sound.cells) * vae.scale
    count = audio.samples.shape[-1]
    if not 0 < count <= most:
        raise LatentSizeError(
            f"the sound lasts {audio.seconds:.1f} seconds, this model's up to {most / rate:.1f}.",
            place="port 'audio'",
            way_out="Trim it with 'Trim audio'.",
        )
    check()
    samples = audio.samples.expand(-1, config.audio_channels, -1)
    missing = -count % vae.scale if sound.fitted else most - count
    samples = pad(samples, (0, missing)).to(vae.network.device, vae.network.dtype)
    with out_of_memory_explained():
        mean = vae.network.encode(samples, return_dict=False)[0].mode()
    made = mean.float().cpu().contiguous()
    return Latent(made, vae.space, vae.scale, BCL, float(rate), audio.seconds)


def _sound_of(vae: LoadedVae) -> SoundLength:
    """What the sounds are like of the family that the VAE was made for."""
    sound = FAMILIES[SPACES[vae.space].family].sound
    assert sound is not None, "a space of sounds has a family that makes them"
    return sound
