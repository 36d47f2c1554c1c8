"""Sorts the tensors of LoRA files by network, module and role. Reads headers only."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from nodeforge.diffusion.adapters.lora_blocks import ldm_modules
from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.motion_module import canonical_name
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import (
    FAMILIES,
    LoraTensor,
    Signature,
    other_lora_method,
    parse_lora_name,
    read_header,
)
from nodeforge.models.detection.lora_names import OTHER_DENOISER, UNET

_MOST_LEFT_OUT = 0.1
"""The share of a file that may be foreign or damaged while the rest is still used."""

_UNNAMED = "default"
"""peft's name of an adapter whose person gave none."""

MOTION_MODULE = "motion_module"
"""The network of LoRAs that move the camera."""

BESIDE = {"alpha", "magnitude"}
"""Roles of what counts the difference, and is no part of it."""

_HALVES = (
    *(("lora_A", "lora_B"), ("lora_down", "lora_up")),
    *(("lora.down", "lora.up"), ("layer.down", "layer.up")),
)


@dataclass
class LoraNames:
    """A LoRA's tensors for one network.

    Args:
        modules: By module, as `canonical` writes it: its tensors by role: ``down``, ``up``,
            ``mid``, ``alpha``, ``magnitude`` (DoRA), or LyCORIS' own names, as ``hada_w1_a``.
        alphas: What the file's metadata says of alpha: by module, and under ``""`` for the rest.
        root: Whether alpha is divided by the rank's square root (Kalajdzievski 2023).
        written: By module and role, what the file calls its tensors.
    """

    modules: dict[str, dict[str, StoredTensor]] = field(default_factory=dict)
    alphas: Mapping[str, float] = field(default_factory=dict)
    root: bool = False
    written: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def add(self, module: str, role: str, name: str, tensor: StoredTensor) -> None:
        """Take a tensor; `name` is what the file calls it."""
        self.modules.setdefault(module, {})[role] = tensor
        self.written.setdefault(module, {})[role] = name

    def missing(self, module: str) -> str | None:
        """What the file would call the tensor that `module` lacks; None where it has all.

        Empty where it has nothing but an alpha or a magnitude.
        """
        roles = self.modules[module].keys() - BESIDE
        if not roles:
            return ""
        for role, other in _lacking(roles):
            name = self.written[module][other]
            if role not in ("down", "up"):
                return f"{name.rpartition('.')[0]}.{role}"
            for one, two in (*_HALVES, *(pair[::-1] for pair in _HALVES)):
                if one in name:
                    return name.replace(one, two)
            return f"{name.rpartition('.lora_')[0]}.lora_{role}.weight"
        return None


def _lacking(roles: Collection[str]) -> Iterator[tuple[str, str]]:
    """The roles that a module's tensors lack, each with one that is there."""
    there = min(roles)
    kind = there[:4]
    if kind not in ("hada", "lokr"):
        yield from ((role, there) for role in ("down", "up") if role not in roles)
        return
    for factor in (f"{kind}_w1", f"{kind}_w2"):
        lacking = {f"{factor}_a", f"{factor}_b"} - set(roles)
        if factor in roles or not lacking:
            continue
        whole = kind == "lokr" and len(lacking) == 2
        yield (factor if whole else min(lacking)), there


class LoraFile(NamedTuple):
    """What a LoRA file holds.

    Args:
        names: By network, ``unet``, ``transformer``, ``text_encoder``, ``text_encoder_2``: what it
            changes there.
        left_out: What of it is not used, as sentences.
    """

    names: dict[str, LoraNames]
    left_out: tuple[str, ...]


