"""Recipes: small frozen data from which the worker makes a loaded network, or a sampler."""

from __future__ import annotations

from dataclasses import dataclass, field

from nodeforge.values.guidance import FreeU
from nodeforge.values.setting_names import DIFFUSERS
from nodeforge.values.uncounted_fields import counted_if_not, uncounted


@dataclass(frozen=True)
class Weights:
    """Where a network's numbers are.

    Args:
        path: A diffusers folder or a single file. Where it was when the recipe was made.
        fingerprint: Names the content, wherever it lies (`nodeforge.models.files.fingerprint`).
        family: A name in `nodeforge.models.families`: ``sd15``, ``nano``, ...; empty for a text
            encoder or a VAE alone, which several families may share.
        part: ``unet``, ``transformer``, ``text_encoder``, ``vae``, ``controlnet``, ...: which
            network of it.
    """

    path: str = field(metadata=uncounted("where the file lies"))
    fingerprint: str
    family: str
    part: str


@dataclass(frozen=True)
class Lora:
    """Low-rank weights laid over a network, never fused into it.

    Args:
        weights: The file.
        weight: How much it counts; below 0 it does the opposite.
        blocks: What it counts in parts of a denoiser, as ``up_blocks.1``; 1 elsewhere.
    """

    weights: Weights
    weight: float
    blocks: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Tiling:
    """How a denoiser works on a picture larger than one tile (MultiDiffusion, Bar-Tal et al. 2023).

    Args:
        size: Side of a tile, pixels of the picture.
        overlap: Pixels that neighbours share, below `size`.
    """

    size: int = 512
    overlap: int = 128


@dataclass(frozen=True)
class MotionModule:
    """Attention along the frames, with which a denoiser of pictures draws videos.

    Args:
        weights: Where its numbers are.
        loras: Camera moves, in the order in which they were laid over it.
    """

    weights: Weights
    loras: tuple[Lora, ...] = ()


@dataclass(frozen=True)
class Motion:
    """How a denoiser of pictures draws videos (AnimateDiff, Guo et al. 2023).

    Args:
        module: Relates the frames.
        context: Frames that it sees together; a longer clip is seen through overlapping windows.
        overlap: Frames that neighbouring windows share, below `context`.
    """

    module: MotionModule
    context: int = 16
    overlap: int = 4


@dataclass(frozen=True)
class StepCache:
    """What a transformer's blocks add, reused while its first block adds about the same.

    Args:
        threshold: The change of what the first block adds, as a share of it, below which the
            others are left out; 0 is none.
        most: Calls in a row that may reuse what one has computed; most samplers make one a step.
        start: Share of the steps run from which it acts.
        end: Share of the steps run up to which it acts.
    """

    threshold: float = 0.12
    most: int = 3
    start: float = 0.0
    end: float = 1.0

    @property
    def neutral(self) -> bool:
        """Whether it changes nothing."""
        return self.threshold <= 0 or self.most < 1


@dataclass(frozen=True)
class Model:
    """A denoising network with the LoRAs that lie over it, and how it runs.

    Args:
        weights: Where its numbers are.
        loras: In the order in which they were laid over it.
        freeu: FreeU; None is none.
        tiling: Tile by tile; None is the whole picture at once.
        prediction: ``epsilon``, ``v_prediction`` or ``flow_prediction``; empty is what its
            configuration says.
        zero_snr: Whether it was trained up to nothing but noise; None is what its
            configuration says.
        shift: How far the noise levels of a flow-matching model are moved up; None is what its
            configuration says.
        variant: Which of its family's kinds of models it is, as ``schnell``; empty where the
            family has one.
        motion: How it draws videos, where its family draws pictures; None is pictures.
        low_noise: The expert that takes over at low noise; None where one model draws all.
        silence: The VAE that encodes the silence which a model of songs is told, where its file
            lacks it; None where it does not.
        step_cache: When steps reuse what earlier ones have computed; None is never.
    """

    weights: Weights
    loras: tuple[Lora, ...] = ()
    freeu: FreeU | None = None
    tiling: Tiling | None = None
    prediction: str = ""
    zero_snr: bool | None = None
    shift: float | None = None
    variant: str = ""
    motion: Motion | None = field(default=None, metadata=counted_if_not(None))
    low_noise: LowNoise | None = field(default=None, metadata=counted_if_not(None))
    silence: Vae | None = field(default=None, metadata=counted_if_not(None))
    step_cache: StepCache | None = field(default=None, metadata=counted_if_not(None))


@dataclass(frozen=True)
class LowNoise:
    """A model's second expert, as Wan 2.2 has one.

    Args:
        model: The denoiser.
        boundary: The noise level below which it draws, as a share of the timesteps.
    """

    model: Model
    boundary: float = 0.875


