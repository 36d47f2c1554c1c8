"""Reads the tensors of pickles that a person has allowed, and nothing else of them.

`torch.load` with ``weights_only`` knows the few names that tensors need; where a pickle has
another, as each that would run code has, it stops before calling it.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.errors import LoadingError
from nodeforge.models.errors import CorruptModelError
from nodeforge.settings.whole_file import write_whole

_WRAPPERS = (
    *("params_ema", "params-ema", "params", "model_state_dict", "state_dict", "model", "net"),
    "generator",
)
"""What trainers call the weights among the rest of a training; the best first."""
_MOST_DEEP = 8
_UNREADABLE = (EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError)
_NAME = re.compile(r"GLOBAL ([\w.]+)")


def convert_pickle(path: Path, target: Path) -> int:
    """Write the tensors of the pickle at `path` to `target`, as safetensors.

    Returns:
        How many there were.

    Raises:
        LoadingError: it holds code or other objects, or no tensors.
        CorruptModelError: it is damaged.
    """
    from safetensors.torch import save

    state = tensors_of_pickle(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    data = save(state, {"converted_from": path.name})
    write_whole(target, lambda file: file.write(data))
    return len(state)


def tensors_of_pickle(path: Path) -> dict[str, Tensor]:
    """The tensors of a pickle by name; names of dictionaries in it are parts of theirs.

    Raises:
        LoadingError: it holds code or other objects, or no tensors.
        CorruptModelError: it is damaged.
    """
    try:
        told = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refused(path, str(error)) from error
    except _UNREADABLE as error:
        raise CorruptModelError(path, "is no pickle of tensors, or is cut short.") from error
    state = {name: _plain(each) for name, each in _tensors(_weights(told))}
    if not state:
        raise LoadingError(
            "holds no tensors.", place=str(path), way_out="Choose the file with the weights."
        )
    return state


def _refused(path: Path, why: str) -> LoadingError:
    found = _NAME.search(why)
    if found:
        fact = f"asks for '{found[1]}' while it is read, which no tensor needs: it may run code."
    else:
        fact = "is written in a way that torch does not read as tensors alone."
    return LoadingError(
        f"{fact} None of it was run.",
        place=str(path),
        way_out="Get the model as .safetensors, from somebody you trust.",
    )


def _weights(told: Any) -> Any:
    """The weights among what a training has kept."""
    if not isinstance(told, Mapping):
        return told
    inner = (told[name] for name in _WRAPPERS if isinstance(told.get(name), Mapping))
    return next(inner, told)


def _tensors(told: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    if isinstance(told, Tensor):
        yield prefix, told
    elif isinstance(told, Mapping) and depth < _MOST_DEEP:
        for name, each in told.items():
            yield from _tensors(each, f"{prefix}.{name}" if prefix else str(name), depth + 1)


def _plain(tensor: Tensor) -> Tensor:
    """With memory of its own, as safetensors wants it."""
    return tensor.detach().to_dense().clone().contiguous()
