"""The compact networks of Real-ESRGAN, SRVGGNetCompact (Wang et al. 2021).

Plain convolutions with a learned slope below zero; the last one's channels become pixels
(Shi et al. 2016), and what they say is added to the picture enlarged by its nearest pixels.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from nodeforge.models import Shapes, compact_layers


class CompactNetwork(nn.Module):
    """Enlarges (batch, channels, height, width), 0..1, by `scale`.

    Its parameters have the published names, ``body.0.weight`` and so on.

    Args:
        channels: Of the pictures.
        width: Channels between convolutions.
        depth: Convolutions between the first and the last.
        scale: How many times wider the result is.
    """

    folded = 1

    def __init__(self, channels: int, width: int, depth: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(depth):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        layers.append(nn.Conv2d(width, channels * scale**2, 3, padding=1))
        self.body = nn.Sequential(*layers)

    @classmethod
    def of(cls, shapes: Shapes) -> CompactNetwork:
        """The network of a file with these shapes."""
        last = compact_layers(shapes) - 1
        width, channels = shapes["body.0.weight"][:2]
        scale = round((shapes[f"body.{last}.weight"][0] / channels) ** 0.5)
        return cls(channels, width, last // 2 - 1, scale)

    @property
    def reach(self) -> int:
        """How far from a pixel it sees, pixels: each convolution sees one further."""
        return len(self.body) // 2 + 1

    def forward(self, x: Tensor) -> Tensor:
        made = pixel_shuffle(self.body(x), self.scale)
        return made + interpolate(x, scale_factor=float(self.scale), mode="nearest")
