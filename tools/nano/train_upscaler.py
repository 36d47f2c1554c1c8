"""Train a small upscaler: a compact SRVGG in the layout of Real-ESRGAN (Wang et al. 2021).

It adds what nearest-neighbour enlargement lacks. Half of its examples are clean halves (quarters,
where it enlarges four times), half are blurred, noised and compressed before; one network learns
both.

It starts as the best linear filter beside random features, and learns by squared errors. By
absolute ones it learns next to nothing: the median of what a soft or noisy pixel may have been is
mostly that pixel. From a random start it only learns to add nothing: its inputs are far from zero,
so Adam's equal steps shake every layer's mean, and the last layer hides it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from nodeforge.diffusion.vision.compact import CompactNetwork
from tools.nano.batches import Chance
from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.measures import psnr
from tools.nano.pictures import STYLES, Pictures, Pixels
from tools.nano.presets import PRESETS
from tools.nano.runs import half_precision, preset_option, run_options, runs_option, set_up
from tools.nano.scenes import Scene, held_out, random_scene
from tools.nano.sheets import save_sheet
from tools.nano.train_vae import busier_crop, to_pixels
from tools.nano.training import Trainer

SCALES = (2, 4)
FEATURES, CONVOLUTIONS = 32, 8
SMALL = 64  # side of what is enlarged
WHOLE = 0.3  # of the crops: a picture shrunk as a whole, whose parts are finer
DEGRADED_SHARE = 0.5
LOSS_SCALE = 30.0  # squared errors are small, and gradients are clipped at length 1
MEAN = 0.7  # of the pictures
PASSED = 12  # features that only pass on what they see, at the start
SLOPE = 0.2
FITTED_BATCHES, FITTED_CELLS = 16, 8_000


class Upscaler(CompactNetwork):
    """RGB in 0..1 to RGB in about 0..1, `scale` times as large.

    Fresh, it repeats pixels. Some of its features pass on a pixel and three of its neighbours,
    linearly, so that `fit_linear` can make a filter of them; the others are random.
    """

    def __init__(
        self, features: int = FEATURES, convolutions: int = CONVOLUTIONS, scale: int = 2
    ) -> None:
        super().__init__(3, features, convolutions, scale)
        self.scale = scale
        first, *inner, last = (layer for layer in self.body if isinstance(layer, nn.Conv2d))
        passed = min(PASSED, features // 2)
        with torch.no_grad():
            for parameter in last.parameters():
                nn.init.zeros_(parameter)
            for layer in (first, *inner):
                nn.init.kaiming_normal_(layer.weight, a=SLOPE)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
            first.weight[:passed] = 0
            for row in range(passed):
                down, across = ((1, 1), (1, 0), (1, 2), (0, 1))[row // 3]
                first.weight[row, row % 3, down, across] = 1
            assert first.bias is not None
            first.bias.copy_(-MEAN * first.weight.sum((1, 2, 3)))
            for layer in inner:
                layer.weight[:passed] = 0
                nn.init.dirac_(layer.weight[:passed, :passed])
            for layer in self.body:
                if isinstance(layer, nn.PReLU):
                    layer.weight.fill_(SLOPE)
                    layer.weight[:passed] = 1

    @torch.no_grad()
    def fit_linear(self, pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Make the last convolution the least-squares filter of these small and large pictures."""
        last = self.body[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        seen = last.in_channels * 9 + 1
        products = torch.zeros(seen, seen, dtype=torch.double)
        answers = torch.zeros(seen, last.out_channels, dtype=torch.double)
        for small, large in pairs:
            cells = functional.unfold(self.body[:-1](small), 3, padding=1).transpose(1, 2)
            missing = large - functional.interpolate(small, scale_factor=float(self.scale))
            wanted = functional.pixel_unshuffle(missing, self.scale).permute(0, 2, 3, 1)
            chosen = torch.randperm(wanted[..., 0].numel())[:FITTED_CELLS]
            inputs = cells.reshape(-1, seen - 1)[chosen].double()
            inputs = torch.cat([inputs, torch.ones(len(inputs), 1, dtype=torch.double)], 1)
            products += inputs.T @ inputs
            answers += inputs.T @ wanted.reshape(-1, last.out_channels)[chosen].double()
        ridge = 1e-3 * products.diagonal().mean() * torch.eye(seen, dtype=torch.double)
        filters = torch.linalg.solve(products + ridge, answers)
        last.weight.copy_(filters[:-1].T.reshape(last.weight.shape))
        last.bias.copy_(filters[-1])


def clean(picture: Pixels, scale: int = 2) -> Pixels:
    """Each pixel the mean of those it stands for."""
    side = picture.shape[0] // scale
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def degraded(
    picture: Pixels, rng: np.random.Generator, quality: int | None = None, scale: int = 2
) -> Pixels:
    """Blurred, shrunk, noised and compressed as JPEG; an evaluation gives the quality, 60."""
    spread = (1.0 if quality else rng.uniform(0.2, 1.4)) * scale / 2
    blurred = cv2.GaussianBlur(picture, (0, 0), spread)
    small = clean(np.asarray(blurred, np.uint8), scale).astype(np.float32)
    small += rng.normal(0, 4.0 if quality else rng.uniform(0, 7), small.shape)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality or int(rng.integers(45, 96))]
    packed = cv2.imencode(".jpg", small.round().clip(0, 255).astype(np.uint8), options)[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def lanczos(small: Pixels, scale: int = 2) -> Pixels:
    side = small.shape[0] * scale
    large = cv2.resize(small, (side, side), interpolation=cv2.INTER_LANCZOS4)
    return np.asarray(large, np.uint8)


def to_unit(pictures: Pixels) -> Tensor:
    """uint8 (batch, height, width, 3) to float (batch, 3, height, width) in 0..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(255)


@torch.no_grad()
def enlarged(model: nn.Module, small: Pixels) -> Pixels:
    return to_pixels(model(to_unit(small[None])) * 2 - 1)[0]


@dataclass(frozen=True)
class Pairs:
    """Crops of scenes in every style that is there, and the same shrunk."""

    concepts: list[Concept]
    styles: dict[str, Pictures]
    scale: int = 2

    def picture(self, rng: np.random.Generator) -> Pixels:
        scene = random_scene(self.concepts, str(rng.choice(list(self.styles))), rng)
        if any(subject.code not in self.styles[scene.style] for subject in scene.subjects):
            return self.picture(rng)
        side = SMALL * self.scale
        if rng.random() < WHOLE:
            return draw(scene, self.styles, side)
        return busier_crop(draw(scene, self.styles), side, rng)

    def batch(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        large = [self.picture(rng) for _ in range(count)]
        small = [
            degraded(p, rng, scale=self.scale)
            if rng.random() < DEGRADED_SHARE
            else clean(p, self.scale)
            for p in large
        ]
        return to_unit(np.stack(small)), to_unit(np.stack(large))


def upscaling_loss(drawn: Tensor, wanted: Tensor) -> Tensor:
    return LOSS_SCALE * functional.mse_loss(drawn, wanted)


def gains(model: nn.Module, originals: list[Pixels], scale: int = 2) -> dict[str, float]:
    """Mean decibels over Lanczos of the same input, for what is shrunk clean and degraded."""
    rng = np.random.default_rng(9)
    inputs = {
        "clean": [clean(picture, scale) for picture in originals],
        "degraded": [degraded(picture, rng, 60, scale) for picture in originals],
    }
    found: dict[str, float] = {}
    for name, small in inputs.items():
        ours = [psnr(enlarged(model, s), o) for s, o in zip(small, originals, strict=True)]
        plain = [psnr(lanczos(s, scale), o) for s, o in zip(small, originals, strict=True)]
        found[name] = float(np.mean(ours) - np.mean(plain))
    return found


def evaluated(concepts: list[Concept], styles: dict[str, Pictures], count: int) -> list[Pixels]:
    """Scenes that training never shows."""
    scenes = held_out(concepts)
    order = np.random.default_rng(10).permutation(len(scenes))[:count]
    chosen: list[Scene] = [scenes[int(i)] for i in order]
    return [draw(scene, styles) for scene in chosen]


def show(originals: list[Pixels], scale: int, model: nn.Module, path: Path) -> None:
    """Lanczos above, what the model makes below; and the gains in decibels."""
    small = [clean(picture, scale) for picture in originals[:6]]
    plain = [lanczos(each, scale) for each in small]
    save_sheet(path, [*plain, *(enlarged(model, s) for s in small), *originals[:6]], 6, side=256)
    found = gains(model, originals, scale)
    told = "  ".join(f"{name} {gain:+.2f} dB" for name, gain in found.items())
    click.echo(f"{path.stem}: {told}")


def save_upscaler(model: nn.Module, path: Path, scale: int = 2) -> None:
    """The published keys (`body.0.weight` ...), in float16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, path, metadata={"scale": str(scale)})


