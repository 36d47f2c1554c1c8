"""Shows pictures to language models that see them between the words: Qwen2.5-VL, Qwen3-VL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from nodeforge import imaging
from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.loading import LoadedEncoder
from nodeforge.diffusion.text.clip import PromptError
from nodeforge.diffusion.text.subwords import norm_left_out
from nodeforge.values import Image

PLACE = "<|image_pad|>"
"""In a text: where a token of a picture is; one stands for all of a picture."""


class Eyes(NamedTuple):
    """How a network was taught to see.

    Args:
        mean, spread: Of each colour, red, green and blue.
        white: Whether what is transparent is white; otherwise it is black.
    """

    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    white: bool = False


AS_CLIP = Eyes((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
"""Of Qwen2.5-VL."""
ON_WHITE = Eyes((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), white=True)
"""Of Qwen3-VL, as Qwen-Image 2.1 shows it pictures."""


class Seen(NamedTuple):
    """What an encoder says of a text with pictures.

    Args:
        state, mask: As in `Encoded`.
        places: bool, (1, tokens), which tokens are of pictures.
    """

    state: Tensor
    mask: Tensor
    places: Tensor


class Patches(NamedTuple):
    """Pictures as a network sees them.

    Args:
        values: (patches, colours * frames * side * side) of all pictures, float32.
        grid: Frames, rows and columns of the patches of each picture, (pictures, 3), int64.
        merged: Patches that make a token, along each side.
    """

    values: Tensor
    grid: Tensor
    merged: int

    @property
    def tokens(self) -> list[int]:
        """Of each picture."""
        return [int(each.prod()) // self.merged**2 for each in self.grid]


def patches_of(
    network: object, pictures: Sequence[Image], side: int, eyes: Eyes = AS_CLIP
) -> Patches:
    """Pictures in patches.

    Each is scaled to about the pixels of a square, in its own shape; 8 bits of its colours count.

    Args:
        network: transformers' `Qwen2_5_VLModel` or `Qwen3VLModel`.
        pictures: A batch counts as so many.
        side: Of the square, pixels.
        eyes: How the network was taught to see.

    Raises:
        LoadingError: the text encoder's file has no network that sees.
    """
    if not hasattr(network, "visual"):
        raise LoadingError(
            "the text encoder's file lacks the network that sees pictures, as GGUF files do.",
            place="port 'text_encoder'",
            way_out="Choose a safetensors file of it, which has it in 8 bits, too.",
        )
    config = network.config.vision_config  # pyright: ignore[reportAttributeAccessIssue]
    size, merged = config.patch_size, config.spatial_merge_size
    values, grid = [], []
    for picture in pictures:
        width, height = _seen_size(picture.width, picture.height, side, size * merged)
        for pixels in (picture.pixels if eyes.white else picture.colours).numpy():
            seen = torch.from_numpy(imaging.resize_to(pixels, width, height, imaging.Fit.STRETCH))
            colours = _over_white(seen.clamp(0, 1)).mul(255).round().double().mul(1 / 255).float()
            colours = (colours - torch.tensor(eyes.mean)) / torch.tensor(eyes.spread)
            rows, columns = height // size, width // size
            values.append(_cut(colours.permute(2, 0, 1), size, merged, config.temporal_patch_size))
            grid.append((1, rows, columns))
    return Patches(torch.cat(values), torch.tensor(grid), merged)


def _over_white(pixels: Tensor) -> Tensor:
    """(height, width, 3 or 4) without alpha."""
    colours, alpha = pixels[..., :3], pixels[..., 3:]
    return colours * alpha + (1 - alpha) if alpha.shape[-1] else colours


def _seen_size(width: int, height: int, side: int, multiple: int) -> tuple[int, int]:
    """Width and height near those of a square, in multiples of a token's."""
    shape = width / height
    wide, high = side * math.sqrt(shape), side / math.sqrt(shape)
    return max(1, round(wide / multiple)) * multiple, max(1, round(high / multiple)) * multiple


def _cut(colours: Tensor, size: int, merged: int, frames: int) -> Tensor:
    """(colours, height, width) in patches, those of a token one after another.

    A picture is a video of `frames` equal frames.
    """
    count, height, width = colours.shape
    high, wide = height // (size * merged), width // (size * merged)
    cut = colours.reshape(count, high, merged, size, wide, merged, size)
    cut = cut.permute(1, 4, 2, 5, 0, 3, 6)[..., None, :, :].expand(*[-1] * 5, frames, -1, -1)
    return cut.reshape(high * wide * merged**2, count * frames * size * size)


@torch.no_grad()
def encode_seeing(
    encoder: LoadedEncoder, text: str, seen: Patches, length: int, *, before_norm: bool = False
) -> Seen:
    """The last hidden state of a language model for a text with pictures.

    Args:
        encoder: The model, the network that sees within it, and its tokenizer.
        text: What it reads, with `PLACE` where each picture is.
        seen: The pictures.
        length: Tokens of words to cut at.
        before_norm: What its last layer says, without the norm behind it.

    Raises:
        PromptError: the text has more or fewer places than there are pictures.
    """
    parts = text.split(PLACE)
    if len(parts) != 1 + len(seen.tokens):
        raise PromptError(
            f"the instruction has '{PLACE}' in it, which stands for a picture.",
            place="port 'text'",
            way_out="Take it away; call a picture 'Picture 1'.",
        )
    filled = parts[0]
    for count, part in zip(seen.tokens, parts[1:], strict=True):
        filled += PLACE * count + part
    tokens = encoder.tokenizer.encode(filled, length + sum(seen.tokens), padded=False)
    device = encoder.device
    ids, mask = (torch.tensor([each], device=device) for each in (tokens.ids, tokens.mask))
    places = ids == encoder.network.config.image_token_id
    with norm_left_out(encoder.network) if before_norm else nullcontext():
        states = encoder.network(
            input_ids=ids,
            attention_mask=mask,
            pixel_values=seen.values.to(device),
            image_grid_thw=seen.grid.to(device),
            # without it transformers 5 places pictures as words are; diffusers leaves it out
            mm_token_type_ids=places.int(),
            output_hidden_states=True,
            use_cache=False,
        ).hidden_states
    return Seen(states[-1], mask, places)
