"""Measure an exported model; the results become the tables of its card.

`python -m tools.nano.evaluate --model resources/models/nano` measures what is not measured yet,
one JSON file a section, so that several calls may work side by side; `--section NAME` measures
one anew.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from diffusers.pipelines.controlnet.pipeline_controlnet import StableDiffusionControlNetPipeline
from PIL import Image

from tools.nano.bench import Bench, Result, round_trip, shares
from tools.nano.captions import prompt
from tools.nano.card import write_card
from tools.nano.companions import edits, is_beside, motion, turbo, upscaler
from tools.nano.compose import background, draw
from tools.nano.edges import canny
from tools.nano.edits import image_to_image, inpainting
from tools.nano.latents import scene_at
from tools.nano.measures import (
    background_colour,
    edge_f1,
    mean_psnr,
    nearest_distances,
    thumbnails,
)
from tools.nano.pictures import Pixels
from tools.nano.presets import PRESETS
from tools.nano.quality import autoencoder, frechet, second_judge
from tools.nano.recogniser import held_out_accuracy, judge
from tools.nano.runs import preset_option, runs_option, set_up
from tools.nano.samplers import PROMPTS, Drawer, Grid
from tools.nano.sampling import GUIDANCE, STEPS, draw_prompts
from tools.nano.scenes import Scene
from tools.nano.shapes import moved, read_controlnet
from tools.nano.sheets import save_sheet


def concepts_drawn(bench: Bench) -> Result:
    """Held-out combinations: is the thing there, and the background of the right colour?"""
    started = time.monotonic()
    pictures = bench.draw(bench.asked)
    seconds = time.monotonic() - started
    save_sheet(bench.folder / "sheets" / "held-out.png", pictures[:101], columns=13)
    verdict = judge(bench.recogniser, pictures)
    wanted = bench.wanted(bench.asked)
    hits = verdict.hits(wanted)
    seen = [background_colour(picture) for picture in pictures]
    backgrounds = [a == s.colour for a, s in zip(seen, bench.asked, strict=True)]
    return {
        "pictures": len(pictures),
        "top1": verdict.top(wanted, 1),
        "top5": verdict.top(wanted, 5),
        "background": float(np.mean(backgrounds)),
        "by_place": shares([scene.place for scene in bench.asked], hits),
        "by_concept": shares([scene.subjects[0].name for scene in bench.asked], hits),
        "originals_top1": bench.top(bench.asked, bench.real(bench.asked)),
        "seconds": seconds,
    }


def recogniser(bench: Bench) -> Result:
    return {"held_out_augmentations": held_out_accuracy(bench.recogniser, bench.examples)}


def guidance_scales(bench: Bench) -> Result:
    found = {
        str(scale): bench.top(bench.fixed, bench.draw(bench.fixed, guidance=float(scale)))
        for scale in (1, 3, 5, 7)
    }
    return {"prompts": len(bench.fixed), "top1": found}


def samplers(bench: Bench) -> Result:
    scenes = bench.fixed[:PROMPTS]

    def named(first: int, pictures: Sequence[Pixels]) -> list[bool]:
        wanted = bench.wanted(scenes[first : first + len(pictures)])
        return judge(bench.recogniser, pictures).hits(wanted)

    grid = Grid(
        Drawer(bench.model, bench.device),
        [prompt(scene) for scene in scenes],
        named,
        bench.folder / "evaluation" / "samplers",
    )
    return grid.measured()


def controlnet(bench: Bench) -> Result:
    """Are the lines in the picture, and only with the net?

    Where prompt and lines name the same place, they agree without the net as well. So most is
    said by things drawn elsewhere and in other sizes, of which the prompt names no place.
    """
    pipeline = StableDiffusionControlNetPipeline(
        **bench.pipeline.components,
        controlnet=moved(read_controlnet(bench.model / "controlnet"), bench.device),
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    rng = np.random.default_rng(23)
    scenes = bench.fixed[:40]
    return {
        "prompts": len(scenes),
        "elsewhere": steering(bench, pipeline, "elsewhere", [elsewhere(s, rng) for s in scenes]),
        "named": steering(bench, pipeline, "named", scenes),
    }


def elsewhere(scene: Scene, rng: np.random.Generator) -> Scene:
    """The thing anywhere, at half to all of its size, perhaps mirrored; no place to be named."""
    return replace(
        scene,
        place="large",
        zoom=float(rng.uniform(0.5, 1.0)),
        shift=(float(rng.uniform(-0.16, 0.16)), float(rng.uniform(-0.16, 0.16))),
        flipped=bool(rng.random() < 0.5),
    )


def steering(bench: Bench, pipeline: Any, name: str, scenes: Sequence[Scene]) -> Result:
    """Edge F1 with the net and without it; the autoencoder's round trip is the most there is."""
    originals = bench.real(scenes)
    edges = [canny(picture) for picture in originals]
    images = [Image.fromarray(np.repeat(edge[..., None], 3, 2)) for edge in edges]
    prompts, seeds = [prompt(scene) for scene in scenes], range(2000, 2000 + len(scenes))
    steered = draw_prompts(pipeline, prompts, seeds, per_prompt={"image": images})
    free = draw_prompts(bench.pipeline, prompts, seeds)
    save_sheet(
        bench.folder / "sheets" / f"controlnet-{name}.png",
        [*(np.asarray(i) for i in images[:12]), *steered[:12], *free[:12]],
        columns=12,
    )
    return {
        "f1_with": mean_f1(steered, edges),
        "f1_without": mean_f1(free, edges),
        "f1_of_round_trips": mean_f1(round_trip(bench.pipeline.vae, originals), edges),
        "top1_with": bench.top(scenes, steered),
    }


