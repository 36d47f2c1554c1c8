"""Completes `ModelInfo` from metadata, a config beside the file, and the file's name.

Whether a model predicts epsilon or v, up to which noise it was trained, how it was distilled,
and which family a VAE is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nodeforge.models.detection.found import FoundNetworks
from nodeforge.models.detection.info import Kind, ModelInfo
from nodeforge.models.families import FAMILIES, Variant

_V, _EPSILON, _FLOW = "v_prediction", "epsilon", "flow_prediction"
_KINDS = {
    **dict.fromkeys(("v", "v_pred", "vpred", "v_prediction", "vprediction", "velocity"), _V),
    **dict.fromkeys(("epsilon", "eps", "noise", "epsilon_prediction"), _EPSILON),
    **dict.fromkeys(("flow", "flow_prediction", "flow_matching", "rectified_flow"), _FLOW),
}
"""What metadata says that a model predicts, in lower case with underscores."""

_PREDICTION_KEYS = (
    *("modelspec.prediction_type", "modelspec.predict_key", "prediction_type", "predict_key"),
    *("ss_prediction_type", "model_prediction_type", "parameterization"),
)
_V_KEYS = ("ss_v_parameterization", "v_parameterization", "v_pred", "vpred")
_ZERO_SNR_KEYS = (
    *("ss_zero_terminal_snr", "zero_terminal_snr", "rescale_betas_zero_snr", "ztsnr", "zsnr"),
    "modelspec.zero_terminal_snr",
)
_YES = ("true", "1", "yes")
_LARGEST = 2**16
_PARAMETERIZATION = re.compile(r"^\s*parameterization:\s*[\"']?v\b", re.MULTILINE)
_WORD = re.compile(r"[a-z]+|\d+")
_IS_REVISION = re.compile(r"[0-9a-f]{40}")
_NOTHING: Mapping[str, Any] = MappingProxyType({})

BY_HEADER, BY_METADATA = "by its header", "by its metadata"
BY_INDEX, BY_NAME = "by its configuration", "by its name"
"""What may tell a model's variant."""


def with_hints(
    info: ModelInfo,
    found: FoundNetworks,
    metadata: Mapping[str, str],
    index: Mapping[str, Any] = _NOTHING,
) -> ModelInfo:
    """`info` with what its metadata, a config beside it and its name tell.

    Args:
        info: What its tensors tell.
        found: The same, of its denoiser.
        metadata: Of its header.
        index: A folder's ``model_index.json``, and its denoiser's configuration.
    """
    if info.kind is Kind.VAE:
        return _of_family(info, metadata)
    if info.kind not in (Kind.CHECKPOINT, Kind.UNET) or info.family is None:
        return info
    told = info.prediction_type or _prediction(info, metadata)
    variant, source = _variant(info, found, metadata, index)
    return replace(
        info,
        prediction_type=told,
        zero_snr=_zero_snr(info, metadata, told),
        variant=variant,
        variant_source=source if variant else "",
    )


def _prediction(info: ModelInfo, metadata: Mapping[str, str]) -> str | None:
    """What it predicts; None where the family's usual is the best guess."""
    words = (re.sub(r"[\s-]+", "_", metadata.get(k, "").strip().lower()) for k in _PREDICTION_KEYS)
    if said := next((_KINDS[word] for word in words if word in _KINDS), None):
        return said
    if _says_yes(metadata, _V_KEYS):
        return _V
    architecture = metadata.get("modelspec.architecture", "")
    if architecture.endswith("-v"):
        return "v_prediction"
    if architecture.endswith("-512"):
        return "epsilon"
    if beside := _beside(info.path):
        return "v_prediction" if _PARAMETERIZATION.search(beside) else "epsilon"
    return _named_prediction(info)


def _zero_snr(info: ModelInfo, metadata: Mapping[str, str], told: str | None) -> bool:
    """Whether a mark, kohya's trainer, the title or the name says that noise goes up to all.

    Nothing of the picture is left there, so that only a model of v can have been trained so.
    """
    if (told or FAMILIES[info.family or ""].prediction_types[0]) != "v_prediction":
        return False
    words = _words(f"{metadata.get('modelspec.title', '')} {info.path.stem}")
    named = bool(words & {"ztsnr", "zsnr"}) or {"zero", "snr"} <= words
    return info.zero_snr or named or _says_yes(metadata, _ZERO_SNR_KEYS)


