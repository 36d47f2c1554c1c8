"""What the authors of a model call its layers, beside what diffusers calls them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

PREFIXES = (
    *("model.diffusion_model.", "diffusion_model.", "model.model.", "net.", "transformer."),
    "",
)
"""What files put before the names of a denoiser's tensors."""

_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")


@dataclass(frozen=True)
class OriginalNames:
    """The layers of a denoiser in its authors' files and in diffusers.

    Args:
        layers: What diffusers calls a layer of the authors' files; several where these have them
            as one, one after another by rows. ``*`` is the number of a block. What is not here
            has the same name in both.
        aliases: What trainers of LoRAs call layers besides, in the form of `layers`.
        swapped: Layers, as diffusers calls them, that have the halves of their rows exchanged:
            shift and scale of the last normalisation. ``*`` is the number of the last block.
        tensors: What diffusers calls a tensor that belongs to no layer.
    """

    layers: Mapping[str, str | tuple[str, ...]]
    aliases: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    swapped: tuple[str, ...] = ()
    tensors: Mapping[str, str] = field(default_factory=dict)

    def in_diffusers(self, layer: str) -> tuple[str, ...]:
        """What diffusers calls a layer of the authors' files: one name, or the parts by rows."""
        return self._renamed(layer) or (layer,)

    def tensors_in_diffusers(self, tensor: str) -> tuple[str, ...]:
        """The same for a tensor; a normalisation has ``scale`` there and ``weight`` here."""
        if alone := _named_in(_as_tuples(self.tensors), tensor):
            return alone
        layer, dot, last = tensor.rpartition(".")
        renamed = self._renamed(layer) if dot else None
        if renamed is None:
            return (tensor,)
        return tuple(f"{each}.{'weight' if last == 'scale' else last}" for each in renamed)

    def swapped_among(self, layers: Collection[str]) -> set[str]:
        """Which of a network's layers have the halves of their rows exchanged."""
        found = set[str]()
        for name in self.swapped:
            before, star, after = name.partition("*")
            inner = (each.removeprefix(before) for each in layers if each.startswith(before))
            numbers = (each.removesuffix(after) for each in inner if each.endswith(after))
            last = max((int(each) for each in numbers if each.isdecimal()), default=0)
            found.add(f"{before}{last}{after}" if star else name)
        return found

    def beginning_with(self, layer: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Layers of files whose first part is a layer of diffusers: name, and all parts."""
        number = _NUMBER.search(layer)
        places = [(layer, "*"), (_starred(layer, number), number[0])] if number else [(layer, "*")]
        for pattern, digits in places:
            for name, parts in self._by_first.get(pattern, ()):
                named = tuple(part.replace("*", digits, 1) for part in parts)
                yield name.replace("*", digits, 1), named

    def patterns(self) -> Iterator[tuple[str, str]]:
        """Every name of a layer, ours and theirs, each with the authors' name."""
        ours: dict[str, str] = {}
        for original, renamed in self._tuples.items():
            yield original, original
            ours |= dict.fromkeys(renamed, original)
        yield from ours.items()
        for alias, parts in _as_tuples(self.aliases).items():
            yield alias, ours[parts[0]]

    def _renamed(self, layer: str) -> tuple[str, ...] | None:
        return _named_in(self._tuples, layer)

    @cached_property
    def _tuples(self) -> Mapping[str, tuple[str, ...]]:
        return _as_tuples(self.layers)

    @cached_property
    def _by_first(self) -> Mapping[str, list[tuple[str, tuple[str, ...]]]]:
        found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for name, parts in (*self._tuples.items(), *_as_tuples(self.aliases).items()):
            found.setdefault(parts[0], []).append((name, parts))
        return found


def _named_in(table: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...] | None:
    if found := table.get(name):
        return found
    if (number := _NUMBER.search(name)) is None:
        return None
    found = table.get(_starred(name, number))
    return found and tuple(each.replace("*", number[0], 1) for each in found)


def _as_tuples(table: Mapping[str, str | tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {n: (v,) if isinstance(v, str) else v for n, v in table.items()}


def _starred(layer: str, number: re.Match[str]) -> str:
    return f"{layer[: number.start()]}*{layer[number.end() :]}"
