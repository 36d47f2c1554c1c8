"""The network's inputs for prompts: embeddings, pooled text, added conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from nodeforge.values import uncounted


@dataclass(frozen=True)
class PromptInputs:
    """What one prompt says, or several one after the other.

    Args:
        embedding: (batch, tokens, width).
        pooled: (batch, width), for families that read the text as a whole too.
        numbers: (batch, count), for families that are told sizes or scores.
        guidance: (1, width), for denoisers that are told the guidance scale.
        next_timestep: (1,), the one that the step jumps to, for flow maps.
        mask: bool, (batch, tokens), which tokens are read; None is all.
        references: Latents of pictures that an edit model sees, each (batch, channels, height,
            width) of its own size.
        places: Before which token each of the first references is, as in `Prompt`.
        lyrics: Word vectors of what is sung, for each of the batch (tokens, width); empty for
            families that read none.
        numbered: Numbers of words and their weights, for each of the batch (tokens, 2); empty for
            families that are told none.
        kv_cache: What the network made of all that before, where it keeps it.
    """

    embedding: Tensor
    pooled: Tensor | None = None
    added_conditions: Tensor | None = None
    guidance: Tensor | None = None
    next_timestep: Tensor | None = None
    mask: Tensor | None = None
    references: tuple[Tensor, ...] = ()
    places: tuple[int, ...] = ()
    lyrics: tuple[Tensor, ...] = ()
    numbered: tuple[Tensor, ...] = ()
    kv_cache: Any = field(default=None, metadata=uncounted("made of the others"))

    def expanded_to(self, x: Tensor) -> PromptInputs:
        """The same for each item of `x`, on its device."""

        def each(tensor: Tensor | None) -> Tensor | None:
            if tensor is None:
                return None
            return _expanded(tensor, x)

        embedding = each(self.embedding)
        assert embedding is not None
        return PromptInputs(
            embedding,
            each(self.pooled),
            each(self.added_conditions),
            mask=each(self.mask),
            references=tuple(_expanded(reference, x) for reference in self.references),
            places=self.places,
            lyrics=tuple(lyrics.to(x.device) for lyrics in self.lyrics) * x.shape[0],
            numbered=tuple(words.to(x.device) for words in self.numbered) * x.shape[0],
        )

    def repeated(self, times: int) -> PromptInputs:
        """The same for each of `times` frames of an item, one after another."""

        def each(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.repeat_interleave(times, 0)

        return replace(
            self,
            embedding=self.embedding.repeat_interleave(times, 0),
            pooled=each(self.pooled),
            added_conditions=each(self.added_conditions),
            mask=each(self.mask),
            references=tuple(each.repeat_interleave(times, 0) for each in self.references),
        )

    def arguments(self, dtype: torch.dtype) -> dict[str, Any]:
        """The arguments of diffusers' UNets and ControlNets.

        Numbers stay in float32: half precision does not know all sizes.
        """
        told: dict[str, Any] = {"encoder_hidden_states": self.embedding.to(dtype)}
        if self.pooled is not None and self.added_conditions is not None:
            pooled = self.pooled.to(dtype)
            told["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": self.added_conditions}
        if self.guidance is not None:
            told["timestep_cond"] = self.guidance.to(self.embedding.device, dtype).expand(
                self.embedding.shape[0], -1
            )
        return told


def _expanded(tensor: Tensor, x: Tensor) -> Tensor:
    return tensor.to(x.device).expand(x.shape[0], *[-1] * (tensor.ndim - 1))


def concatenated(said: Sequence[PromptInputs]) -> PromptInputs:
    """What all of `said` say, one after the other along the batch."""

    def cat(tensors: list[Tensor | None]) -> Tensor | None:
        there = [tensor for tensor in tensors if tensor is not None]
        return torch.cat(there) if len(there) == len(said) else None

    return PromptInputs(
        torch.cat([each.embedding for each in said]),
        cat([each.pooled for each in said]),
        cat([each.added_conditions for each in said]),
        mask=cat([each.mask for each in said]),
        references=tuple(
            torch.cat(same) for same in zip(*(each.references for each in said), strict=True)
        ),
        places=said[0].places,
        lyrics=tuple(lyrics for each in said for lyrics in each.lyrics),
        numbered=tuple(words for each in said for words in each.numbered),
    )
