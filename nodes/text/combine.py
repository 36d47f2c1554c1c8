"""Encoded prompts put together, and restricted in time and place."""

from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import AddedConditions, Conditioning, Mask, Range, node


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
    """Interpolate between two prompts.

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
    return diffusion.set_range(conditioning, start, end)


@node("text.area", title="Restrict prompt to area")
def area(
    conditioning: Conditioning,
    mask: Mask,
    strength: Annotated[float, Range(0.0, 10.0, step=0.05)] = 1.0,
) -> Conditioning:
    """Restrict a prompt to a part of the picture; combine it with one for the rest.

    Args:
        conditioning: The prompt.
        mask: Where it acts: 1 fully, 0 not at all.
        strength: Its weight beside the other prompts that act there.
    """
    return diffusion.set_area(conditioning, mask, strength)


@node("text.framing", title="Picture sizes for SDXL")
def framing(
    conditioning: Conditioning,
    original_width: Annotated[int, Range(0, 16384, step=8)] = 0,
    original_height: Annotated[int, Range(0, 16384, step=8)] = 0,
    crop_left: Annotated[int, Range(0, 16384, step=8)] = 0,
    crop_top: Annotated[int, Range(0, 16384, step=8)] = 0,
    target_width: Annotated[int, Range(0, 16384, step=8)] = 0,
    target_height: Annotated[int, Range(0, 16384, step=8)] = 0,
    aesthetic: Annotated[float | None, Range(0.0, 10.0, step=0.5)] = None,
) -> Conditioning:
    """Set SDXL's size and crop conditioning; other models ignore it.

    Without this node the picture's own size is used, without a crop.

    Args:
        conditioning: The prompt.
        original_width: Size of the training picture before scaling: small ones
            look blurred; 0 is the picture's.
        original_height: Size of the training picture before scaling; 0 is the picture's.
        crop_left: Crop at the left, which moves things out of the centre.
        crop_top: Crop at the top.
        target_width: Size of the training picture after scaling; 0 is the picture's.
        target_height: Size of the training picture after scaling; 0 is the picture's.
        aesthetic: Aesthetic score, for the refiner; empty is 6, in negative prompts 2.5.
    """
    original = (original_width, original_height) if original_width and original_height else None
    target = (target_width, target_height) if target_width and target_height else None
    framing = AddedConditions(original, (crop_left, crop_top), target, aesthetic)
    return diffusion.set_added_conditions(conditioning, framing)


@node("text.region", title="Prompt for a region")
def region(
    base: Conditioning,
    inside: Conditioning,
    mask: Mask,
    blend: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.2,
) -> Conditioning:
    """Follow one prompt in a region and another around it; put several after each other.

    Args:
        base: What acts around the region, and a little within it.
        inside: What acts in the region.
        mask: The region: 1 inside. Soft edges let the two prompts meet gently.
        blend: Share that the prompt around it keeps inside, so that both make one picture.
    """
    around = diffusion.exclude_area(base, Mask(mask.values * (1 - blend)))
    return diffusion.combine(around, diffusion.set_area(inside, mask, 1.0 - blend))
