"""Drawing a scene: transparent pictures on a plain or gradient background, as uint8 RGB."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.nano.pictures import SIZE, Pictures, Pixels
from tools.nano.scenes import COLOURS, PAIR_PLACES, PLACES, Scene

Floats = NDArray[np.float32]


def draw(scene: Scene, styles: Mapping[str, Pictures], size: int = SIZE) -> Pixels:
    """The scene's pixels, (size, size, 3); the same scene always gives the same pixels."""
    canvas = background(scene.colour, scene.second_colour, size)
    places = PAIR_PLACES if len(scene.subjects) == 2 else (PLACES[scene.place],)
    for concept, (x, y, side) in zip(scene.subjects, places, strict=True):
        picture = styles[scene.style][concept.code]
        if scene.flipped:
            picture = picture[:, ::-1]
        if scene.angle:
            picture = turned(picture, scene.angle)
        centre = (x + scene.shift[0], y + scene.shift[1])
        paste(canvas, picture, centre, side * scene.zoom)
    return canvas.round().clip(0, 255).astype(np.uint8)


def turned(picture: Pixels, degrees: float) -> Pixels:
    """Turned clockwise about its middle; what then reaches beyond the picture is cut off."""
    side = picture.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2 - 0.5, side / 2 - 0.5), -degrees, 1)
    alpha = picture[..., 3:].astype(np.float32) / 255
    premultiplied = np.concatenate([picture[..., :3] * alpha, alpha * 255], axis=2)
    seen = cv2.warpAffine(premultiplied, turn, (side, side))
    colours = seen[..., :3] / np.maximum(seen[..., 3:] / 255, 1e-3)
    return np.concatenate([colours, seen[..., 3:]], 2).round().clip(0, 255).astype(np.uint8)


def background(colour: str, second_colour: str | None, size: int) -> Floats:
    """A plain colour, or a gradient from top to bottom."""
    top = np.array(COLOURS[colour], np.float32)
    bottom = np.array(COLOURS[second_colour or colour], np.float32)
    share = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    return np.repeat((top + (bottom - top) * share).astype(np.float32), size, axis=1)


def paste(canvas: Floats, picture: Pixels, centre: tuple[float, float], side: float) -> None:
    """Draw the picture onto the canvas; what hangs over an edge is cut off."""
    size = canvas.shape[0]
    pixels = max(1, round(side * size))
    alpha = picture[..., 3:].astype(np.float32) / 255
    premultiplied = np.concatenate([picture[..., :3] * alpha, alpha], axis=2)
    resized = cv2.resize(premultiplied, (pixels, pixels), interpolation=cv2.INTER_AREA)
    left, top = (round(share * size - pixels / 2) for share in centre)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(size, left + pixels), min(size, top + pixels)
    if x0 >= x1 or y0 >= y1:
        return
    part = resized[y0 - top : y1 - top, x0 - left : x1 - left]
    region = canvas[y0:y1, x0:x1]
    region *= 1 - part[..., 3:]
    region += part[..., :3]
