"""Which families fit the networks that a header describes."""

from __future__ import annotations

from collections.abc import Callable

from nodeforge.models.detection.info import Kind
from nodeforge.models.detection.networks import FoundNetworks
from nodeforge.models.detection.unsupported import WIDTHS
from nodeforge.models.families import FAMILIES, Family, Task
from nodeforge.models.files.diffusers_folder import CONFIG, read_config

Fitting = tuple[tuple[Family, ...], str]
"""Families, the likeliest first, or none, and the reason where it is not one."""


UNET = "UNet2DConditionModel"
"""A class that several families share, which widths tell apart."""

_WITH_SIGNATURE = tuple(family.network for family in FAMILIES.values() if family.signature)


def families_of(found: FoundNetworks) -> Fitting:
    """The families that a model may be of, or why there is none."""
    if found.kind is Kind.UPSCALER:
        return (), f"{found.foreign} is not supported" if found.foreign else ""
    if found.kind is Kind.IMAGE_ENCODER:
        return tuple(f for f in FAMILIES.values() if f.network == UNET), ""  # it sees for these
    if found.unread:
        return (), found.unread
    if found.foreign and found.kind is not Kind.LORA and found.network in ("", *_WITH_SIGNATURE):
        return (), f"{found.foreign} is not supported yet"
    if found.families and found.kind is Kind.VAE:
        return tuple(FAMILIES[name] for name in found.families), ""
    if found.families:
        return _by_signature(found)
    if by_class := tuple(f for f in FAMILIES.values() if f.network == found.network != UNET):
        return by_class, ""
    if label := found.foreign:
        return (), f"{label} is not supported yet"
    if found.kind is Kind.UNKNOWN:
        return (), "it is no kind of model known here"
    if found.kind is Kind.VAE:
        return _by_latents(found)
    if found.kind is Kind.MOTION_MODULE:
        return _by_blocks(found)
    if found.kind is Kind.T2I_ADAPTER:
        return _by_adapter(found)
    if found.width is not None:
        return _by_width(found, found.width)
    if found.added_conditions_width:
        told = found.added_conditions_width
        return _those(
            lambda f: told == f.added_conditions_width,
            f"{told} numbers told beside the text are of",
        )
    if found.family:
        return (FAMILIES[found.family],), ""
    if found.text_width is not None:
        wanted = found.text_width
        return _those(lambda f: wanted in f.text_widths, f"its text width {wanted} is of")
    if found.base in FAMILIES:
        return (FAMILIES[found.base],), ""
    if found.base:
        return (), f"{found.base} is not supported yet"
    reason = "nothing in it tells its family, neither shapes nor metadata"
    if found.kind is Kind.LORA:
        unets = tuple(family for family in FAMILIES.values() if family.network == UNET)
        return unets, f"{reason}: the layers of the model at hand will"
    return (), reason


def _by_signature(found: FoundNetworks) -> Fitting:
    """Among families with the same names: the one that metadata names, or of this text width."""
    fitting = [FAMILIES[name] for name in found.families]
    told = [f for f in fitting if f.name == found.base] or [
        f for f in fitting if f.width == found.width
    ]
    reads = found.in_channels or 0
    told = [f for f in told if reads in f.in_channels] or told
    if found.kind is Kind.LORA:
        reason = f"{found.foreign} of this size is not supported yet" if found.foreign else ""
        return (*told, *(family for family in fitting if family not in told)), reason
    family = (told or fitting)[0]
    made = found.latent_channels or 0
    if found.kind is not Kind.TEXT_ENCODER and reads != made:
        inpaints = reads > 2 * made and Task.INPAINTING in family.in_channels.values()
        if not inpaints:
            return (), f"{family.label} with {reads} input channels is not supported yet"
    return tuple(told[:1] or fitting), ""


def _by_width(found: FoundNetworks, width: int) -> Fitting:
    if width in WIDTHS:
        return (), f"{WIDTHS[width]} is not supported yet"
    fitting, reason = _those(
        lambda f: width == f.width and f.signature is None, f"text width {width} is of"
    )
    channels = found.in_channels
    if fitting and channels is not None and channels not in fitting[0].in_channels:
        label = fitting[0].label
        return (), f"{label} with {channels} input channels is not supported yet"
    return fitting, reason


def _by_latents(found: FoundNetworks) -> Fitting:
    """By the latents of a VAE; several families have them alike but for a factor in a config."""

    def alike(family: Family) -> bool:
        space = family.latent_space
        factors = {found.scaling_factor, space.factor}
        same = (space.channels, space.scale) == (found.latent_channels, found.latent_scale)
        return same and (None in factors or len(factors) == 1)

    def own_first(family: Family) -> bool:
        return family.latent_space.family != family.name

    latents = f"{found.latent_channels} channels at 1/{found.latent_scale}"
    fitting, reason = _those(alike, f"latents of {latents}, as this VAE makes, are of")
    return tuple(sorted(fitting, key=own_first)), reason


def _by_adapter(found: FoundNetworks) -> Fitting:
    """A T2I-Adapter folds the picture's pixels, of one or three channels, into cells."""
    channels = found.in_channels or 0

    def fits(family: Family) -> bool:
        factor = family.adapter_factor
        return factor is not None and channels in (factor**2, 3 * factor**2)

    return _those(fits, f"{channels} input channels are of")


def _by_blocks(found: FoundNetworks) -> Fitting:
    """A motion module's layers go into a UNet of blocks as wide as they are."""
    unets = tuple(family for family in FAMILIES.values() if family.network == UNET)
    fitting = tuple(family for family in unets if _blocks(family) == found.block_channels)
    if fitting:
        return fitting, ""
    return unets, "its blocks are of no published model: those of the model at hand will tell"


def _blocks(family: Family) -> tuple[int, ...]:
    return tuple(read_config(family.denoiser_config() / CONFIG).get("block_out_channels", ()))


def _those(fits: Callable[[Family], bool], told: str) -> Fitting:
    fitting = tuple(family for family in FAMILIES.values() if fits(family))
    return fitting, "" if fitting else f"{told} no family known here"
