"""What a LoRA adds to one layer: low-rank, Hadamard and Kronecker differences, and DoRA.

Sums are made in peft's order, so that pictures equal diffusers' pipelines to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

from nodeforge.diffusion.adapters.lora_keys import BESIDE

Layer = nn.Linear | nn.Conv2d


class LoraDelta(Protocol):
    """What a LoRA adds to one layer."""

    @property
    def tensors(self) -> Sequence[Tensor]: ...

    def fits(self, layer: Layer) -> bool:
        """Whether the shapes are those that `layer` needs."""
        ...

    def added(self, layer: Layer, x: Tensor, weight: float, result: Tensor) -> Tensor:
        """What comes to the layer's own `result` for its input `x`, at `weight`."""
        ...


class Difference(LoraDelta, Protocol):
    """One that is the same whatever the layer's weight is."""

    def difference(self, shape: Sequence[int]) -> Tensor:
        """What it adds to a weight of that shape, at weight 1."""
        ...


@dataclass(frozen=True)
class LowRank:
    """LoRA (Hu et al. 2021), for convolutions also called LoCon.

    Args:
        down: (rank, in) or (rank, in, height, width).
        up: (out, rank) or (out, rank, 1, 1).
        mid: (rank, rank, height, width) of a decomposed convolution; `down` is 1 × 1 then.
        alpha: The added weight is alpha / divisor * up @ down.
        divisor: The rank, or its square root.
    """

    down: Tensor
    up: Tensor
    mid: Tensor | None
    alpha: float
    divisor: float

    @property
    def tensors(self) -> Sequence[Tensor]:
        return [t for t in (self.down, self.up, self.mid) if t is not None]

    def fits(self, layer: Layer) -> bool:
        wanted = layer.weight.shape
        inner = self.down if self.mid is None else self.mid
        if any(tensor.ndim != len(wanted) for tensor in self.tensors):
            return False
        sides = self.up.shape[0], self.down.shape[1], *inner.shape[2:]
        return sides == tuple(wanted) and self.up.shape[1] == self.down.shape[0]

    def difference(self, shape: Sequence[int]) -> Tensor:
        scale = self.alpha / self.divisor
        if self.mid is not None:
            up, down = self.up[:, :, 0, 0], self.down[:, :, 0, 0]
            return torch.einsum("or,rshw,si->oihw", up, self.mid, down) * scale
        return (self.up.flatten(1) @ self.down.flatten(1)).reshape(*shape) * scale

    def added(self, layer: Layer, x: Tensor, weight: float, result: Tensor) -> Tensor:
        if isinstance(layer, nn.Linear):
            inner = linear(x, self.down)
            return linear(inner, self.up) * (weight * self.alpha / self.divisor)
        if self.mid is None:
            inner = _like(layer, x, self.down)
        else:
            inner = _like(layer, conv2d(x, self.down), self.mid)
        return conv2d(inner, self.up) * (weight * self.alpha / self.divisor)


