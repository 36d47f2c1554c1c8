"""Train the autoencoder on crops, then on whole pictures, as the group norms see another mixture
there; last fold its latents to zero mean and unit variance.

From scratch, squared error comes first: with absolute error from the start, everything stays at
the mean colour for hundreds of steps. `--from` starts from trained weights, and with sharpness.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from tools.nano.batches import Chance
from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.losses import energy_loss, reconstruction_loss, steepness_loss
from tools.nano.measures import mean_psnr, steepness_kept
from tools.nano.pictures import SIZE, Pictures, Pixels
from tools.nano.presets import PRESETS, Preset, Stage
from tools.nano.runs import (
    from_option,
    half_precision,
    preset_option,
    run_options,
    runs_option,
    set_up,
)
from tools.nano.scenes import EVEN_PLACES, held_out, random_scene
from tools.nano.shapes import LATENT_CHANNELS, decode, encode, moved, new_vae
from tools.nano.sheets import save_sheet
from tools.nano.starts import vae_from
from tools.nano.training import Trainer

SQUARED_SHARE = 0.12
KL_WEIGHT = 1e-5
ENERGY_WEIGHT = 1.0
STEEPNESS_WEIGHT = 2.0
WHOLE_SHARE = 0.25  # of the steps, the last ones
CROP = 128
TRIES = 4


@dataclass(frozen=True)
class Crops:
    """Random crops of random scenes, as (crops, 3, side, side) in -1..1."""

    concepts: list[Concept]
    styles: dict[str, Pictures]
    weights: dict[str, float]

    def batch(self, count: int, side: int, rng: np.random.Generator) -> Tensor:
        """Two crops a picture, as drawing costs more than cropping; whole pictures once.

        All places come as often: small things have the finest parts.
        """
        crops: list[Pixels] = []
        while len(crops) < count:
            style = str(rng.choice(list(self.weights), p=list(self.weights.values())))
            scene = random_scene(self.concepts, style, rng, places=EVEN_PLACES)
            picture = draw(scene, self.styles)
            times = 1 if side == SIZE else 2
            crops += [busier_crop(picture, side, rng) for _ in range(times)]
        return to_tensor(np.stack(crops[:count]))


def busier_crop(picture: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    """The liveliest of several crops: plain background teaches little."""
    tries = TRIES if side < picture.shape[0] else 1
    spots = [rng.integers(0, picture.shape[0] - side + 1, size=2) for _ in range(tries)]
    crops = [picture[y : y + side, x : x + side] for y, x in spots]
    return max(crops, key=lambda crop: float(crop[::4, ::4].std()))


def to_tensor(pictures: Pixels) -> Tensor:
    """uint8 (batch, height, width, 3) to float (batch, 3, height, width) in -1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_pixels(pictures: Tensor) -> Pixels:
    scaled = (pictures.float().clamp(-1, 1) + 1) * 127.5
    return scaled.round().byte().permute(0, 2, 3, 1).cpu().numpy()


