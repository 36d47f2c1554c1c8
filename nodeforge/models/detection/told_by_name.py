"""What of a model is known by its file's name, and so is not in its content key."""

from __future__ import annotations

from pathlib import Path

from nodeforge.models.detection.info import Kind
from nodeforge.models.detection.recognise import recognise
from nodeforge.models.errors import ModelFileError

_NAMED = (Kind.CHECKPOINT, Kind.UNET, Kind.VAE)


def told_by_name(path: Path, kind: str) -> str:
    """Variant, prediction and family of the model at `path`, as text; empty where none is known.

    Args:
        path: The model.
        kind: The folder it is from; other kinds than denoisers and VAEs go by their content.
    """
    if kind not in _NAMED:
        return ""
    try:
        info = recognise(path)
    except ModelFileError:
        return ""  # whoever reads it says what is wrong
    told = (info.variant, info.prediction_type, "zero_snr" if info.zero_snr else "")
    family = info.family if info.kind is Kind.VAE else ""
    return " ".join(each for each in (*told, family) if each)
