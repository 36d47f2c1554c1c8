"""Finds and lists models by kind and name in all model folders."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.models.detection.info import Kind, Layout, ModelInfo
from nodeforge.models.detection.recognise import recognise
from nodeforge.models.errors import ForbiddenModelError, MissingModelError, ModelFileError
from nodeforge.models.families import SPACES, TEXT_ENCODER_KINDS
from nodeforge.models.files.allowed_pickles import readable
from nodeforge.models.files.diffusers_folder import is_model_folder, watched
from nodeforge.models.files.file_cache import FileCache, settled, signature
from nodeforge.models.files.fingerprint import fingerprint, without_reading
from nodeforge.models.folders.companion_lock import locked_path
from nodeforge.models.folders.companions import companions
from nodeforge.models.folders.folder_layouts import ModelRoot, model_roots
from nodeforge.models.folders.listing import SUFFIXES, is_named_as_model, models_in, same_name
from nodeforge.models.labels import kind_label
from nodeforge.models.measurements.measurement import Measurement
from nodeforge.models.measurements.store import Measurements
from nodeforge.settings import Settings, shipped

_RECOGNITION = 4
"""Raised where the same file is recognised as something else than before."""

_SHIPPED = "models/"
"""Where configurations lie beside the weights that they are of."""
_PARTS = (Kind.UNET, Kind.VAE, Kind.TEXT_ENCODER)


class ModelFolders:
    """The models that `settings` and NodeForge itself bring.

    Raises:
        RequestError: an ``extra_model_paths.yaml`` named by the settings is damaged.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places = model_roots(settings)
        self._memo = FileCache(settings.cache / f"models_{_RECOGNITION}.json")
        self._found: dict[tuple[str, str], Path] = {}
        self.measurements = Measurements(settings.home)

    def find(self, kind: str, name: str, granted: frozenset[Path] = frozenset()) -> Path:
        """The model `name` of `kind`.

        Args:
            kind: ``checkpoint``, ``vae``, ``lora``, ...: the folders to look in. What is a
                part of checkpoints is looked for among them too, after its own folders, and
                denoisers after checkpoints.
            name: Path within such a folder, `/` or `\\` between its parts, with or without
                suffix; or an absolute path. Links there are followed, wherever they lead.
            granted: Absolute paths that the person gave; no others are allowed.

        Returns:
            Its path; of a pickle that the person has allowed that of its safetensors copy.

        Raises:
            MissingModelError: no folder has it.
            ForbiddenModelError: the name leads out of the folders, or to what is no file.
        """
        return readable(self._find(kind, name, granted), self._settings)

    def _find(self, kind: str, name: str, granted: frozenset[Path]) -> Path:
        if Path(name).is_absolute():
            return _granted(kind, name, granted)
        if (known := self._found.get((kind, name))) and os.access(known, os.R_OK):
            return known
        inner = "/".join(_parts(name))
        places = [place for place in self._places if place.holds(kind)]
        if kind in _PARTS:
            places += [place for place in self._places if place.kind == Kind.CHECKPOINT]
        if kind == Kind.CHECKPOINT:  # a denoiser alone, with what it needs beside it
            places += [place for place in self._places if place.kind == Kind.UNET]
        found = _direct(name, inner, places)
        if found is None:
            there = [listed for place in places for listed in models_in(place.root)]
            found = _alike(inner, there)
            if found is None and _is_absolute(name):
                raise _absolute(name)
            if found is None:
                raise _missing(kind, inner, places, [other for other, _ in there])
            if not found.is_file() and not found.is_dir():
                raise ForbiddenModelError(
                    f"'{name}' is a pipe, a device, or a link that leads nowhere.",
                    way_out="Put the file itself there.",
                )
        self._found[kind, name] = found
        return found

    def info(
        self, kind: str, name: str, granted: frozenset[Path] = frozenset()
    ) -> ModelInfo | None:
        """What the model `name` of `kind` is; None where it is not there, or cannot be read."""
        try:
            path = self.find(kind, name, granted)
        except RequestError:
            return None
        fresh: dict[str, tuple[str, Any]] = {}
        info = self._recognised(path, fresh)
        self._memo.put(fresh)
        return info

    def measured(self, path: Path) -> list[Measurement]:
        """What was measured of the model at `path` on this machine, the last first.

        A large model whose content is not known yet is not read for it.
        """
        if not self.measurements.any:
            return []
        try:
            with without_reading():
                return self.measurements.of(fingerprint(path))
        except ModelFileError:
            return []

    def scan(self) -> list[ModelInfo]:
        """All models, each with the `name` and the kind (`listed`) under which `find` has it.

        What is damaged, of another kind, or a link that leads nowhere is listed too, as unknown
        and with the reason.
        """
        self._found.clear()
        return self._listed(self._places)

    def _listed(self, places: Sequence[ModelRoot]) -> list[ModelInfo]:
        found: dict[tuple[str, str], ModelInfo] = {}
        fresh: dict[str, tuple[str, Any]] = {}
        for place in places:
            for name, path in models_in(place.root):
                info = self._recognised(readable(path, self._settings), fresh)
                listed = place.kind or info.kind.value
                found.setdefault((listed, name), replace(info, name=name, listed=listed))
        self._memo.put(fresh)
        return sorted(found.values(), key=lambda info: (info.listed, info.name.lower()))

    def companions(
        self,
        model: Path,
        given: Mapping[str, Path],
        locked: Mapping[str, Any] = MappingProxyType({}),
    ) -> dict[str, ModelInfo]:
        """What the denoiser at `model` needs and is not given: `companions.companions`.

        Args:
            model: The denoiser.
            given: What a person has chosen, by port.
            locked: What the workflow's lock says of this node, by port (`companion_lock`).
        """
        kinds = (Kind.TEXT_ENCODER.value, Kind.VAE.value)
        there = self._listed([place for place in self._places if place.kind in kinds])
        there += self._shipped_parts()
        paths = (locked_path(entry, there) for entry in locked.values())
        return companions(model, given, there, {path for path in paths if path is not None})

    def _shipped_parts(self) -> list[ModelInfo]:
        """Text encoder and VAE of the shipped model, for denoisers that were trained on them."""
        fresh: dict[str, tuple[str, Any]] = {}
        parts = [each.config for each in (*TEXT_ENCODER_KINDS.values(), *SPACES.values())]
        folders = [shipped("resources") / part for part in parts if part.startswith(_SHIPPED)]
        found = [self._recognised(folder, fresh) for folder in folders]
        self._memo.put(fresh)
        return found

    def names(self, kind: str) -> list[str]:
        """What `find` takes for the models in the folders of `kind`; none of them is opened."""
        places = [place for place in self._places if place.kind == kind]
        return [name for place in places for name, _ in models_in(place.root)]

    def default(self, kind: str) -> str | None:
        """The model of a kind that is meant without a word: the only one in the person's folders,
        or, where these have none, the first of the shipped ones; None where there are several, or
        none.

        Of the person's models none is opened.
        """
        names = self.names(kind)
        if not names:
            shared = self._listed([place for place in self._places if not place.kind])
            names = sorted(info.name for info in shared if info.listed == kind)[:1]
        return names[0] if len(names) == 1 else None

    def _recognised(self, path: Path, fresh: dict[str, tuple[str, Any]]) -> ModelInfo:
        try:
            files = watched(path)
            now = signature(files)
            if info := _from_json(path, self._memo.get(str(path), now)):
                return info
            info = recognise(path)
        except ModelFileError as error:
            return _unusable(path, error.fact)
        except OSError as error:
            return _unusable(path, f"cannot be read: {error.strerror}")
        if settled(files):
            fresh[str(path)] = (now, _to_json(info))
        return info


