"""ICC colour profiles: conversion to sRGB and back."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from nodeforge.imaging.arrays import Bytes

_SRGB = ImageCms.createProfile("sRGB")
_BAD = (ImageCms.PyCMSError, OSError)


def foreign_profile(image: Image.Image) -> bytes | None:
    """A picture's colour profile, unless that is sRGB already: its pixels then stay as they are."""
    raw = image.info.get("icc_profile")
    if not raw:
        return None
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(raw)))
    except _BAD:
        return None
    return None if "srgb" in name.lower() else raw


def image_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """An RGB picture in sRGB; as it is, where the profile is for other channels than it has."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except _BAD:
        return image.convert("RGB")
    assert made is not None
    return made


def from_srgb(pixels: Bytes, profile: bytes) -> Bytes | None:
    """Pixels of sRGB, (height, width, 3), in a profile's colours; None where it has no RGB."""
    try:
        target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.profileToProfile(Image.fromarray(pixels), _SRGB, target, outputMode="RGB")
    except _BAD:
        return None
    return None if made is None else np.array(made)
