"""How headers of single files look that hold a family's denoiser."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isqrt
from typing import NamedTuple

from nodeforge.models.families.common.original_names import PREFIXES, OriginalNames

Sizes = Mapping[str, tuple[int, int]]
"""Rows (0: any) and inputs of linear layers by the authors' names; ``*`` is a number."""

Told = int | bool | str | list[int] | None
"""A value of a denoiser's configuration."""


class Side(NamedTuple):
    """A number of the denoiser's configuration that a tensor's shape tells.

    Args:
        tensor: As the authors call it.
        axis: Of its shape.
        divisor: By which the length is divided.
        squared: Whether it is the side of a square of so many cells.
        beside: What is taken from it then: channels that the denoiser lays beside the latent.
    """

    tensor: str
    axis: int
    divisor: int = 1
    squared: bool = False
    beside: int = 0


class Flag(NamedTuple):
    """A value of the denoiser's configuration that a tensor's presence tells.

    Args:
        tensor: As the authors call it.
        there: What the value is where the file has it.
        absent: What it is where the file lacks it.
    """

    tensor: str
    there: bool | str = True
    absent: bool | None = False


class Place(NamedTuple):
    """Where a denoiser lies in a file.

    Args:
        prefix: What is before the names of its tensors.
        original: Whether the names are its authors', not diffusers'.
    """

    prefix: str
    original: bool


@dataclass(frozen=True)
class Signature:
    """The marks of a denoiser. All names are its authors'; those of diffusers follow from them.

    Args:
        names: What the authors call its layers.
        marks: Tensors that every file of it has.
        sides: Numbers of its configuration by field; ``in_channels`` is among them.
        latent: Whose rows are the channels of its latents, as ``in_channels`` counts them.
        text: Whose inputs are the width of the text that it reads.
        counts: Fields of its configuration, each with the blocks that it counts.
        flags: Fields of its configuration, each with the tensor that tells it.
        listed: Fields of its configuration that list numbers of blocks, each with a tensor that
            these have; ``*`` is the number.
        sizes: Of layers of the published model, by which LoRAs over it are told from those over
            its relatives.
        other_sizes: The same of its other published models, where they are not as wide.
        blocks: How many of each kind the published model has.
        relatives: Models with the same names that are not run, with sizes of their layers.
        strangers: Marks of models that are not run, each with the model's label.
        inputs: Relatives that are not run, by how many times the latent's channels they read.
        rare: Whether a LoRA that may be for another family is likelier for that.
        common_names: How layers begin that models which are not run have by the same names, so that
            a LoRA over these alone is for this family only where its sizes say so.
    """

    names: OriginalNames
    marks: tuple[str, ...]
    sides: Mapping[str, Side]
    latent: Side
    text: Side
    counts: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Flag] = field(default_factory=dict)
    listed: Mapping[str, str] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=dict)
    other_sizes: tuple[Sizes, ...] = ()
    blocks: Mapping[str, int] = field(default_factory=dict)
    relatives: Mapping[str, Sizes] = field(default_factory=dict)
    strangers: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[int, str] = field(default_factory=dict)
    rare: bool = False
    common_names: tuple[str, ...] = ()

    def find(self, tensors: Collection[str]) -> Place | None:
        """Where among these tensors the denoiser is; None where it is not."""
        for prefix in PREFIXES:
            for original, marks in self._marks:
                if all(prefix + mark in tensors for mark in marks):
                    return Place(prefix, original)
        return None

    @cached_property
    def _marks(self) -> tuple[tuple[bool, tuple[str, ...]], ...]:
        """The marks in the authors' names, and in diffusers'."""
        renamed = (self.names.tensors_in_diffusers(mark)[0] for mark in self.marks)
        return (True, self.marks), (False, tuple(renamed))

    def tensor(self, place: Place, name: str) -> str:
        """What a file calls the tensor that the authors call `name`."""
        return place.prefix + (name if place.original else self.names.tensors_in_diffusers(name)[0])

    def length(self, place: Place, side: Side, shapes: Mapping[str, tuple[int, ...]]) -> int | None:
        """The length of a side in a file; None where the tensor is not there."""
        shape = shapes.get(self.tensor(place, side.tensor), ())
        if side.axis >= len(shape):
            return None
        length = shape[side.axis] // side.divisor - side.beside
        return isqrt(length) if side.squared else length

    def config(self, place: Place, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Told]:
        """What a file says of its denoiser's configuration."""
        told: dict[str, Told] = {}
        for name, side in self.sides.items():
            if (length := self.length(place, side, shapes)) is not None:
                told[name] = length
        for name, blocks in self.counts.items():
            start = self._blocks(place, blocks)
            told[name] = len({n[len(start) :].split(".")[0] for n in shapes if n.startswith(start)})
        for name, flag in self.flags.items():
            found = self.tensor(place, flag.tensor) in shapes
            told[name] = flag.there if found else flag.absent
        for name, tensor in self.listed.items():
            before, _, after = self.tensor(place, tensor).partition("*")
            ends = (n.removeprefix(before) for n in shapes if n.startswith(before))
            numbers = (end.removesuffix(after) for end in ends if end.endswith(after))
            told[name] = sorted(int(number) for number in numbers if number.isdecimal())
        return told

    def _blocks(self, place: Place, blocks: str) -> str:
        """How the names of a kind of blocks begin in a file."""
        if place.original:
            return f"{place.prefix}{blocks}."
        known = (name for name in self.names.layers if name.startswith(f"{blocks}.*"))
        renamed = self.names.in_diffusers(next(known, f"{blocks}.*"))[0]
        return f"{place.prefix}{renamed.partition('.*')[0]}."
