"""Sections of the evaluation on how good pictures are: the autoencoder, and the second judge."""

import numpy as np

from tools.nano.bench import Bench, Result, round_trip
from tools.nano.compose import draw
from tools.nano.frechet import distance_over_floor
from tools.nano.measures import mean_psnr, steepness_kept
from tools.nano.scenes import Scene, random_scene
from tools.nano.second_judge import answers
from tools.nano.sheets import save_sheet
from tools.nano.spoiling import shrunk

SCENES = 1000


def autoencoder(bench: Bench) -> Result:
    """Round trips of held-out scenes, in the base style and in the LoRA's."""
    found: Result = {}
    scenes = bench.asked[:100]
    for style in (bench.preset.styles[0], bench.preset.lora_style):
        styled = [Scene(s.subjects, style, s.place, s.colour) for s in scenes]
        originals = bench.real(styled)
        back = round_trip(bench.pipeline.vae, originals)
        found[style] = mean_psnr(originals, back)
        found[f"{style}_steepness"] = steepness_kept(originals, back)
    return found


def second_judge(bench: Bench) -> Result:
    """Does it name what the model drew; and first, can it be trusted?"""
    scenes = bench.asked[: min(300, bench.only or 300)]
    wanted, originals = bench.wanted(scenes), bench.real(scenes)
    sets = {
        "originals": originals,
        "round_trips": round_trip(bench.pipeline.vae, originals),
        "half_and_back": [shrunk(picture, 0.5) for picture in originals],
        "drawn": bench.draw(scenes),
    }
    told = {name: answers(bench.second_judge, pictures)[0] for name, pictures in sets.items()}
    named = {
        name: float(np.mean([a == b for a, b in zip(row, wanted, strict=True)]))
        for name, row in told.items()
    }
    wrong = [p for p, a, b in zip(sets["drawn"], told["drawn"], wanted, strict=True) if a != b]
    if wrong:
        save_sheet(bench.folder / "sheets" / "second-judge-wrong.png", wrong[:91], columns=13)
    return {"pictures": len(scenes), **named}


def frechet(bench: Bench) -> Result:
    """Of the second judge's features, generated against originals of the same kinds of scene."""
    rng = np.random.default_rng(24)
    count = min(SCENES, bench.only or SCENES)
    concepts, style = bench.examples.concepts, bench.preset.styles[0]
    drawn_from = [random_scene(concepts, style, rng, pairs=0) for _ in range(count)]
    scenes = [Scene(s.subjects, s.style, s.place, s.colour) for s in drawn_from]
    originals = [draw(scene, bench.examples.styles) for scene in scenes]
    drawn = answers(bench.second_judge, bench.draw(scenes))[1].numpy()
    real = answers(bench.second_judge, originals)[1].numpy()
    distance, floor = distance_over_floor(drawn, real, rng)
    return {"scenes": count, "distance": distance, "floor": floor, "over_floor": distance - floor}
