"""``python -m tools.configs [--cache FOLDER]``: writes `resources/configs/sd15` anew."""

import argparse
import json
import os
import shutil
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch

from tools.configs import clip_tokenizer, sd15

CONFIGS = Path(__file__).parents[2] / "resources" / "configs"


def write_sd15(folder: Path, wheel: Path) -> None:
    """All of a diffusers folder but the weights; parameter counts are checked first."""
    with torch.device("meta"):
        networks = sd15.networks()
    for name, network in networks.items():
        count = sum(parameter.numel() for parameter in network.parameters())
        assert count == sd15.PARAMETERS[name], f"{name} has {count} parameters"
    shutil.rmtree(folder, ignore_errors=True)
    for name, network in networks.items():
        save = getattr(network, "save_config", None) or network.config.save_pretrained
        save(folder / name)
    sd15.scheduler().save_config(folder / "scheduler")
    clip_tokenizer.tokenizer(wheel).save_pretrained(folder / "tokenizer")
    (folder / "tokenizer" / "LICENSE").write_text(clip_tokenizer.licence(wheel), "utf-8")
    (folder / "model_index.json").write_text(json.dumps(sd15.INDEX, indent=2) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.configs", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(), help="where the wheel is kept")
    options = parser.parse_args()
    write_sd15(CONFIGS / "sd15", clip_tokenizer.fetch(options.cache))


if __name__ == "__main__":
    main()
