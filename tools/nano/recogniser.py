"""The judge of generated pictures: names the thing and the style it sees.

It is trained on augmented originals only. Blur, noise and lost resolution are among the
augmentations, so that it judges shapes and not how crisp a decoder is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.nano.batches import Chance
from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.pictures import STYLES, Pictures, Pixels
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import half_precision, preset_option, run_options, runs_option, set_up
from tools.nano.scenes import Scene, random_scene
from tools.nano.train_vae import to_tensor
from tools.nano.training import Trainer, load_average

SIDE = 80


class Recogniser(nn.Module):
    """Pictures of 80 pixels to scores of concepts and of styles."""

    def __init__(self, concepts: int, styles: int = len(STYLES), width: int = 40) -> None:
        super().__init__()
        widths = (width, width * 2, width * 4, width * 5)
        layers: list[nn.Module] = [nn.Conv2d(3, width, 5, 2, 2), nn.BatchNorm2d(width), nn.ReLU()]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.Conv2d(after, after, 3, 1, 1), nn.BatchNorm2d(after), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.concept = nn.Linear(widths[-1] * 2, concepts)
        self.style = nn.Linear(widths[-1] * 2, styles)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.body(pictures)
        pooled = torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], dim=1)
        return self.concept(pooled), self.style(pooled)


def shrink(picture: Pixels) -> Pixels:
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def augment(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Other light, less resolution, softer, noisier, turned and moved a little."""
    side = picture.shape[0]
    middle, angle, scale = (side / 2, side / 2), rng.uniform(-8, 8), rng.uniform(0.92, 1.08)
    turn = cv2.getRotationMatrix2D(middle, angle, scale)
    turn[:, 2] += rng.uniform(-0.04, 0.04, 2) * side
    seen = cv2.warpAffine(picture, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.4:
        coarse = int(side * rng.uniform(0.4, 0.9))
        small = cv2.resize(seen, (coarse, coarse), interpolation=cv2.INTER_AREA)
        seen = cv2.resize(small, (side, side))
    if rng.random() < 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.3, 1.2))
    light = seen.astype(np.float32) * rng.uniform(0.85, 1.15, 3) + rng.uniform(-16, 16)
    light += rng.normal(0, rng.uniform(0, 8), light.shape)
    return light.clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Examples:
    """Augmented originals with what they show: single things, in every style that is packed."""

    concepts: list[Concept]
    styles: dict[str, Pictures]

    def scene(self, rng: np.random.Generator) -> Scene:
        while True:
            scene = random_scene(self.concepts, str(rng.choice(list(self.styles))), rng, pairs=0)
            if scene.subjects[0].code in self.styles[scene.style]:
                return scene

    def batch(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        scenes = [self.scene(rng) for _ in range(count)]
        pictures = np.stack([augment(draw(scene, self.styles, SIDE), rng) for scene in scenes])
        concepts = torch.tensor([self.concepts.index(scene.subjects[0]) for scene in scenes])
        styles = torch.tensor([STYLES.index(scene.style) for scene in scenes])
        return to_tensor(pictures), concepts, styles


@dataclass(frozen=True)
class Verdict:
    """Concept indices from most to least likely, and the style, for each picture."""

    ranked: list[list[int]]
    styles: list[str]

    def hits(self, wanted: Sequence[int], places: int = 1) -> list[bool]:
        """Whether each picture's concept is among the first places."""
        return [want in row[:places] for want, row in zip(wanted, self.ranked, strict=True)]

    def top(self, wanted: Sequence[int], places: int) -> float:
        """Share of pictures whose concept is among the first places."""
        hits = self.hits(wanted, places)
        return sum(hits) / len(hits)

    def share_of(self, style: str) -> float:
        return self.styles.count(style) / len(self.styles)


@torch.no_grad()
def judge(model: Recogniser, pictures: Sequence[Pixels]) -> Verdict:
    small = to_tensor(np.stack([shrink(picture) for picture in pictures]))
    device = next(model.parameters()).device
    scores = [model.eval()(part.to(device)) for part in small.split(64)]
    ranked = torch.cat([concept for concept, _ in scores]).argsort(dim=1, descending=True)
    styles = torch.cat([style for _, style in scores]).argmax(dim=1)
    return Verdict(ranked.tolist(), [STYLES[int(i)] for i in styles])


def load_recogniser(folder: Path, concepts: int) -> Recogniser:
    model = Recogniser(concepts)
    load_average(model, folder / "recogniser")
    return model.eval()


def held_out_accuracy(model: Recogniser, examples: Examples, count: int = 2000) -> float:
    """Share of augmentations never trained on that are named right."""
    rng = np.random.default_rng(99_991)
    right = 0
    device = next(model.parameters()).device
    with torch.no_grad():
        for _ in range(-(-count // 100)):
            pictures, concepts, _ = examples.batch(100, rng)
            right += int((model(pictures.to(device))[0].argmax(1).cpu() == concepts).sum())
    return right / (-(-count // 100) * 100)


def examples_of(preset: Preset, folder: Path) -> Examples:
    styles = tuple(dict.fromkeys((*preset.styles, preset.lora_style)))
    return Examples(read_concepts(folder / "data"), read_pictures(folder / "data", styles))


@click.command()
@preset_option
@runs_option
@run_options
def main(preset: str, runs: Path, minutes: float | None, steps: int | None) -> bool:
    """Train the recogniser of a preset."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    examples = examples_of(recipe, runs / preset)
    stage = replace(recipe.recogniser, steps=steps or recipe.recogniser.steps)
    torch.manual_seed(0)
    model = Recogniser(len(examples.concepts)).to(device)
    trainer = Trainer(model, stage, runs / preset / "recogniser", seed=3)

    def batch_of(chance: Chance) -> tuple[Tensor, ...]:
        return examples.batch(stage.batch, chance.numpy)

    def loss_of(_: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        pictures, concepts, styles = parts
        with half_precision(device):
            named, styled = model(pictures)
        naming = functional.cross_entropy(named.float(), concepts, label_smoothing=0.05)
        return naming + 0.5 * functional.cross_entropy(styled.float(), styles)

    return trainer.run(batch_of, loss_of, minutes=minutes)


if __name__ == "__main__":
    main()
