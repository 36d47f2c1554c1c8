"""The denoise loops of a workflow, and what each is told, as far as that is known without a run."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

from nodeforge.graph.model import Output
from nodeforge.lint.context import LintContext
from nodeforge.lint.loop_model import HIGH_NOISE, LoopModel, loop_model
from nodeforge.models import (
    FAMILIES,
    Family,
    GuidanceKind,
    RecommendedSettings,
    SamplingSettings,
    Variant,
    resolve,
)
from nodeforge.values.setting_names import AUTO, COMFYUI, DIFFUSERS

REFINING = "sampling.refine_regions"
LOOPS = ("sampling.denoise", "sampling.estimate", REFINING)
SAMPLER, SCHEDULE, GUIDANCE = "sampling.sampler", "sampling.schedule", "sampling.guidance"
CUSTOM_SCHEDULE = "sampling.custom_schedule"
NOISE, VIDEO_NOISE = "sampling.noise", "sampling.video_noise"
LAYERS_NOISE = "sampling.layers_noise"
STEP_CACHE = "models.step_cache"
MOTION_MODULE = "models.load_motion_module"
MOST_STEPS = 10**6
_USUAL = RecommendedSettings("dpmpp_2m", "karras", steps=20, guidance=7.0)
_REFINED_STRENGTH = 0.5
"""Of *Refine regions* where its schedule is left to it."""
_LARGEST = 1e300
"""Of a number that arithmetic is done with; whole numbers of JSON have no bound."""


def loops(scene: LintContext) -> list[Loop]:
    """The denoise loops, in the order of the workflow; the same objects for every rule."""
    return list(_by_path(scene).values())


def _by_path(scene: LintContext) -> dict[str, Loop]:
    return scene.once("loops", lambda: {path: Loop(scene, path) for path in scene.of_type(*LOOPS)})


def steps_run(scene: LintContext, path: str) -> int | None:
    """How many steps a schedule node's schedule runs; None where only a run can tell."""
    steps, strength = scene.value(path, "steps"), number(scene.value(path, "strength"))
    counted = type(steps) is int and steps <= MOST_STEPS
    if not counted or strength is None or not 0 <= strength <= 1:
        return None  # the rule `ranges` says so
    return int(steps * strength)


def number(value: Any) -> float | None:
    """A number as it stands, if it is not beyond all bounds; None for anything else."""
    known = type(value) in (int, float) and abs(value) <= _LARGEST
    return value if known else None


