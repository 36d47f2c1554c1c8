"""A latent of a video goes where videos are expected, one of a picture where pictures are."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.graph.model import Output
from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

DECODE, DECODE_VIDEO = "latent.decode", "latent.decode_video"
RULE = Rule(
    "NF905",
    Severity.ERROR,
    why="A video's latent has an axis of time, a picture's has none: neither can stand for both.",
    source="The shapes of latents here: BCTHW and BCHW.",
    types=(*LOOPS, DECODE, DECODE_VIDEO),
)

_PICTURES = ("latent.encode", "latent.empty", "canvas.encode")
_VIDEOS = ("latent.encode_video",)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.draws_videos is None:
            continue
        wanted = ("videos", "Encode video") if loop.draws_videos else ("pictures", "VAE encode")
        for port in ("latent", "masked_image"):
            if _is_video(scene, scene.feed(loop.path, port)) is (not loop.draws_videos):
                yield scene.problem(
                    loop.path,
                    f"the latent is of {_kind(not loop.draws_videos)}, and the model draws "
                    f"{wanted[0]}.",
                    f"Encode one with '{wanted[1]}'.",
                    port=port,
                )
    for path in scene.of_type(DECODE, DECODE_VIDEO):
        decodes_videos = scene.nodes[path].type == DECODE_VIDEO
        if _is_video(scene, scene.feed(path, "latent")) is (not decodes_videos):
            other = "VAE decode" if decodes_videos else "Decode video"
            yield scene.problem(
                path,
                f"the latent is of {_kind(not decodes_videos)}.",
                f"Decode it with '{other}'.",
                port="latent",
            )


def _kind(video: bool) -> str:
    return "a video" if video else "a picture"


def _is_video(scene: LintContext, feed: Output | None) -> bool | None:
    """Whether a latent is of a video; None where only a run can tell."""
    kinds = {loop.path: loop.draws_videos for loop in loops(scene)}
    seen = set[str]()
    while feed is not None and feed.node not in seen:
        seen.add(feed.node)
        kind = scene.nodes[feed.node].type
        if feed.node in kinds:
            return kinds[feed.node]
        if kind in _PICTURES or kind in _VIDEOS:
            return kind in _VIDEOS
        feed = scene.feed(feed.node, "latent")
    return None
