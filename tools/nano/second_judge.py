"""The second judge: names the thing in a whole picture, or says that a stranger could not.

The recogniser sees 80 pixels and is taught to look through blur. This one sees all 256, and has a
last answer for what is spoiled: shrunk and back, warped until a stranger would not know it, or
mixed of two things. Originals that went through the autoencoder count as right, so that it judges
the drawing, not the decoder; so do things that are bent a little. Its pooled features give the
Fréchet distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.nano.batches import Chance
from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.pictures import Pictures, Pixels
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import half_precision, preset_option, run_options, runs_option, set_up
from tools.nano.scenes import EVEN_PLACES, Scene, random_scene
from tools.nano.shapes import read_vae
from tools.nano.spoiling import (
    PAST_KNOWING,
    STILL_KNOWN,
    mixed,
    nudged,
    shrunk_by_chance,
    warped,
)
from tools.nano.train_vae import round_trips, to_tensor
from tools.nano.training import Trainer, load_average

PATCH = 4
FINEST_SCALE = 8.0
WIDTHS = (48, 96, 160, 256)
SPOILED_SHARE, ROUND_TRIP_SHARE = 0.4, 0.4
BENT_SHARE = 0.4
ROUND_TRIPS = 2048  # kept on the disk: decoding takes longer than judging
TOGETHER = 256


class Block(nn.Module):
    """Two convolutions beside the way through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(8, width),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GroupNorm(8, width),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, seen: Tensor) -> Tensor:
        return seen + self.body(seen)


def with_finest(pictures: Tensor) -> Tensor:
    """Beside the colours, the finest level of their Laplacian pyramid (Burt and Adelson 1983) and
    its size: what shrinking to half and back takes away, which colours hold in their last bits.

    A hard outline keeps three quarters of its slope then, so without this blur is hardly seen.
    """
    half = functional.avg_pool2d(pictures, 2)
    again = functional.interpolate(half, scale_factor=2.0, mode="bilinear")
    finest = FINEST_SCALE * (pictures - again)
    return torch.cat(
        [pictures, finest.mean(1, keepdim=True), finest.abs().mean(1, keepdim=True)], dim=1
    )


