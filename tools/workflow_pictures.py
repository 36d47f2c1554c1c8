"""Makes the start page's pictures: each shipped workflow is run, and its result kept small.

python -m tools.workflow_pictures [NAME...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from nodeforge.settings import shipped
from nodeforge.ui.window.start_page import PICTURE, listed_workflows

SIZE = (2 * PICTURE[0], 2 * PICTURE[1])
"""Twice the size on the start page, for screens of high density."""
QUALITY = 85
PROMPTS = {
    "text_to_image": {"prompt.text": "a castle on a gradient from blue to pink"},
    "image_to_image": {"prompt.text": "a panda"},
    "inpaint": {"prompt.text": "a tomato"},
    "two_pass_upscale": {"prompt.text": "a strawberry on a green background"},
    "lora_style": {"prompt.text": "a car on a yellow background"},
    "compare_samplers": {"prompt.text": "a rainbow on a white background"},
    "tiled_upscale": {"prompt.text": "a hamburger on an orange background"},
    "regional_prompts": {"left.text": "a car"},
}
"""Other values than those in the file, so that no two cards show the same thing."""


def result_of(workflow: Path, folder: Path) -> Path:
    """The last picture that a run of `workflow` saves into `folder`."""
    command = [sys.executable, "-m", "nodeforge", "run", str(workflow), "--out", str(folder)]
    for port, value in PROMPTS.get(workflow.stem, {}).items():
        command += ["--set", f"{port}={value}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.splitlines()[-1])


def main() -> None:
    wanted = sys.argv[1:]
    into = shipped("resources") / "workflows"
    into.mkdir(exist_ok=True)
    for workflow in listed_workflows():
        if wanted and workflow.stem not in wanted:
            continue
        with (
            tempfile.TemporaryDirectory() as folder,
            Image.open(result_of(workflow, Path(folder))) as picture,
        ):
            small = ImageOps.fit(picture.convert("RGB"), SIZE, Image.Resampling.LANCZOS)
            small.save(into / f"{workflow.stem}.jpg", quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main()
