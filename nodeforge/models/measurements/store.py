"""Measurements on disk: one JSON file for each model, device and size of pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nodeforge.errors import RequestError
from nodeforge.models.files.file_cache import signature
from nodeforge.models.measurements.measurement import FORMAT, Conditions, Measurement
from nodeforge.settings.whole_file import keep_copy, write_whole

FOLDER = "measurements"
_KEY_DIGITS = 24
_LARGEST = 8 * 2**20


class DamagedMeasurementError(RequestError):
    """A file that holds no measurement."""


class NewerMeasurementError(RequestError):
    """A file that a newer version has written."""


class Measurements:
    """The measurements in a folder.

    Args:
        home: The user's folder.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER
        self._known: dict[Path, tuple[str, Measurement | None]] = {}

    @property
    def any(self) -> bool:
        """Whether anything was measured; quick."""
        return next(self._files("*"), None) is not None

    def of(self, key: str) -> list[Measurement]:
        """The measurements of a model by its content key, the last that was written first.

        Files that cannot be read are passed over: whoever measures says so (`begin`).
        """
        files = sorted(self._files(f"{_short(key)}-*"), key=_written, reverse=True)
        found = map(self._remembered, files)
        return [each for each in found if each is not None and each.conditions.key == key]

    def begin(self, conditions: Conditions, name: str) -> tuple[Measurement, list[str]]:
        """What is known under `conditions`, to go on with; and what a person should know.

        A damaged file is moved aside; one that was measured under other conditions, as by
        another version, is copied before it is replaced.

        Raises:
            NewerMeasurementError: a newer version has written it.
            RequestError: it cannot be moved.
        """
        file, fresh = self.file(conditions), Measurement(conditions, name)
        try:
            known = read(file)
        except FileNotFoundError:
            return fresh, []
        except DamagedMeasurementError as error:
            aside = _moved_aside(file)
            return fresh, [f"{error} It is kept as {aside.name}, and the model measured anew."]
        if known.conditions != conditions:
            copy = keep_copy(file, "before")
            return fresh, [
                f"{file}: was measured under other conditions. "
                f"It is kept as {copy.name}, and the model measured anew."
            ]
        return known, []

    def keep(self, measurement: Measurement) -> Path:
        """Write `measurement` in place of what was known under its conditions.

        Raises:
            RequestError: it cannot be written.
        """
        file = self.file(measurement.conditions)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RequestError(
                f"cannot be made: {error.strerror}.",
                place=str(self.folder),
                way_out="Make room, or set NODEFORGE_HOME to another folder.",
            ) from error
        data = to_json(measurement)
        write_whole(file, lambda out: out.write(data))
        return file

    def file(self, conditions: Conditions) -> Path:
        """Where the measurement under `conditions` is kept."""
        device = re.sub(r"[^a-z0-9]+", "-", conditions.device.lower()).strip("-")[:40]
        name = f"{_short(conditions.key)}-{device}-{conditions.width}x{conditions.height}.json"
        return self.folder / name

    def _files(self, pattern: str) -> Iterator[Path]:
        for file in self.folder.glob(f"{pattern}.json"):
            if file.stem.count(".") == 0:  # not what was moved aside
                yield file

    def _remembered(self, file: Path) -> Measurement | None:
        now = signature([str(file)])
        if (known := self._known.get(file)) is None or known[0] != now:
            try:
                known = (now, read(file))
            except (OSError, RequestError):
                known = (now, None)
            self._known[file] = known
        return known[1]


def to_json(measurement: Measurement) -> bytes:
    """`measurement` as a JSON file."""
    return msgspec.json.format(msgspec.json.encode(measurement), indent=1) + b"\n"


def read(file: Path) -> Measurement:
    """The measurement in `file`.

    Raises:
        FileNotFoundError: it is not there.
        DamagedMeasurementError: it cannot be read, or holds no measurement.
        NewerMeasurementError: a newer version has written it.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise DamagedMeasurementError("is too large for a measurement.", place=str(file))
        raw = msgspec.json.decode(file.read_bytes())
        if isinstance(raw, dict) and type(raw.get("format")) is int and raw["format"] > FORMAT:
            raise NewerMeasurementError(
                f"made with format {raw['format']}; this version reads up to {FORMAT}.",
                place=str(file),
                way_out="Update NodeForge, or move the file away to measure anew.",
            )
        measurement = msgspec.convert(raw, Measurement, strict=False)
    except FileNotFoundError:
        raise
    except OSError as error:
        fact = f"cannot be read: {error.strerror}."
        raise DamagedMeasurementError(fact, place=str(file)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        fact = f"is no measurement ({str(error)[:200]})."
        raise DamagedMeasurementError(fact, place=str(file)) from error
    _check(measurement, file)
    return measurement


def _check(measurement: Measurement, file: Path) -> None:
    """Refuse numbers that no measurement has."""
    of = measurement.conditions
    steps = list(of.steps)
    cells = measurement.cells
    sound = (
        steps == sorted(set(steps))
        and all(1 <= each <= 10_000 for each in (*steps, of.reference_steps))
        and all(cell.steps >= 1 and 0 <= cell.prompt < len(of.prompts) for cell in cells)
        and all((cell.seconds or 0) >= 0 and (cell.distance or 0) >= 0 for cell in cells)
        and all(each.seconds > 0 and each.difference >= 0 for each in measurement.attention or ())
    )
    if not sound:
        raise DamagedMeasurementError("holds numbers that cannot be.", place=str(file))


def _short(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.rpartition(":")[2].lower())[:_KEY_DIGITS] or "unknown"


def _written(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _moved_aside(file: Path) -> Path:
    number = 1
    while (aside := file.with_name(f"{file.stem}.damaged_{number}{file.suffix}")).exists():
        number += 1
    try:
        file.rename(aside)
    except OSError as error:
        raise DamagedMeasurementError(
            f"is damaged, and cannot be moved aside: {error.strerror}.",
            place=str(file),
            way_out="Move it away.",
        ) from error
    return aside