def folder_of(scale: int) -> str:
    return "upscaler" if scale == 2 else f"upscaler-x{scale}"


@click.command()
@preset_option
@runs_option
@run_options
@click.option("--data", type=click.Path(path_type=Path), help="Another preset's pictures.")
@click.option("--scale", type=click.Choice(SCALES), default=2, help="How many times as large.")
def main(
    preset: str, runs: Path, minutes: float | None, steps: int | None, data: Path | None, scale: int
) -> bool:
    """Train an upscaler of a preset, on all styles that are packed."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    packed = data or folder / "data"
    concepts, styles = read_concepts(packed), read_pictures(packed, STYLES)
    pairs = Pairs(concepts, styles, scale)
    stage = replace(recipe.upscaler, steps=steps or recipe.upscaler.steps)
    torch.manual_seed(0)
    fresh, rng = Upscaler(scale=scale), np.random.default_rng(8)
    fresh.fit_linear(pairs.batch(stage.batch, rng) for _ in range(FITTED_BATCHES))
    trainer = Trainer(fresh.to(device), stage, folder / folder_of(scale), seed=7)
    originals = evaluated(concepts, styles, 24)

    def batch_of(chance: Chance) -> tuple[Tensor, ...]:
        return pairs.batch(stage.batch, chance.numpy)

    def loss_of(_: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        small, large = parts
        with half_precision(device):
            drawn = trainer.model(small)
        return upscaling_loss(drawn.float(), large)

    done = trainer.run(batch_of, loss_of, partial(show, originals, scale), minutes)
    save_upscaler(trainer.average, folder / folder_of(scale) / f"x{scale}.safetensors", scale)
    return done


if __name__ == "__main__":
    main()
