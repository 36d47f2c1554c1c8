"""The networks of ESRGAN and Real-ESRGAN: residuals in residuals of dense blocks.

Wang et al. 2018, section 3.1; folding of the picture for small scales: Wang et al. 2021,
section 3.3. Parameters have the names of Real-ESRGAN.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pixel_unshuffle

from nodeforge.models import Shapes, esrgan_doublings, esrgan_unshuffled

_SLOPE = 0.2
_RESIDUAL = 0.2
"""Share of a block's result that is added to what it was given."""


class _DenseBlock(nn.Module):
    """Five convolutions, each of which reads what all before it gave."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for number in range(5):
            made = width if number == 4 else growth
            conv = nn.Conv2d(width + number * growth, made, 3, padding=1)
            self.add_module(f"conv{number + 1}", conv)

    def forward(self, x: Tensor) -> Tensor:
        *inner, last = self.children()
        seen = x
        for conv in inner:
            seen = torch.cat([seen, leaky_relu(conv(seen), _SLOPE)], dim=1)
        return x + _RESIDUAL * last(seen)


class _Block(nn.Module):
    """A residual of three dense blocks."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = _DenseBlock(width, growth)
        self.rdb2 = _DenseBlock(width, growth)
        self.rdb3 = _DenseBlock(width, growth)

    def forward(self, x: Tensor) -> Tensor:
        return x + _RESIDUAL * self.rdb3(self.rdb2(self.rdb1(x)))


class RrdbNetwork(nn.Module):
    """Enlarges (batch, channels, height, width), 0..1, by `scale`.

    Args:
        channels: Of the pictures.
        width: Channels of the trunk.
        growth: Channels that each convolution of a dense block adds.
        blocks: Residuals of three dense blocks.
        doublings: How often it doubles the sides.
        folded: By how much it folds pixels into channels first; it divides the sides.
    """

    def __init__(
        self, channels: int, width: int, growth: int, blocks: int, doublings: int, folded: int = 1
    ) -> None:
        super().__init__()
        self.folded = folded
        self.channels = channels
        self.scale = 2**doublings // folded
        self._doublings = doublings
        self.conv_first = nn.Conv2d(channels * folded**2, width, 3, padding=1)
        self.body = nn.Sequential(*(_Block(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        for number in range(doublings):
            self.add_module(f"conv_up{number + 1}", nn.Conv2d(width, width, 3, padding=1))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, channels, 3, padding=1)

    @classmethod
    def of(cls, shapes: Shapes) -> RrdbNetwork:
        """The network of a file with these shapes, by the names of Real-ESRGAN."""
        folded = esrgan_unshuffled(shapes)
        blocks = {name.split(".")[1] for name in shapes if name.startswith("body.")}
        return cls(
            channels=shapes["conv_last.weight"][0],
            width=shapes["conv_first.weight"][0],
            growth=shapes["body.0.rdb1.conv1.weight"][0],
            blocks=len(blocks),
            doublings=esrgan_doublings(shapes),
            folded=folded,
        )

    @property
    def reach(self) -> int:
        """How far from a pixel it sees at most, pixels."""
        return self.folded * (15 * len(self.body) + 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_first(pixel_unshuffle(x, self.folded))
        x = x + self.conv_body(self.body(x))
        for number in range(self._doublings):
            conv = self.get_submodule(f"conv_up{number + 1}")
            x = leaky_relu(conv(interpolate(x, scale_factor=2.0, mode="nearest")), _SLOPE)
        return self.conv_last(leaky_relu(self.conv_hr(x), _SLOPE))
