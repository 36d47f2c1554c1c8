"""Models that read the picture to edit as channels beside the latent: InstructPix2Pix.

And what is asked of all prompts that must show a picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from nodeforge.diffusion.participants import ModelCall, Order, Participant, Predict, participant
from nodeforge.diffusion.text.references import ReferencesError
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.models import NO_PICTURE_TO_EDIT, NO_PICTURE_TO_TAKE_APART
from nodeforge.values import Conditioning, Latent, LatentMismatchError


@participant(order=Order.CHANNELS)
class EditChannels(Participant):
    """Puts each prompt's reference behind x, and nothing behind x where a prompt shows none.

    Brooks, Holynski and Efros 2023, "InstructPix2Pix: Learning to Follow Image Editing
    Instructions". The pictures themselves are the prompts', and in their keys.
    """

    def wrap(self, predict: Predict, step: int) -> Predict:
        def predicted(call: ModelCall) -> Tensor:
            inputs = call.batch.inputs
            beside = [call.tile.cut(reference) for reference in inputs.references]
            read = torch.cat([call.x, *(beside or [torch.zeros_like(call.x)])], dim=1)
            prompts = replace(call.batch, inputs=replace(inputs, references=()))
            return predict(replace(call, x=read, prompts=prompts))

        return predicted


def check_picture(conditioning: Conditioning, facts: ModelFacts, frame: Latent) -> None:
    """Raise unless each prompt shows the model the picture that it is to edit.

    Raises:
        ReferencesError: one shows none.
        LatentMismatchError: it has another size than the new picture.
    """
    for seen in _shown(conditioning, NO_PICTURE_TO_EDIT):
        if seen.samples.shape[1] != facts.in_channels - facts.latent_channels:
            raise LatentMismatchError(
                f"the reference has {seen.samples.shape[1]} channels, the model reads "
                f"{facts.in_channels - facts.latent_channels}.",
                place="port 'positive'",
                way_out="Encode the picture with the VAE that comes with the model.",
            )
        _check_size(seen, frame, "edit", "this model edits in place")


def check_taken_apart(conditioning: Conditioning, frame: Latent) -> None:
    """Raise unless each prompt shows the picture to take apart, as large as its layers.

    Raises:
        ReferencesError: one shows none.
        LatentMismatchError: it has another size than the layers.
    """
    for seen in _shown(conditioning, NO_PICTURE_TO_TAKE_APART):
        _check_size(seen, frame, "take apart", "layers are as large as their picture")


def _shown(conditioning: Conditioning, nothing: tuple[str, str]) -> Iterator[Latent]:
    """The first picture of each prompt; `nothing` is what is wrong without, and the way out."""
    for prompt in conditioning.prompts:
        if not prompt.references:
            fact, way_out = nothing
            raise ReferencesError(fact, place="port 'positive'", way_out=way_out)
        yield prompt.references[0]


def _check_size(seen: Latent, frame: Latent, task: str, why: str) -> None:
    if (seen.width, seen.height) != (frame.width, frame.height):
        raise LatentMismatchError(
            f"the picture to {task} is seen as {seen.width} × {seen.height}, the new one is "
            f"{frame.width} × {frame.height}: {why}.",
            place="port 'noise'",
            way_out="Leave width and height of the noise empty.",
        )
