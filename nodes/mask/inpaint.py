"""Working on the part of a picture around a mask, at the size a model likes."""

from typing import Annotated, NamedTuple

from nodeforge import imaging
from nodeforge.api import Image, Mask, Range, Region, node

from .arrays import mapped, merged


class Crop(NamedTuple):
    """What a model should see."""

    image: Image
    mask: Mask
    region: Region


@node("inpaint.crop", title="Crop around mask")
def crop(
    image: Image,
    mask: Mask,
    size: Annotated[int, Range(64, 4096, step=64)] = 512,
    multiple: Annotated[int, Range(1, 128)] = 16,
    context: Annotated[float, Range(0.0, 4.0, step=0.05)] = 0.5,
) -> Crop:
    """Crop around a mask, at a model's native size; *Put back* pastes the result.

    Args:
        image: Pictures of any size.
        mask: Where they may change; with several masks, the crop holds them all.
        size: Side of the squares the model was trained on: 256 for nano, 512 for SD 1.5.
        multiple: What the model's sizes must be divisible by: 16 for nano, 8 for SD 1.5.
        context: Context around the mask, as a share of its size.

    Returns:
        image: The crop, with about as many pixels as the model was trained on.
        mask: The mask in the crop.
        region: Where the crop was.
    """
    mask.check_fits(image)
    box = imaging.bounding_box(merged(mask))
    region = imaging.crop_region(box, (image.width, image.height), context, multiple, size)
    return Crop(
        Image(mapped(lambda pixels: imaging.cut_out(pixels, region), image)),
        Mask(mapped(lambda values: imaging.cut_out_mask(values, region), mask)),
        region,
    )


class Aligned(NamedTuple):
    """A picture and a mask of one size."""

    image: Image
    mask: Mask


@node("inpaint.align", title="Align picture and mask")
def align(image: Image, mask: Mask, multiple: Annotated[int, Range(1, 128)] = 8) -> Aligned:
    """Scale a mask to a picture's size, and crop both, in the middle, to what a VAE takes.

    Args:
        image: Pictures of any size.
        mask: A mask of any size; it is stretched to the pictures'.
        multiple: What must divide width and height: 8 for SD 1.5 and SDXL, 16 for nano.

    Returns:
        image: The pictures, cropped by less than `multiple` along each side.
        mask: The mask, of the same size.

    Raises:
        SizeMismatchError: a picture is smaller than `multiple`.
    """
    size = (image.width, image.height)
    return Aligned(
        Image(mapped(lambda pixels: imaging.crop_to_multiple(pixels, multiple), image)),
        Mask(
            mapped(
                lambda values: imaging.crop_to_multiple(
                    imaging.resize(values, *size, imaging.Method.BILINEAR), multiple
                ),
                mask,
            )
        ),
    )


@node("inpaint.put_back", version=3, title="Put back")
def put_back(
    original: Image,
    generated: Image,
    mask: Mask,
    region: Region,
    feather: Annotated[int, Range(0, 512)] = 8,
    match_colour: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
) -> Image:
    """Paste a changed crop back; every pixel where the mask is 0 stays as it was, bit for bit.

    Args:
        original: The pictures that were cropped.
        generated: The changed crop.
        mask: The mask of the whole picture.
        region: Where the crop was.
        feather: Pixels over which the edge fades, inside of the mask.
        match_colour: How far to bring the crop's colours back to those around the mask.
    """
    mask.check_fits(original)
    return Image(
        mapped(
            lambda whole, crop, values: imaging.put_back(
                whole, crop, values, region, feather, match_colour
            ),
            original,
            generated,
            mask,
        )
    )
