"""What travels along links. Tensors are torch tensors on the CPU; torch itself is not imported.

Networks never travel: `Model`, `TextEncoder`, `Vae`, `ControlNet` say how to get one.
"""

from nodeforge.values.checkpoint import Checkpoint
from nodeforge.values.conditioning import (
    AddedConditions,
    Conditioning,
    Control,
    ImagePrompt,
    Prompt,
)
from nodeforge.values.guidance import (
    FreeU,
    Guidance,
    Perturbation,
    PerturbationKind,
    Projection,
    Thresholding,
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
    NetworkRecipe,
    Noise,
    Recipe,
    Sampler,
    Schedule,
    TextEncoder,
    TextEncoderPart,
    Tiling,
    UpscaleModel,
    Vae,
    Weights,
)
from nodeforge.values.uncounted import UNCOUNTED, uncounted

__all__ = [
    "UNCOUNTED",
    "AddedConditions",
    "Checkpoint",
    "Conditioning",
    "Control",
    "ControlNet",
    "Embedding",
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
    "NetworkRecipe",
    "Noise",
    "Perturbation",
    "PerturbationKind",
    "Projection",
    "Prompt",
    "Recipe",
    "Region",
    "Sampler",
    "Schedule",
    "SizeMismatchError",
    "TextEncoder",
    "TextEncoderPart",
    "Thresholding",
    "Tiling",
    "UpscaleModel",
    "Vae",
    "Weights",
    "ZeroStar",
    "uncounted",
]
