"""Reads diffusers folders: configs, and which files hold weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nodeforge.models.errors import CorruptModelError, ModelFileError, PickleRefusedError
from nodeforge.values.setting_names import FLOW

INDEX = "model_index.json"
_INDICES = (INDEX, "modular_model_index.json")
"""What a whole model's folder says of itself: of a pipeline, or of Modular Diffusers' blocks."""
CONFIG = "config.json"
VOCABULARY_KEY = "_nodeforge_vocabulary"
"""In a shipped tokenizer's config: the folder, from its own, that has its list of words."""

_LIMIT = 4 * 2**20
_STEMS = ("diffusion_pytorch_model", "model", "adapter_model")
_VARIANTS = ("", ".fp16", ".bf16", ".fp32")
_COUNTED = (".safetensors", ".json", ".txt", ".model")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


def model_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and paths of the files that make up the model in `folder`, in a fixed order.

    A LoRA or a ControlNet in a folder of its own beside the networks is another model.
    """
    for part in ("", *sorted(components(folder))):
        for file in sorted((folder / part).iterdir()):
            if file.suffix in _COUNTED and file.is_file():
                yield (f"{part}/{file.name}" if part else file.name), file


def watched(path: Path) -> tuple[str, ...]:
    """The files and folders whose times tell whether the model at `path` has changed."""
    if not path.is_dir():
        return (str(path),)
    parts = [path / part for part in components(path)]
    return tuple(map(str, (path, *parts, *(file for _, file in model_files(path)))))


def is_model_folder(folder: Path) -> bool:
    """Whether `folder` is a whole model, or one network of a model."""
    return is_whole_model(folder) or (folder / CONFIG).is_file()


def is_whole_model(path: Path) -> bool:
    """Whether `path` is a folder with all networks of a model, each in a folder of its own."""
    return any((path / name).is_file() for name in _INDICES)


def read_index(folder: Path) -> Mapping[str, Any]:
    """What a whole model's folder says of itself; empty where it is none.

    Raises:
        CorruptModelError: it is too large, or not a JSON object.
    """
    there = (folder / name for name in _INDICES if (folder / name).is_file())
    return read_config(next(there, folder / INDEX))


def read_config(file: Path) -> Mapping[str, Any]:
    """A small JSON object; an empty one where the file does not exist.

    Raises:
        CorruptModelError: it is too large, or not a JSON object.
    """
    try:
        if file.stat().st_size > _LIMIT:
            raise CorruptModelError(file, f"is larger than {_LIMIT} bytes, too large for a config.")
        config = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ModelFileError(f"cannot be read: {error.strerror}.", place=str(file)) from error
    except (ValueError, RecursionError) as error:
        raise CorruptModelError(file, "is not JSON.") from error
    if not isinstance(config, dict):
        raise CorruptModelError(file, "is not a JSON object.")
    return config


def predicts(scheduler: Mapping[str, Any]) -> str | None:
    """What a model with this scheduler's configuration predicts; None where it does not say."""
    if str(scheduler.get("_class_name")).startswith("FlowMatch"):  # these predict nothing else
        return FLOW
    said = scheduler.get("prediction_type")
    return said if isinstance(said, str) else None


def components(folder: Path) -> tuple[str, ...]:
    """Subfolders that `folder`'s index names, as ``unet`` and ``tokenizer``, if they are there."""
    index = read_index(folder)
    named = [name for name, value in index.items() if isinstance(value, list) and any(value)]
    return tuple(name for name in named if _plain(name) and (folder / name).is_dir())


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files that hold the weights of the network in `folder`, all its shards.

    Where it has them in several precisions, the plain one, then half precision.

    Raises:
        PickleRefusedError: it only has pickles.
        CorruptModelError: its list of shards is damaged, or names what is not there.
    """
    for stem in _STEMS:
        for variant in _VARIANTS:
            file = folder / f"{stem}{variant}.safetensors"
            if file.is_file():
                return (file,)
            index = folder / f"{stem}.safetensors.index{variant}.json"
            if index.is_file():
                return _shards(index)
    others = sorted(folder.glob("*.safetensors"))
    if not others:
        for file in sorted(folder.iterdir()):
            if file.suffix in _PICKLES:
                raise PickleRefusedError(file, is_part=True)
    return tuple(others[:1])


def _shards(index: Path) -> tuple[Path, ...]:
    places = read_config(index).get("weight_map")
    names = list(places.values()) if isinstance(places, dict) else []
    if not names or not all(isinstance(name, str) and _plain(name) for name in names):
        raise CorruptModelError(index, "does not name the files that hold the weights.")
    files = tuple(index.parent / name for name in sorted(set(names)))
    for file in files:
        if not file.is_file():
            raise CorruptModelError(index, f"names '{file.name}', which is not there.")
    return files


def _plain(name: str) -> bool:
    """Whether `name` names something right inside a folder."""
    return bool(name) and not set(name) & set("/\\:\0") and name not in (".", "..")
