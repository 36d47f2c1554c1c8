"""Teach the text encoder what its captions name, before the UNet listens to it.

From scratch, the UNet hears the background within 200 steps and the thing hardly after 480
(swapping it in the caption changed the loss by 1 %): a single word among paddings. Here every
state after the caption's end learns to tell things, colours and place, in two minutes.
"""

from dataclasses import replace
from pathlib import Path

import click
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel

from tools.nano.batches import Chance
from tools.nano.captions import caption
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts
from tools.nano.presets import PRESETS
from tools.nano.runs import preset_option, run_options, runs_option, set_up
from tools.nano.scenes import COLOURS, PLACES, Scene, random_scene
from tools.nano.shapes import TEXT_WIDTH, new_text_encoder
from tools.nano.tokens import END, Words, tokenizer_of
from tools.nano.training import Trainer


class Reader(nn.Module):
    """The text encoder with one linear layer that scores all that a scene may have."""

    def __init__(self, text_encoder: CLIPTextModel, labels: int) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.scores = nn.Linear(TEXT_WIDTH, labels)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.scores(self.text_encoder(tokens).last_hidden_state)


def label_count(concepts: int) -> int:
    return concepts + 2 * len(COLOURS) + len(PLACES)


def labels_of(scene: Scene, positions: dict[Concept, int]) -> Tensor:
    """Ones at the scene's things, its colours from the top, and its place."""
    colours, places = list(COLOURS), list(PLACES)
    labels = torch.zeros(label_count(len(positions)))
    first, second, place = len(positions), len(positions) + len(colours), -len(places)
    for subject in scene.subjects:
        labels[positions[subject]] = 1
    labels[first + colours.index(scene.colour)] = 1
    labels[second + colours.index(scene.second_colour or scene.colour)] = 1
    if scene.place in places:
        labels[place + places.index(scene.place)] = 1
    return labels


def reading_loss(scores: Tensor, labels: Tensor, tokens: Tensor, end: int) -> Tensor:
    """Over the states from the caption's end on, paddings included."""
    wanted = labels[:, None].expand_as(scores)
    weights = torch.where(wanted > 0, 20.0, 1.0)
    errors = functional.binary_cross_entropy_with_logits(
        scores.float(), wanted, weights, reduction="none"
    )
    return errors.mean(-1)[tokens == end].mean()


@click.command()
@preset_option
@runs_option
@run_options
def main(preset: str, runs: Path, minutes: float | None, steps: int | None) -> bool:
    """Teach the text encoder of a preset."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    concepts, tokenizer = read_concepts(folder / "data"), tokenizer_of(folder)
    words, end = Words(tokenizer), tokenizer.get_vocab()[END]
    positions = {concept: index for index, concept in enumerate(concepts)}
    torch.manual_seed(0)
    reader = Reader(new_text_encoder(tokenizer), label_count(len(concepts))).to(device)
    stage = replace(recipe.text, steps=steps or recipe.text.steps)
    trainer = Trainer(reader, stage, folder / "text", seed=5)

    def batch_of(chance: Chance) -> tuple[Tensor, ...]:
        styles = chance.numpy.choice(recipe.styles, size=stage.batch)
        scenes = [random_scene(concepts, str(style), chance.numpy) for style in styles]
        tokens = words([caption(scene, chance.numpy, recipe.styles[0]) for scene in scenes])
        return tokens, torch.stack([labels_of(scene, positions) for scene in scenes])

    def loss_of(_: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        tokens, labels = parts
        with torch.autocast(device.type, torch.bfloat16):
            scores = reader(tokens)
        return reading_loss(scores, labels, tokens, end)

    return trainer.run(batch_of, loss_of, minutes=minutes)


if __name__ == "__main__":
    main()
