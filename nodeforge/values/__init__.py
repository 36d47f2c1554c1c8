"""What travels along links. Tensors are torch tensors on the CPU; torch itself is not imported.

Networks never travel: `Model`, `TextEncoder`, `Vae`, `ControlNet` say how to get one.
"""

from nodeforge.values.checkpoint import Checkpoint
from nodeforge.values.conditioning import Conditioning, Control, Framing, ImagePrompt, Prompt
from nodeforge.values.guidance import (
    FreeU,
    Guidance,
    Perturbation,
    Projection,
    Thresholding,
    Weakened,
    ZeroStar,
)
from nodeforge.values.latent import Latent, LatentMismatchError
from nodeforge.values.pictures import Image, Mask, Region, SizeMismatchError
from nodeforge.values.recipes import (
    ControlNet,
    Embedding,
    ImageEncoder,
    IpAdapter,
    Lora,
    Model,
    Noise,
    Recipe,
    Sampler,
    Schedule,
    TextEncoder,
    Tiling,
    Vae,
    Weights,
)

__all__ = [
    "Checkpoint",
    "Conditioning",
    "Control",
    "ControlNet",
    "Embedding",
    "Framing",
    "FreeU",
    "Guidance",
    "Image",
    "ImageEncoder",
    "ImagePrompt",
    "IpAdapter",
    "Latent",
    "LatentMismatchError",
    "Lora",
    "Mask",
    "Model",
    "Noise",
    "Perturbation",
    "Projection",
    "Prompt",
    "Recipe",
    "Region",
    "Sampler",
    "Schedule",
    "SizeMismatchError",
    "TextEncoder",
    "Thresholding",
    "Tiling",
    "Vae",
    "Weakened",
    "Weights",
    "ZeroStar",
]
