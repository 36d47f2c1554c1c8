"""Precision, memory mode and attention of networks, from the settings."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nodeforge.models import (
    BFLOAT16_FIRST,
    FAMILIES,
    FULL_FIRST,
    HALF_FIRST,
    SPACES,
    TEXT_ENCODER_KINDS,
    UPSCALERS,
)
from nodeforge.settings import Attention, MemoryMode, Precision, Settings
from nodeforge.values import Model, Recipe, TextEncoder, TextEncoderPart, UpscaleModel, Vae


@dataclass(frozen=True)
class Policy:
    """What a person may choose; every part that changes numbers is in `numerics`.

    Args:
        memory: Where weights are while nobody computes with them, and while someone does.
        precision: ``auto`` is exact on processors, half on cards.
        fp8_weights: Keep the denoiser's weights as 8-bit floats (E4M3), computing as before:
            half the memory of float16, at a visible difference.
        compiled: Compile the denoiser's repeated blocks; the first run of a size takes longer.
        attention: How attention is computed.
        text_attention: How text encoders compute it; None is as `attention`.
        vae_attention: How VAEs compute it; None is as `attention`.
    """

    memory: MemoryMode = MemoryMode.AUTO
    precision: Precision = Precision.AUTO
    fp8_weights: bool = False
    compiled: bool = False
    attention: Attention = Attention.AUTO
    text_attention: Attention | None = None
    vae_attention: Attention | None = None

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """What `settings` ask for."""
        return cls(
            settings.memory_mode,
            settings.precision,
            settings.fp8_weights,
            settings.compiled,
            settings.attention,
            settings.text_attention,
            settings.vae_attention,
        )

    def attention_of(self, recipe: Recipe) -> Attention:
        """How the network of `recipe` computes attention."""
        match recipe:
            case TextEncoder() | TextEncoderPart():
                own = self.text_attention
            case Vae():
                own = self.vae_attention
            case _:
                own = None
        return self.attention if own is None else own

    def dtype_of(self, recipe: Recipe, device: torch.device) -> torch.dtype:
        """The dtype that the network of `recipe` computes in, of those that are allowed for it."""
        match recipe:
            case Model():
                return self.dtype(device, FAMILIES[recipe.weights.family].dtypes)
            case TextEncoderPart():
                return self.dtype(device, TEXT_ENCODER_KINDS[recipe.kind].dtypes)
            case Vae():
                return self.dtype(device, SPACES[recipe.space].dtypes)
            case UpscaleModel():
                return self.dtype(device, UPSCALERS[recipe.architecture].dtypes)
        return self.dtype(device)

    def dtype(self, device: torch.device, allowed: tuple[str, ...] = HALF_FIRST) -> torch.dtype:
        """The dtype to compute in.

        Cards take the first that is allowed, Apple's only where half precision was asked for, as
        nobody has tried it there. Processors take bfloat16 where half precision was asked for and
        they have units for it; without, it would be slower.

        Args:
            device: Where.
            allowed: Names of dtypes that numbers stay good in, the best first.
        """
        half = self.precision is Precision.HALF
        if device.type == "cpu":
            small = half and "bfloat16" in allowed and has_bfloat16(device)
            return torch.bfloat16 if small else torch.float32
        if self.precision is Precision.FULL or (device.type == "mps" and not half):
            return torch.float32
        if half and device.type != "mps":
            allowed = tuple(name for name in allowed if name != "float32") or allowed
        return getattr(torch, allowed[0])

    def numerics(self, device: torch.device) -> dict[str, str]:
        """What of the policy changes numbers, by name."""
        allowed = (HALF_FIRST, BFLOAT16_FIRST, FULL_FIRST)
        apart = {
            "attention of text encoders": self.text_attention,
            "attention of VAEs": self.vae_attention,
        }
        dtypes = (str(self.dtype(device, names)).removeprefix("torch.") for names in allowed)
        return {
            "precision": ",".join(dtypes),
            "weights": "float8_e4m3fn" if self.fp8_weights else "as computed",
            "compiled": "yes" if self.compiled else "no",
            "attention": "native" if self.attention is Attention.AUTO else str(self.attention),
            **{name: str(way) for name, way in apart.items() if way is not None},
        }


DEFAULT = Policy()


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 faster than in float32."""
    if device.type == "cpu":
        has = torch.cpu.get_capabilities()
        return any(has.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))
    return device.type in ("cuda", "xpu")
