"""Qwen-Image: the behaviour (Qwen Team 2025; diffusers' QwenImagePipeline, …EditPlusPipeline)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, encode_in_template, kept
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.packing import in_sequence, pack, unpack
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.seeing import PLACE, encode_seeing, patches_of
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Image, Prompt

_LAYERS = (-1,)
_INSTRUCTED = 64
"""Tokens before an instruction and its pictures, which the denoiser does not read."""
_SEEN_SIDE = 384
"""Of the square with as many pixels as the text encoder sees of a picture."""


@dataclass(frozen=True)
class QwenImage(Behaviour):
    """It reads as many tokens as the text has, and after the picture those that it edits."""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        return encode_in_template(encoder, FAMILIES[self.name], text, check, _LAYERS)

    def encode_instruction(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        pictures: Sequence[Image],
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        family, (language, *_) = FAMILIES[self.name], encoder.encoders
        seen = patches_of(language.network, pictures, _SEEN_SIDE)
        places = "".join(
            f"{family.reference_called(number)}: <|vision_start|>{PLACE}<|vision_end|>"
            for number, _ in enumerate(seen.tokens, 1)
        )

        def encoded(words: str) -> PromptInputs:
            asked = family.instruction_template.format(places + words)
            said = encode_seeing(language, asked, seen, _INSTRUCTED + family.text_length)
            start = slice(_INSTRUCTED, None)
            return kept(PromptInputs(said.state[:, start], mask=said.mask[:, start].bool()))

        said = empty = encoded("")
        if text:
            check()
            said = encoded(text)
        return Conditioning(
            (Prompt(said.embedding, mask=said.mask),),
            empty.embedding,
            encoder.family,
            empty_mask=empty.mask,
        )

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        height, width = x.shape[-2:]
        made = self.read(model, [x, *said.references], timestep, said)
        return unpack(made[:, : self.image_tokens(height, width)], height, width).float()

    def read(
        self,
        model: LoadedModel,
        pictures: Sequence[Tensor],
        timestep: Tensor,
        said: PromptInputs,
        **more: Tensor,
    ) -> Tensor:
        """What the network says of the tokens of latents: (batch, tokens, 4 * channels).

        Args:
            model: The denoiser.
            pictures: (batch, channels, height, width) each, in the order in which it reads them.
            timestep: As in `predict`.
            said: What the prompts say.
            more: What else it reads.
        """
        assert said.mask is not None
        dtype, batch = model.dtype, len(pictures[0])
        text, mask = _trimmed(said.embedding.to(dtype), said.mask)
        return model.network(
            hidden_states=in_sequence([pack(each.to(dtype)) for each in pictures]),
            timestep=timestep.expand(batch).to(pictures[0].device, dtype) / 1000,
            encoder_hidden_states=text,
            encoder_hidden_states_mask=mask,
            img_shapes=[[(1, *(side // 2 for side in each.shape[-2:])) for each in pictures]]
            * batch,
            return_dict=False,
            **more,
        )[0]

    def image_tokens(self, height: int, width: int) -> int:
        return height // 2 * (width // 2)


def _trimmed(text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
    """The tokens without padding that none of the batch reads; no mask where there is none left.

    Attention with a mask that leaves nothing out gives other last bits.
    """
    if mask.is_meta:
        return text, None
    longest = int(mask.sum(1).max())
    text, mask = text[:, :longest], mask[:, :longest]
    return text, None if bool(mask.all()) else mask


QWEN_IMAGE = QwenImage("qwen_image")
