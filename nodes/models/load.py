"""Recipes of networks from model files. Nothing is loaded here."""

from pathlib import Path
from typing import Annotated, NamedTuple

from nodeforge import diffusion
from nodeforge.api import Choice, Model, ModelFile, TextEncoder, Upgrade, Vae, node

Predicts = Annotated[str, Choice("auto", "epsilon", "v_prediction", "flow_prediction")]
ZeroSnr = Annotated[str, Choice("auto", "yes", "no")]
Variant = Annotated[str, Choice("auto", *diffusion.VARIANTS)]
FamilyOfEncoder = Annotated[
    str, Choice("auto", *diffusion.TEXT_FAMILIES, labels=diffusion.FAMILY_LABELS)
]
_YES = {"auto": None, "yes": True, "no": False}
SPACE = Upgrade(rename={"family": "space"}, values={"space": diffusion.SPACE_OF_FAMILY})
SpaceOfVae = Annotated[str, Choice("auto", *diffusion.LATENT_SPACES)]


class Networks(NamedTuple):
    """The networks of a whole model."""

    model: Model
    text_encoder: TextEncoder
    vae: Vae


@node("models.load", version=3, upgrade={2: Upgrade()}, title="Load model")
def load_model(
    file: Annotated[Path, ModelFile("checkpoint")],
    prediction: Predicts = "auto",
    zero_snr: ZeroSnr = "auto",
    variant: Variant = "auto",
    text_encoder: Annotated[Path | None, ModelFile("text_encoder", goes_with="file")] = None,
    text_encoder_2: Annotated[Path | None, ModelFile("text_encoder", goes_with="file")] = None,
    text_encoder_3: Annotated[Path | None, ModelFile("text_encoder", goes_with="file")] = None,
    vae: Annotated[Path | None, ModelFile("vae", goes_with="file")] = None,
    low_noise: Annotated[Path | None, ModelFile("unet", goes_with="file")] = None,
) -> Networks:
    """Load a model: a diffusers folder, a checkpoint in one file, or a denoiser and what it needs.

    Args:
        file: The model.
        prediction: What it was trained to predict. Files of SD 2 and of flow models often do not
            say it; with the wrong one, pictures are noise. Flow takes a sampler for flow.
        zero_snr: Whether it was trained up to nothing but noise, as many that predict v, and none
            that predicts epsilon; files often do not say it. With the wrong one, brightness and
            contrast are off.
        variant: Which of its family's kinds of models it is, as turbo; by itself its header, its
            metadata or its name tell.
        text_encoder: The text encoder of a denoiser that comes alone; empty is found in the model
            folders.
        text_encoder_2: The second one, where its family reads with two.
        text_encoder_3: The third one. Where others are chosen, SD 3 draws without its T5, which
            saves its memory, and follows long prompts less.
        vae: The VAE of a denoiser that comes alone; empty is found in the model folders.
        low_noise: The expert that takes over at low noise, of Wan 2.2; empty is found beside the
            one for high noise.

    Returns:
        model: The denoiser.
        text_encoder: Its text encoder.
        vae: Its VAE.
    """
    made = diffusion.describe(
        file,
        _unless_auto(prediction),
        _YES[zero_snr],
        _unless_auto(variant),
        text_encoders=[path for path in (text_encoder, text_encoder_2, text_encoder_3) if path],
        vae=vae,
        low_noise=low_noise,
    )
    return Networks(*made)


@node("models.load_denoiser", version=3, upgrade={2: Upgrade()}, title="Load denoiser")
def load_denoiser(
    file: Annotated[Path, ModelFile("unet")],
    prediction: Predicts = "auto",
    zero_snr: ZeroSnr = "auto",
    variant: Variant = "auto",
) -> Model:
    """Load a denoiser (UNet) alone.

    Args:
        file: The denoiser, or a whole model with one.
        prediction: What it was trained to predict.
        zero_snr: Whether it was trained with zero terminal SNR.
        variant: Which of its family's kinds of models it is.
    """
    return diffusion.describe_denoiser(
        file, _unless_auto(prediction), _YES[zero_snr], _unless_auto(variant)
    )


@node("models.load_text_encoder", version=2, upgrade={1: Upgrade()}, title="Load text encoder")
def load_text_encoder(
    file: Annotated[Path, ModelFile("text_encoder")],
    second: Annotated[Path | None, ModelFile("text_encoder")] = None,
    third: Annotated[Path | None, ModelFile("text_encoder")] = None,
    family: FamilyOfEncoder = "auto",
) -> TextEncoder:
    """Load a text encoder alone, those of a family that reads with several, or another model's.

    Args:
        file: The text encoder, or a whole model.
        second: Another one, as of SDXL's clip_l and clip_g or Flux.1's clip_l and t5xxl, in any
            order.
        third: A third one, as t5xxl beside SD 3's clip_l and clip_g, which may be left out.
        family: The family that they read prompts for; by itself the first that reads with just
            these. Z-Image and Flux.2 klein read the same Qwen3 in other ways, Flux.3 klein and
            Krea 2 the same Qwen3-VL.
    """
    given = [path for path in (file, second, third) if path]
    return diffusion.describe_text_encoder(*given, family=_unless_auto(family))


@node("models.load_vae", version=2, upgrade={1: SPACE}, title="Load VAE")
def load_vae(file: Annotated[Path, ModelFile("vae")], space: SpaceOfVae = "auto") -> Vae:
    """Load a VAE alone, or that of another model.

    Args:
        file: The VAE, or a whole model with one.
        space: The latent space it works in. A VAE alone does not say; by itself it is taken for
            what its name says, else for that of SD 1.5.
    """
    return diffusion.describe_vae(file, _unless_auto(space))


def _unless_auto(choice: str) -> str:
    return "" if choice == "auto" else choice
