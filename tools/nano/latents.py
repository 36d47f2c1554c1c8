"""Scenes drawn and encoded beforehand, so that the UNet's training never waits for pictures.

Scenes come from their index alone; only the latents are stored, in shards that several calls
may fill side by side.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.pictures import Pictures
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import preset_option, runs_option, set_up
from tools.nano.scenes import Scene, random_scene
from tools.nano.shapes import encode, moved, read_vae
from tools.nano.train_vae import to_tensor

SHARD = 256


def scene_at(concepts: list[Concept], styles: tuple[str, ...], index: int) -> Scene:
    """The training scene of that index."""
    rng = np.random.default_rng((11, index))
    return random_scene(concepts, styles[index % len(styles)], rng)


@torch.no_grad()
def encode_scenes(vae: AutoencoderKL, scenes: list[Scene], pictures: dict[str, Pictures]) -> Tensor:
    """Latent means of the scenes, float16."""
    parts: list[Tensor] = []
    for start in range(0, len(scenes), 8):
        batch = np.stack([draw(scene, pictures) for scene in scenes[start : start + 8]])
        with torch.autocast(vae.device.type, torch.bfloat16):
            mean = encode(vae, to_tensor(batch).to(vae.device)).mean
        parts.append(mean.half().cpu())
    return torch.cat(parts)


@dataclass
class LatentCache:
    """Latents by scene index, as far as they are there."""

    folder: Path
    total: int
    shards: list[Tensor] = field(default_factory=list)

    def path(self, shard: int) -> Path:
        return self.folder / f"{shard:04d}.pt"

    def refresh(self) -> None:
        """Take in the shards that have come without a gap since the last look."""
        while (path := self.path(len(self.shards))).exists():
            self.shards.append(torch.load(path, weights_only=True))

    def __len__(self) -> int:
        return len(self.shards) * SHARD

    def __getitem__(self, indices: list[int]) -> Tensor:
        return torch.stack([self.shards[i // SHARD][i % SHARD] for i in indices]).float()


def fill(
    cache: LatentCache,
    vae: AutoencoderKL,
    concepts: list[Concept],
    styles: tuple[str, ...],
    pictures: dict[str, Pictures],
    part: tuple[int, int] = (0, 1),
) -> None:
    """Write the missing shards whose number is `part[0]` modulo `part[1]`."""
    cache.folder.mkdir(parents=True, exist_ok=True)
    for shard in range(part[0], -(-cache.total // SHARD), part[1]):
        path = cache.path(shard)
        if path.exists():
            continue
        scenes = [scene_at(concepts, styles, shard * SHARD + i) for i in range(SHARD)]
        fresh = path.with_suffix(f".{os.getpid()}")
        torch.save(encode_scenes(vae, scenes, pictures), fresh)
        fresh.replace(path)
        click.echo(f"latents {shard * SHARD + SHARD}/{cache.total}")


@click.command()
@preset_option
@runs_option
@click.option("--part", type=(int, int), default=(0, 1), help="This call's share: number, of.")
def main(preset: str, runs: Path, part: tuple[int, int]) -> bool:
    """Draw and encode the preset's training scenes, and those of its LoRA's style."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    vae = moved(read_vae(folder / "vae" / "final"), device)
    concepts = read_concepts(folder / "data")
    for cache, styles in latent_caches(recipe, folder):
        fill(cache, vae, concepts, styles, read_pictures(folder / "data", styles), part)
    return True


def latent_caches(preset: Preset, folder: Path) -> list[tuple[LatentCache, tuple[str, ...]]]:
    """The base model's latents and the LoRA's, each with its styles."""
    return [
        (LatentCache(folder / "latents", preset.latents), preset.styles),
        (LatentCache(folder / "lora-latents", preset.lora_latents), (preset.lora_style,)),
    ]


if __name__ == "__main__":
    main()
