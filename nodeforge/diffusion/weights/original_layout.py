"""Reads denoisers in the names that their authors gave, as diffusers' networks have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.weights_file import StoredTensor
from nodeforge.models import Signature

Shapes = Mapping[str, tuple[int, ...]]


def from_original(
    signature: Signature, there: Mapping[str, StoredTensor], shapes: Shapes
) -> dict[str, StoredTensor] | None:
    """What each parameter of a denoiser is read from; None where it is not in the file.

    A layer that is one in the file and several in the network is split by rows, as the network's
    shapes say.

    Args:
        signature: Of the denoiser's family.
        there: The file's tensors; those of other networks are left out.
        shapes: Of the network's parameters.

    Raises:
        LoadingError: a layer has not as many rows as its parts in the network.
    """
    if (place := signature.find(there.keys())) is None:
        return None
    found: dict[str, StoredTensor] = {}
    exchanged = signature.names.swapped_among({name.rpartition(".")[0] for name in shapes})
    for name, stored in there.items():
        if not name.startswith(place.prefix):
            continue
        plain = name.removeprefix(place.prefix)
        parts = signature.names.tensors_in_diffusers(plain) if place.original else (plain,)
        if not place.original or len(parts) == 1:
            swapped = place.original and parts[0].rpartition(".")[0] in exchanged
            stored = _laid_out(stored, shapes.get(parts[0], ()))
            found[parts[0]] = stored.swapped() if swapped else stored
        elif all(part in shapes for part in parts):
            found |= _by_rows(name, stored, {part: shapes[part][0] for part in parts})
    return found


def _laid_out(stored: StoredTensor, shape: tuple[int, ...]) -> StoredTensor:
    """A table of `shape`, of which some authors write the rows as one."""
    in_a_row = len(shape) > 1 and stored.shape == (prod(shape),)
    return replace(stored, shape=shape) if in_a_row else stored


def _by_rows(name: str, stored: StoredTensor, rows: Mapping[str, int]) -> dict[str, StoredTensor]:
    have = stored.shape[0] if stored.shape else 0
    if have != sum(rows.values()):
        raise LoadingError(
            f"'{name}' has {have} rows, {sum(rows.values())} are needed.",
            place=str(stored.path),
            way_out="The model is of another family, or its configuration is not its own.",
        )
    found, at = {}, 0
    for part, count in rows.items():
        found[part] = stored.rows(at, at + count)
        at += count
    return found
