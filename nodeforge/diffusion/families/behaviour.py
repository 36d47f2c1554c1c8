"""What a family's denoiser asks of the rest: the base class of all behaviour."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nodeforge.diffusion.networks.kv_cache import KvCache
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.schedules.resolution_shift import empirical_mu, mu_of
from nodeforge.diffusion.schedules.schedule import MU, ROUNDS_UP, whole_steps
from nodeforge.diffusion.schedules.spacings import FOR_FLOW
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.songs import Song, check_lyrics
from nodeforge.diffusion.text.subwords import encode_llm
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.models import Family
from nodeforge.values import AddedConditions, Conditioning, Image, Latent, Prompt, Schedule
from nodeforge.values.setting_names import COMFYUI, DIFFUSERS


@dataclass(frozen=True)
class Behaviour(ABC):
    """How one family encodes text, and how its denoiser is called.

    Args:
        name: As in `nodeforge.models.families`.
        scheduler: What diffusers' pipeline changes in every scheduler's configuration.
    """

    name: str
    scheduler: Mapping[str, Any] = field(default_factory=dict)

    @abstractmethod
    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        """Encode a prompt.

        Args:
            encoder: The family's text encoders.
            text: The prompt.
            clip_skip: Last layers left out, where the family's encoders are CLIP's.
            check: Called between parts of the work; what it raises stops it.

        Returns:
            One prompt, float32 on the CPU.

        Raises:
            PromptError: the text is too long, or the encoder has no such layer.
        """

    def encode_instruction(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        pictures: Sequence[Image],
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        """Encode what should change of pictures, for families whose text encoders see them.

        Args:
            encoder: The family's text encoders.
            text: The instruction.
            pictures: What is to be edited comes first; a batch counts as so many.
            check: Called between parts of the work; what it raises stops it.

        Raises:
            PromptError: the text says something that stands for a picture.
        """
        del pictures
        return self.encode(encoder, text, 0, check)

    def encode_song(
        self,
        encoder: LoadedTextEncoder,
        song: Song,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        """Encode what a song should be, for families that read lyrics.

        Raises:
            PromptError: the family does not, or caption or lyrics are too long.
        """
        check_lyrics(self.name)
        raise NotImplementedError

    @abstractmethod
    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        """The network's prediction: epsilon, v or flow, float32, of the latent's shape.

        Args:
            model: The denoiser.
            x: As the network reads it, (batch, channels, height, width), with the channels that
                an inpainting model reads beside the latent.
            timestep: One, without axes, 0..1000; of a video of which cells are given, one for each
                cell, (1, cells, height, width).
            said: What the prompts say, for each of the batch.
            residuals: What ControlNets add inside the network.
        """

    def prefill(self, model: LoadedModel, said: PromptInputs) -> KvCache | None:
        """What the network makes of the prompts alone, for models that have a KV cache.

        Args:
            model: The denoiser.
            said: As `predict` has it, which then finds this in it; on the device.

        Returns:
            None where there is nothing to keep.
        """
        return None

    def default_negative(self, positive: Conditioning, facts: ModelFacts) -> Conditioning | None:
        """What a negative prompt that nobody gave says; None is the empty prompt."""
        return None

    def added_conditions(
        self, framing: AddedConditions, frame: Latent, wanted: bool
    ) -> Tensor | None:
        """What the denoiser is told beside the text, float32, (1, count); None is nothing.

        Args:
            framing: Of the training pictures that are meant.
            frame: A latent of the size or length to be.
            wanted: Whether it goes with a prompt, not with a negative prompt.
        """
        return None

    def image_tokens(self, height: int, width: int) -> int:
        """How many tokens the denoiser makes of a latent of so many cells; 0 where it has none."""
        return 0

    def scheduler_for(
        self,
        facts: ModelFacts,
        height: int,
        width: int,
        schedule: Schedule,
        convention: str = DIFFUSERS,
    ) -> dict[str, Any]:
        """The scheduler's configuration, as the family's pipeline would have it.

        Args:
            facts: Of the model.
            height, width: Of the latent, cells.
            schedule: What is walked.
            convention: Whose numbers the loop follows.
        """
        config = {**facts.scheduler, **self.scheduler}
        steps = whole_steps(schedule)
        if schedule.name in FOR_FLOW:
            tokens = self.image_tokens(height, width) or round(
                height * width * (facts.scale / 16) ** 2
            )
            return {**config, MU: empirical_mu(tokens, steps)}
        if convention == COMFYUI:
            fixed = {} if facts.comfyui_shift is None else {"shift": facts.comfyui_shift}
            return {**config, **fixed}
        if facts.rounds_strength_up:
            config[ROUNDS_UP] = True
        mu = mu_of(facts.shift, config, self.image_tokens(height, width), steps)
        return config if mu is None else {**config, MU: mu}


def with_empty_prompt(
    encoder: LoadedTextEncoder,
    text: str,
    encoded: Callable[[str, PromptInputs | None], PromptInputs],
    check: Callable[[], None],
    read_as: Hashable = "",
) -> Conditioning:
    """The conditioning of one text, and beside it what the encoders say of none.

    Args:
        encoder: Keeps what it says of no text.
        text: The prompt.
        encoded: From a text, and what is said of none but for that itself, to the inputs.
        check: Called between the two; what it raises stops the work.
        read_as: What else decides what they say, as clip skip.
    """
    if read_as not in encoder.empty_prompts:
        encoder.empty_prompts[read_as] = encoded("", None)
        check()
    empty = encoder.empty_prompts[read_as]
    said = encoded(text, empty) if text else empty
    prompt = Prompt(said.embedding, said.pooled, mask=said.mask)
    return Conditioning(
        (prompt,), empty.embedding, encoder.family, empty_pooled=empty.pooled, empty_mask=empty.mask
    )


def encode_in_template(
    encoder: LoadedTextEncoder,
    family: Family,
    text: str,
    check: Callable[[], None],
    layers: tuple[int, ...],
    padding_place: int | None = None,
    said: Callable[[str], str] = str,
) -> Conditioning:
    """The conditioning of a text that a language model reads in its family's template.

    Such families were not trained with weights of words.

    Args:
        encoder, text, check: As `with_empty_prompt` has them.
        family: Whose template.
        layers, padding_place: As `encode_llm` has them.
        said: From a prompt to what is put into the template.
    """

    def encoded(words: str, empty: PromptInputs | None) -> PromptInputs:
        del empty  # it is for weights
        return read_in_template(encoder, family, said(words), layers, padding_place)

    return with_empty_prompt(encoder, text, encoded, check)


def read_in_template(
    encoder: LoadedTextEncoder,
    family: Family,
    words: str,
    layers: tuple[int, ...],
    padding_place: int | None = None,
) -> PromptInputs:
    """What a language model says of `words` in the family's template, as it travels.

    As many tokens as they are, without those before them that the denoiser does not read; or, for
    families that pad to a multiple, with the padding, which is read.

    Args:
        layers, padding_place: As `encode_llm` has them.
    """
    language = encoder.encoders[0]
    asked = family.prompt_template.format(words)
    length = family.unread_tokens + family.text_length
    if family.text_multiple:
        length = min(length, _multiple(language.tokenizer.count(asked), family.text_multiple))
        said = encode_llm(language, asked, length, layers, padding_place=padding_place)
        return kept(PromptInputs(said.state))
    said = encode_llm(language, asked, length, layers, padded=False)
    read = slice(family.unread_tokens, None)
    return kept(PromptInputs(said.state[:, read], mask=said.mask[:, read].bool()))


def _multiple(count: int, of: int) -> int:
    return -(-count // of) * of


def kept(said: PromptInputs) -> PromptInputs:
    """The same on the CPU in float32, as it travels."""
    pooled, mask = said.pooled, said.mask
    return PromptInputs(
        said.embedding.float().cpu(),
        None if pooled is None else pooled.float().cpu(),
        mask=None if mask is None else mask.cpu(),
    )
