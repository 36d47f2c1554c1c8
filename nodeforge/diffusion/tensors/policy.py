"""Precision, memory mode and attention of networks, from the settings."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nodeforge.settings import Attention, MemoryMode, Precision, Settings


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
    """

    memory: MemoryMode = MemoryMode.AUTO
    precision: Precision = Precision.AUTO
    fp8_weights: bool = False
    compiled: bool = False
    attention: Attention = Attention.AUTO

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """What `settings` ask for."""
        return cls(
            settings.memory_mode,
            settings.precision,
            settings.fp8_weights,
            settings.compiled,
            settings.attention,
        )

    def dtype(self, part: str, device: torch.device) -> torch.dtype:
        """The dtype that the network `part` computes in.

        Cards take float16, but for the VAE, which overflows in it; Apple's where it was asked
        for, as nobody has tried it there. Processors take bfloat16 where it was asked for and
        they have units for it; without, it would be slower.
        """
        half = self.precision is Precision.HALF
        if device.type == "mps":
            return torch.float16 if half and part != "vae" else torch.float32
        if device.type in ("cuda", "xpu"):
            if self.precision is Precision.FULL:
                return torch.float32
            if part == "vae":
                return torch.bfloat16 if half else torch.float32
            return torch.float16
        return torch.bfloat16 if half and has_bfloat16(device) else torch.float32

    def numerics(self, device: torch.device) -> dict[str, str]:
        """What of the policy changes numbers, by name."""
        parts = ("unet", "text_encoder", "vae")
        dtypes = (str(self.dtype(part, device)).removeprefix("torch.") for part in parts)
        return {
            "precision": ",".join(
                f"{part}={dtype}" for part, dtype in zip(parts, dtypes, strict=True)
            ),
            "weights": "float8_e4m3fn" if self.fp8_weights else "as computed",
            "compiled": "yes" if self.compiled else "no",
            "attention": "native" if self.attention is Attention.AUTO else str(self.attention),
        }


DEFAULT = Policy()


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 faster than in float32."""
    if device.type == "cpu":
        has = torch.cpu.get_capabilities()
        return any(has.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))
    return device.type in ("cuda", "xpu")
