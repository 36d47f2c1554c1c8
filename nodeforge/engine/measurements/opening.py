"""Opens the measurement of a model: checks all that can be checked, and finds what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from nodeforge import models
from nodeforge.engine.measurements.conditions import (
    Extent,
    MeasuredModel,
    NotMeasurableError,
    conditions_of,
    measured_model,
)
from nodeforge.engine.measurements.measuring import Measuring
from nodeforge.engine.measurements.workflow import Purpose, Step, workflow
from nodeforge.lint import Severity, companion_locks, lint
from nodeforge.models import ModelFolders
from nodeforge.models.measurements.store import Measurements
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    import numpy as np


class OpenedMeasurement(NamedTuple):
    """A measurement to go on with, and what a person should know of what was there."""

    measuring: Measuring
    notices: list[str]


def checked_model(
    folders: ModelFolders, name: str, granted: tuple[str, ...] = (), extent: Extent | None = None
) -> MeasuredModel:
    """The model `name` with the files that it needs beside it; nothing is run or read whole.

    Args:
        folders: Where models are looked for.
        name: As a workflow names it.
        granted: Absolute paths that the person gave.
        extent: How much is to be measured.

    Raises:
        RequestError: it is not there, of a kind that is not measured, or a companion is missing.
    """
    model = measured_model(folders, name, granted)
    conditions = conditions_of(model, "", "", "", extent or Extent())
    step = Step(Purpose.PROBE, conditions.samplers[0], 1, 0, 0)
    document, catalogue = workflow(name, conditions, step), Catalogue.shipped()
    for problem in lint(document, catalogue, folders, granted=granted):
        if problem.severity is Severity.ERROR:
            raise NotMeasurableError(problem.fact, place=name, way_out=problem.way_out)
    found = companion_locks(document, catalogue, folders, granted)
    return replace(model, lock={models.COMPANIONS: found}) if found else model


def open_measurement(
    model: MeasuredModel,
    store: Measurements,
    device: Mapping[str, Any],
    extent: Extent | None = None,
    *,
    here: bool = True,
) -> OpenedMeasurement:
    """The measurement of `model` on a device.

    Reads the whole model where its content is not known yet.

    Args:
        model: The model (`checked_model`).
        store: Where measurements are kept.
        device: The worker's, as its answer to ``devices`` tells it under ``chosen``.
        extent: How much is measured.
        here: Whether that worker is on this machine.

    Raises:
        RequestError: what is known cannot be gone on with.
    """
    key = models.fingerprint(model.path)
    name, kind = str(device["name"]), str(device["kind"])
    conditions = conditions_of(model, key, name, kind, extent or Extent())
    measurement, notices = store.begin(conditions, model.name)
    return OpenedMeasurement(Measuring(model, measurement, store, here=here), notices)


def picture_of(answer: dict[str, Any]) -> np.ndarray | None:
    """The picture in an answer to ``render``; None where the result was not kept."""
    if not answer.get("shape"):
        return None
    import numpy as np  # the window imports this module, and starts without it

    return np.frombuffer(answer["payload"], np.uint8).reshape(answer["shape"])
