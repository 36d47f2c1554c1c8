"""Finds what a denoiser that comes alone needs: text encoders and a VAE, by their headers."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from nodeforge.errors import RequestError
from nodeforge.models.detection.info import Kind, ModelInfo
from nodeforge.models.detection.recognise import recognise
from nodeforge.models.families import FAMILIES, SPACES, TEXT_ENCODER_KINDS, Family

LOW_NOISE = "low_noise"
"""The port for the expert that takes over at low noise."""
_LOW = {"high": "low", "High": "Low", "HIGH": "LOW"}
_HIGH = re.compile("|".join(_LOW))
_PRECISION = ("float32", "bfloat16", "float16")
"""The best first; what is stored smaller comes after these."""


class MissingCompanionError(RequestError):
    """A denoiser alone needs a file that is in no model folder."""


class Need(NamedTuple):
    """One file that a denoiser alone needs.

    Args:
        port: Of the node that loads it: ``text_encoder``, ``text_encoder_2``, ``vae``.
        kind: The folder it is looked for in.
        name: The kind of text encoder, or the VAE's latent space.
        label: How people name it.
        usual_file: How files of it are called.
        gigabytes: Of such a file, about; 0 is unknown.
        optional: Whether the denoiser draws without it.
        others: How files of its kind begin to be called that are for other families, with other
            weights.
    """

    port: str
    kind: Kind
    name: str
    label: str
    usual_file: str
    gigabytes: float
    optional: bool = False
    others: tuple[str, ...] = ()

    def met_by(self, info: ModelInfo) -> bool:
        """Whether the file with this header is one."""
        if info.kind is not self.kind:
            return False
        if self.kind is Kind.VAE:
            return any(FAMILIES[name].space == self.name for name in info.families)
        return info.encoder == self.name

    def looked_for_in(self, info: ModelInfo) -> bool:
        """The same of a file that nobody has chosen: one that is another family's is none."""
        return self.met_by(info) and not info.path.name.lower().startswith(self.others)

    def meant_by(self, info: ModelInfo) -> bool:
        """Whether a file that may be one is likelier that than another."""
        family = FAMILIES.get(info.family or "")
        return self.kind is not Kind.VAE or (family is not None and family.space == self.name)


def needs_of(info: ModelInfo) -> tuple[Need, ...]:
    """What a model needs beside itself; empty for whole models, and for families that have none."""
    family = FAMILIES.get(info.family or "")
    if family is None or not family.companions:
        return ()
    if info.kind is not Kind.UNET and info.kind is not Kind.CHECKPOINT:
        return ()
    if info.kind is Kind.CHECKPOINT and info.path.is_dir() and len(info.parts) > 1:
        return ()  # such a folder has all that it needs, and brings its own settings
    folders = (*family.text_encoders, "vae")
    every = zip(folders, _needs(family), strict=True)
    return tuple(need for folder, need in every if folder not in info.parts)


def _needs(family: Family) -> tuple[Need, ...]:
    """All that a denoiser of the family needs: its text encoders in their order, its VAE."""
    encoders = [TEXT_ENCODER_KINDS[kind] for kind in family.text_encoders.values()]
    space = SPACES[family.space]
    return (
        *(
            Need(
                f"text_encoder_{place}" if place > 1 else "text_encoder",
                Kind.TEXT_ENCODER, kind.name, f"the text encoder {kind.label}",
                family.encoder_files.get(kind.name, kind.usual_file), kind.gigabytes,
                kind.name in family.optional_encoders, _files_of_others(family, kind.name),
            )
            for place, kind in enumerate(encoders, start=1)
        ),
        Need(
            "vae", Kind.VAE, space.name, f"the VAE of {space.label}",
            space.usual_file, space.gigabytes,
        ),
    )  # fmt: skip


def _files_of_others(family: Family, kind: str) -> tuple[str, ...]:
    """How files begin to be called that hold a kind of text encoder of other families' training."""
    if kind not in family.encoder_files:
        return ()
    others = {f.encoder_files[kind] for f in FAMILIES.values() if kind in f.encoder_files}
    return tuple(Path(file).stem for file in sorted(others - {family.encoder_files[kind]}))


