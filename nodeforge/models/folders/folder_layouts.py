"""Folder layouts by model kind: NodeForge's, ComfyUI's and A1111's."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nodeforge.models.folders.extra_model_paths import read_extra_paths
from nodeforge.settings import ModelFolder, Settings, shipped

_KINDS = (
    *("checkpoint", "unet", "vae", "text_encoder", "controlnet", "lora", "embedding"),
    *("t2i_adapter", "ip_adapter", "image_encoder", "upscaler", "motion_module"),
)
_OURS: Mapping[str, tuple[str, ...]] = {kind: (f"{kind}s",) for kind in _KINDS}
_COMFYUI: Mapping[str, tuple[str, ...]] = {
    "checkpoint": ("checkpoints", "diffusers"),
    "unet": ("diffusion_models", "unet"),
    "vae": ("vae",),
    "text_encoder": ("text_encoders", "clip"),
    "controlnet": ("controlnet",),
    "lora": ("loras",),
    "embedding": ("embeddings",),
    "t2i_adapter": ("controlnet", "t2i_adapter"),
    "ip_adapter": ("ipadapter",),
    "image_encoder": ("clip_vision",),
    "upscaler": ("upscale_models",),
    "motion_module": ("animatediff_models",),
}
_A1111: Mapping[str, tuple[str, ...]] = {
    "checkpoint": ("Stable-diffusion",),
    "vae": ("VAE",),
    "text_encoder": ("text_encoder",),
    "controlnet": ("ControlNet",),
    "lora": ("Lora", "LyCORIS"),
    "embedding": ("embeddings", "../embeddings"),
    "t2i_adapter": ("ControlNet",),
    "ip_adapter": ("ControlNet",),
    "upscaler": ("ESRGAN", "RealESRGAN", "SwinIR", "DAT", "HAT", "SPAN"),
}
_LAYOUTS = {"nodeforge": _OURS, "comfyui": _COMFYUI, "a1111": _A1111}


@dataclass(frozen=True)
class ModelRoot:
    """A folder with models. `kind` is empty where it holds all kinds, as the shipped one does."""

    kind: str
    root: Path
    real: str

    def holds(self, kind: str) -> bool:
        return self.kind in ("", kind)


class FolderProblem(NamedTuple):
    """A setting that names nothing: the fact, and the way out."""

    fact: str
    way_out: str


def folder_problems(settings: Settings) -> list[FolderProblem]:
    """What the settings say of model folders without any effect.

    Raises:
        RequestError: an ``extra_model_paths.yaml`` is damaged.
    """
    found = []
    for folder in settings.model_folders:
        path = Path(folder.path).expanduser()
        if not path.is_dir():
            fact = f"model_folders: there is no folder '{folder.path}'."
            found.append(FolderProblem(fact, "Correct it in the settings, or make it."))
        elif folder.layout not in _LAYOUTS:
            near = difflib.get_close_matches(folder.layout, _LAYOUTS, n=1, cutoff=0.4)
            hint = f"Did you mean '{near[0]}'? " if near else ""
            fact = (
                f"model_folders: '{folder.layout}' is no layout; '{folder.path}' is read as "
                "'nodeforge'."
            )
            found.append(FolderProblem(fact, f"{hint}There are: {', '.join(_LAYOUTS)}."))
        elif not any(root.is_dir() for _, root in _named(folder)):
            names = ", ".join(names[0] for names in list(_LAYOUTS[folder.layout].values())[:3])
            fact = f"model_folders: '{folder.path}' has no folder of the layout {folder.layout}."
            found.append(FolderProblem(fact, f"It would have: {names}, ..."))
    for file in settings.extra_model_paths:
        for fact in read_extra_paths(Path(file).expanduser()).unread:
            found.append(FolderProblem(f"{file}: {fact}", "Correct it there."))
    return found


def model_roots(settings: Settings) -> tuple[ModelRoot, ...]:
    """All places, in the order in which a name is looked for.

    The shipped models come first, so that the shipped workflows mean them.

    Raises:
        RequestError: an ``extra_model_paths.yaml`` is damaged.
    """
    extra = [
        (folder.default, kind, folder.path)
        for file in settings.extra_model_paths
        for folder in read_extra_paths(Path(file).expanduser()).folders
        for kind, names in _COMFYUI.items()
        if folder.name in names
    ]
    found = [("", shipped("resources") / "models")]
    found += [(kind, path) for default, kind, path in extra if default]
    found += _under(settings.models, _OURS)
    for folder in settings.model_folders:
        found += _named(folder)
    found += [(kind, path) for default, kind, path in extra if not default]
    return tuple(dict.fromkeys(_root(kind, path) for kind, path in found))


def _root(kind: str, path: Path) -> ModelRoot:
    root = Path(os.path.normpath(path.absolute()))
    return ModelRoot(kind, root, os.path.realpath(root))


def _named(folder: ModelFolder) -> Iterator[tuple[str, Path]]:
    """The folders of a model folder, given as such or as the program's folder around it."""
    path = Path(folder.path).expanduser()
    layout = _LAYOUTS.get(folder.layout, _OURS)
    yield from _under(path, layout)
    yield from _under(path / "models", layout)


def _under(path: Path, layout: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Path]]:
    for kind, names in layout.items():
        for name in names:
            yield kind, path / name
