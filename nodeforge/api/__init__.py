"""What a node author imports: `@node`, how a parameter is entered, values and errors.

>>> from nodeforge.api import Latent, Range, node
"""

from nodeforge.api.context import RunContext, StepStore
from nodeforge.api.declare import DeclarationError, NodeType, node, node_type_of
from nodeforge.api.widgets import Choice, File, ModelFile, Multiline, Range, Seed
from nodeforge.errors import Cancelled, NodeForgeError, RequestError
from nodeforge.spec import Role, Saves, Upgrade
from nodeforge.values import (
    AddedConditions,
    Audio,
    Checkpoint,
    Conditioning,
    Control,
    ControlNet,
    FreeU,
    Guidance,
    Image,
    ImageEncoder,
    IpAdapter,
    KeptNorm,
    Latent,
    LatentMismatchError,
    Lora,
    Mask,
    Model,
    Noise,
    Perturbation,
    PerturbationKind,
    Projection,
    Prompt,
    Region,
    Sampler,
    Schedule,
    SizeMismatchError,
    TextEncoder,
    Thresholding,
    Tiling,
    UpscaleModel,
    Vae,
    Video,
    Weights,
    ZeroStar,
)
from nodeforge.values.old_names import old_names
from nodeforge.values.setting_names import AUTO

__all__ = [
    "AUTO",
    "AddedConditions",
    "Audio",
    "Cancelled",
    "Checkpoint",
    "Choice",
    "Conditioning",
    "Control",
    "ControlNet",
    "DeclarationError",
    "File",
    "FreeU",
    "Guidance",
    "Image",
    "ImageEncoder",
    "IpAdapter",
    "KeptNorm",
    "Latent",
    "LatentMismatchError",
    "Lora",
    "Mask",
    "Model",
    "ModelFile",
    "Multiline",
    "NodeForgeError",
    "NodeType",
    "Noise",
    "Perturbation",
    "PerturbationKind",
    "Projection",
    "Prompt",
    "Range",
    "Region",
    "RequestError",
    "Role",
    "RunContext",
    "Sampler",
    "Saves",
    "Schedule",
    "Seed",
    "SizeMismatchError",
    "StepStore",
    "TextEncoder",
    "Thresholding",
    "Tiling",
    "Upgrade",
    "UpscaleModel",
    "Vae",
    "Video",
    "Weights",
    "ZeroStar",
    "node",
    "node_type_of",
]

__getattr__ = old_names(
    __name__, {"Framing": "AddedConditions", "Weakened": "PerturbationKind"}, globals()
)
