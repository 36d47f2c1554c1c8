"""How much of a thing stays as a rim where it is removed by a mask that hugs it, with nano.

Flat shapes on a gradient. How far colours go from the bare gradient towards the thing's, 0..1,
just inside and outside of the mask's edge; and deep inside, where nothing of it can be left and
only nano's own taste is seen.

python -m benchmarks.canvas_rims [--steps 10] [--sheet FILE] [--json]
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.canvas_generation import CanvasSession
from benchmarks.reporting import options, tell
from nodeforge.canvas.generation.intents import METHODS, Intent
from nodeforge.imaging import Bytes, Pixels
from tools.nano.sheets import save_sheet

SIZE = 256
FINE = 4
INSIDE, OUTSIDE, DEEP = 5, 2, 12
"""Pixels from the mask's edge."""
SHAPES = (("a blue background", 190, 190), ("a yellow background", 160, 185))
"""What the prompt says, and half the axes of an ellipse, in quarters of a pixel."""


THINGS = (200.0, 40.0, 40.0), (30.0, 60.0, 160.0)


def scene(which: int) -> tuple[Bytes, Pixels, Bytes]:
    """A thing on a ground, the ground alone, and where the thing is."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    ground = np.dstack([(120 + x * 0.15, 190 + y * 0.1)[which], 160 + y * 0.15, 200 - x * 0.4])
    fine = np.zeros((SIZE * FINE, SIZE * FINE), np.uint8)
    cv2.ellipse(fine, (512, 512), SHAPES[which][1:], 30, 0, 360, 255, -1)
    cover = np.asarray(cv2.resize(fine, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.float32)
    share = cover[..., None] / 255
    picture = ground * (1 - share) + np.array(THINGS[which]) * share
    mask = np.where(cover > 127, 255, 0).astype(np.uint8)
    return np.rint(picture).astype(np.uint8), ground, mask


def measure(steps: int, sheet: Path | None) -> dict[str, float]:
    session, found, shown = CanvasSession(), [], []
    for which, (prompt, *_) in enumerate(SHAPES):
        picture, ground, mask = scene(which)
        form = {"prompt__text": prompt, "noise__seed": 1, "schedule__steps": steps}
        made = session.generate(picture, mask, Intent.REMOVE, **form)
        way = np.array(THINGS[which]) - ground
        left = np.clip(((made - ground) * way).sum(axis=2) / (way * way).sum(axis=2), 0, 1)
        within = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
        beyond = cv2.distanceTransform(255 - mask, cv2.DIST_L2, 5)
        rim = ((within > 0) & (within <= INSIDE)) | ((beyond > 0) & (beyond <= OUTSIDE))
        found.append((left[rim].mean(), left[within > DEEP].mean()))
        shown += [picture, made]
    if sheet:
        save_sheet(sheet, shown, columns=2)
    rim, deep = np.mean(found, axis=0)
    grown = METHODS[Intent.REMOVE].grow
    return {"grown by": grown, "rim": float(rim), "deep": float(deep)}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--sheet", type=Path, help="where to save a sheet of the pictures")
    told = parser.parse_args()
    tell(measure(told.steps, told.sheet), told.json)


if __name__ == "__main__":
    main()
