"""Models of two denoisers: one for high noise, one that takes over at low noise."""

from __future__ import annotations

import re

from nodeforge.errors import RequestError
from nodeforge.lint.companions import companions
from nodeforge.lint.loop_model import JOIN_EXPERTS
from nodeforge.lint.loops import Loop

LOW_NOISE_GUIDANCE = "sampling.low_noise_guidance"
LOW_NOISE = "low_noise"
"""The port for the second expert of a node that loads a whole model."""
_EXPERT = re.compile(r"(?i)(?<![a-z])(high|low)(?:[-_ ]?noise)?(?![a-z])")


def has_second_expert(loop: Loop) -> bool | None:
    """Whether a loop's model has an expert for low noise; None where it is not known."""
    info, family, scene = loop.model.info, loop.family, loop.scene
    chain = loop.upstream("model")
    if any(scene.nodes[path].type == JOIN_EXPERTS for path in chain):
        return True
    if info is None or family is None:
        return None
    if not family.second_denoiser:
        return False
    if family.second_denoiser in info.parts:
        return True  # a folder of diffusers
    loader = list(chain)[-1]
    if scene.value(loader, LOW_NOISE) or scene.feed(loader, LOW_NOISE):
        return True
    beside = scene.once("companions", lambda: dict(companions(scene))).get(loader, {})
    if isinstance(beside, RequestError):
        return None  # the rule `companions` says what is missing
    return LOW_NOISE in beside


def expert_name(loop: Loop) -> str:
    """Which of two experts a file's name says it is: ``high``, ``low``; empty where none."""
    info, family = loop.model.info, loop.family
    if info is None or family is None or not family.second_denoiser:
        return ""
    told = _EXPERT.search(info.path.stem)
    return told[1].lower() if told else ""