class SecondJudge(nn.Module):
    """Patches of 4 pixels without loss, residual levels, and attention over what is left."""

    def __init__(self, concepts: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(5, widths[0], PATCH, PATCH), Block(widths[0])]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 2, 2), Block(after)]
        self.body = nn.Sequential(*layers, nn.GroupNorm(8, widths[-1]), nn.GELU())
        self.weight = nn.Conv2d(widths[-1], 1, 1)
        self.names = nn.Linear(widths[-1], concepts + 1)

    def features(self, pictures: Tensor) -> Tensor:
        """What it saw, (pictures, width): the mean over the picture, weighed by attention."""
        seen = self.body(with_finest(pictures)).flatten(2)
        weights = self.weight(seen[..., None]).flatten(2).softmax(-1)
        return (seen * weights).sum(-1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores of the concepts, then of being spoiled."""
        return self.names(self.features(pictures))


@dataclass(frozen=True)
class Trips:
    """Originals that went through the autoencoder, and the position of their thing."""

    pictures: Pixels
    things: Sequence[int]


@dataclass(frozen=True)
class Exhibits:
    """Pictures with the answer that is right."""

    concepts: list[Concept]
    style: str
    styles: dict[str, Pictures]
    trips: Trips

    def scene(self, rng: np.random.Generator) -> Scene:
        return random_scene(self.concepts, self.style, rng, pairs=0, places=EVEN_PLACES)

    def original(self, rng: np.random.Generator) -> tuple[Pixels, int]:
        scene = self.scene(rng)
        return draw(scene, self.styles), self.concepts.index(scene.subjects[0])

    def mixture(self, rng: np.random.Generator) -> Pixels:
        """Two things at the same place."""
        scene = self.scene(rng)
        other = replace(scene, subjects=self.scene(rng).subjects)
        return mixed(draw(scene, self.styles), draw(other, self.styles), rng)

    def trip(self, rng: np.random.Generator) -> tuple[Pixels, int]:
        which = int(rng.integers(len(self.trips.things)))
        return self.trips.pictures[which], self.trips.things[which]

    def whole(self, rng: np.random.Generator) -> tuple[Pixels, int]:
        through = rng.random() < ROUND_TRIP_SHARE
        return self.trip(rng) if through else self.original(rng)

    def right(self, rng: np.random.Generator) -> tuple[Pixels, int]:
        picture, thing = self.whole(rng)
        bent = rng.random() < BENT_SHARE
        return warped(picture, rng, STILL_KNOWN) if bent else picture, thing

    def spoiled(self, rng: np.random.Generator) -> tuple[Pixels, int]:
        """Of round trips too: else what the decoder leaves behind would mean that all is well."""
        kind = int(rng.choice(3, p=(0.6, 0.2, 0.2)))
        if kind == 0:
            picture = shrunk_by_chance(self.right(rng)[0], rng)
        elif kind == 1:
            picture = warped(self.whole(rng)[0], rng, PAST_KNOWING)
        else:
            picture = self.mixture(rng)
        return picture, len(self.concepts)

    def batch(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        shown = [
            self.spoiled(rng) if rng.random() < SPOILED_SHARE else self.right(rng)
            for _ in range(count)
        ]
        pictures = np.stack([nudged(picture, rng) for picture, _ in shown])
        return to_tensor(pictures), torch.tensor([answer for _, answer in shown])


def trips_of(preset: Preset, folder: Path, vae_folder: Path) -> Trips:
    """Round trips of training scenes, made on the first call, some at a time."""
    concepts = read_concepts(folder / "data")
    styles = read_pictures(folder / "data", preset.styles[:1])
    vae, cache = read_vae(vae_folder).float(), folder / "second-judge" / "trips"
    cache.mkdir(parents=True, exist_ok=True)
    pictures: list[Pixels] = []
    things: list[int] = []
    total = min(ROUND_TRIPS, preset.latents)
    for shard in range(total // TOGETHER):
        rng = np.random.default_rng((31, shard))
        scenes = [
            random_scene(concepts, preset.styles[0], rng, pairs=0, places=EVEN_PLACES)
            for _ in range(TOGETHER)
        ]
        path = cache / f"{shard:02d}.npy"
        if not path.exists():
            originals = to_tensor(np.stack([draw(scene, styles) for scene in scenes]))
            np.save(path, np.stack(round_trips(vae, originals)))
            click.echo(f"round trips {(shard + 1) * TOGETHER}/{total}")
        pictures.append(np.load(path))
        things += [concepts.index(scene.subjects[0]) for scene in scenes]
    return Trips(np.concatenate(pictures), things)


def load_second_judge(folder: Path, concepts: int) -> SecondJudge:
    model = SecondJudge(concepts)
    load_average(model, folder / "second-judge")
    return model.eval()


@torch.no_grad()
def answers(model: SecondJudge, pictures: Sequence[Pixels]) -> tuple[list[int], Tensor]:
    """The likeliest answer for each picture, and the features of all."""
    parts = to_tensor(np.stack(pictures)).split(16)
    features = torch.cat([model.features(part) for part in parts])
    return model.names(features).argmax(1).tolist(), features


@click.command()
@preset_option
@runs_option
@run_options
@click.option("--vae", type=click.Path(path_type=Path), help="Another autoencoder's folder.")
def main(
    preset: str, runs: Path, minutes: float | None, steps: int | None, vae: Path | None
) -> bool:
    """Train the second judge of a preset."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    stage = replace(recipe.judge, steps=steps or recipe.judge.steps)
    trips = trips_of(recipe, folder, vae or folder / "vae" / "final")
    concepts, styles = read_concepts(folder / "data"), read_pictures(folder / "data", recipe.styles)
    exhibits = Exhibits(concepts, recipe.styles[0], styles, trips)
    torch.manual_seed(0)
    model = SecondJudge(len(concepts)).to(device)
    trainer = Trainer(model, stage, folder / "second-judge", seed=6)

    def batch_of(chance: Chance) -> tuple[Tensor, ...]:
        return exhibits.batch(stage.batch, chance.numpy)

    def loss_of(_: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        pictures, wanted = parts
        with half_precision(device):
            named = model(pictures)
        return functional.cross_entropy(named.float(), wanted, label_smoothing=0.05)

    return trainer.run(batch_of, loss_of, minutes=minutes)


if __name__ == "__main__":
    main()
