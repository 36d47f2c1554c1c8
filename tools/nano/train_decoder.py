"""Go on with the decoder alone, on whole pictures, while the UNet learns from the latents.

The encoder stays as it is: the cached latents, and the UNet trained on them, remain valid. A
little noise on the latents makes up for what a UNet gets wrong.
"""

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from tools.nano.presets import PRESETS
from tools.nano.runs import device_of, preset_option, quiet_threads, run_options, runs_option
from tools.nano.shapes import decode, encode, moved, read_vae
from tools.nano.train_vae import crops_of, reconstruction_loss, show_pairs
from tools.nano.training import Chance, Trainer

LATENT_NOISE = 0.1


def decoder_loss(vae: AutoencoderKL, pictures: Tensor, chance: Chance) -> Tensor:
    with torch.autocast(pictures.device.type, torch.bfloat16):
        with torch.no_grad():
            latents = encode(vae, pictures).mean
        drawn = decode(vae, latents + LATENT_NOISE * chance.normal(latents))
    return reconstruction_loss(drawn.float(), pictures, squared=False)


@click.command()
@preset_option
@runs_option
@run_options
def main(preset: str, runs: Path, minutes: float | None, steps: int | None) -> None:
    """Train the decoder of a preset further; the encoder is frozen."""
    recipe = PRESETS[preset]
    device = device_of(recipe)
    quiet_threads(recipe)
    folder = runs / preset
    vae = moved(read_vae(folder / "vae" / "final"), device).train()
    vae.encoder.requires_grad_(False)
    if vae.quant_conv is not None:
        vae.quant_conv.requires_grad_(False)
    stage = replace(recipe.decoder, steps=steps or recipe.decoder.steps)
    crops = crops_of(recipe, folder)
    trainer = Trainer(vae, stage, folder / "decoder", seed=4)

    def loss_of(chance: Chance) -> Tensor:
        pictures = crops.batch(stage.batch, 256, chance.numpy).to(device)
        return decoder_loss(vae, pictures, chance)

    fixed = crops.batch(12, 256, np.random.default_rng(7)).to(device)
    trainer.run(loss_of, lambda model, path: show_pairs(model, fixed, path), minutes)


if __name__ == "__main__":
    main()
