"""Teach the judge to tell styles in pictures that went through the autoencoder.

Shading and fine lines are what tells styles apart, and what an autoencoder blurs: from originals
alone the judge called a third of the base model's soft pictures flat. Its last layer for styles
is fitted anew to what its body sees in originals and in round trips of both styles; what it says
about concepts stays as it is.
"""

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional

from tools.nano.export import load_vae
from tools.nano.latents import LatentCache, latent_caches
from tools.nano.pictures import STYLES, Pixels
from tools.nano.presets import PRESETS
from tools.nano.recogniser import (
    Examples,
    Recogniser,
    augment,
    examples_of,
    load_recogniser,
    shrink,
)
from tools.nano.runs import preset_option, runs_option, set_up
from tools.nano.shapes import decode, moved
from tools.nano.train_decoder import LATENT_NOISE
from tools.nano.train_vae import to_pixels, to_tensor

ROUND_TRIPS = 256  # of each style; a quarter of them tests what the others taught
AUGMENTED = 6  # looks at each picture
FIT_STEPS = 400


@dataclass(frozen=True)
class Looks:
    """What the judge's body sees, (looks, features), and the style of each look."""

    features: Tensor
    styles: Tensor


@torch.no_grad()
def round_trips(vae: AutoencoderKL, cache: LatentCache, indices: list[int]) -> list[Pixels]:
    """Pictures back from their latents, with as much noise as the decoder is used to."""
    generator = torch.Generator().manual_seed(0)
    pictures: list[Pixels] = []
    for start in range(0, len(indices), 16):
        latents = cache[indices[start : start + 16]]
        latents += LATENT_NOISE * torch.randn(latents.shape, generator=generator)
        with torch.autocast(vae.device.type, torch.bfloat16):
            pictures += list(to_pixels(decode(vae, latents.to(vae.device))))
    return [shrink(picture) for picture in pictures]


@torch.no_grad()
def looks_at(model: Recogniser, pictures: list[Pixels], style: str, seed: int) -> Looks:
    rng = np.random.default_rng(seed)
    augmented = [augment(picture, rng) for picture in pictures for _ in range(AUGMENTED)]
    device = model.style.weight.device
    parts = to_tensor(np.stack(augmented)).split(64)
    features = torch.cat([model.pooled(part.to(device)) for part in parts])
    return Looks(features, torch.full((len(features),), STYLES.index(style), device=device))


def joined(parts: list[Looks]) -> Looks:
    return Looks(torch.cat([p.features for p in parts]), torch.cat([p.styles for p in parts]))


def fit(layer: nn.Linear, looks: Looks) -> None:
    """Logistic regression on scaled features, the scale folded into the layer."""
    mean, std = looks.features.mean(0), looks.features.std(0) + 1e-3
    scaled = (looks.features - mean) / std
    fresh = nn.Linear(layer.in_features, layer.out_features).to(scaled.device)
    optimizer = torch.optim.AdamW(fresh.parameters(), 3e-3, weight_decay=0.1)
    for _ in range(FIT_STEPS):
        loss = functional.cross_entropy(fresh(scaled), looks.styles)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        layer.weight.copy_(fresh.weight / std)
        layer.bias.copy_(fresh.bias - layer.weight @ mean)


def accuracy(layer: nn.Linear, looks: Looks) -> float:
    return float((layer(looks.features).argmax(1) == looks.styles).float().mean())


def originals(examples: Examples, style: str, count: int) -> list[Pixels]:
    rng = np.random.default_rng(31)
    return [examples.drawn(examples.scene(rng, style)) for _ in range(count)]


@click.command()
@preset_option
@runs_option
def main(preset: str, runs: Path) -> bool:
    """Fit the judge's layer for styles to pictures from the preset's autoencoder."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    examples = examples_of(recipe, folder)
    model = load_recogniser(folder, len(examples.concepts)).to(device)
    vae = moved(load_vae(folder), device)
    taught, tested = [], []
    for cache, styles in latent_caches(recipe, folder):
        cache.refresh()
        for number, style in enumerate(styles):
            indices = [number + i * len(styles) for i in range(ROUND_TRIPS)]
            back = round_trips(vae, cache, indices)
            known = originals(examples, style, ROUND_TRIPS)
            split = ROUND_TRIPS * 3 // 4
            taught += [looks_at(model, p[:split], style, 1) for p in (back, known)]
            tested += [looks_at(model, p[split:], style, 2) for p in (back, known)]
    with torch.no_grad():
        before = accuracy(model.style, joined(tested))
    fit(model.style, joined(taught))
    click.echo(
        f"styles told right: {before:.1%} before, {accuracy(model.style, joined(tested)):.1%}"
    )
    torch.save(model.style.state_dict(), folder / "recogniser" / "style.pt")
    return True


if __name__ == "__main__":
    main()
