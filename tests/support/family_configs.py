"""Has the shipped configuration of a family be that of a tiny model, so its single files load."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from math import prod
from pathlib import Path

import pytest

from nodeforge.models import FAMILIES, SPACES, TEXT_ENCODER_KINDS


def _layout(vae: Path) -> dict[str, int]:
    """Channels and scale of the latents of a VAE."""
    config = json.loads((vae / "config.json").read_text("utf-8"))
    if "z_dim" in config:
        scale = 2 ** len(config["temperal_downsample"]) * (config.get("patch_size") or 1)
        return {"channels": config["z_dim"], "scale": scale}
    if "decoder_input_channels" in config:
        return {
            "channels": config["decoder_input_channels"],
            "scale": prod(config["downsampling_ratios"]),
            "rate": config["sampling_rate"],
        }
    folded = config.get("patch_size") or (1, 1)
    halvings = len(config["block_out_channels"]) - 1
    return {
        "channels": config["latent_channels"] * folded[0] * folded[1],
        "scale": 2**halvings * folded[0],
    }


def use_configs(monkeypatch: pytest.MonkeyPatch, family: str, folder: Path) -> None:
    """Take the configuration of a family's networks from a diffusers folder.

    Args:
        monkeypatch: Takes it back.
        family: A name in `FAMILIES`.
        folder: A tiny model of it.
    """
    facts = FAMILIES[family]
    template = facts.config_folder / "prompt_template.txt"
    if template.is_file():
        shutil.copy(template, folder)
    monkeypatch.setitem(FAMILIES, family, replace(facts, config=str(folder)))
    if (folder / "vae").is_dir():
        space = replace(SPACES[facts.space], config=str(folder / "vae"), **_layout(folder / "vae"))
        monkeypatch.setitem(SPACES, facts.space, space)
    for part, kind in facts.text_encoders.items():
        tokenizer = folder / part.replace("text_encoder", "tokenizer")
        tokenizer = tokenizer if tokenizer.is_dir() else folder / "processor"
        changed = replace(
            TEXT_ENCODER_KINDS[kind], config=str(folder / part), tokenizer=str(tokenizer), words=0
        )
        written = folder / part / "config.json"
        config = json.loads(written.read_text("utf-8"))
        if rope := config.get("rope_parameters"):  # shipped configurations say it as files did
            written.write_text(json.dumps(config | {"rope_theta": rope["rope_theta"]}), "utf-8")
        config |= config.get("text_config", {})
        if width := config.get("hidden_size") or config.get("d_model"):
            changed = replace(changed, width=width)
        monkeypatch.setitem(TEXT_ENCODER_KINDS, kind, changed)
