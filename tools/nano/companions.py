"""Sections of the evaluation on what stands beside nano: edits, motion, turbo, and the upscaler.

Each is measured where its folder lies beside the model's (`nano-edit`, `nano-motion`,
`nano-upscaler`), or its LoRA in it.
"""

import copy
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.unets.unet_motion_model import MotionAdapter, UNetMotionModel
from safetensors.torch import load_file
from torch import nn

from nodeforge.imaging import composite, difference_mask, to_bytes, to_float
from tools.nano.bench import Bench, Result, round_trip, shares
from tools.nano.captions import prompt
from tools.nano.changes import Edit
from tools.nano.clips import PATHS, PLACES, Clip, nearest_move, path_of, random_clip
from tools.nano.compose import draw
from tools.nano.instructions import instruction
from tools.nano.pictures import Pixels
from tools.nano.recogniser import judge
from tools.nano.sampling import draw_prompts
from tools.nano.scenes import Scene
from tools.nano.second_judge import answers
from tools.nano.sheets import save_sheet
from tools.nano.train_edit import edited, editing_pipeline, kept_out_edits
from tools.nano.train_motion import draw_clip, motion_pipeline, told
from tools.nano.train_turbo import CALLS, turbo_pipeline
from tools.nano.train_unet import TextToLatent
from tools.nano.train_upscaler import SCALES, Upscaler, gains

COUNT = 200
NEAR_A_CHANGE = 8  # pixels
NOTICED = 12  # of 3 * 255
KEPT = 100  # edits of which unchanged parts are put back


def changed(before: Pixels, after: Pixels) -> np.ndarray:
    return np.abs(before.astype(int) - after).sum(2) > NOTICED


def grown(where: np.ndarray, pixels: int) -> np.ndarray:
    """That many pixels more on each side."""
    side = 2 * pixels + 1
    return cv2.dilate(np.asarray(where, np.uint8), np.ones((side, side), np.uint8)) > 0


def kept(before: Pixels, after: Pixels) -> np.ndarray:
    """Where the compositor's two pictures are equal, and no change is near."""
    return ~grown((before != after).any(2), NEAR_A_CHANGE)


def apart(first: Pixels, second: Pixels, where: np.ndarray) -> float:
    """Root mean square difference there."""
    return float(np.sqrt(np.square(first[where].astype(float) - second[where]).mean()))


def is_there(drawn: Pixels, before: Pixels, after: Pixels, where: np.ndarray) -> bool:
    """Whether the change asked for shows: drawn is like the picture wanted, not like the source."""
    wanted = apart(drawn, after, where)
    return wanted < apart(drawn, before, where) and wanted < 0.5 * apart(before, after, where)


def put_back(before: Pixels, drawn: Pixels) -> Pixels:
    """What *Keep unchanged parts* makes of an edit."""
    first, second = to_float(before), to_float(drawn)
    return to_bytes(composite(first, second, difference_mask(first, second)))


def kept_shares(pair: tuple[Pixels, Pixels], drawn: Pixels) -> tuple[float, float]:
    """Of *Keep unchanged parts*: the share of the input's bytes outside of what was to change, and
    of the edit's inside.

    What was to change is where the compositor's pictures differ by more than 4 of 255; 3 pixels
    around it count on no side.
    """
    before, after = pair
    made = put_back(before, drawn)
    asked = np.abs(before.astype(int) - after).max(2) > 4
    around = grown(asked, 3)
    same, taken = (made == before).all(2), (made == drawn).all(2)
    outside = float(same[~around].mean()) if (~around).any() else 1.0
    return outside, float(taken[asked].mean()) if asked.any() else 1.0


