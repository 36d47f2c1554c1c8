"""Makes the start page's pictures: each shipped workflow is run, and its result kept small.

python -m tools.workflow_pictures [NAME...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from nodeforge import media
from nodeforge.settings import shipped
from nodeforge.ui.window.start_page import PICTURE, listed_workflows

SIZE = (2 * PICTURE[0], 2 * PICTURE[1])
"""Twice the size on the start page, for screens of high density."""
QUALITY = 85
WIDE = 1.6
"""Longer over shorter side, from which a picture is not cut."""


def result_of(workflow: Path, folder: Path) -> Path:
    """The last picture that a run of `workflow` saves into `folder`."""
    command = [sys.executable, "-m", "nodeforge", "run", str(workflow), "--out", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.splitlines()[-1])


def picture_of(file: Path) -> Image.Image:
    """The picture of a result; of a video the middle frame."""
    if file.suffix != ".mp4":
        with Image.open(file) as picture:
            return picture.convert("RGB")
    frames = media.read_video(file).frames
    return Image.fromarray(frames[len(frames) // 2])


def fitted(picture: Image.Image) -> Image.Image:
    """Cut to a card's shape; what is much wider or higher keeps its whole, on its own ground."""
    if max(picture.size) < WIDE * min(picture.size):
        return ImageOps.fit(picture, SIZE, Image.Resampling.LANCZOS)
    ground = "#" + picture.crop((0, 0, 1, 1)).tobytes().hex()
    return ImageOps.pad(picture, SIZE, Image.Resampling.LANCZOS, color=ground)


def main() -> None:
    wanted = sys.argv[1:]
    into = shipped("resources") / "workflows"
    into.mkdir(exist_ok=True)
    for workflow in listed_workflows():
        if wanted and workflow.stem not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            small = fitted(picture_of(result_of(workflow, Path(folder))))
            small.save(into / f"{workflow.stem}.jpg", quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main()
