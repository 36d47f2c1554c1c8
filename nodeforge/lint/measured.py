"""What was measured of a loop's model, where the loop runs it as it was measured."""

from __future__ import annotations

from typing import NamedTuple

from nodeforge.lint.loops import Loop
from nodeforge.models import CurvePoint, Measurement
from nodeforge.values.setting_names import AUTO, DIFFUSERS

_LIKE_SCALE = 0.2
"""The share by which a guidance scale may differ from the measured one."""
_LIKE_AREA = 2.0
"""How many times as large, or as small, a picture may be as the measured ones."""
_PLAIN_TEXT = ("text.encode",)
_AUTO_PORTS = ("prediction", "zero_snr", "variant")


class MeasuredLoop(NamedTuple):
    """What was measured of a loop's model and sampler.

    Args:
        measurement: Of the model.
        sampler: The loop's, which is a deterministic one.
        curve: The sampler's distances by steps; never empty.
    """

    measurement: Measurement
    sampler: str
    curve: tuple[CurvePoint, ...]

    def distance(self, steps: int) -> float | None:
        """To the converged picture after `steps`; None for fewer than were measured."""
        return self.measurement.distance(self.sampler, steps)

    def seconds(self, steps: int) -> float | None:
        """Of the denoise loop; None where no run was timed."""
        exact = next((point.seconds for point in self.curve if point.steps == steps), None)
        if exact is not None:
            return exact
        a_step = self.measurement.seconds_a_step(self.sampler)
        return None if a_step is None else a_step * steps


def measured(loop: Loop) -> MeasuredLoop | None:
    """What was measured of the model of `loop`; None where the loop does something else with it.

    It has to draw a new picture of words, in all steps, with the measured schedule, about the
    measured guidance scale and size, by a sampler that was measured, without anything on the
    model that was not there.
    """
    return loop.scene.once(f"measured {loop.path}", lambda: _measured(loop))


def _measured(loop: Loop) -> MeasuredLoop | None:
    scene, info = loop.scene, loop.model.info
    if scene.models is None or info is None or not scene.models.measurements.any:
        return None
    if not _is_plain(loop):
        return None
    for found in scene.models.measured(info.path):
        if _fits(loop, found) and (curve := found.curve(loop.settings.sampler)):
            return MeasuredLoop(found, loop.settings.sampler, curve)
    return None


def _is_plain(loop: Loop) -> bool:
    """Whether it makes a picture of words and noise alone, in all of its steps."""
    scene, chain = loop.scene, list(loop.upstream("model"))
    if scene.nodes[loop.path].type != "sampling.denoise" or len(chain) != 1:
        return False
    if any(scene.value(chain[0], port) not in (AUTO, None) for port in _AUTO_PORTS):
        return False
    linked = [scene.feed(loop.path, port) for port in ("latent", "mask", "masked_image")]
    texts = loop.upstream("positive", through="conditioning")
    guidance = loop.upstream("guidance")
    return (
        not any(linked)
        and loop.strength == 1
        and loop.first_step == 0
        and not loop.stops_early
        and all(scene.nodes[path].type in _PLAIN_TEXT for path in texts)
        and (loop.guidance is None or list(guidance) == [loop.guidance])
    )


def _fits(loop: Loop, found: Measurement) -> bool:
    """Whether its settings are those of the measurement, but for steps."""
    of, settings = found.conditions, loop.settings
    if settings.convention != DIFFUSERS or settings.schedule != of.schedule:
        return False
    if loop.scale is None or abs(loop.scale - of.guidance) > _LIKE_SCALE * of.guidance:
        return False
    if loop.size is None:
        return False
    share = loop.size[0] * loop.size[1] / (of.width * of.height)
    return 1 / _LIKE_AREA <= share <= _LIKE_AREA