def read_lora(path: Path, family: str = "") -> LoraFile:
    """Sort the tensors of the LoRA at `path`, for a model of `family`.

    What belongs to no network (an embedding that comes with it), and single layers of which a
    part is missing, are left out.

    Raises:
        LoadingError: it holds something that is not low-rank weights as known here, several
            adapters, or halves of which the others are missing.
        ModelFileError: the file is damaged.
    """
    metadata = _metadata(read_header(path).metadata)
    found: dict[str, LoraNames] = {}
    foreign: list[str] = []
    adapters: dict[str, None] = {}
    stored = stored_tensors(path)
    for name, tensor in stored.items():
        told = _parsed(name, tensor, path)
        if told is None or not told.role:
            foreign.append(name)
            continue
        if told.role in ("down", "up"):
            adapters[told.adapter or _UNNAMED] = None
        part = part_of(told.part, family)
        if part not in found:
            found[part] = _with_metadata(part, metadata)
        found[part].add(canonical(told.module), told.role, name, tensor)
    _check_adapters(list(adapters), path)
    of_networks = [name for name in foreign if parse_lora_name(name)]
    if len(of_networks) > _MOST_LEFT_OUT * len(stored):
        raise _unread(path, of_networks[0])
    facts = list(_without_halves(found, path))
    if foreign:
        facts.append(f"'{foreign[0]}'{_and_more(foreign)}: no part of a LoRA, so it is left out.")
    return LoraFile(found, tuple(facts))


def part_of(told: str, family: str) -> str:
    """The network that a part of a LoRA is for, as a folder of its family's models calls it.

    Args:
        told: As `nodeforge.models.LoraTensor` has it.
        family: A name in `FAMILIES`; empty is that of UNets.
    """
    facts = FAMILIES.get(family)
    if facts is None or facts.signature is None:
        return told
    if told in (UNET, OTHER_DENOISER):
        return facts.denoiser
    folders = {kind: folder for folder, kind in facts.text_encoders.items()}
    return folders.get(told, told)


def _parsed(name: str, tensor: StoredTensor, path: Path) -> LoraTensor | None:
    """What a tensor is; None where it belongs to no network."""
    if method := other_lora_method(name):
        raise _unread(path, name, f" ({method})")
    told = parse_lora_name(name)
    if told and told.role == "alpha" and math.prod(tensor.shape) != 1:
        raise _damaged(path, f"'{name}' has the shape {tensor.shape}; it is one number.")
    if told and ".motion_modules." in told.module:
        module = canonical_name(told.module).replace(".processor", "")
        return told._replace(part=MOTION_MODULE, module=module)
    return told


def _check_adapters(names: Sequence[str], path: Path) -> None:
    if len(names) > 1:
        told = ", ".join(f"'{name}'" for name in names)
        raise LoadingError(
            f"holds {len(names)} adapters: {told}.",
            place=str(path),
            way_out="Save each into a file of its own; one is read from a file.",
        )


def _without_halves(found: dict[str, LoraNames], path: Path) -> Iterator[str]:
    """Take out the modules of which a part is missing; a sentence where there are any."""
    halves = {
        (part, module): missing
        for part, names in found.items()
        for module in names.modules
        if (missing := names.missing(module)) is not None
    }
    lacking = [missing for missing in halves.values() if missing]
    if lacking and len(halves) > _MOST_LEFT_OUT * sum(len(n.modules) for n in found.values()):
        raise _damaged(path, f"lacks '{lacking[0]}'{_and_more(lacking)}.")
    for part, module in halves:
        del found[part].modules[module]
    for part in [part for part, names in found.items() if not names.modules]:
        del found[part]
    if lacking:
        yield f"It lacks '{lacking[0]}'{_and_more(lacking)}: these layers are left out."


def _and_more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def _unread(path: Path, name: str, method: str = "") -> LoadingError:
    return LoadingError(
        f"holds '{name}', which is no LoRA, DoRA, LoHa or LoKr weight{method}.",
        place=str(path),
        way_out="Choose a file of another method: OFT, biases and full differences are not read.",
    )


def _damaged(path: Path, fact: str) -> LoadingError:
    return LoadingError(
        fact, place=str(path), way_out="The file is damaged: download or copy it again."
    )


def too_many(foreign: Collection[str], names: LoraNames) -> bool:
    """Whether more of a LoRA's modules are foreign to a network than may be left out."""
    return bool(foreign) and len(foreign) > _MOST_LEFT_OUT * len(names.modules)


def canonical(module: str) -> str:
    """A module's name as trainers of all kinds can be brought to: ``down_blocks_0_conv1``."""
    name = module.replace(".", "_").replace("_processor_", "_").removeprefix("text_model_")
    return f"{name}_0" if name.endswith("_to_out") else name


