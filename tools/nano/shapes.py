"""The shapes of the networks, as diffusers and transformers build them.

The autoencoder divides sides by 16 into 16 channels: a 256-pixel picture is 16x16, small enough
that a UNet on one core sees 20 pictures a second. It has no attention and is trained on crops.
"""

from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.controlnets.controlnet import (
    ControlNetConditioningEmbedding,
    ControlNetModel,
)
from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

Net = TypeVar("Net", bound=nn.Module)

LATENT_CHANNELS = 16
LATENT_SIDE = 16
TEXT_WIDTH = 192
TEXT_LENGTH = 32  # a caption has 20 tokens at most; padding draws attention and costs time
# Noisier at the end than Stable Diffusion's 0.012: a 16x16 latent's mean colour would shine
# through that noise, and backgrounds would drift to grey when drawing from pure noise.
# The last level is noise alone (Lin et al. 2023), as what is drawn from.
SCHEDULE = {
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.022,
    "rescale_betas_zero_snr": True,
}
EDGE_CHANNELS = (1, 4, 16, 48, 128)
EDGE_STRENGTH = 4.0
SORTING = 4  # layers after the first: to 4 channels at 128 pixels, to 16 at 64


def new_vae(channels: tuple[int, ...] = (24, 48, 96, 128, 128)) -> AutoencoderKL:
    levels: Any = {  # diffusers' annotations allow a single level
        "block_out_channels": channels,
        "down_block_types": ("DownEncoderBlock2D",) * len(channels),
        "up_block_types": ("UpDecoderBlock2D",) * len(channels),
    }
    vae = AutoencoderKL(
        **levels,
        latent_channels=LATENT_CHANNELS,
        layers_per_block=1,
        norm_num_groups=8,
        mid_block_add_attention=False,
        sample_size=LATENT_SIDE * 16,
        scaling_factor=1.0,
    )
    let_colour_through(vae)
    return vae


@torch.no_grad()
def let_colour_through(vae: AutoencoderKL) -> None:
    """Start as a plain averaging pyramid, so that colour is learned in tens of steps.

    Residual branches begin at nothing and strides as box filters. The constant biases dominate
    the group norms' statistics, which would otherwise divide a plain colour's strength away.
    Measured on 32-pixel crops: squared error 0.17 after 100 steps, 0.37 from the usual start.
    """
    for module in vae.modules():
        if isinstance(module, ResnetBlock2D):
            nn.init.zeros_(module.conv2.weight)
            if module.conv_shortcut is not None:
                nn.init.orthogonal_(module.conv_shortcut.weight)
        elif isinstance(module, Downsample2D | Upsample2D):
            assert isinstance(module.conv, nn.Conv2d)
            weight = module.conv.weight.mul_(0.1)
            box = slice(0, 2) if isinstance(module, Downsample2D) else slice(1, 2)
            weight[:, :, box, box] += torch.eye(len(weight))[:, :, None, None] / box_area(box)
    for part in (vae.encoder, vae.decoder):
        assert part.conv_in.bias is not None
        nn.init.normal_(part.conv_in.bias)


def box_area(box: slice) -> int:
    return (box.stop - box.start) ** 2


def new_unet(channels: tuple[int, ...] = (96, 192)) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=LATENT_SIDE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=channels,
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",) * len(channels),
        up_block_types=("CrossAttnUpBlock2D",) * len(channels),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def new_text_encoder(tokenizer: CLIPTokenizer, layers: int = 3) -> CLIPTextModel:
    marks: Any = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=TEXT_WIDTH * 4,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=TEXT_LENGTH,
            projection_dim=TEXT_WIDTH,
            **marks,
        )
    )


def new_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """A copy of the UNet's first half; four strides bring edges to a sixteenth."""
    controlnet = ControlNetModel.from_unet(
        unet, conditioning_embedding_out_channels=EDGE_CHANNELS, conditioning_channels=3
    )
    let_edges_through(controlnet.controlnet_cond_embedding)
    return controlnet


@torch.no_grad()
def let_edges_through(embedding: ControlNetConditioningEmbedding) -> None:
    """Start with layers that sort 4x4 pixels into 16 channels, and frozen: lines stay where
    they are, and the layers at 256 pixels, the dearest of all, need no gradients.

    The last layer starts at strength, not at nothing: two zero layers in a row, it and the
    zero convolutions, learn at the speed of their product.
    """
    first, *blocks = [embedding.conv_in, *embedding.blocks]
    nn.init.dirac_(first.weight)
    first.weight[:] = EDGE_STRENGTH / 3 * (first.weight.sum(1, keepdim=True) > 0)
    for layer in blocks[:SORTING]:
        weight = nn.init.zeros_(layer.weight)
        for out in range(len(weight)):
            spot, source = divmod(out, weight.shape[1])
            y, x = divmod(spot, 2)
            weight[out, source, 1 + y, 1 + x] = 1
    for layer in (first, *blocks[:SORTING]):
        nn.init.zeros_(layer.bias)
        layer.requires_grad_(False)
    for layer in (*blocks[SORTING:], embedding.conv_out):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")


def read_vae(folder: Path) -> AutoencoderKL:
    vae = AutoencoderKL.from_pretrained(folder)
    assert isinstance(vae, AutoencoderKL)
    return vae.eval()


def encode(vae: nn.Module, pictures: Tensor) -> DiagonalGaussianDistribution:
    """Pictures in -1..1 to the distribution of their latents."""
    encoder: Any = vae  # diffusers' annotations leave out what `return_dict` gives
    return encoder.encode(pictures).latent_dist


def decode(vae: nn.Module, latents: Tensor) -> Tensor:
    decoder: Any = vae
    return decoder.decode(latents).sample


def moved(model: Net, device: torch.device) -> Net:
    """The model on a device; on a card, channels last, as its half-precision convolutions like.

    Measured on a CPU, that order gains nothing.
    """
    module: Any = model  # diffusers' own `to` has lost its signature
    if device.type == "cuda":
        module = module.to(memory_format=torch.channels_last)
    return module.to(device)


def read_controlnet(folder: Path) -> ControlNetModel:
    controlnet = ControlNetModel.from_pretrained(folder)
    assert isinstance(controlnet, ControlNetModel)
    return controlnet.eval()
