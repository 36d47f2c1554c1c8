"""Calls a transformer whose blocks after the first may be left out, for what they added before.

Blocks are stood for while the network is called, from outside of their hooks: one that is left out
is not read from its file, nor compiled, nor are LoRAs over it computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from nodeforge.diffusion.networks.blocks import stream_lists
from nodeforge.diffusion.networks.streaming import stream_of


@dataclass(frozen=True)
class Added:
    """What the blocks of a network added in a call.

    Args:
        first: The first one, to the picture's tokens: (batch, tokens, width).
        rest: All after it; to the text's tokens too, where the last one has them before the
            picture's.
        pairs: Of each after the first, whether it answers with the text's and the picture's
            tokens apart.
    """

    first: Tensor
    rest: Tensor
    pairs: tuple[bool, ...]

    @cached_property
    def on_cpu(self) -> Added:
        """The same for checkpoints: those of steps that reuse it share its memory."""
        return self.to(torch.device("cpu"))

    def to(self, device: torch.device) -> Added:
        return Added(self.first.to(device), self.rest.to(device), self.pairs)


class BlockCall:
    """One call of a network.

    Args:
        before: What was added in an earlier call; None has all blocks computed.
        alike: Whether what the first block adds is near enough to what it added before.
    """

    def __init__(self, before: Added | None, alike: Callable[[Tensor, Tensor], bool]) -> None:
        self._before, self._alike = before, alike
        self.reuses = False
        """Whether the blocks after the first were left out."""
        self.added = before
        """What this call has added, or where it reuses, the earlier one."""
        self._pairs: list[bool] = []
        self._first: Tensor | None = None
        self._entered: tuple[Tensor | None, Tensor] | None = None

    @contextmanager
    def within(self, network: nn.Module) -> Iterator[None]:
        """Have the network, called in the block, ask this object before each of its blocks.

        One that has a single block computes it as ever.
        """
        lists = stream_lists(network)
        homes = [dict(blocks._modules) for blocks in lists]
        last = sum(map(len, lists)) - 1
        if last < 1:
            yield
            return
        try:
            number = 0
            for blocks in lists:
                for name, block in blocks._modules.items():
                    blocks._modules[name] = _StandIn(block, self._answering(network, number, last))
                    number += 1
            yield
        finally:
            for blocks, home in zip(lists, homes, strict=True):
                blocks._modules.update(home)

    def _answering(self, network: nn.Module, number: int, last: int) -> _Answer:
        def first(block: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
            made = block(*given, **named)
            self._entered = _text_and_tokens(made)
            self._first = self._entered[1] - _tokens_of(given, named)
            if self._before is not None and self._alike(self._first, self._before.first):
                self.reuses = True
                if (stream := stream_of(network)) is not None:
                    stream.begin_again()
            return made

        def later(block: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
            if self.reuses:
                return self._left_out(number, last, given, named)
            made = block(*given, **named)
            self._pairs.append(isinstance(made, tuple))
            if number == last:
                self._remember(_text_and_tokens(made)[1])
            return made

        return later if number else first

    def _left_out(
        self, number: int, last: int, given: Sequence[Any], named: Mapping[str, Any]
    ) -> Any:
        """What a block answers that is not computed: what it was given, and the last one more."""
        assert self._before is not None
        tokens = _tokens_of(given, named)
        if number == last:
            tokens = tokens + self._before.rest
        paired = self._before.pairs[number - 1]
        return (named["encoder_hidden_states"], tokens) if paired else tokens

    def _remember(self, made: Tensor) -> None:
        assert self._entered is not None
        assert self._first is not None
        text, tokens = self._entered
        if text is not None and made.shape[1] != tokens.shape[1]:
            tokens = torch.cat([text, tokens], 1)
        self.added = Added(self._first, made - tokens, tuple(self._pairs))
        self._entered = None


_Answer = Callable[[Any, Sequence[Any], Mapping[str, Any]], Any]


class _StandIn(nn.Module):
    """Is called in the place of a block, which it keeps so that the network's weights are found."""

    def __init__(self, block: nn.Module | None, answer: _Answer) -> None:
        super().__init__()
        self.block = block
        self._answer = answer

    def forward(self, *given: Any, **named: Any) -> Any:
        return self._answer(self.block, given, named)


def _tokens_of(given: Sequence[Any], named: Mapping[str, Any]) -> Tensor:
    """The picture's tokens among a block's arguments."""
    return named["hidden_states"] if "hidden_states" in named else given[0]


def _text_and_tokens(made: Any) -> tuple[Tensor | None, Tensor]:
    """A block's answer; the text's tokens are None where they are no part of it."""
    return made if isinstance(made, tuple) else (None, made)
