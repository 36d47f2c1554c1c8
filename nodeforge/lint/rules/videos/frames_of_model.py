"""A video has as many frames as its model has a latent for."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.clips import Clip, clip_of
from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import VIDEO_NOISE, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.recipes import facts, families
from nodeforge.lint.rule import Rule

ENCODE = "latent.encode_video"
RULE = Rule(
    "NF901",
    Severity.ERROR,
    why=(
        "VAEs of videos code the first frame alone and then groups of several in one cell of the "
        "latent: other numbers of frames cannot be coded."
    ),
    source="The VAE's configuration; Wan's technical report, arXiv:2503.20314, section 4.1.",
    fix=FixGrade.CHOICE,
    types=(VIDEO_NOISE, ENCODE),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.frames is None or loop.noise is None or loop.family is None or loop.motion_module:
            continue
        group = loop.family.latent_space.frames_in_cell
        if loop.frames > 0 and (loop.frames - 1) % group:
            near = _nearest(loop.frames, group)
            yield scene.problem(
                loop.noise,
                f"is {loop.frames}, which {loop.family.label} cannot draw: it must be 1 and a "
                f"multiple of {group}.",
                f"The nearest is {near}.",
                port="frames",
                fix=scene.set_value(loop.noise, "frames", near),
            )
    yield from _of_clips(scene)


def _of_clips(scene: LintContext) -> Iterator[Problem]:
    known = families(scene).of
    for path in scene.of_type(ENCODE):
        clip = clip_of(scene, path, "video") if path in known else None
        if clip is None:
            continue
        group = facts(known[path].family).latent_space.frames_in_cell
        if clip.frames > 0 and (clip.frames - 1) % group:
            yield _of_clip(scene, path, clip, group)


def _of_clip(scene: LintContext, path: str, clip: Clip, group: int) -> Problem:
    fewer = (clip.frames - 1) // group * group + 1
    return scene.problem(
        path,
        f"'{scene.title(clip.node)}' gives {clip.frames} frames; the VAE codes 1 and a multiple of "
        f"{group}.",
        f"Trim the video to {fewer} frames.",
        port="video",
        severity=None if clip.exact else Severity.WARNING,
        fix=scene.set_value(clip.node, clip.port, fewer) if clip.port else None,
    )


def _nearest(frames: int, group: int) -> int:
    return max(0, round((frames - 1) / group)) * group + 1
