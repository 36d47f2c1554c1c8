"""From numpy to what travels along links."""

from dataclasses import replace

import numpy as np
import torch

from nodeforge import media
from nodeforge.api import Audio


def changed(audio: Audio, samples: media.Samples, rate: int = 0) -> Audio:
    """`audio` with other samples, (batch, channels, samples), and another rate if given."""
    made = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
    return replace(audio, samples=made, rate=rate or audio.rate)
