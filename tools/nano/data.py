"""Fetch the packages and pack every concept's pictures: the first step of the recipe.

`python -m tools.nano.data --preset cpu` also writes a sheet of training pictures to look at.
"""

import json
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np

from tools.nano.captions import caption
from tools.nano.compose import draw
from tools.nano.concepts import Concept, load_concepts
from tools.nano.pictures import STYLES, Pictures, pack_style, save_pictures
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import preset_option, runs_option
from tools.nano.scenes import random_scene
from tools.nano.sheets import save_sheet


def prepare(preset: Preset, cache: Path, folder: Path) -> None:
    """Write the preset's concepts, and each style's pictures of them, below `folder`."""
    concepts = load_concepts(cache, preset.well_known)
    packed = {style: pack_style(style, [c.code for c in concepts], cache) for style in STYLES}
    needed = (*preset.styles, preset.lora_style)
    drawn = [c for c in concepts if all(c.code in packed[style] for style in needed)]
    save_concepts(drawn, folder)
    for style, pictures in packed.items():
        kept = {c.code: pictures[c.code] for c in drawn if c.code in pictures}
        save_pictures(kept, folder / f"{style}.zip")


def save_concepts(concepts: list[Concept], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [asdict(concept) for concept in concepts]
    (folder / "concepts.json").write_text(json.dumps(rows, indent=1), "utf-8")


def read_concepts(folder: Path) -> list[Concept]:
    rows = json.loads((folder / "concepts.json").read_text("utf-8"))
    return [Concept(row["code"], tuple(row["names"]), row["may_flip"]) for row in rows]


def read_pictures(folder: Path, styles: tuple[str, ...] = STYLES) -> dict[str, Pictures]:
    return {style: Pictures.load(folder / f"{style}.zip") for style in styles}


@click.command()
@preset_option
@runs_option
@click.option("--cache", type=click.Path(path_type=Path), help="Folder of npm archives.")
def main(preset: str, runs: Path, cache: Path | None) -> None:
    """Fetch the packages and pack the pictures of a preset."""
    folder = runs / preset / "data"
    prepare(PRESETS[preset], cache or runs / "npm", folder)
    concepts, styles = read_concepts(folder), read_pictures(folder)
    rng = np.random.default_rng(0)
    scenes = [random_scene(concepts, PRESETS[preset].styles[0], rng) for _ in range(48)]
    for scene in scenes[:10]:
        click.echo(caption(scene, rng))
    save_sheet(runs / preset / "sheets" / "data.png", [draw(s, styles) for s in scenes], columns=12)
    click.echo(f"{len(concepts)} concepts in {folder}")


if __name__ == "__main__":
    main()
