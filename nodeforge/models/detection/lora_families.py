"""Which families with a signature a LoRA may be for, by the layers that it changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from nodeforge.models.families import FAMILIES, Family
from nodeforge.models.families.common.signature import Signature, Sizes

_LEAST_KNOWN = 0.9
"""The share of its layers that a family must have."""

_LEAST_OF_KIN = 0.5
"""The same of a family beside one that has them, as Chroma beside Flux.1."""

_NUMBER = re.compile(r"(?<=[._])(?:\d+|\*)(?=[._]|$)")
_LAST_OF_ATTENTION = ("attn.to_out", "attention.to_out", "attn_to_out", "attention_to_out")


class ChangedLayer(NamedTuple):
    """A layer that a LoRA changes, as the file calls it; 0 where a size is not told."""

    name: str
    rows: int
    inputs: int


class _Group(NamedTuple):
    """Layers of one name but for the block's number, and of one size.

    Args:
        pattern: The name, with ``*`` for the first number.
        last: The largest number; -1 where there is none.
        layers: How many.
    """

    pattern: str
    rows: int
    inputs: int
    last: int
    layers: int


class LoraFamilies(NamedTuple):
    """Families with such layers.

    Args:
        families: The likeliest first.
        relative: The label of a relative that is not run and has just these sizes.
        sized: Whether the layers have the sizes of the families' published models.
    """

    families: tuple[str, ...] = ()
    relative: str = ""
    sized: bool = True


def lora_families(layers: Iterable[ChangedLayer]) -> LoraFamilies:
    """The families that have layers of these names, and of these sizes where any does."""
    groups = _grouped(layers)
    least = max(1, _LEAST_KNOWN * sum(group.layers for group in groups))
    known = {name: _known(family, groups) for name, family in FAMILIES.items()}
    named = [
        (family, signature)
        for name, family in FAMILIES.items()
        if (signature := family.signature) and known[name] >= least
    ]
    agreed = {f.name: _is_sized(f, s, groups) for f, s in named}
    named = [(f, s) for f, s in named if agreed[f.name] or not _is_common(f, s, groups)]
    sized = [each for each in named if agreed[each[0].name]]
    sized = sized or [each for each in named if agreed[each[0].name] is not False]
    if not sized:
        for family, signature in named:
            for label, sizes in signature.relatives.items():
                if _agrees(family, signature, sizes, groups, blocks=False):
                    return LoraFamilies((), label)
    kin = [
        (family, signature)
        for name, family in FAMILIES.items()
        if sized
        and (signature := family.signature)
        and least > known[name] >= _LEAST_OF_KIN / _LEAST_KNOWN * least
        and _is_sized(family, signature, groups)
    ]
    ordered = sorted(
        [*(sized or named), *kin], key=lambda each: (-known[each[0].name], each[1].rare)
    )
    return LoraFamilies(tuple(family.name for family, _ in ordered), sized=bool(sized))


def _grouped(layers: Iterable[ChangedLayer]) -> list[_Group]:
    found: dict[tuple[str, int, int], tuple[int, int]] = {}
    for name, rows, inputs in layers:
        written = _written(name)
        number = _NUMBER.search(written)
        key = _pattern(written), rows, inputs
        last, count = found.get(key, (-1, 0))
        found[key] = max(last, int(number[0]) if number else -1), count + 1
    return [_Group(*key, *told) for key, told in found.items()]


def _known(family: Family, groups: Iterable[_Group]) -> int:
    """How many of the layers a family has."""
    if family.signature is None:
        return 0
    return sum(group.layers for group in groups if group.pattern in _patterns(family.name))


def _is_common(family: Family, signature: Signature, groups: Iterable[_Group]) -> bool:
    """Whether all layers are such as models that are not run have by the same names."""
    known = _patterns(family.name)
    names = (known[group.pattern] for group in groups if group.pattern in known)
    common = signature.common_names
    return bool(common) and all(name.startswith(common) for name in names)


def _is_sized(family: Family, signature: Signature, groups: Sequence[_Group]) -> bool | None:
    """Whether all sizes that are told are those of a published model; None where none is told."""
    each = [
        _agrees(family, signature, s, groups) for s in (signature.sizes, *signature.other_sizes)
    ]
    return True if True in each else each[0]


def _agrees(
    family: Family,
    signature: Signature,
    sizes: Sizes,
    groups: Iterable[_Group],
    blocks: bool = True,
) -> bool | None:
    """Whether all sizes that are told are these; None where none is told."""
    told = 0
    for group in groups:
        original = _patterns(family.name).get(group.pattern)
        if original is None:
            continue
        count = signature.blocks.get(original.partition(".*")[0])
        if blocks and count is not None and group.last >= count:
            return False
        if original not in sizes:
            continue
        rows, inputs = sizes[original]
        same = group.pattern in (_pattern(original), _pattern(original).replace(".", "_"))
        whole = rows and group.rows and same  # not a part of the authors' layer
        if (group.inputs and group.inputs != inputs) or (whole and group.rows != rows):
            return False
        told += bool(group.inputs or whole)
    return True if told else None


@cache
def _patterns(family: str) -> Mapping[str, str]:
    """The authors' names by those in files: with points, and with underscores in their place."""
    signature = FAMILIES[family].signature
    assert signature is not None
    found = {_pattern(_written(name)): each for name, each in signature.names.patterns()}
    return {**{name.replace(".", "_"): original for name, original in found.items()}, **found}


def _pattern(layer: str) -> str:
    return _NUMBER.sub("*", layer, count=1)


def _written(layer: str) -> str:
    """A layer's name without what old versions of diffusers put into it."""
    name = layer.replace(".processor.", ".").replace("_processor_", "_")
    if name.endswith(_LAST_OF_ATTENTION):
        return f"{name}{'.' if '.' in name else '_'}0"
    return name