def companions(
    model: Path,
    given: Mapping[str, Path],
    there: Iterable[ModelInfo],
    locked: Collection[Path] = (),
) -> dict[str, ModelInfo]:
    """The files that the denoiser at `model` needs and that are not given, by port.

    First what the workflow's lock names, then a VAE that is for just this, then what lies nearest
    to the denoiser, then the highest precision, then by name. A text encoder that the denoiser
    draws without is left out where it is in no folder, and where a person has chosen others.

    Args:
        model: The denoiser; a whole model needs nothing.
        given: What a person has chosen, by port.
        there: All text encoders and VAEs of the model folders.
        locked: Those that the workflow's lock names.

    Raises:
        MissingCompanionError: something is in no folder.
        RequestError: what is given is of another kind.
        ModelFileError: a file is damaged.
    """
    info = recognise(model)
    needs = list(needs_of(info))
    if not needs:
        return {}
    second = {} if LOW_NOISE in given else _second_expert(info)
    given = {port: path for port, path in given.items() if port != LOW_NOISE}
    ports = [need.port for need in needs if need.port not in given]
    every = list(_needs(FAMILIES[info.family or ""]))  # a file may take the place of what is there
    for port, path in given.items():
        of_port = [need for need in every if (need.port == "vae") is (port == "vae")]
        met = next((need for need in of_port if need.met_by(recognise(path))), None)
        if met is None:
            raise _wrong(port, path, info, every)
        every.remove(met)
        if met in needs:
            needs.remove(met)
    candidates = list(there)
    chosen = any(port != "vae" for port in given)
    left_out = [
        n for n in needs if n.optional and (chosen or not any(map(n.looked_for_in, candidates)))
    ]
    needs = [need for need in needs if need not in left_out]
    of_texts = (port for port in ports if port != "vae")  # text encoders may be in any order
    return {
        "vae" if need.kind is Kind.VAE else next(of_texts): _best(
            need, model, candidates, locked, info
        )
        for need in needs
    } | second


def _second_expert(info: ModelInfo) -> dict[str, ModelInfo]:
    """The expert for low noise that lies beside one for high noise, by their names.

    Raises:
        MissingCompanionError: there is none.
    """
    family, name = FAMILIES[info.family or ""], info.path.name
    if not family.second_denoiser or not _HIGH.search(name):
        return {}
    partner = info.path.with_name(_HIGH.sub(lambda found: _LOW[found[0]], name))
    if partner.is_file():
        return {LOW_NOISE: recognise(partner)}
    raise MissingCompanionError(
        f"'{name}' draws at high noise alone, and its other half '{partner.name}' is not there.",
        place=f"port '{LOW_NOISE}'",
        way_out="Put that beside it, or choose it here.",
    )


def _best(
    need: Need,
    model: Path,
    there: Iterable[ModelInfo],
    locked: Collection[Path],
    info: ModelInfo,
) -> ModelInfo:
    fitting = [each for each in there if need.looked_for_in(each)]

    def rank(each: ModelInfo) -> tuple[object, ...]:
        exact = each.dtype in _PRECISION
        precision = _PRECISION.index(each.dtype) if exact else len(_PRECISION)
        place = -_shared(each.path, model)
        return each.path not in locked, not need.meant_by(each), place, precision, each.name.lower()

    if not fitting:
        raise _missing(need, info)
    return min(fitting, key=rank)


def _shared(one: Path, other: Path) -> int:
    """How many folders two files have in common."""
    try:
        return len(Path(os.path.commonpath((one, other))).parts)
    except ValueError:  # on different drives
        return 0


def _missing(need: Need, info: ModelInfo) -> MissingCompanionError:
    label = FAMILIES[info.family or ""].label
    size = f", about {need.gigabytes:g} GB" if need.gigabytes else ""
    usual = f", usually '{need.usual_file}'{size}" if need.usual_file else ""
    folder = "text encoders" if need.kind is Kind.TEXT_ENCODER else "VAEs"
    return MissingCompanionError(
        f"{label} needs {need.label}, which is in no model folder.",
        place=f"port '{need.port}'",
        way_out=f"Put its file{usual}, into a folder for {folder}, or choose it here.",
    )


def _wrong(port: str, path: Path, info: ModelInfo, needs: Collection[Need]) -> RequestError:
    label = FAMILIES[info.family or ""].label
    wanted = " and ".join(need.label for need in needs)
    return RequestError(
        f"'{path.name}' is not what {label} needs: {wanted}.",
        place=f"port '{port}'",
        way_out="Choose another file, or leave it empty.",
    )
