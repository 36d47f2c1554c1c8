"""Starting a training from shipped weights instead of from chance (`--from FOLDER`).

A run's folder that is lost costs the optimizer's state alone.
"""

from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from tools.nano.shapes import LATENT_CHANNELS, new_vae, read_vae

FRESH_INPUT = 0.1  # of an untrained layer's strength
FRESH_LOGVAR = -6.0


def part_of(model: Path, name: str) -> Path:
    """A network's folder: that of the model's part, or the folder itself if it is the network's."""
    return model / name if (model / name).exists() else model


def vae_from(model: Path) -> AutoencoderKL:
    """A model's autoencoder, widened to as many latent channels as are trained now."""
    vae = read_vae(part_of(model, "vae")).float()
    return vae if vae.config["latent_channels"] == LATENT_CHANNELS else widened(vae)


@torch.no_grad()
def widened(vae: AutoencoderKL) -> AutoencoderKL:
    """The same autoencoder with further latent channels that say little yet.

    They pass the 1x1 convolutions unchanged and reach the decoder at a tenth of the strength of
    an untrained layer, so that pictures hardly change.
    """
    known = vae.config["latent_channels"]
    wide = new_vae(tuple(vae.config["block_out_channels"]))
    assert isinstance(vae.quant_conv, nn.Conv2d)
    assert isinstance(wide.quant_conv, nn.Conv2d)
    assert isinstance(vae.post_quant_conv, nn.Conv2d)
    assert isinstance(wide.post_quant_conv, nn.Conv2d)
    means = list(range(known))
    moments = [*means, *(LATENT_CHANNELS + channel for channel in means)]
    plain, fresh = vae.state_dict(), wide.state_dict()
    outer = ("encoder.conv_out", "decoder.conv_in", "quant_conv", "post_quant_conv")
    fresh.update({k: v for k, v in plain.items() if not k.startswith(outer)})
    wide.load_state_dict(fresh)
    copy_rows(vae.encoder.conv_out, wide.encoder.conv_out, moments)
    entrance, known_entrance = wide.decoder.conv_in, vae.decoder.conv_in
    entrance.weight *= FRESH_INPUT
    entrance.weight[:, :known] = known_entrance.weight
    assert entrance.bias is not None
    assert known_entrance.bias is not None
    entrance.bias.copy_(known_entrance.bias)
    pass_through(vae.quant_conv, wide.quant_conv, moments)
    pass_through(vae.post_quant_conv, wide.post_quant_conv, means)
    return wide.eval()


def copy_rows(known: nn.Conv2d, wide: nn.Conv2d, places: list[int]) -> None:
    """The known moments at their places; of the others, the variances start small."""
    assert known.bias is not None
    assert wide.bias is not None
    wide.weight[places] = known.weight
    wide.bias[LATENT_CHANNELS:] = FRESH_LOGVAR
    wide.bias[places] = known.bias


def pass_through(known: nn.Conv2d, wide: nn.Conv2d, places: list[int]) -> None:
    """The known 1x1 convolution at its places, the identity at all others."""
    assert known.bias is not None
    assert wide.bias is not None
    wide.weight.copy_(torch.eye(len(wide.weight))[:, :, None, None])
    wide.weight[places] = 0
    rows, columns = torch.tensor(places)[:, None], torch.tensor(places)[None, :]
    wide.weight[rows, columns] = known.weight
    wide.bias.zero_()
    wide.bias[places] = known.bias


def fill_unet(unet: UNet2DConditionModel, model: Path) -> None:
    """Weights of a model's UNet, if it has one, where this one has a layer of the same name.

    Layers that are new start as the identity, further latent channels at little.
    """
    if not (model / "unet").exists():
        return
    known = UNet2DConditionModel.from_pretrained(model / "unet")
    assert isinstance(known, UNet2DConditionModel)
    fill(unet, known.float().state_dict())


@torch.no_grad()
def fill(model: nn.Module, known: dict[str, Tensor]) -> None:
    for name, weight in model.state_dict().items():
        if name not in known:
            if name.endswith(("conv2.weight", "conv2.bias", "proj_out.weight", "proj_out.bias")):
                weight.zero_()
            continue
        if weight.shape == known[name].shape:
            weight.copy_(known[name])
        elif name.startswith(("conv_in", "conv_out")):
            part = tuple(slice(size) for size in known[name].shape)
            weight.mul_(FRESH_INPUT)[part] = known[name]