class Loop:
    """One denoise loop.

    Args:
        scene: The workflow.
        path: The loop's node.
    """

    def __init__(self, scene: LintContext, path: str) -> None:
        self.scene, self.path = scene, path
        self._upstream: dict[tuple[str, str], dict[str, None]] = {}

    def upstream(self, port: str, through: str | None = None) -> Collection[str]:
        """The nodes behind an input, nearest first, followed through their inputs `through`.

        Args:
            port: The loop's.
            through: The port that passes the value on; None is one of the same name.
        """
        key = port, through or port
        found = self._upstream.get(key)
        if found is None:
            found = self._upstream[key] = self._followed(*key)
        return found

    def _followed(self, port: str, through: str) -> dict[str, None]:
        feed, seen = self.scene.feed(self.path, port), dict[str, None]()
        while feed is not None and feed.node not in seen:
            seen[feed.node] = None
            feed = self.scene.feed(feed.node, through) or self._first_expert(feed.node, through)
        return seen

    def _first_expert(self, path: str, through: str) -> Output | None:
        """What *Join experts* gets for the first steps, where models are followed."""
        return self.scene.feed(path, HIGH_NOISE) if through == "model" else None

    def node(self, port: str, *kinds: str) -> str | None:
        """The nearest node of one of the types `kinds` behind an input."""
        nodes = self.scene.nodes
        return next((path for path in self.upstream(port) if nodes[path].type in kinds), None)

    @cached_property
    def refines(self) -> bool:
        """Whether it draws the parts of a mask, and puts them back itself."""
        return self.scene.nodes[self.path].type == REFINING

    @cached_property
    def motion_module(self) -> str | None:
        """The node that lets a model of pictures draw videos."""
        return self.node("model", MOTION_MODULE)

    @cached_property
    def draws_videos(self) -> bool | None:
        """Whether its model draws videos; None where the model is not known."""
        if self.motion_module is not None:
            return True
        return None if self.family is None else self.family.video is not None

    @cached_property
    def usual_frames(self) -> int | None:
        """How many frames its model was trained on, as far as that is known."""
        if self.motion_module is not None:
            return self._whole(self.motion_module, "context")
        return self.family.video.frames if self.family and self.family.video else None

    @cached_property
    def frames(self) -> int | None:
        """Of a new video; None for pictures, and where only a run can tell."""
        if self.noise is None or self.scene.nodes[self.noise].type != VIDEO_NOISE:
            return None
        if self.scene.feed(self.path, "latent") is not None:
            return None
        asked = self._whole(self.noise, "frames")
        if asked is None and not self._is_linked(self.noise, "frames"):
            return self.usual_frames
        return asked

    @cached_property
    def prompt_types(self) -> frozenset[str]:
        """The types of the nodes that the prompt comes through: controls, regions, encoders."""
        found = self.upstream("positive", "conditioning")
        return frozenset(self.scene.nodes[path].type for path in found)

    @cached_property
    def model(self) -> LoopModel:
        """Of its file, as far as its header tells."""
        return loop_model(self.scene, self.path)

    @cached_property
    def family(self) -> Family | None:
        info = self.model.info
        return FAMILIES.get(info.family or "") if info else None

    @cached_property
    def variant(self) -> Variant | None:
        """Which of its family's kinds of models it is, where something tells."""
        if self.family is None:
            return None
        return self.family.variants.get(self.model.variant or self.family.variant)

    @property
    def label(self) -> str:
        """How people call the model: ``SDXL Turbo``; ``the model`` where it is not known."""
        if self.family is None:
            return "the model"
        if self.variant is None:
            return self.family.label
        name = self.model.variant or self.family.variant
        return f"{self.family.label} {self.variant.label or name.capitalize()}"

    @cached_property
    def guidance_kind(self) -> GuidanceKind | None:
        """How the model is guided; None where the model is not known."""
        if self.family is None:
            return None
        return (self.variant and self.variant.guidance) or self.family.guidance

    @property
    def recommended(self) -> RecommendedSettings:
        """What the model is usually told; of a model that is not known, what most are."""
        return self.family.recommended_for(self.model.variant) if self.family else _USUAL

    @cached_property
    def true_scale(self) -> float:
        """The scale of the usual guidance beside one that the model reads; 1 is off."""
        value = self._number(self.guidance, "true_scale")
        return 1.0 if value is None else value

    @cached_property
    def sampler(self) -> str | None:
        """The sampler node."""
        return self.node("sampler", SAMPLER)

    @cached_property
    def schedule(self) -> str | None:
        """The schedule node."""
        return self.node("schedule", SCHEDULE)

    @cached_property
    def guidance(self) -> str | None:
        """The node that says the usual scale."""
        return self.node("guidance", GUIDANCE)

    @cached_property
    def settings(self) -> SamplingSettings:
        """What it is told, with what it leaves to a known model resolved."""
        asked = SamplingSettings(
            sampler=self._text("sampler", self.sampler),
            schedule=self._schedule_name,
            steps=self._whole(self.schedule, "steps"),
            guidance=self._number(self.guidance, "scale"),
            convention=self._convention,
        )
        info = self.model.info
        if info is None or self.family is None:
            return asked
        return resolve(asked, self.family.name, self.model.variant, info.prediction_type or "")

    @cached_property
    def scale(self) -> float | None:
        """The usual guidance scale; None where only a run can tell, or no model is known."""
        if self.scene.feed(self.path, "guidance") is not None and self.guidance is None:
            return None  # a node that is not known
        return None if self._is_linked(self.guidance, "scale") else self.settings.guidance

    @cached_property
    def strength(self) -> float | None:
        """The share of the schedule that is run."""
        if self.schedule is None:
            own = _REFINED_STRENGTH if self.refines else 1.0
            return None if self.scene.feed(self.path, "schedule") else own
        return number(self.scene.value(self.schedule, "strength"))

    @cached_property
    def steps(self) -> int | None:
        """Steps of the whole schedule; None where only a run can tell."""
        if self.schedule is None and self.scene.feed(self.path, "schedule"):
            return None
        steps = None if self._is_linked(self.schedule, "steps") else self.settings.steps
        return steps if steps is not None and 0 < steps <= MOST_STEPS else None

    @cached_property
    def steps_run(self) -> int | None:
        """Steps that the schedule has to run, after its strength."""
        if self.steps is None or self.strength is None or not 0 <= self.strength <= 1:
            return None
        return int(self.steps * self.strength)

    @cached_property
    def first_step(self) -> int:
        """The first step it runs, counted among the schedule's; 0 where only a run can tell."""
        return self._whole(self.path, "start_at") or 0

    @cached_property
    def last_step(self) -> int | None:
        """The step it stops before; None is the end."""
        return self._whole(self.path, "stop_at")

    @cached_property
    def stops_early(self) -> bool:
        """Whether it leaves noise in its latent, for another loop to go on from."""
        last = self.last_step
        return last is not None and self.first_step < last < (self.steps_run or 0)

    @cached_property
    def noise(self) -> str | None:
        """The noise node, of a picture, of a video or of layers."""
        return self.node("noise", NOISE, VIDEO_NOISE, LAYERS_NOISE)

    @cached_property
    def has_noise(self) -> bool:
        return self.refines or self.scene.feed(self.path, "noise") is not None

    @cached_property
    def before(self) -> Loop | None:
        """The loop whose latent this one starts from, with nothing between them."""
        feed = self.scene.feed(self.path, "latent")
        return _by_path(self.scene).get(feed.node) if feed else None

    @property
    def is_img2img(self) -> bool:
        """Whether it changes a picture, or what another loop has finished."""
        latent = self.refines or self.scene.feed(self.path, "latent") is not None
        return self.has_noise and latent

    @cached_property
    def size(self) -> tuple[int, int] | None:
        """Width and height of a new picture, pixels; None for a changed one and for sounds, or
        where only a run can tell."""
        if self.noise is None or self.scene.feed(self.path, "latent") is not None:
            return None
        if self.family and self.family.sound:
            return None
        sides = [self._whole(self.noise, side) for side in ("width", "height")]
        known = [
            native if side is None and not self._is_linked(self.noise, port) else side
            for side, port, native in zip(sides, ("width", "height"), self._native, strict=True)
        ]
        width, height = known
        return (width, height) if type(width) is int and type(height) is int else None

    @property
    def _native(self) -> tuple[int, int] | tuple[None, None]:
        """The sides that its model draws where nobody says them."""
        if self.family is None:
            return None, None
        if self.family.video is not None:
            return self.family.native_sides
        side = self.family.native_size_of(self.model.variant)
        return side, side

    @property
    def trained_size(self) -> str:
        """In words, for a known model: ``512 × 512``."""
        width, height = self._native
        return f"{width} × {height}"

    @property
    def _convention(self) -> str:
        asked = self.sampler and self.scene.value(self.sampler, "convention")
        return COMFYUI if asked == COMFYUI else DIFFUSERS

    @property
    def _schedule_name(self) -> str:
        if self.node("schedule", CUSTOM_SCHEDULE):
            return "custom"
        return self._text("schedule", self.schedule)

    def _text(self, port: str, path: str | None) -> str:
        name = self.scene.value(path, "name") if path else AUTO
        return name if type(name) is str else AUTO

    def _whole(self, path: str | None, port: str) -> int | None:
        """A whole number that could be meant; the rule `ranges` names others."""
        value = self.scene.value(path, port) if path else None
        return value if type(value) is int and abs(value) <= MOST_STEPS else None

    def _number(self, path: str | None, port: str) -> float | None:
        return number(self.scene.value(path, port)) if path else None

    def _is_linked(self, path: str | None, port: str) -> bool:
        """Whether a value comes from a node that computes it."""
        return path is not None and self.scene.is_computed(path, port)
