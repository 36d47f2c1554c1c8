"""Edges of the cached scenes, drawn once and packed as bits: 8 KB a picture.

Drawing a scene and finding its edges takes a tenth of a training step on one core, and would
be done anew each time the scene is shown.
"""

from dataclasses import dataclass, field
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from torch import Tensor

from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.latents import SHARD, scene_at
from tools.nano.pictures import SIZE, Pictures, Pixels

THRESHOLDS = (60, 140)


def canny(picture: Pixels) -> Pixels:
    """Edges of a picture: white lines on black, (height, width), as the ControlNet expects them."""
    return np.asarray(cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), *THRESHOLDS), np.uint8)


def to_condition(packed: Tensor) -> Tensor:
    """Packed bits (batch, bytes) to lines of 1 on 0, (batch, 3, 256, 256), on their device."""
    shifts = torch.arange(7, -1, -1, device=packed.device, dtype=torch.uint8)
    bits = (packed[..., None] >> shifts) & 1
    return bits.view(-1, 1, SIZE, SIZE).float().repeat(1, 3, 1, 1)


@dataclass
class EdgeCache:
    """Edges by scene index; each shard is (scenes, bytes of a picture's bits)."""

    folder: Path
    total: int
    shards: list[Pixels] = field(default_factory=list)

    def fill(
        self, concepts: list[Concept], styles: tuple[str, ...], pictures: dict[str, Pictures]
    ) -> None:
        """Draw the shards that are missing, and take in all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for shard in range(len(self.shards), -(-self.total // SHARD)):
            path = self.folder / f"{shard:04d}.npy"
            if not path.exists():
                indices = range(shard * SHARD, (shard + 1) * SHARD)
                scenes = [scene_at(concepts, styles, index) for index in indices]
                edges = np.stack([canny(draw(scene, pictures)) for scene in scenes])
                fresh = path.with_suffix(".new.npy")
                np.save(fresh, np.packbits(edges.reshape(SHARD, -1) > 0, axis=1))
                fresh.replace(path)
                click.echo(f"edges {(shard + 1) * SHARD}/{self.total}")
            self.shards.append(np.load(path, mmap_mode="r"))

    def __getitem__(self, indices: list[int]) -> Tensor:
        """(batch, bytes of a picture's bits), for `to_condition`."""
        return torch.from_numpy(np.stack([self.shards[i // SHARD][i % SHARD] for i in indices]))