def _is_absolute(name: str) -> bool:
    return name.startswith(("/", "\\", "~")) or name[1:2] == ":"


def _absolute(name: str) -> ForbiddenModelError:
    return ForbiddenModelError(
        f"'{name}' is an absolute path; a workflow names models within the model folders.",
        way_out="Choose the file yourself, or put it into a model folder.",
    )


def _granted(kind: str, name: str, granted: frozenset[Path]) -> Path:
    path = Path(name)
    if path not in granted and path.resolve() not in {given.resolve() for given in granted}:
        raise _absolute(name)
    if not path.exists():
        raise MissingModelError(kind, kind_label(kind), name, (), ())
    return path


def _parts(name: str) -> list[str]:
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name:
        raise ForbiddenModelError(
            f"'{name}' is not the name of a model within a folder.",
            way_out="Choose a model from the list.",
        )
    return parts


def _direct(name: str, inner: str, places: list[ModelRoot]) -> Path | None:
    """The model of this very name; a backslash may be a letter of it, or a separator."""
    if os.name == "nt" and _is_absolute(name):
        return None
    paths = (place.root / each for each in dict.fromkeys((name, inner)) for place in places)
    return next((found for path in paths if (found := _existing(path))), None)


def _existing(path: Path) -> Path | None:
    """The model at `path`, or at `path` with one of the suffixes."""
    try:
        if is_model_folder(path):
            return path
        if is_named_as_model(path.name):
            return path if path.is_file() else None
        files = (path.with_name(path.name + suffix) for suffix in SUFFIXES)
        return next((file for file in files if file.is_file()), None)
    except (OSError, ValueError):  # a name longer than the disk allows, an unreadable folder
        return None


def _alike(inner: str, there: list[tuple[str, Path]]) -> Path | None:
    """The model whose name differs in ways that no eye sees: accents, the suffix's case."""
    wanted = {same_name(inner), *(same_name(inner + suffix) for suffix in SUFFIXES)}
    return next((path for name, path in there if same_name(name) in wanted), None)


def _missing(kind: str, name: str, places: list[ModelRoot], there: list[str]) -> MissingModelError:
    looked = tuple(str(place.root) for place in places if place.root.is_dir())
    return MissingModelError(kind, kind_label(kind), name, _near(name, there), looked)


def _near(name: str, there: list[str]) -> tuple[str, ...]:
    """Names like `name`: the same file elsewhere first, then similar spellings."""
    stems = {other: PurePosixPath(other.lower()).stem for other in there}
    stem = PurePosixPath(name.lower()).stem
    close = difflib.get_close_matches(stem, stems.values(), n=3, cutoff=0.6)
    ranked = [other for wanted in (stem, *close) for other in there if stems[other] == wanted]
    return tuple(dict.fromkeys(ranked))[:3]


def _unusable(path: Path, fact: str) -> ModelInfo:
    return ModelInfo(path, Kind.UNKNOWN, None, Layout.OTHER, reason=fact.rstrip("."))


def _to_json(info: ModelInfo) -> dict[str, Any]:
    return {name: value for name, value in vars(info).items() if name != "path"}


def _from_json(path: Path, known: Mapping[str, Any] | None) -> ModelInfo | None:
    if known is None:
        return None
    try:
        kinds = {"kind": Kind(known["kind"]), "layout": Layout(known["layout"])}
        return ModelInfo(
            path,
            **{
                **known,
                **kinds,
                "parts": tuple(known["parts"]),
                "families": tuple(known["families"]),
            },
        )
    except (TypeError, KeyError, ValueError):
        return None