@dataclass(frozen=True)
class Composed:
    """LoHa and LoKr (LyCORIS; Hyeon-Woo et al. 2022, Edalati et al. 2022).

    The whole difference is composed at every call, as peft does: kept, it would be as large
    as the layer.

    Args:
        kind: ``hada``: the product, entry by entry, of two low-rank matrices. ``lokr``: the
            Kronecker product of two.
        parts: Two factors, each whole, or two matrices, or these with a core.
        alpha: The difference counts alpha / divisor times.
        divisor: The rank.
        rows: Which rows of the difference are the layer's, from the first to before the last;
            None where all are.
        swapped: Whether the halves of its rows are exchanged.
    """

    kind: str
    parts: tuple[tuple[Tensor, ...], tuple[Tensor, ...]]
    alpha: float
    divisor: float
    rows: tuple[int, int] | None = None
    swapped: bool = False

    @property
    def tensors(self) -> Sequence[Tensor]:
        return [tensor for part in self.parts for tensor in part]

    def fits(self, layer: Layer) -> bool:
        first, second = (tuple(tensor.to("meta") for tensor in part) for part in self.parts)
        try:
            composed = replace(self, parts=(first, second))._composed()
            fitting = composed.reshape(layer.weight.shape)
        except RuntimeError:
            return False
        return composed.shape[0] == fitting.shape[0]

    def difference(self, shape: Sequence[int]) -> Tensor:
        return (self._composed() * (self.alpha / self.divisor)).reshape(*shape)

    def added(self, layer: Layer, x: Tensor, weight: float, result: Tensor) -> Tensor:
        scale = weight * self.alpha / self.divisor
        composed = (self._composed() * scale).reshape(layer.weight.shape)
        return linear(x, composed) if isinstance(layer, nn.Linear) else _like(layer, x, composed)

    def _composed(self) -> Tensor:
        first, second = (_factor(part) for part in self.parts)
        if self.kind == "hada":
            return first * second
        first = first[:, :, None, None] if second.ndim == 4 else first
        if self.rows is not None:
            return _kronecker_rows(first, second, *self.rows)
        composed = torch.kron(first, second.contiguous())
        return torch.cat(composed.chunk(2)[::-1]) if self.swapped else composed


@dataclass(frozen=True)
class Decomposed:
    """DoRA (Liu et al. 2024): the sum of weight and difference, brought to a learned magnitude.

    y = x Wᵀ + s · (x W'ᵀ - x Wᵀ), where W' is W + BA with its rows, or columns, of length m.

    Args:
        inner: The difference BA.
        factors: m / |W + BA|: (rows,), or (columns,) where `by_columns`.
        by_columns: Whether inputs are scaled, not outputs.
    """

    inner: Difference
    factors: Tensor
    by_columns: bool

    @property
    def tensors(self) -> Sequence[Tensor]:
        return [*self.inner.tensors, self.factors]

    def fits(self, layer: Layer) -> bool:
        return self.inner.fits(layer) and len(self.factors) == layer.weight.shape[self.by_columns]

    def added(self, layer: Layer, x: Tensor, weight: float, result: Tensor) -> Tensor:
        plain = _along(layer, result, layer.bias)
        own = result if plain is None else result - plain
        factors = self.factors.to(x.dtype)
        if not self.by_columns:
            of_outputs = _along(layer, result, factors)
            assert of_outputs is not None
            more = self.inner.added(layer, x, 1.0, result)
            return weight * ((of_outputs - 1) * own + of_outputs * more)
        scaled = x * (factors if isinstance(layer, nn.Linear) else factors[:, None, None])
        whole = layer.forward(scaled)
        whole = whole if plain is None else whole - plain
        return weight * (whole + self.inner.added(layer, scaled, 1.0, result) - own)


def _along(layer: Layer, result: Tensor, each: Tensor | None) -> Tensor | None:
    """Numbers of a layer's outputs, so that they count along its result."""
    if each is None or isinstance(layer, nn.Linear):
        return each
    return each[:, None, None].to(result.dtype)


def decomposed(inner: Difference, magnitude: Tensor, base: Tensor) -> Decomposed | None:
    """The DoRA of a difference; None where its magnitude does not fit.

    Args:
        inner: The difference.
        magnitude: One number for each row of the weight, or (1, columns, ...).
        base: The weight itself, made whole.
    """
    by_columns = magnitude.ndim > 1 and magnitude.shape[0] == 1 and base.shape[0] > 1
    by_columns = by_columns and magnitude.numel() == base.shape[1]
    if magnitude.numel() != base.shape[by_columns]:
        return None
    whole = base.float() + inner.difference(base.shape).float().to(base.device)
    over = [side for side in range(whole.ndim) if side != by_columns]
    lengths = torch.linalg.vector_norm(whole, dim=over).clamp(min=torch.finfo(torch.float32).eps)
    factors = magnitude.float().reshape(-1) / lengths.to(magnitude.device)
    return Decomposed(inner, factors, bool(by_columns))


