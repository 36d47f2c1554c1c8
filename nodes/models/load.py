"""Recipes of networks from model files. Nothing is loaded here."""

from pathlib import Path
from typing import Annotated, NamedTuple

from nodeforge import diffusion
from nodeforge.api import Choice, Model, ModelFile, TextEncoder, Vae, node

Predicts = Annotated[str, Choice("auto", "epsilon", "v_prediction", "flow_prediction")]
ZeroSnr = Annotated[str, Choice("auto", "yes", "no")]
_YES = {"auto": None, "yes": True, "no": False}
FamilyOfVae = Annotated[str, Choice("auto", *diffusion.LATENT_FAMILIES)]


class Networks(NamedTuple):
    """The networks of a whole model."""

    model: Model
    text_encoder: TextEncoder
    vae: Vae


@node("models.load", version=2, title="Load model")
def load_model(
    file: Annotated[Path, ModelFile("checkpoint")],
    prediction: Predicts = "auto",
    zero_snr: ZeroSnr = "auto",
) -> Networks:
    """Load a model: a diffusers folder, or a checkpoint in one file.

    Args:
        file: The model.
        prediction: What it was trained to predict. Files of SD 2 and of flow models often do not
            say it; with the wrong one, pictures are noise. Flow takes a sampler for flow.
        zero_snr: Whether it was trained up to nothing but noise, as many that predict v, and none
            that predicts epsilon; files often do not say it. With the wrong one, brightness and
            contrast are off.

    Returns:
        model: The denoiser.
        text_encoder: Its text encoder.
        vae: Its VAE.
    """
    return Networks(*diffusion.describe(file, _unless_auto(prediction), _YES[zero_snr]))


@node("models.load_denoiser", version=2, title="Load denoiser")
def load_denoiser(
    file: Annotated[Path, ModelFile("unet")],
    prediction: Predicts = "auto",
    zero_snr: ZeroSnr = "auto",
) -> Model:
    """Load a denoiser (UNet) alone.

    Args:
        file: The denoiser, or a whole model with one.
        prediction: What it was trained to predict.
        zero_snr: Whether it was trained with zero terminal SNR.
    """
    return diffusion.describe_denoiser(file, _unless_auto(prediction), _YES[zero_snr])


@node("models.load_text_encoder", title="Load text encoder")
def load_text_encoder(
    file: Annotated[Path, ModelFile("text_encoder")],
    second: Annotated[Path | None, ModelFile("text_encoder")] = None,
) -> TextEncoder:
    """Load a text encoder alone, SDXL's two, or those of another model.

    Args:
        file: The text encoder, or a whole model.
        second: The other one of SDXL's two, clip_l and clip_g, in any order.
    """
    return diffusion.describe_text_encoder(file, second)


@node("models.load_vae", title="Load VAE")
def load_vae(file: Annotated[Path, ModelFile("vae")], family: FamilyOfVae = "auto") -> Vae:
    """Load a VAE alone, or that of another model.

    Args:
        file: The VAE, or a whole model with one.
        family: Whose latents it is for. A VAE alone does not say; by itself it is taken for
            what its name says, else for SD 1.5.
    """
    return diffusion.describe_vae(file, _unless_auto(family))


def _unless_auto(choice: str) -> str:
    return "" if choice == "auto" else choice
