"""Teach the text encoder what captions, edits and moves name, before a UNet listens to it.

From scratch, the UNet hears the background within 200 steps and the thing hardly after 480
(swapping it in the caption changed the loss by 1 %): a single word among paddings. Here every
state after the text's end learns to tell things, colours, place, edit and move, in minutes. One
text encoder so serves the model, its edits and its motion.
"""

from dataclasses import replace
from pathlib import Path

import click
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel

from tools.nano.batches import Chance
from tools.nano.data import read_concepts
from tools.nano.meanings import Meanings
from tools.nano.presets import PRESETS
from tools.nano.runs import (
    from_option,
    half_precision,
    preset_option,
    run_options,
    runs_option,
    set_up,
)
from tools.nano.shapes import TEXT_WIDTH, new_text_encoder
from tools.nano.tokens import END, Words, tokenizer_of
from tools.nano.training import Trainer, load_average


class Reader(nn.Module):
    """The text encoder with one linear layer that scores all that a text may name."""

    def __init__(self, text_encoder: CLIPTextModel, labels: int) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.scores = nn.Linear(TEXT_WIDTH, labels)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.scores(self.text_encoder(tokens).last_hidden_state)


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
@from_option
@run_options
def main(
    preset: str, runs: Path, start: Path | None, minutes: float | None, steps: int | None
) -> bool:
    """Teach the text encoder of a preset."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    concepts, tokenizer = read_concepts(folder / "data"), tokenizer_of(folder)
    words, end = Words(tokenizer), tokenizer.get_vocab()[END]
    meanings = Meanings(concepts, recipe.styles)
    torch.manual_seed(0)
    reader = Reader(new_text_encoder(tokenizer), len(meanings)).to(device)
    if start is not None:
        load_average(reader, start / "text")
    stage = replace(recipe.text, steps=steps or recipe.text.steps)
    trainer = Trainer(reader, stage, folder / "text", seed=5)

    def batch_of(chance: Chance) -> tuple[Tensor, ...]:
        told, labels = meanings.batch(stage.batch, chance.numpy)
        return words(told), labels

    def loss_of(_: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        tokens, labels = parts
        with half_precision(device):
            scores = reader(tokens)
        return reading_loss(scores, labels, tokens, end)

    return trainer.run(batch_of, loss_of, minutes=minutes)


if __name__ == "__main__":
    main()