@dataclass(frozen=True)
class Embedding:
    """A textual inversion: vectors that prompts call ``embedding:name``."""

    name: str
    weights: Weights


@dataclass(frozen=True)
class TextEncoderPart:
    """One network that reads prompts, with its tokenizer.

    Args:
        kind: A name in `nodeforge.models.TEXT_ENCODER_KINDS`: ``clip_l``, ``t5_xxl``, ...
        weights: Where its numbers are.
    """

    kind: str
    weights: Weights


@dataclass(frozen=True)
class TextEncoder:
    """Text encoders and tokenizers, with the LoRAs that lie over the encoders.

    Args:
        parts: In the order of their parts of an embedding.
        family: The one that they read prompts for.
        loras: In the order in which they were laid over them.
        embeddings: Textual inversions that prompts may name.
    """

    parts: tuple[TextEncoderPart, ...]
    family: str
    loras: tuple[Lora, ...] = ()
    embeddings: tuple[Embedding, ...] = ()


@dataclass(frozen=True)
class Vae:
    """The autoencoder between pictures and latents.

    Args:
        weights: Where its numbers are.
        space: The latent space that it works in, a name in `nodeforge.models.SPACES`.
    """

    weights: Weights
    space: str


@dataclass(frozen=True)
class ControlNet:
    """A network that steers a denoiser by a picture: a ControlNet, or a T2I-Adapter."""

    weights: Weights


@dataclass(frozen=True)
class IpAdapter:
    """Layers with which a denoiser reads pictures beside the prompt."""

    weights: Weights


@dataclass(frozen=True)
class ImageEncoder:
    """CLIP's image encoder, with which an IP-Adapter sees."""

    weights: Weights


@dataclass(frozen=True)
class UpscaleModel:
    """A network that enlarges pictures.

    Args:
        weights: Where its numbers are.
        architecture: A name in `nodeforge.models.UPSCALERS`.
    """

    weights: Weights
    architecture: str


NetworkRecipe = (
    Model
    | TextEncoderPart
    | Vae
    | ControlNet
    | IpAdapter
    | ImageEncoder
    | UpscaleModel
    | MotionModule
)
"""Recipes of one network each."""

Recipe = NetworkRecipe | TextEncoder


@dataclass(frozen=True)
class Sampler:
    """The rule that walks a schedule.

    Args:
        name: As users know it: ``euler``, ``dpmpp_2m``; `AUTO` is the model's usual.
        eta: Share of fresh noise for samplers that have one; None is the sampler's own.
        convention: Whose numbers the loop follows, `DIFFUSERS` or `COMFYUI`: start noise,
            timesteps, spacing, levels left out, noise in the steps, batch.
    """

    name: str
    eta: float | None = None
    convention: str = DIFFUSERS


@dataclass(frozen=True)
class Schedule:
    """Sigmas from high to zero, before the family turns them into numbers.

    Args:
        name: As users know it: ``normal``, ``karras``, ``custom``; `AUTO` is the model's usual.
        steps: Whole steps of the full schedule, at strength 1; None is the model's usual.
        strength: Share of the schedule that is run, in (0, 1], from its end; a share of a step
            is left out, or with flow-matching families run as a whole one.
        sigmas: For ``custom``: falling sigmas, the last one 0; `steps` is then their count - 1.
        rho: How far ``karras`` and ``polyexponential`` bend; None is their own, 7 and 1.
    """

    name: str
    steps: int | None
    strength: float = 1.0
    sigmas: tuple[float, ...] = ()
    rho: float | None = None


@dataclass(frozen=True)
class Noise:
    """Noise that the loop draws in the family's layout, one generator for each item.

    Args:
        seed: Item b of a batch is seeded seed + b.
        width: Pixels of the picture to be; used where no latent gives the size. None is the
            model's own size.
        height: Pixels.
        batch: Pictures at once.
        variations: Seeds whose noise is blended in, one after another, each with its share,
            0..1. Then all items have the first seed, and the last of these counts up instead.
        item: Only this one of the batch, from 0, as it is among the others; None is all. Where
            the sampler's convention is ComfyUI's, the whole batch is drawn and this item kept.
        frames: Of a video; None is the model's own number.
        seconds: Of a sound; None is the model's own length.
    """

    seed: int
    width: int | None = None
    height: int | None = None
    batch: int = 1
    variations: tuple[tuple[int, float], ...] = ()
    item: int | None = None
    frames: int | None = field(default=None, metadata=counted_if_not(None))
    seconds: float | None = field(default=None, metadata=counted_if_not(None))
