"""ACE-Step 1.5: the behaviour (diffusers' AceStepPipeline)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.families.behaviour import Behaviour
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.schedules.schedule import TO_ZERO
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.clip import PromptError
from nodeforge.diffusion.text.songs import Song
from nodeforge.diffusion.text.subwords import encode_llm, word_vectors
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Prompt

_LAST = (-1,)
_TIMES = 1024
"""The model is told 0 to 1; a power of two keeps the bits of the level, which 1000 does not."""
_TIMBRE_CELLS = 750
"""Thirty seconds, in which the model hears a voice."""
_MOST_KEPT = 4
"""Conditions: those of a prompt, of a negative prompt, and of two that took their turns."""
_NOTHING = 1
"""Tokens of the condition for nothing, which repeated are the same to cross-attention."""


@dataclass(frozen=True)
class AceStep(Behaviour):
    """It reads a caption, lyrics and the voice of a sound, here of silence, through an encoder."""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        """A caption alone: nothing is sung, and the length is the usual one."""
        return self.encode_song(encoder, Song(text), check)

    def encode_song(
        self,
        encoder: LoadedTextEncoder,
        song: Song,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        said = self._encoded(encoder, song)
        check()
        empty = self._encoded(encoder, Song())
        return Conditioning(
            (said,),
            empty.embedding,
            encoder.family,
            empty_mask=empty.mask,
            empty_lyrics=empty.lyrics,
        )

    def _encoded(self, encoder: LoadedTextEncoder, song: Song) -> Prompt:
        family, reader = FAMILIES[self.name], encoder.encoders[0]
        assert family.sound is not None
        told = song.facts(family.sound.usual_seconds)
        asked = f"{family.prompt_template.format(song.caption)}{told}"
        _check_length("caption", reader.tokenizer.count(asked), family.text_length)
        _check_length("lyrics", reader.tokenizer.count(song.sung), family.lyrics_length)
        said = encode_llm(reader, asked, family.text_length, _LAST, padded=False)
        lyrics = word_vectors(reader, song.sung, family.lyrics_length)
        mask = torch.ones(said.state.shape[:2], dtype=torch.bool)
        return Prompt(said.state.float().cpu(), mask=mask, lyrics=lyrics.float().cpu())

    def default_negative(self, positive: Conditioning, facts: ModelFacts) -> Conditioning | None:
        """No token is read: the condition that the model learned for nothing."""
        nothing = positive.empty_prompt
        assert nothing.mask is not None
        return replace(positive, prompts=(replace(nothing, mask=torch.zeros_like(nothing.mask)),))

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        dtype = model.dtype
        time = (timestep / _TIMES).to(x.device, dtype)
        told = [_condition(model, said, row) for row in range(len(x))]
        lengths = {each.shape[1] for each in told} - {_NOTHING}
        # prompts of different lengths have a call each: nothing masks what would be filled up
        most = len(x) if len(lengths) < 2 else 1
        made = [
            _predicted(model.network, x[at : at + most].to(dtype), time, told[at : at + most])
            for at in range(0, len(x), most)
        ]
        # one is kept as it lies in memory, which decides the last bit of what guidance adds up
        return (made[0] if len(made) == 1 else torch.cat(made)).float()


def _check_length(port: str, tokens: int, most: int) -> None:
    """Refuse what would lose its end: the caption's is what is told of length, beat and key."""
    if tokens > most:
        raise PromptError(
            f"it has {tokens - most} tokens more than the {most} that the model reads.",
            place=f"port '{port}'",
            way_out="Shorten it; a word has one to two tokens.",
        )


def _predicted(network: Any, x: Tensor, time: Tensor, told: Sequence[Tensor]) -> Tensor:
    """The flow of a batch whose items are told equally many tokens, or nothing."""
    tokens = max(each.shape[1] for each in told)
    condition = torch.cat([each.expand(-1, tokens, -1) for each in told])
    silence = _silence(network.condition_encoder)[:, : x.shape[2]]
    over = torch.cat([silence, torch.ones_like(silence)], -1).expand(len(x), -1, -1)
    times = time.expand(len(x))
    flow = network(
        hidden_states=x.transpose(1, 2),
        timestep=times,
        timestep_r=times,
        encoder_hidden_states=condition,
        context_latents=over,
        return_dict=False,
    )[0]
    return flow.transpose(1, 2)


def _condition(model: LoadedModel, said: PromptInputs, row: int) -> Tensor:
    """What cross-attention reads for one of a batch: (1, tokens, width); of nothing 1 token.

    The encoder has a third of the denoiser's numbers, so what it said is kept for the next steps.
    """
    encoder, dtype = model.network.condition_encoder, model.dtype
    assert said.mask is not None
    read = said.mask[row]
    words, lyrics = said.embedding[row : row + 1, read], said.lyrics[row][None]
    if not read.any() or not (words.is_meta or words.any()):
        return encoder.null_condition_emb.to(words.device, dtype)
    for kept_words, kept_lyrics, condition in model.kept:
        if _same(kept_words, words) and _same(kept_lyrics, lyrics):
            return condition
    every = torch.ones(lyrics.shape[:2], dtype=torch.bool, device=lyrics.device)
    sung = encoder.lyric_encoder(lyrics.to(dtype), every)
    # the encoder's own call packs these, and cannot run where memory is only estimated
    condition = torch.cat([sung, _timbre(encoder), encoder.text_projector(words.to(dtype))], 1)
    model.kept = [*model.kept[1 - _MOST_KEPT :], (words, lyrics, condition)]
    return condition


def _timbre(encoder: Any) -> Tensor:
    """The voice of silence: (1, 1, width)."""
    silence = _silence(encoder)[:, :_TIMBRE_CELLS]
    if silence.is_meta:
        return silence.new_zeros(1, 1, encoder.config.hidden_size)
    item = torch.zeros(1, dtype=torch.long, device=silence.device)
    return encoder.timbre_encoder(silence, item)[0]


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and (one.is_meta or torch.equal(one, other))


def _silence(encoder: Any) -> Tensor:
    """Ten minutes of it, encoded: (1, cells, channels).

    Raises:
        LoadingError: it is of zeros, which models were not trained with: they drone.
    """
    silence = encoder.silence_latent
    if not (silence.is_meta or silence.any()):
        raise LoadingError(
            "its encoded silence, 'silence_latent' of the condition encoder, is all zeros.",
            place="port 'model'",
            way_out="It was converted without it: choose another copy of the model's folder.",
        )
    return silence


ACE_STEP = AceStep("ace_step", scheduler={"num_train_timesteps": _TIMES, TO_ZERO: True})