def crop_shape(stage: Stage, step: int, trained: bool) -> tuple[int, int]:
    """Crops and their side: small ones first, which learn colour as fast; whole pictures last."""
    share = step / stage.steps
    if share >= 1 - WHOLE_SHARE:
        return max(1, stage.batch // 8), SIZE
    if trained or share > 0.5:
        return max(1, stage.batch // 4), CROP
    side = 32 if share < SQUARED_SHARE else 64
    return max(1, stage.batch * 64 * 64 // side**2 // (2 if side == 32 else 1)), side


def latent_like(pictures: Tensor) -> Tensor:
    """An empty tensor of the shape and on the device of the pictures' latents."""
    count, _, height, width = pictures.shape
    return pictures.new_empty(count, LATENT_CHANNELS, height // 16, width // 16)


def vae_loss(vae: nn.Module, pictures: Tensor, noise: Tensor, squared: bool) -> Tensor:
    with half_precision(pictures.device):
        posterior = encode(vae, pictures)
        drawn = decode(vae, posterior.mean + posterior.std * noise)
    drawn, mean, logvar = drawn.float(), posterior.mean.float(), posterior.logvar.float()
    divergence = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    loss = reconstruction_loss(drawn, pictures, squared) + KL_WEIGHT * divergence
    if squared:
        return loss
    energy, steepness = energy_loss(drawn, pictures), steepness_loss(drawn, pictures)
    return loss + ENERGY_WEIGHT * energy + STEEPNESS_WEIGHT * steepness


@torch.no_grad()
def fold_statistics(vae: AutoencoderKL, pictures: Tensor) -> None:
    """Rewrite the 1x1 convolutions about the latent so that each channel is standard normal.

    One `scaling_factor` cannot centre a channel, and a UNet on latents that are off centre
    draws saturated pictures.
    """
    means = torch.cat([encode(vae, part).mean for part in pictures.split(8)])
    mean, std = means.mean((0, 2, 3)), means.std((0, 2, 3))
    before, after = vae.quant_conv, vae.post_quant_conv
    assert before is not None
    assert after is not None
    assert before.bias is not None
    assert after.bias is not None
    channels = len(mean)
    after.bias += after.weight[:, :, 0, 0] @ mean
    after.weight *= std[None, :, None, None]
    before.bias[:channels] = (before.bias[:channels] - mean) / std
    before.weight[:channels] /= std[:, None, None, None]
    before.bias[channels:] -= 2 * std.log()


@torch.no_grad()
def round_trips(vae: nn.Module, pictures: Tensor) -> list[Pixels]:
    return [*to_pixels(torch.cat([decode(vae, encode(vae, p).mean) for p in pictures.split(4)]))]


def show_pairs(vae: nn.Module, pictures: Tensor, path: Path, shown: int = 12) -> None:
    """Originals above, what comes back below; and how good that is."""
    originals, back = [*to_pixels(pictures)], round_trips(vae, pictures)
    save_sheet(path, [*originals[:shown], *back[:shown]], columns=shown, side=160)
    fidelity, sharpness = mean_psnr(originals, back), steepness_kept(originals, back)
    click.echo(f"{path.stem}: {fidelity:.2f} dB, steepness kept {sharpness:.3f}")


def kept_out(crops: Crops, style: str, count: int) -> Tensor:
    """Whole pictures of combinations that training never shows."""
    scenes = held_out(crops.concepts)
    chosen = np.random.default_rng(7).permutation(len(scenes))[:count]
    pictures = [draw(replace(scenes[int(i)], style=style), crops.styles) for i in chosen]
    return to_tensor(np.stack(pictures))


def crops_of(preset: Preset, folder: Path) -> Crops:
    """Three quarters of the crops are in the base model's styles, one is in the LoRA's."""
    styles = (*preset.styles, preset.lora_style)
    shares = {style: 0.75 / len(preset.styles) for style in preset.styles}
    shares[preset.lora_style] = 0.25
    data = folder / "data"
    return Crops(read_concepts(data), read_pictures(data, styles), shares)


@click.command()
@preset_option
@runs_option
@from_option
@run_options
def main(
    preset: str, runs: Path, start: Path | None, minutes: float | None, steps: int | None
) -> bool:
    """Train the autoencoder of a preset."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    stage = replace(recipe.vae, steps=steps or recipe.vae.steps)
    folder = runs / preset
    crops = crops_of(recipe, folder)
    torch.manual_seed(0)
    vae = new_vae() if start is None else vae_from(start)
    trainer = Trainer(moved(vae.train(), device), stage, folder / "vae")

    def batch_of(chance: Chance) -> tuple[Tensor, ...]:
        shape = crop_shape(stage, chance.step, start is not None)
        return (crops.batch(*shape, chance.numpy),)

    def loss_of(chance: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        (pictures,) = parts
        squared = start is None and chance.step < stage.steps * SQUARED_SHARE
        # At first the noise would drown what little the latent says.
        noise = chance.normal(latent_like(pictures)) * (0.0 if squared else 1.0)
        return vae_loss(trainer.model, pictures, noise, squared)

    fixed = kept_out(crops, recipe.styles[0], 24).to(device)
    done = trainer.run(
        batch_of, loss_of, lambda model, path: show_pairs(model, fixed, path), minutes
    )
    if done:
        finish(trainer, crops, folder / "vae" / "final")
    return done


def finish(trainer: Trainer, crops: Crops, folder: Path) -> None:
    """Save the average with its latents folded."""
    vae = trainer.average
    assert isinstance(vae, AutoencoderKL)
    pictures = crops.batch(256, SIZE, np.random.default_rng(8))
    fold_statistics(vae, pictures.to(trainer.device))
    vae.save_pretrained(folder)


if __name__ == "__main__":
    main()
