"""Go on with the decoder alone, while the UNet learns from the latents.

The encoder stays as it is: the cached latents, and the UNet trained on them, remain valid. A
little noise on the latents makes up for what a UNet gets wrong. Windows of half a picture's side,
the busiest of several, come first; the last steps are whole pictures, as the group norms see
another mixture there (measured: 0.07 of root mean square between a window alone and in its
picture, as much as the autoencoder's error).
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from tools.nano.batches import Chance
from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.latents import LatentCache, latent_caches, scene_at
from tools.nano.losses import energy_loss, reconstruction_loss
from tools.nano.pictures import Pictures, Pixels
from tools.nano.presets import PRESETS, Preset, Stage
from tools.nano.runs import fast, half_precision, preset_option, run_options, runs_option, set_up
from tools.nano.shapes import LATENT_SIDE, decode, moved, read_vae
from tools.nano.train_vae import crops_of, kept_out, show_pairs, to_tensor
from tools.nano.training import Trainer

LATENT_NOISE = 0.1
LORA_SHARE = 0.25
WINDOW = 8
RIM = 16  # pixels along a window's border that do not count: they lack their surroundings
WINDOW_SHARE = 0.65
TRIES = 4
ENERGY_WEIGHT = 2.0


@dataclass(frozen=True)
class Windows:
    """Cached latents beside the pixels they were made from."""

    concepts: list[Concept]
    pictures: dict[str, Pictures]
    caches: list[tuple[LatentCache, tuple[str, ...]]]

    def batch(self, stage: Stage, chance: Chance) -> tuple[Tensor, Tensor]:
        """Latents (count, 8, side, side) and pictures (count, 3, side * 16, side * 16)."""
        whole = chance.step >= stage.steps * WINDOW_SHARE
        side = LATENT_SIDE if whole else WINDOW
        count = stage.batch if whole else stage.batch * (LATENT_SIDE // WINDOW) ** 2
        pairs = [self.pair(side, chance.numpy) for _ in range(count)]
        latents = torch.stack([latent for latent, _ in pairs])
        return latents, to_tensor(np.stack([picture for _, picture in pairs]))

    def pair(self, side: int, rng: np.random.Generator) -> tuple[Tensor, Pixels]:
        cache, styles = self.caches[int(rng.random() < LORA_SHARE)]
        (index,) = cache.any_of(1, rng)
        picture = draw(scene_at(self.concepts, styles, index), self.pictures)
        y, x = busiest(picture, side, rng)
        pixels = picture[y * 16 : (y + side) * 16, x * 16 : (x + side) * 16]
        return cache[[index]][0, :, y : y + side, x : x + side], pixels


def busiest(picture: Pixels, side: int, rng: np.random.Generator) -> tuple[int, int]:
    """Row and column, in latent cells, of the liveliest of several windows."""
    spots = rng.integers(0, LATENT_SIDE - side + 1, size=(TRIES, 2))
    inside = [picture[y * 16 : (y + side) * 16 : 4, x * 16 : (x + side) * 16 : 4] for y, x in spots]
    y, x = spots[int(np.argmax([pixels.std() for pixels in inside]))]
    return int(y), int(x)


def decoder_loss(vae: AutoencoderKL, latents: Tensor, noise: Tensor, pictures: Tensor) -> Tensor:
    """Beside the errors of pixels and slopes: where a line cannot be placed, it stays a line."""
    with half_precision(pictures.device):
        drawn = decode(vae, latents + LATENT_NOISE * noise).float()
    if pictures.shape[-1] < LATENT_SIDE * 16:
        drawn, pictures = drawn[..., RIM:-RIM, RIM:-RIM], pictures[..., RIM:-RIM, RIM:-RIM]
    errors = reconstruction_loss(drawn, pictures, squared=False)
    return errors + ENERGY_WEIGHT * energy_loss(drawn, pictures)


def windows_of(preset: Preset, folder: Path) -> Windows:
    caches = latent_caches(preset, folder)
    styles = (*preset.styles, preset.lora_style)
    data = folder / "data"
    return Windows(read_concepts(data), read_pictures(data, styles), caches)


@click.command()
@preset_option
@runs_option
@run_options
def main(preset: str, runs: Path, minutes: float | None, steps: int | None) -> bool:
    """Train the decoder of a preset further; the encoder is frozen."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    vae = moved(read_vae(folder / "vae" / "final"), device).train()
    vae.encoder.requires_grad_(False)
    if vae.quant_conv is not None:
        vae.quant_conv.requires_grad_(False)
    stage = replace(recipe.decoder, steps=steps or recipe.decoder.steps)
    trainer = Trainer(vae, stage, folder / "decoder", seed=4)
    forward = fast(decoder_loss, device)

    def loss_of(chance: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        latents, pictures = parts
        return forward(vae, latents, chance.normal(latents), pictures)

    fixed = kept_out(crops_of(recipe, folder), recipe.styles[0], 24).to(device)
    return trainer.run(
        partial(windows_of(recipe, folder).batch, stage),
        loss_of,
        lambda model, path: show_pairs(model, fixed, path),
        minutes,
    )


if __name__ == "__main__":
    main()
