"""Pictures turned into what ControlNets and adapters read; 'Find edges' is beside colours."""

from typing import Annotated

from nodeforge import imaging
from nodeforge.api import Image, Range, node

from .arrays import mapped


@node("image.soft_edges", title="Find soft edges")
def soft_edges(image: Image, detail: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.5) -> Image:
    """Draw edges as bright as they are strong, for ControlNets of soft edges (HED, PiDiNet).

    Args:
        image: The pictures.
        detail: 0 draws large shapes only, 1 fine texture as well.
    """
    return mapped(lambda pixels: imaging.soft_edges(pixels, detail), image)


@node("image.line_art", title="Draw line art")
def line_art(
    image: Image,
    width: Annotated[float, Range(0.5, 8.0, step=0.25)] = 1.0,
    detail: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.5,
) -> Image:
    """Draw thin white lines on black where forms meet, for ControlNets of line art.

    Args:
        image: The pictures.
        width: Of the lines, pixels.
        detail: 0 draws the strongest lines only, 1 the faintest as well.
    """
    return mapped(lambda pixels: imaging.line_art(pixels, width, detail), image)


@node("image.scribble", title="Draw scribble")
def scribble(
    image: Image,
    width: Annotated[int, Range(1, 32)] = 4,
    detail: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.4,
) -> Image:
    """Draw few thick lines, as by hand, for ControlNets of scribbles.

    Args:
        image: The pictures.
        width: Of the lines, pixels.
        detail: 0 draws large shapes only, 1 small ones as well.
    """
    return mapped(lambda pixels: imaging.scribble(pixels, width, detail), image)


@node("image.blur", title="Blur image")
def blur(image: Image, radius: Annotated[float, Range(0.0, 256.0, step=0.5)] = 6.0) -> Image:
    """Blur pictures (Gaussian).

    Args:
        image: The pictures; transparency is left out.
        radius: Radius, pixels.
    """
    return mapped(lambda pixels: imaging.blurred(pixels, radius), image)


@node("image.tile", title="Take details away")
def tile(image: Image, factor: Annotated[float, Range(1.0, 64.0, step=0.5)] = 4.0) -> Image:
    """Remove details and keep the size, for tile ControlNets, which add new ones.

    Args:
        image: The pictures; transparency is left out.
        factor: How many times smaller the picture is made in between.
    """
    return mapped(lambda pixels: imaging.tiled(pixels, factor), image)


@node("image.colour_cells", title="Colour cells")
def colour_cells(image: Image, cells: Annotated[int, Range(1, 256)] = 8) -> Image:
    """Pixelate: the mean colour of every square, for T2I-Adapters of colour.

    Args:
        image: The pictures; transparency is left out.
        cells: Squares along the shorter side.
    """
    return mapped(lambda pixels: imaging.colour_cells(pixels, cells), image)
