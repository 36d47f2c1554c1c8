"""Lets the tensors of a pickle be read, once a person has allowed it, by its content as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nodeforge import models
from nodeforge.engine.worker_client.own_worker import ask_worker
from nodeforge.errors import RequestError
from nodeforge.settings import Settings, update_settings

Convert = Callable[[Settings, Path, Path, Callable[[], object]], int]


def convert_in_worker(
    settings: Settings, path: Path, target: Path, check: Callable[[], object]
) -> int:
    """Copy the tensors of the pickle at `path` to `target` in a worker of its own, which ends.

    Args:
        settings: Folders and limits.
        path: The pickle.
        target: The safetensors file.
        check: Called again and again; what it raises ends the worker.

    Returns:
        How many tensors there were.

    Raises:
        NodeForgeError: it holds other things than tensors, or is damaged.
    """
    told = ask_worker(settings, "convert_pickle", check, path=str(path), target=str(target))
    return told["tensors"]


def allow_pickle(
    settings: Settings,
    file: Path,
    check: Callable[[], object] = lambda: None,
    convert: Convert = convert_in_worker,
) -> int:
    """Copy the tensors of a pickle into a safetensors file, and record that it may be used.

    Nothing else of it is read, and no code in it runs.

    Args:
        settings: Where copy and permission are kept.
        file: The pickle. After any change to it, it has to be allowed again.
        check: Called now and then; it may raise to stop.
        convert: Copies the tensors.

    Returns:
        How many tensors it has.

    Raises:
        RequestError: it is no pickle, or changed meanwhile.
        NodeForgeError: it holds other things than tensors, or is damaged.
    """
    if not models.is_pickle(file):
        raise RequestError(
            "is no pickle.", place=str(file), way_out="Use it as it is: nothing has to be allowed."
        )
    path = file.absolute()
    key = models.fingerprint(path)
    check()
    count = convert(settings, path, models.converted_path(settings, key, path.name), check)
    if models.fingerprint(path) != key:
        raise RequestError(
            "changed while it was read.", place=str(file), way_out="Try again when it is whole."
        )

    def allowed(now: Settings) -> Settings:
        return replace(now, pickles_allowed={**now.pickles_allowed, key: path.name})

    update_settings(settings.home, allowed)
    return count
