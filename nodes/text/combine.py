"""Encoded prompts put together, and restricted in time and place."""

from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import Conditioning, Mask, Range, node


@node("text.combine", title="Combine prompts")
def combine(first: Conditioning, second: Conditioning) -> Conditioning:
    """Follow both prompts at every step, each with its own range and area.

    Args:
        first: One prompt, or several.
        second: One prompt, or several.
    """
    return diffusion.combine(first, second)


@node("text.average", title="Average prompts")
def average(
    first: Conditioning,
    second: Conditioning,
    weight: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.5,
) -> Conditioning:
    """Make one prompt that lies between two.

    Args:
        first: The prompt kept at weight 0.
        second: The prompt kept at weight 1.
        weight: How far to move from the first towards the second.
    """
    return diffusion.average(first, second, weight)


@node("text.concatenate", title="Concatenate prompts")
def concatenate(first: Conditioning, second: Conditioning) -> Conditioning:
    """Make one longer prompt whose parts do not bleed into each other.

    Args:
        first: The prompt that comes first.
        second: The prompt after it.
    """
    return diffusion.concatenate(first, second)


@node("text.zero", title="Zero out prompt")
def zero(conditioning: Conditioning) -> Conditioning:
    """Say nothing at all, which is less than an empty prompt says.

    Args:
        conditioning: What gives the shape.
    """
    return diffusion.zero(conditioning)


@node("text.range", version=2, title="Restrict prompt to steps")
def restrict(
    conditioning: Conditioning,
    start: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Conditioning:
    """Let a prompt act during some of the steps only, within the range it may have already.

    Args:
        conditioning: The prompt.
        start: Share of the steps after which it begins.
        end: Share of the steps after which it ends.
    """
    return diffusion.restrict(conditioning, start, end)


@node("text.area", title="Restrict prompt to area")
def area(
    conditioning: Conditioning,
    mask: Mask,
    strength: Annotated[float, Range(0.0, 10.0, step=0.05)] = 1.0,
) -> Conditioning:
    """Let a prompt act in a part of the picture; combine it with one for the rest.

    Args:
        conditioning: The prompt.
        mask: Where it acts: 1 fully, 0 not at all.
        strength: Its weight beside the other prompts that act there.
    """
    return diffusion.place(conditioning, mask, strength)