def edit_figures(
    edits: Sequence[Edit], drawn: Sequence[Pixels], pairs: Sequence[tuple[Pixels, Pixels]], vae: Any
) -> Result:
    """Against round trips of the compositor's pictures, so that the decoder counts on no side."""
    sources = round_trip(vae, [before for before, _ in pairs])
    targets = round_trip(vae, [after for _, after in pairs])
    shares_kept = [kept_shares(*each) for each in zip(pairs[:KEPT], drawn[:KEPT], strict=True)]
    there: list[bool] = []
    differences: list[float] = []
    for picture, source, target, pair in zip(drawn, sources, targets, pairs, strict=True):
        there.append(is_there(picture, source, target, changed(*pair)))
        same = kept(*pair)
        if same.any():
            differences.append(float(np.abs(picture[same].astype(int) - source[same]).mean()))
    return {
        "edits": len(edits),
        "there": float(np.mean(there)),
        "by_kind": shares([edit.kind for edit in edits], there),
        "kept_difference": float(np.mean(differences)) if differences else 0.0,
        "kept_within_6": float(np.mean([value <= 6 for value in differences])),
        "put_back": {
            "input_outside": float(np.mean([outside for outside, _ in shares_kept])),
            "edit_inside": float(np.mean([inside for _, inside in shares_kept])),
            "edit_inside_where_there": float(
                np.mean([kept for (_, kept), was in zip(shares_kept, there, strict=False) if was])
            )
            if any(there[:KEPT])
            else 0.0,
        },
    }


def edits(bench: Bench) -> Result:
    """200 kept-out pairs: is the change asked for there, and the rest as it was?"""
    folder = bench.model.with_name("nano-edit")
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    assert isinstance(unet, UNet2DConditionModel)
    base = bench.pipeline
    pipeline = editing_pipeline(base.vae, unet.eval(), base.text_encoder, base.tokenizer)
    asked = kept_out_edits(bench.examples.concepts, bench.preset.styles[0], bench.only or COUNT)
    styles = bench.examples.styles
    pairs = [(draw(edit.before, styles), draw(edit.after, styles)) for edit in asked]
    rng = np.random.default_rng(25)
    words = [instruction(edit, rng, plain=True) for edit in asked]
    drawn = edited(pipeline, [before for before, _ in pairs], words)
    shown = [
        *(before for before, _ in pairs[:20]),
        *drawn[:20],
        *(after for _, after in pairs[:20]),
    ]
    save_sheet(bench.folder / "sheets" / "edits.png", shown, columns=20)
    return edit_figures(asked, drawn, pairs, base.vae)


def known_paths(bench: Bench, thing: Scene) -> dict[str, np.ndarray]:
    """The compositor's own paths of every kind."""
    clips = {
        move: Clip(Scene(thing.subjects, thing.style, PLACES.get(move, "small"), "white"), move)
        for move in PATHS
    }
    styles = bench.examples.styles
    return {
        move: path_of([draw(scene, styles) for scene in clip.frames()])
        for move, clip in clips.items()
    }


def motion(bench: Bench) -> Result:
    """200 clips: do they move as asked, and is it the same thing in the first and last frame?"""
    base = bench.pipeline
    adapter = MotionAdapter.from_pretrained(bench.model.with_name("nano-motion"))
    assert isinstance(adapter, MotionAdapter)
    unet = UNetMotionModel.from_unet2d(base.unet, adapter)
    assert isinstance(unet, UNetMotionModel)
    unet.load_lora_adapter(load_file(bench.model / "lora" / "motion.safetensors"), prefix="unet")
    model = TextToLatent(base.unet, base.text_encoder)
    pipeline = motion_pipeline(base.vae, unet.eval(), model, base.tokenizer)
    rng = np.random.default_rng(26)
    concepts, style = bench.examples.concepts, bench.preset.styles[0]
    clips = [random_clip(concepts, style, rng, kept_out=True) for _ in range(bench.only or COUNT)]
    strips = [draw_clip(pipeline, told(clip), 3000 + at) for at, clip in enumerate(clips)]
    save_sheet(
        bench.folder / "sheets" / "motion.png", [p for strip in strips[:20] for p in strip], 8
    )
    return clip_figures(bench, clips, strips)


def named(bench: Bench, pictures: Sequence[Pixels]) -> list[int]:
    """What each picture shows: by the second judge, or the recogniser where none is trained."""
    if (bench.folder / "second-judge").exists():
        return answers(bench.second_judge, pictures)[0]
    return [ranked[0] for ranked in judge(bench.recogniser, pictures).ranked]


