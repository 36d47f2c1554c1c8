"""ICC colour profiles: conversion to sRGB and back.

Whether a profile is sRGB is found by what it does to colours, never by its name: programs call
linear profiles "Linear sRGB".
"""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from nodeforge.imaging.arrays import Bytes, Pixels

_SRGB = ImageCms.createProfile("sRGB")
_BAD = (ImageCms.PyCMSError, OSError)
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow's modes by the colour spaces that profiles are for."""

_STEPS = (0, 51, 102, 153, 204, 255)
_TOLERANCE = 2
"""Of 255: how far two makers' sRGB profiles are apart, and their rounding."""


def foreign_profile(image: Image.Image) -> bytes | None:
    """A picture's colour profile, unless that is sRGB already: its pixels then stay as they are."""
    raw = image.info.get("icc_profile")
    return raw if raw and not _changes_nothing(raw) else None


@functools.lru_cache(maxsize=64)
def _changes_nothing(profile: bytes) -> bool:
    """Whether a profile's curves and primaries are sRGB's, or it cannot be read."""
    mode = _mode(profile)
    if mode is None:
        return True
    if mode == "CMYK":
        return False
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    colours = greys if mode == "L" else np.concatenate([greys, _cube()])
    apart = _converted(colours, profile).astype(int) - colours
    return int(np.abs(apart).max()) <= _TOLERANCE


def _mode(profile: bytes) -> str | None:
    """The mode of the pictures that a profile is for; None where it is damaged or for others."""
    try:
        core: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    except _BAD:
        return None
    return _MODES.get(core.xcolor_space.strip())


def image_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """A picture of 8 bits in sRGB; as it is, where the profile is for other colours than it has."""
    mode = _mode(profile)
    if mode is None or (mode == "CMYK") != (image.mode == "CMYK"):
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.profileToProfile(image.convert(mode), source, _SRGB, outputMode="RGB")
    except _BAD:
        return image.convert("RGB")
    assert made is not None
    return made


def curve_to_srgb(values: Pixels, profile: bytes) -> Pixels | None:
    """Greys or colours of any depth in sRGB, 0..1, through the profile's curve.

    None where the profile does more than a curve for all channels alike, as other primaries do.
    """
    ramp = np.arange(256, dtype=np.uint8)
    curve = _converted(np.repeat(ramp[:, None], 3, axis=1), profile)[:, 1]
    if values.ndim == 3:
        cube = _cube()
        apart = _converted(cube, profile).astype(int) - curve[cube]
        if np.abs(apart).max() > _TOLERANCE:
            return None
    knots = curve / np.float32(255)
    return np.interp(values, np.linspace(0, 1, 256), knots).astype(np.float32)


def _converted(colours: Bytes, profile: bytes) -> Bytes:
    """Colours, (count, 3), in sRGB."""
    mode = _mode(profile) or "RGB"
    image = Image.fromarray(np.ascontiguousarray(colours[None])).convert(mode)
    return np.asarray(image_to_srgb(image, profile))[0]


def _cube() -> Bytes:
    """Colours all over the cube, (216, 3)."""
    return np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS), -1).reshape(-1, 3).astype(np.uint8)


def from_srgb(pixels: Bytes, profile: bytes) -> Bytes | None:
    """Pixels of sRGB, (height, width, 3), in a profile's colours; None where it has no RGB."""
    try:
        target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.profileToProfile(Image.fromarray(pixels), _SRGB, target, outputMode="RGB")
    except _BAD:
        return None
    return None if made is None else np.array(made)