def mean_f1(pictures: Sequence[Pixels], edges: Sequence[Pixels]) -> float:
    return float(np.mean([edge_f1(canny(p), e) for p, e in zip(pictures, edges, strict=True)]))


def lora(bench: Bench) -> Result:
    """The style and the concept that are recognised at weights 1 and 0."""
    style = bench.preset.lora_style
    pipeline: Any = bench.pipeline
    folder, name = bench.model / "lora", f"{style}.safetensors"
    pipeline.load_lora_weights(folder, weight_name=name, adapter_name=style)
    found: Result = {}
    shown: list[Pixels] = []
    for weight in (0.0, 0.5, 1.0):
        pipeline.set_adapters([style], [weight])
        pictures = bench.draw(bench.fixed[:40])
        shown += pictures[:12]
        verdict = judge(bench.recogniser, pictures)
        found[f"style_at_{weight:g}"] = verdict.share_of(style)
        found[f"top1_at_{weight:g}"] = verdict.top(bench.wanted(bench.fixed[:40]), 1)
    pipeline.unload_lora_weights()
    save_sheet(bench.folder / "sheets" / "lora.png", shown, columns=12)
    return found


def editing(bench: Bench) -> Result:
    """Image to image at two strengths, and things painted into the right half of plain pictures."""
    scenes = bench.fixed[:32]
    originals = bench.real(scenes)
    prompts = [prompt(scene) for scene in scenes]
    back = round_trip(bench.pipeline.vae, originals)
    slight = image_to_image(bench.pipeline, originals, prompts, 0.3)
    others = [prompt(scene) for scene in reversed(scenes)]
    strong = image_to_image(bench.pipeline, originals, others, 0.95)
    plain = [background(s.colour, None, 256).astype(np.uint8) for s in scenes]
    mask = np.zeros((256, 256), np.uint8)
    mask[:, 128:] = 255
    wanted = [Scene(s.subjects, s.style, "right", s.colour) for s in scenes]
    painted = inpainting(bench.pipeline, plain, mask, [prompt(s) for s in wanted])
    outside = np.abs(np.stack(painted).astype(int) - np.stack(plain))[:, :, :112].mean()
    save_sheet(
        bench.folder / "sheets" / "editing.png",
        [*originals[:12], *slight[:12], *strong[:12], *painted[:12]],
        columns=12,
    )
    return {
        "slight_psnr_to_round_trip": mean_psnr(slight, back),
        "slight_keeps_concept": bench.top(scenes, slight),
        "strong_takes_new_concept": bench.top(list(reversed(scenes)), strong),
        "inpainted_concept": bench.top(wanted, painted),
        "outside_mask_mean_difference": float(outside),
    }


