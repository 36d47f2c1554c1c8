"""Scenes drawn and encoded beforehand, so that no training on latents waits for pictures.

Scenes come from their index alone; only their latents and edges are stored, in shards. A long
training renews them: the cache is a window that slides along the indices, a tenth at a time.
"""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from tools.nano.batches import Chance, in_order
from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.edges import canny, packed
from tools.nano.pictures import Pictures, Pixels
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import half_precision, preset_option, runs_option, set_up
from tools.nano.scenes import Scene, random_scene
from tools.nano.shapes import encode, moved, read_vae
from tools.nano.train_vae import to_tensor

SHARD = 256
TOGETHER, TOGETHER_ON_A_CARD = 8, 128  # pictures encoded at once


@dataclass(frozen=True)
class Scenery:
    """The training scenes of some styles, by index."""

    concepts: list[Concept]
    styles: tuple[str, ...]
    pictures: dict[str, Pictures]

    def draw(self, index: int) -> Pixels:
        return draw(scene_at(self.concepts, self.styles, index), self.pictures)

    def shard(self, chance: Chance) -> tuple[Tensor, Tensor]:
        """The pictures of shard number `chance.step`, uint8, and their packed edges."""
        first = chance.step * SHARD
        pictures = [self.draw(index) for index in range(first, first + SHARD)]
        edges = [packed(canny(picture)) for picture in pictures]
        return torch.from_numpy(np.stack(pictures)), torch.from_numpy(np.stack(edges))


def scene_at(concepts: list[Concept], styles: tuple[str, ...], index: int) -> Scene:
    """The training scene of that index."""
    rng = np.random.default_rng((11, index))
    return random_scene(concepts, styles[index % len(styles)], rng)


@torch.no_grad()
def encode_pictures(vae: AutoencoderKL, pictures: Tensor) -> Tensor:
    """Latent means of uint8 pictures (batch, height, width, 3), float16."""
    parts: list[Tensor] = []
    for part in pictures.split(TOGETHER if vae.device.type == "cpu" else TOGETHER_ON_A_CARD):
        with half_precision(vae.device):
            mean = encode(vae, to_tensor(part.numpy()).to(vae.device)).mean
        parts.append(mean.half().cpu())
    return torch.cat(parts)


@dataclass
class LatentCache:
    """Latents and edges by scene index, as far as they are there, in shards from `first` on."""

    folder: Path
    total: int
    first: int = 0
    shards: list[Tensor] = field(default_factory=list)
    edge_shards: list[Pixels] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many shards there are to be."""
        return -(-self.total // SHARD)

    def path(self, shard: int) -> Path:
        return self.folder / f"{shard:04d}.pt"

    def write(self, shard: int, latents: Tensor, edges: Tensor) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(shard)
        np.save(path.with_suffix(".npy"), edges.numpy())
        fresh = path.with_suffix(".new")
        torch.save(latents, fresh)
        fresh.replace(path)

    @property
    def missing(self) -> list[int]:
        window = range(self.first, self.first + self.count)
        return [shard for shard in window if not self.path(shard).exists()]

    def refresh(self) -> None:
        """Take in the shards that have come without a gap since the last look."""
        last = self.first + self.count
        while (at := self.first + len(self.shards)) < last and (path := self.path(at)).exists():
            self.shards.append(torch.load(path, weights_only=True))
            self.edge_shards.append(np.load(path.with_suffix(".npy"), mmap_mode="r"))

    def slide(self, first: int) -> None:
        """Let the oldest shards go, their files as well."""
        for shard in range(self.first, first):
            self.path(shard).unlink(missing_ok=True)
            self.path(shard).with_suffix(".npy").unlink(missing_ok=True)
        gone = first - self.first
        self.first, self.shards = first, self.shards[gone:]
        self.edge_shards = self.edge_shards[gone:]

    def __len__(self) -> int:
        return len(self.shards) * SHARD

    def any_of(self, count: int, rng: np.random.Generator) -> list[int]:
        """Indices of scenes that are there."""
        return [self.first * SHARD + int(i) for i in rng.integers(len(self), size=count)]

    def __getitem__(self, indices: list[int]) -> Tensor:
        places = [(i // SHARD - self.first, i % SHARD) for i in indices]
        return torch.stack([self.shards[shard][row] for shard, row in places]).float()

    def edges(self, indices: list[int]) -> Tensor:
        """Packed edges of those scenes, for `to_condition`."""
        places = [(i // SHARD - self.first, i % SHARD) for i in indices]
        return torch.from_numpy(np.stack([self.edge_shards[shard][row] for shard, row in places]))


def cached(folder: Path, total: int) -> LatentCache:
    """The cache as it is on the disk, from its oldest shard on."""
    known = sorted(int(path.stem) for path in folder.glob("*.pt"))
    cache = LatentCache(folder, total, known[0] if known else 0)
    cache.refresh()
    return cache


def fill(cache: LatentCache, vae: AutoencoderKL, scenery: Scenery, ends: float = math.inf) -> bool:
    """Write the missing shards, until the clock (`time.monotonic`) says `ends`; True when all
    are there."""
    missing = cache.missing
    drawn = in_order(scenery.shard, 0, missing, vae.device)
    for shard, (pictures, edges) in zip(missing, drawn, strict=True):
        cache.write(shard, encode_pictures(vae, pictures), edges)
        click.echo(f"{cache.folder.name} {(shard + 1 - cache.first) * SHARD}/{cache.total}")
        if time.monotonic() > ends:
            return shard == missing[-1]
    return True


@dataclass
class Renewal:
    """Every so many steps a tenth of the scenes gives way to new ones.

    How far the window has come follows from the step, so a resumed training sees the same.
    """

    cache: LatentCache
    vae: AutoencoderKL
    scenery: Scenery
    steps: int

    def at(self, step: int) -> None:
        first = step // self.steps * max(1, self.cache.count // 10)
        if first > self.cache.first:
            self.cache.slide(first)
            fill(self.cache, self.vae, self.scenery)
        self.cache.refresh()


def latent_caches(preset: Preset, folder: Path) -> list[tuple[LatentCache, tuple[str, ...]]]:
    """The base model's latents and the LoRA's, each with its styles."""
    return [
        (cached(folder / "latents", preset.latents), preset.styles),
        (cached(folder / "lora-latents", preset.lora_latents), (preset.lora_style,)),
    ]


@click.command()
@preset_option
@runs_option
@click.option("--minutes", type=float, help="Stop after this long, resumable.")
def main(preset: str, runs: Path, minutes: float | None) -> bool:
    """Draw and encode the preset's training scenes, and those of its LoRA's style."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    vae = moved(read_vae(folder / "vae" / "final"), device)
    concepts = read_concepts(folder / "data")
    ends = math.inf if minutes is None else time.monotonic() + minutes * 60
    return all(
        fill(cache, vae, Scenery(concepts, styles, read_pictures(folder / "data", styles)), ends)
        for cache, styles in latent_caches(recipe, folder)
    )


if __name__ == "__main__":
    main()
