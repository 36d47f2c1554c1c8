"""Versions of packages on which numbers may hang."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

_COMPARED = ("torch", "diffusers", "transformers", "safetensors")


def versions() -> dict[str, str]:
    """Of the packages on which numbers may hang."""
    found = {}
    for name in _COMPARED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