def clip_figures(bench: Bench, clips: Sequence[Clip], strips: Sequence[list[Pixels]]) -> Result:
    known = known_paths(bench, clips[0].scene)
    right = [
        nearest_move(path_of(strip), known) == clip.move
        for clip, strip in zip(clips, strips, strict=True)
    ]
    things = bench.wanted([clip.scene for clip in clips])
    first, last = (named(bench, [strip[at] for strip in strips]) for at in (0, -1))
    same = [a == b == thing for a, b, thing in zip(first, last, things, strict=True)]
    return {
        "clips": len(clips),
        "moves": float(np.mean(right)),
        "by_move": shares([clip.move for clip in clips], right),
        "same_thing": float(np.mean(same)),
    }


def upscaler(bench: Bench) -> Result:
    """Decibels over Lanczos, on scenes that training never shows."""
    found, originals = Result(), bench.real(bench.asked[:100])
    for scale in SCALES:
        path = bench.model.with_name("nano-upscaler") / f"x{scale}.safetensors"
        if path.exists():
            model = Upscaler(scale=scale)
            weights = load_file(path)
            model.load_state_dict({name: value.float() for name, value in weights.items()})
            found[f"x{scale}"] = gains(model.eval(), originals, scale)
    return found


@contextmanager
def seconds_in(network: nn.Module) -> Iterator[list[float]]:
    """The seconds that each call of a network takes in the block."""
    began, taken = [0.0], list[float]()

    def begin(*_: object) -> None:
        began[0] = time.perf_counter()

    def end(*_: object) -> None:
        taken.append(time.perf_counter() - began[0])

    hooks = network.register_forward_pre_hook(begin), network.register_forward_hook(end)
    try:
        yield taken
    finally:
        for hook in hooks:
            hook.remove()


def turbo(bench: Bench) -> Result:
    """Four calls without guidance beside the usual steps with it: the thing named, and seconds."""
    usual = bench.pipeline
    parts = {**usual.components, "unet": copy.deepcopy(usual.unet)}
    hurried: Any = turbo_pipeline(type(usual)(**parts, requires_safety_checker=False))
    hurried.set_progress_bar_config(disable=True)
    hurried.load_lora_weights(bench.model / "lora", weight_name="turbo.safetensors")
    hurried.fuse_lora()  # as a file that is loaded once; hooks of peft cost a call a fifth
    scenes, found, shown = bench.fixed, Result(), list[Pixels]()
    prompts, wanted = [prompt(scene) for scene in scenes], bench.wanted(bench.fixed)
    asked = {
        "turbo": (hurried, {"steps": CALLS, "guidance": 1.0}),
        "usual": (usual, {}),
    }
    for name, (pipeline, options) in asked.items():
        began = time.perf_counter()
        with seconds_in(pipeline.unet) as taken:
            drawn = draw_prompts(pipeline, prompts, range(1000, 1000 + len(prompts)), **options)
        found[f"{name}_seconds"] = (time.perf_counter() - began) / len(prompts)
        found[f"{name}_unet_seconds"] = sum(taken) / len(prompts)
        found[name] = shares_named(named(bench, drawn), wanted)
        found[f"{name}_recogniser"] = bench.top(scenes, drawn)
        shown += drawn[:20]
    save_sheet(bench.folder / "sheets" / "turbo.png", shown, columns=20)
    return found


def shares_named(told: Sequence[int], wanted: Sequence[int]) -> float:
    return float(np.mean([a == b for a, b in zip(told, wanted, strict=True)]))


FOLDERS = {
    "edits": "nano-edit",
    "motion": "nano-motion",
    "upscaler": "nano-upscaler",
    "turbo": "nano/lora/turbo.safetensors",
}


def is_beside(section: str, model: Path) -> bool:
    """Whether what the section measures lies beside the model; others need nothing."""
    return section not in FOLDERS or (model.parent / FOLDERS[section]).exists()
