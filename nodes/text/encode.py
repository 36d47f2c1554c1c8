"""From words to what a denoiser reads."""

from typing import Annotated

from nodeforge.api import Conditioning, Multiline, Range, RunContext, TextEncoder, node
from nodeforge.diffusion import change_at_step, encode_text, with_named


@node("text.encode", version=3, title="Encode prompt")
def encode(
    run: RunContext,
    text_encoder: TextEncoder,
    text: Annotated[str, Multiline(names="embedding")] = "",
    clip_skip: Annotated[int, Range(0, 11)] = 0,
) -> Conditioning:
    """Encode a prompt.

    `(word:1.2)` makes a word count more, `(word)` a little more, `[word]` a little less, and
    `\\(` is a bracket. `[cat:dog:0.4]` says dog from 0.4 of the steps on, `[cat:dog:12]` after
    twelve steps; `[dog:0.4]` and `[cat::0.4]` only begin or end then, and `[cat|dog]` takes
    turns, a step each. A number with a point is a share of the steps run, one without counts
    them: `1` is after the first step, `1.0` after the last.
    `embedding:name` says a textual inversion from the folder for embeddings, or one that 'Load
    embedding' has read under that name. Prompts of more than 75 tokens are encoded in chunks.

    Args:
        text_encoder: The model's own.
        text: What the picture should show, or should not.
        clip_skip: Last layers of the text encoder to skip (CLIP skip).
    """
    knowing = with_named(text_encoder, text, run.named)
    with run.use(text_encoder) as encoder:
        return encode_text(encoder, knowing, text, clip_skip, run.check)


@node("text.change_at_step", title="Change prompt at step")
def change_prompt(
    run: RunContext,
    conditioning: Conditioning,
    text_encoder: TextEncoder,
    text: Annotated[str, Multiline(names="embedding")] = "",
    step: Annotated[int, Range(1, 1000)] = 1,
    clip_skip: Annotated[int, Range(0, 11)] = 0,
) -> Conditioning:
    """Follow a prompt up to a step, and another text in the steps after it.

    The steps before the change stay as they were, and come from the cache. ControlNets,
    IP-Adapters and SDXL's sizes of the prompt act on the text, too; so does its area, unless
    several prompts with areas of their own are combined in it.

    Args:
        conditioning: The prompt up to the step.
        text_encoder: The model's own.
        text: What the picture should show from there, as in 'Encode prompt'.
        step: How many of the steps run follow the prompt before it.
        clip_skip: Last layers of the text encoder to skip (CLIP skip).
    """
    return change_at_step(conditioning, encode(run, text_encoder, text, clip_skip), step)