def _kronecker_rows(first: Tensor, second: Tensor, start: int, stop: int) -> Tensor:
    """The rows of a Kronecker product from `start` to before `stop`."""
    each = second.shape[0]
    begin, end = start // each, -(-stop // each)
    composed = torch.kron(first[begin:end], second.contiguous())
    return composed[start - begin * each : stop - begin * each]


def delta_of(
    read: Mapping[str, Tensor],
    layer: Layer,
    alpha: float | None = None,
    root: bool = False,
    rows: tuple[int, int] | None = None,
    swapped: bool = False,
) -> Difference | None:
    """The piece that a file's tensors make; None where one is missing or shapes do not fit.

    Args:
        read: Tensors by role, as `nodeforge.diffusion.adapters.lora_keys.LoraNames` has them.
        layer: What it is for.
        alpha: Where `read` has none; None is the rank, so that the difference counts once.
        root: Whether alpha is divided by the rank's square root.
        rows, swapped: Of LoKr, as `Composed` has them; of others, the tensors are so already.
    """
    if any(tensor.ndim < 2 for role, tensor in read.items() if role not in BESIDE):
        return None
    piece = _made(read, layer, alpha, root)
    if isinstance(piece, Composed) and piece.kind == "lokr":
        piece = replace(piece, rows=rows, swapped=swapped)
    return piece if piece is not None and piece.fits(layer) else None


def _made(
    read: Mapping[str, Tensor], layer: Layer, alpha: float | None, root: bool
) -> Difference | None:
    roles = read.keys() - BESIDE
    if roles in ({"down", "up"}, {"down", "up", "mid"}):
        shaped = {role: _as_in(layer, read[role]) for role in roles}
        down, up, mid = shaped["down"], shaped["up"], shaped.get("mid")
        rank = down.shape[0]
        return LowRank(down, up, mid, _alpha(read, alpha, rank), rank**0.5 if root else rank)
    kind = next((k for k in ("hada", "lokr") if all(r.startswith(k) for r in roles)), None)
    if kind is None:
        return None
    first, second = _factor_of(read, kind, 1), _factor_of(read, kind, 2)
    if not first or not second:
        return None
    ranks = [part[1].shape[0] for part in (first, second) if len(part) > 1]
    rank = ranks[0] if ranks else 1
    return Composed(kind, (first, second), _alpha(read, alpha, rank) if ranks else 1.0, rank)


def _alpha(read: Mapping[str, Tensor], alpha: float | None, rank: int) -> float:
    if "alpha" in read:
        return float(read["alpha"])
    return float(rank) if alpha is None else alpha


def _factor_of(read: Mapping[str, Tensor], kind: str, number: int) -> tuple[Tensor, ...]:
    """Factor `number` as it is stored; empty where it is not complete."""
    if whole := [read[name] for name in (f"{kind}_w{number}",) if name in read]:
        return tuple(whole)
    pair = [read[n] for n in (f"{kind}_w{number}_a", f"{kind}_w{number}_b") if n in read]
    core = [read[n] for n in (f"{kind}_t{number}",) if n in read]
    return (*pair, *core) if len(pair) == 2 else ()


def _factor(part: Sequence[Tensor]) -> Tensor:
    match part:
        case [whole]:
            return whole
        case [a, b]:
            return a @ b
        case [a, b, core]:
            return torch.einsum("ij...,ip,jr->pr...", core, a, b)
    raise AssertionError(len(part))


def _as_in(layer: Layer, tensor: Tensor) -> Tensor:
    """1 × 1 convolutions and matrices, whichever of the two the layer is."""
    if isinstance(layer, nn.Linear) and tensor.shape[2:] == (1, 1):
        return tensor[:, :, 0, 0]
    if isinstance(layer, nn.Conv2d) and tensor.ndim == 2:
        return tensor[:, :, None, None]
    return tensor


def _like(layer: nn.Conv2d, x: Tensor, weight: Tensor) -> Tensor:
    padding: Any = layer.padding
    return conv2d(x, weight, None, layer.stride, padding, layer.dilation, layer.groups)
