"""What a node author imports: `@node`, how a parameter is entered, values and errors.

>>> from nodeforge.api import Latent, Range, node
"""

from nodeforge.api.context import RunContext, StepStore
from nodeforge.api.declare import DeclarationError, NodeType, node, node_type_of
from nodeforge.api.widgets import Choice, File, ModelFile, Multiline, Range, Seed
from nodeforge.errors import Cancelled, NodeForgeError, RequestError
from nodeforge.spec import Role
from nodeforge.values import (
    Checkpoint,
    Conditioning,
    Control,
    ControlNet,
    Guidance,
    Image,
    Latent,
    LatentMismatchError,
    Lora,
    Mask,
    Model,
    Noise,
    Prompt,
    Region,
    Sampler,
    Schedule,
    SizeMismatchError,
    TextEncoder,
    Vae,
    Weights,
)

__all__ = [
    "Cancelled",
    "Checkpoint",
    "Choice",
    "Conditioning",
    "Control",
    "ControlNet",
    "DeclarationError",
    "File",
    "Guidance",
    "Image",
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
    "Prompt",
    "Range",
    "Region",
    "RequestError",
    "Role",
    "RunContext",
    "Sampler",
    "Schedule",
    "Seed",
    "SizeMismatchError",
    "StepStore",
    "TextEncoder",
    "Vae",
    "Weights",
    "node",
    "node_type_of",
]
