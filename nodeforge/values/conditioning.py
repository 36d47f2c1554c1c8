"""An encoded prompt with its areas, ranges and controls; not the text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nodeforge.values.uncounted_fields import counted_if_not

if TYPE_CHECKING:
    from torch import Tensor

    from nodeforge.values.latent import Latent
    from nodeforge.values.pictures import Image, Mask
    from nodeforge.values.recipes import ControlNet, IpAdapter

PROMPT_CHUNK = 75
"""Tokens of a prompt that CLIP reads at once, beside a start and an end."""

MOST_PROMPT_CHUNKS = 32
"""Chunks a prompt may have; each lengthens what every step reads."""


@dataclass(frozen=True)
class Control:
    """A picture that steers the denoiser through a ControlNet.

    Args:
        controlnet: Which network.
        hint: What it reads, as edges or a depth map.
        strength: Weight of its influence, 0 is none.
        start: Share of the steps run from which it acts.
        end: Share of the steps run up to which it acts.
    """

    controlnet: ControlNet
    hint: Image
    strength: float
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class AddedConditions:
    """What SDXL is told of the training pictures that its own should be like.

    Args:
        original: Width and height before they were scaled, pixels; None is the picture's size.
        crop: Left and top of what was cut out of them, pixels.
        target: Width and height that they were scaled to, pixels; None is the picture's size.
        aesthetic: How much people liked them, 0..10, for the refiner; None is its own for
            prompts and for negative prompts.
    """

    original: tuple[int, int] | None = None
    crop: tuple[int, int] = (0, 0)
    target: tuple[int, int] | None = None
    aesthetic: float | None = None


@dataclass(frozen=True)
class ImagePrompt:
    """What a picture says to the denoiser through an IP-Adapter.

    Args:
        adapter: What makes tokens of what is seen.
        seen: What the image encoder says of the pictures, float32: (1, pictures, width), or
            (1, pictures, places, width) for adapters that read every place.
        unseen: What negative prompts see instead, of the same shape.
        strength: Weight of its influence, 0 is none.
        start: Share of the steps run from which it acts.
        end: Share of the steps run up to which it acts.
    """

    adapter: IpAdapter
    embedding: Tensor
    negative_embedding: Tensor
    strength: float
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class Prompt:
    """One encoded prompt.

    Args:
        embedding: float32, (1, tokens, width); tokens is a multiple of the encoder's chunk.
        pooled: float32, (1, width), for families that use one.
        mask: bool, (1, tokens), which tokens are read; None is all.
        start: Share of the steps run from which it acts.
        end: Share of the steps run up to which it acts.
        turn: Which of how many steps it acts in: (0, 2) is every other one, from the first.
        steps: Which of the steps run it acts in, counted from 0, the last one left out; None is
            up to the end.
        weight: Its share where several act at once.
        area: Where it acts; None is everywhere.
        controls: What steers the denoiser while it acts.
        images: What it shows beside its words.
        framing: Of the training pictures, for families that are told of them.
        references: Pictures that an edit model sees beside the words, in their order.
        places: Before which of its tokens each of them is, for families that read pictures between
            the words; those without a place come after them.
        lyrics: float32, (1, tokens, width), the word vectors of what is sung, for families that
            read lyrics.
        numbered: float32, (1, tokens, 2), the number of each word and its weight, for families
            whose denoiser is told numbers of words beside the embedding.
    """

    embedding: Tensor
    pooled: Tensor | None = None
    start: float = 0.0
    end: float = 1.0
    turn: tuple[int, int] = (0, 1)
    steps: tuple[int, int | None] = (0, None)
    weight: float = 1.0
    area: Mask | None = None
    controls: tuple[Control, ...] = ()
    images: tuple[ImagePrompt, ...] = ()
    added_conditions: AddedConditions = AddedConditions()
    mask: Tensor | None = None
    references: tuple[Latent, ...] = ()
    places: tuple[int, ...] = field(default=(), metadata=counted_if_not(()))
    lyrics: Tensor | None = field(default=None, metadata=counted_if_not(None))
    numbered: Tensor | None = field(default=None, metadata=counted_if_not(None))


@dataclass(frozen=True)
class Conditioning:
    """Encoded prompts of one family.

    Args:
        prompts: At least one.
        empty: float32, (1, chunk, width): the encoder's empty chunk, with which the loop
            lengthens the shorter of two prompts.
        family: Whose text encoder made it.
        empty_pooled: float32, (1, width), what `Prompt.pooled` is for the empty prompt.
        empty_mask: bool, (1, chunk), what `Prompt.mask` is for the empty prompt.
        empty_places: What `Prompt.places` is for the empty prompt.
        empty_lyrics: What `Prompt.lyrics` is for the empty prompt.
        empty_numbered: What `Prompt.numbered` is for the empty prompt.
    """

    prompts: tuple[Prompt, ...]
    empty: Tensor
    family: str
    empty_pooled: Tensor | None = None
    empty_mask: Tensor | None = None
    empty_places: tuple[int, ...] = field(default=(), metadata=counted_if_not(()))
    empty_lyrics: Tensor | None = field(default=None, metadata=counted_if_not(None))
    empty_numbered: Tensor | None = field(default=None, metadata=counted_if_not(None))

    @property
    def empty_prompt(self) -> Prompt:
        """The empty prompt."""
        empty, pooled, mask = self.empty, self.empty_pooled, self.empty_mask
        return Prompt(
            empty,
            pooled,
            mask=mask,
            places=self.empty_places,
            lyrics=self.empty_lyrics,
            numbered=self.empty_numbered,
        )

    def each(self, **changes: object) -> Conditioning:
        """This conditioning with `changes` made to every prompt."""
        prompts = tuple(replace(prompt, **changes) for prompt in self.prompts)  # pyright: ignore[reportArgumentType]
        return replace(self, prompts=prompts)