class LayerPart(NamedTuple):
    """A layer of a network that a module of a LoRA changes, or a part of that module does.

    Args:
        name: The layer's.
        first, last: Which rows of the module are the layer's; `last` is 0 where all are.
        total: Rows that the module has then.
        swapped: Whether the halves of its rows are exchanged.
    """

    name: str
    first: int = 0
    last: int = 0
    total: int = 0
    swapped: bool = False


def parts_by_canonical_name(
    rows: Mapping[str, int], signature: Signature
) -> dict[str, tuple[LayerPart, ...]]:
    """The layers of a denoiser by the `canonical` form of diffusers' names and its authors'.

    Args:
        rows: Of each layer, by its name.
        signature: Of the denoiser's family.
    """
    found: dict[str, tuple[LayerPart, ...]] = {canonical(name): (LayerPart(name),) for name in rows}
    names = signature.names
    exchanged = names.swapped_among(rows.keys())
    for original, parts in (each for name in rows for each in names.beginning_with(name)):
        if len(parts) == 1:
            swapped = parts[0] in exchanged
            found.setdefault(canonical(original), (LayerPart(parts[0], swapped=swapped),))
        elif all(part in rows for part in parts):
            ends = list(accumulate(rows[part] for part in parts))
            starts = [0, *ends[:-1]]
            found[canonical(original)] = tuple(
                LayerPart(part, first, last, ends[-1])
                for part, first, last in zip(parts, starts, ends, strict=True)
            )
    return found


def rows_of(tensors: Mapping[str, StoredTensor]) -> int:
    """How many rows the weight has that a module's tensors change; 0 where they do not tell."""
    for role in ("up", "hada_w1_a"):
        if role in tensors:
            return (*tensors[role].shape, 0)[0]
    return _factor_rows(tensors, "lokr_w1") * _factor_rows(tensors, "lokr_w2")


def _factor_rows(tensors: Mapping[str, StoredTensor], factor: str) -> int:
    there = tensors.get(factor) or tensors.get(f"{factor}_a")
    return (*there.shape, 0)[0] if there else 0


def of_part(tensors: Mapping[str, StoredTensor], part: LayerPart) -> dict[str, StoredTensor]:
    """The tensors of a module for a part of it; LoKr's, which are no rows, stay as they are."""
    found = dict(tensors)
    for role in ("up", "hada_w1_a", "hada_w2_a", "magnitude"):
        if role == "magnitude" and role in found and not _by_rows(found[role]):
            continue
        if role in found and part.last:
            found[role] = found[role].rows(part.first, part.last)
        elif role in found and part.swapped:
            found[role] = found[role].swapped()
    return found


def _by_rows(magnitude: StoredTensor) -> bool:
    """Whether it has a number for each row, not (1, columns)."""
    return magnitude.shape[:1] != (1,)


def by_canonical_name(modules: Sequence[str], layers: int | None = None) -> dict[str, str]:
    """The names of a network's modules by their `canonical` form.

    Args:
        modules: As the network has them.
        layers: Of a UNet, resnets in a block: trainers of SDXL name its modules as LDM does.
    """
    found = {canonical(name): name for name in modules}
    if layers is not None:
        ldm = ldm_modules(modules, layers)
        found |= {canonical(other): name for name, other in ldm.items()}
    return found


def _metadata(told: Mapping[str, str]) -> Mapping[str, Any]:
    """What diffusers writes of a LoRA's configuration, as ``unet.lora_alpha``."""
    try:
        read = json.loads(told.get("lora_adapter_metadata", "{}"))
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _with_metadata(part: str, metadata: Mapping[str, Any]) -> LoraNames:
    pattern = metadata.get(f"{part}.alpha_pattern")
    alphas = {canonical(k): v for k, v in pattern.items()} if isinstance(pattern, dict) else {}
    if isinstance(alpha := metadata.get(f"{part}.lora_alpha"), int | float):
        alphas[""] = alpha
    numbers = {k: float(v) for k, v in alphas.items() if isinstance(v, int | float)}
    return LoraNames(alphas=numbers, root=bool(metadata.get(f"{part}.use_rslora")))