def nearness(bench: Bench) -> Result:
    """How near pictures are to their nearest training picture, beside unseen originals."""
    concepts, styles = bench.examples.concepts, bench.examples.styles
    total = min(bench.preset.latents, 20_000)
    training = (draw(scene_at(concepts, bench.preset.styles, i), styles, 64) for i in range(total))
    known = thumbnails(list(training))
    drawn = nearest_distances(thumbnails(bench.draw(bench.fixed)), known)
    unseen = nearest_distances(thumbnails(bench.real(bench.fixed)), known)
    return {
        "generated_median": float(np.median(drawn)),
        "generated_least": float(drawn.min()),
        "unseen_originals_median": float(np.median(unseen)),
        "unseen_originals_least": float(unseen.min()),
    }


def speed(bench: Bench) -> Result:
    """One picture, 20 steps with guidance, on two cores in float32."""
    torch.set_num_threads(2)
    bench.pipeline.to("cpu")
    taken: list[float] = []
    for seed in range(4):
        started = time.monotonic()
        bench.pipeline(
            "a fox on a yellow background",
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            generator=torch.Generator().manual_seed(seed),
        )
        taken.append(time.monotonic() - started)
    torch.set_num_threads(1)
    bench.pipeline.to(bench.device)
    return {"seconds": min(taken[1:]), "slowest": max(taken[1:])}


SECTIONS: dict[str, Callable[[Bench], Result]] = {
    "recogniser": recogniser,
    "concepts": concepts_drawn,
    "autoencoder": autoencoder,
    "second_judge": second_judge,
    "frechet": frechet,
    "controlnet": controlnet,
    "lora": lora,
    "editing": editing,
    "guidance": guidance_scales,
    "samplers": samplers,
    "nearness": nearness,
    "speed": speed,
    "edits": edits,
    "motion": motion,
    "upscaler": upscaler,
    "turbo": turbo,
}


@click.command()
@preset_option
@runs_option
@click.option("--model", type=click.Path(path_type=Path), required=True, help="Exported folder.")
@click.option("--section", multiple=True, type=click.Choice(list(SECTIONS)))
@click.option("--only", type=int, help="Try it out on the first so many scenes.")
@click.option("--minutes", type=float, help="Stop after this long, resumable.")
@click.option("--card", type=click.Path(path_type=Path), help="README to write the tables into.")
def main(
    preset: str,
    runs: Path,
    model: Path,
    section: tuple[str, ...],
    only: int | None,
    card: Path | None,
    minutes: float | None,
) -> bool:
    """Measure an exported model, section by section."""
    set_up(PRESETS[preset])
    ends = math.inf if minutes is None else time.monotonic() + minutes * 60
    bench = Bench(PRESETS[preset], runs / preset, model, only)
    folder = runs / preset / "evaluation"
    folder.mkdir(parents=True, exist_ok=True)
    known = [name for name in SECTIONS if is_beside(name, model)]
    missing = [name for name in known if not (folder / f"{name}.json").exists()]
    for name in section or missing:
        started = time.monotonic()
        found = SECTIONS[name](bench)
        click.echo(f"{name} ({time.monotonic() - started:.0f} s): {found}")
        (folder / f"{name}.json").write_text(json.dumps(found, indent=1), "utf-8")
        if time.monotonic() > ends:
            return False
    if card is not None:
        write_card(card, {p.stem: json.loads(p.read_text("utf-8")) for p in folder.glob("*.json")})
    return True


if __name__ == "__main__":
    main()