def _says_yes(metadata: Mapping[str, str], keys: Iterable[str]) -> bool:
    return any(metadata.get(key, "").strip().lower() in _YES for key in keys)


def _named_prediction(info: ModelInfo) -> str | None:
    """By the name, for families whose models differ: ``512-base-ema``, ``768-v-ema``, ``vpred``."""
    words = _words(info.path.stem)
    if words & {"vpred", "vprediction"} or {"v", "pred"} <= words:
        return "v_prediction"
    usual = FAMILIES[info.family or ""].prediction_types[0]
    if usual == "v_prediction" and (words & {"512", "base", "epsilon", "eps"} or info.inpainting):
        return "epsilon"
    return None


def _variant(
    info: ModelInfo,
    found: FoundNetworks,
    metadata: Mapping[str, str],
    index: Mapping[str, Any],
) -> tuple[str, str]:
    """Which of its family's kinds of models it is, and what told.

    Its tensors decide where they can; then what was said of it, most exact first.
    """
    family = FAMILIES[info.family or ""]
    known = family.variants
    task = family.in_channels.get(found.in_channels or 0)
    for_it = [name for name, each in known.items() if task and each.task is task]
    if len(for_it) == 1:
        return for_it[0], BY_HEADER
    if found.distilled and "lcm" in known:
        return "lcm", BY_HEADER
    allowed = {name: known[name] for name in found.variants if name in known} or {
        name: each for name, each in known.items() if task is None or each.task in (None, task)
    }
    if len(allowed) == 1 and len(known) > 1:
        return next(iter(allowed)), BY_HEADER
    for name, each in allowed.items():
        if each.index and each.index.items() <= index.items():
            return name, BY_INDEX
    title = metadata.get("modelspec.title", "")
    written = f"{title} {metadata.get('modelspec.architecture', '')}"
    # "flux1-krea-dev": what is special says more than the plain one's name
    allowed = dict(sorted(allowed.items(), key=lambda pair: pair[0] == family.variant))
    told, named = _named_variant(allowed, written), _named_variant(allowed, _name(info.path))
    if told and (told != family.variant or not named):  # the plain one's name says little
        return told, BY_METADATA
    if named:
        return named, BY_NAME
    if len(allowed) < len(known) and family.variant in allowed:
        return family.variant, BY_HEADER
    return "", ""


def _named_variant(allowed: Mapping[str, Variant], text: str) -> str:
    """The first variant that a text names; empty where it names none."""
    words = _words(text)
    said = (name for name, each in allowed.items() if words & {*(each.words or (name,))})
    return next(said, "")


def _name(path: Path) -> str:
    """The name that people know a model by: a copy in a Hugging Face cache has its repository's."""
    if _IS_REVISION.fullmatch(path.name) and path.parent.name == "snapshots":
        return path.parent.parent.name
    return path.name if path.is_dir() else path.stem


def _of_family(info: ModelInfo, metadata: Mapping[str, str]) -> ModelInfo:
    """A VAE alone, which several families may have alike, by its name or title."""
    title = f"{metadata.get('modelspec.title', '')} {info.path.stem}".lower()
    spaces = {FAMILIES[name].space: FAMILIES[name].latent_space for name in info.families}
    for space in spaces.values():
        for word, label in space.relatives.items():
            if word in _words(title) or word in title.split():
                reason = f"the VAE of {label} is not supported yet"
                return replace(info, family=None, families=(), reason=reason)
    letters, words = "".join(filter(str.isalnum, title)), _words(title)
    for name in info.families if len(info.families) > 1 else ():
        space = FAMILIES[name].latent_space
        if name in letters or words & {*space.marks}:
            name = space.family
            same = tuple(each for each in info.families if FAMILIES[each].space == space.name)
            return replace(info, family=name, families=same)
    return info


def _words(text: str) -> set[str]:
    """Words and numbers in it, and words with the number after them: ``sdxl``, ``sd15``."""
    found = _WORD.findall(text.lower())
    joined = (first + second for first, second in pairwise(found))
    return {*found, *joined, *text.lower().split("_")}


def _beside(path: Path) -> str:
    """The LDM config that people put beside a checkpoint, under its name."""
    file = path.with_suffix(".yaml")
    try:
        if path.is_dir() or not file.is_file() or file.stat().st_size > _LARGEST:
            return ""
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return ""
