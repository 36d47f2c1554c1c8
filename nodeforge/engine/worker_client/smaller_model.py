"""Writes a model whose weights are stored in 8 bits, in a worker of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from nodeforge.engine.worker_client.own_worker import ask_worker
from nodeforge.errors import RequestError
from nodeforge.settings import Settings

FORMS: Final = {
    "int8": "int8, rotated: nearest to the model, for most cards",
    "fp8": "fp8, scaled: read by more programs",
}
"""How weights can be stored, and what is said of it."""
Ask = Callable[..., dict[str, Any]]


class Smaller(NamedTuple):
    """What was written.

    Args:
        file: The new file.
        matrices: How many are in 8 bits.
        before, after: Bytes of the two files.
    """

    file: Path
    matrices: int
    before: int
    after: int


def smaller_name(file: Path, form: str) -> Path:
    """Where the smaller model is written if nobody says: beside it, with its form in the name."""
    return file.with_name(f"{file.stem}_{form}.safetensors")


def save_smaller(
    settings: Settings,
    file: Path,
    form: str,
    target: Path | None = None,
    check: Callable[[], object] = lambda: None,
    ask: Ask = ask_worker,
) -> Smaller:
    """Write the model in `file` with its large matrices in 8 bits.

    Args:
        settings: Folders and limits.
        file: A safetensors file of a denoiser, text encoder or whole checkpoint.
        form: One of `FORMS`.
        target: The new file; None is `smaller_name`.
        check: Called now and then; it may raise to stop.
        ask: Asks a worker.

    Raises:
        RequestError: the new file is there already.
        NodeForgeError: the model is of another kind, small already, or damaged; no room.
    """
    target = target or smaller_name(file, form)
    if target.exists():
        raise RequestError(
            "is there already.", place=str(target), way_out="Give another name for the new file."
        )
    told = ask(settings, "save_smaller", check, path=str(file), target=str(target), form=form)
    sizes = (each.stat().st_size for each in (file, target))
    return Smaller(target, told["matrices"], *sizes)
