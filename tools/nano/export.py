"""Write the trained networks as one folder that any Stable Diffusion loader opens.

Weights are stored in float16: half the size, and pictures differ by less than a grey level.
`config.json` names float32, in which the networks are run on a CPU.
"""

import json
import shutil
from pathlib import Path

import click
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.controlnets.controlnet import ControlNetModel
from torch import nn

from tools.nano.data import read_concepts
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import preset_option, runs_option
from tools.nano.sampling import new_pipeline
from tools.nano.shapes import new_controlnet, new_vae, read_vae
from tools.nano.tokens import tokenizer_of
from tools.nano.train_unet import TextToLatent, build
from tools.nano.training import load_average
from tools.nano.vocabulary import save_vocabulary, vocabulary

EDGE_PULL = 1.5


def load_vae(folder: Path) -> AutoencoderKL:
    """The autoencoder as far as it is trained."""
    vae = new_vae()
    final = folder / "vae" / "final"
    if final.exists():
        vae = read_vae(final)
    load_average(vae, folder / "decoder" if final.exists() else folder / "vae")
    return vae.eval()


def load_model(preset: Preset, folder: Path) -> TextToLatent:
    model = build(preset, tokenizer_of(folder)).eval()
    load_average(model, folder / "unet")
    return model


def assemble(preset: Preset, folder: Path, out: Path) -> None:
    """Write the base model, and the ControlNet and the LoRA as far as they are trained."""
    model = load_model(preset, folder)
    pipeline = new_pipeline(load_vae(folder), model.unet, model.text_encoder, tokenizer_of(folder))
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(out)
    # For loaders that know the older layout of a tokenizer.
    pipeline.tokenizer.backend_tokenizer.model.save(str(out / "tokenizer"))
    name_float32(out / "text_encoder" / "config.json")
    controlnet = new_controlnet(model.unet)
    if load_average(controlnet, folder / "controlnet"):
        strengthen(controlnet)
        save_controlnet(controlnet, out / "controlnet")
    styles = (*preset.styles, preset.lora_style)
    save_vocabulary(vocabulary(read_concepts(folder / "data"), styles), out)
    for lora in sorted((folder / "lora").glob("*.safetensors")):
        if lora.stem in {preset.lora_style, "turbo"}:
            (out / "lora").mkdir(exist_ok=True)
            shutil.copyfile(lora, out / "lora" / lora.name)


@torch.no_grad()
def strengthen(controlnet: ControlNetModel) -> None:
    """Make strength 1 what follows edges: guidance pulls against them, as the loss does not.

    Measured with guidance 4: edge F1 0.26 as trained, 0.37 with residuals 1.6 times as large.
    """
    for layer in (*controlnet.controlnet_down_blocks, controlnet.controlnet_mid_block):
        assert isinstance(layer, nn.Conv2d)
        layer.weight *= EDGE_PULL
        assert layer.bias is not None
        layer.bias *= EDGE_PULL


def save_controlnet(controlnet: ControlNetModel, out: Path) -> None:
    controlnet.half().save_pretrained(out)


def name_float32(config: Path) -> None:
    """Else transformers would run the text encoder in the precision it is stored in."""
    values = json.loads(config.read_text("utf-8"))
    values.pop("torch_dtype", None)
    values["dtype"] = "float32"
    config.write_text(json.dumps(values, indent=2) + "\n", "utf-8")


def forget_paths(folder: Path) -> None:
    """Configurations name the folder they were read from, which is nobody's business."""
    for config in folder.rglob("config.json"):
        values = json.loads(config.read_text("utf-8"))
        if values.pop("_name_or_path", None) is not None:
            config.write_text(json.dumps(values, indent=2) + "\n", "utf-8")


def replace_folder(fresh: Path, out: Path) -> None:
    """Put a finished folder in place of the old one: readers see one of them, whole.

    Files beside the networks' folders stay: the card, its picture, the licences.
    """
    if out.exists():
        for path in out.iterdir():
            if path.is_file() and not (fresh / path.name).exists():
                shutil.copyfile(path, fresh / path.name)
        old = out.with_name(out.name + ".old")
        out.rename(old)
        fresh.rename(out)
        shutil.rmtree(old)
    else:
        fresh.rename(out)


@click.command()
@preset_option
@runs_option
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(preset: str, runs: Path, out: Path) -> bool:
    """Export the preset's networks to a folder in diffusers' layout."""
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    assemble(PRESETS[preset], runs / preset, fresh)
    forget_paths(fresh)
    size = sum(path.stat().st_size for path in fresh.rglob("*") if path.is_file())
    replace_folder(fresh, out)
    click.echo(f"{out}: {size / 1e6:.1f} MB")
    return True


if __name__ == "__main__":
    main()
