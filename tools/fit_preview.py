"""Fits the matrix that turns a family's latents into rough pictures, from its VAE.

python -m tools.fit_preview MODEL PICTURES... [--out resources/preview]

PICTURES are picture files, or .npy arrays of uint8 (count, height, width, 3 or 4).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow

from nodeforge import diffusion
from nodeforge.diffusion.denoising.preview import fit
from nodeforge.values import Image

MOST_OF_A_FILE = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=Path("resources/preview"))
    given = parser.parse_args()
    vae = diffusion.describe_vae(given.model)
    with diffusion.Residency("cpu").use(vae) as loaded:
        latents = [
            diffusion.encode(loaded, picture).samples
            for file in given.pictures
            for picture in _pictures(file, loaded.scale)
        ]
        factors = fit(loaded, torch.cat(latents))
    given.out.mkdir(parents=True, exist_ok=True)
    told = {name: _rounded(getattr(factors, name)) for name in ("matrix", "bias")}
    file = given.out / f"{vae.weights.family}.json"
    file.write_text(json.dumps(told) + "\n", "utf-8")
    print(file)


def _pictures(file: Path, scale: int) -> Iterator[Image]:
    """Pictures of one file, cut so that the VAE's scale divides their sides."""
    if file.suffix == ".npy":
        arrays = np.load(file, mmap_mode="r")[:MOST_OF_A_FILE]
    else:
        arrays = [np.asarray(Pillow.open(file).convert("RGB"))]
    for array in arrays:
        height, width = (side // scale * scale for side in array.shape[:2])
        pixels = torch.from_numpy(array[:height, :width].astype(np.float32) / 255)
        alpha = pixels[..., 3:] if pixels.shape[-1] == 4 else torch.ones(1)
        yield Image((pixels[..., :3] * alpha + 1 - alpha)[None])  # on white


def _rounded(numbers: torch.Tensor) -> list:
    return np.round(numbers.numpy().astype(np.float64), 5).tolist()


if __name__ == "__main__":
    main()
