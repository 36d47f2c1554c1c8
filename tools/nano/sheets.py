"""Sample sheets: many pictures in one file, to be looked at by a person."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tools.nano.pictures import Pixels


def sheet(pictures: Sequence[Pixels], columns: int, side: int = 128) -> Pixels:
    """Pictures row by row, each `side` pixels wide; a last row that is not full ends in white."""
    small = [cv2.resize(p, (side, side), interpolation=cv2.INTER_AREA) for p in pictures]
    blank = np.full((side, side, 3), 255, np.uint8)
    small += [blank] * (-len(small) % columns)
    rows = [np.concatenate(small[i : i + columns], axis=1) for i in range(0, len(small), columns)]
    return np.concatenate(rows, axis=0).astype(np.uint8)


def save_sheet(path: Path, pictures: Sequence[Pixels], columns: int, side: int = 128) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bgr = cv2.cvtColor(sheet(pictures, columns, side), cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode(path.suffix, bgr)[1].tobytes())
