"""Pickles that the person has allowed, by content, and the safetensors copies of their tensors.

A pickle is never read where a model is used: its copy is.
"""

from __future__ import annotations

from pathlib import Path

from nodeforge.models.files.fingerprint import PREFIX, fingerprint, without_reading
from nodeforge.models.files.header import is_pickle
from nodeforge.settings import Settings, load_settings


def converted_path(settings: Settings, key: str, name: str) -> Path:
    """Where the copy of the pickle with content `key` is, named as the pickle is."""
    return settings.converted / key.removeprefix(PREFIX) / f"{Path(name).stem}.safetensors"


def readable(path: Path, settings: Settings) -> Path:
    """The copy of an allowed pickle; `path` itself for all others, which are refused when read.

    Large files whose content is not known yet are none that was allowed: allowing reads them.
    """
    if not is_pickle(path):
        return path
    with without_reading():
        key = fingerprint(path)
    name = settings.pickles_allowed.get(key)
    if name is None:  # allowed since these settings were read
        name = load_settings(settings.home).pickles_allowed.get(key)
    copy = converted_path(settings, key, name) if name else path
    return copy if copy.is_file() else path
