"""The recipes: `cpu` is a long day on one core, `gpu` half an hour on one large card.

`card` makes the networks of `cpu` in minutes of such a card. `gpu-trial` and `card-trial` are these
in four steps a stage, to see that all of it runs before a card is paid for; neither has run on one.
"""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Stage:
    """How one training goes: the rate falls to nothing over the last `decay` of the steps."""

    steps: int
    batch: int
    rate: float
    decay: float = 0.25
    warmup: int = 100
    ema: float = 0.998
    embedding_share: float = 1.0  # of the rate; a word's row sees a gradient only now and then
    outer_share: float = 0.5  # of the rate, for first and last layers, norms and biases
    muon: bool = True  # for inner matrices; else AdamW for all


@dataclass(frozen=True)
class Preset:
    name: str
    well_known: bool  # about a hundred concepts, or all of them
    styles: tuple[str, ...]  # what the base model draws; the first is the default
    lora_style: str
    device: str
    unet_channels: tuple[int, ...]
    latents: int  # how many pictures are drawn and encoded for the UNet
    lora_latents: int
    edit_latents: int  # two an edit
    clip_latents: int  # eight a clip
    vae: Stage
    decoder: Stage
    text: Stage
    unet: Stage
    controlnet: Stage
    lora: Stage
    recogniser: Stage
    edit: Stage
    motion: Stage
    turbo: Stage
    judge: Stage
    upscaler: Stage
    renew_steps: int | None = None  # of the UNet, after which a tenth of the pictures is new


CPU = Preset(
    name="cpu",
    well_known=True,
    styles=("3d",),
    lora_style="flat",
    device="cpu",
    unet_channels=(96, 192, 128),  # at 16x16, 8x8 and 4x4; uneven layers have no ControlNet
    latents=65_536,
    lora_latents=1_024,
    edit_latents=24_576,
    clip_latents=32_768,
    vae=Stage(steps=3_800, batch=16, rate=3e-4, decay=0.6, ema=0.995),
    decoder=Stage(steps=600, batch=4, rate=6e-4, decay=0.5, ema=0.98, warmup=20),
    text=Stage(steps=900, batch=128, rate=1.5e-3, ema=0.99, warmup=20, embedding_share=5.0),
    unet=Stage(steps=8_000, batch=32, rate=1.4e-3, decay=1 / 3, ema=0.999),
    controlnet=Stage(steps=2100, batch=16, rate=1.5e-3, ema=0.99, warmup=20, outer_share=2.0),
    lora=Stage(steps=260, batch=32, rate=2e-3, ema=0.97, warmup=20),
    recogniser=Stage(steps=1200, batch=64, rate=2e-3, ema=0.99),
    edit=Stage(steps=6_200, batch=32, rate=1e-3, decay=1 / 3, ema=0.998),
    motion=Stage(steps=8_000, batch=4, rate=1e-3, decay=1 / 3, ema=0.998),
    # After some 300 steps grain comes in and grows: the student is its own target.
    turbo=Stage(steps=240, batch=32, rate=1e-3, decay=0.5, ema=0.99, warmup=20),
    judge=Stage(steps=2_600, batch=16, rate=1e-3, decay=0.5, ema=0.99, warmup=20),
    upscaler=Stage(steps=3_000, batch=16, rate=5e-4, decay=0.6, ema=0.995, muon=False),
    renew_steps=6_000,
)

GPU = Preset(
    name="gpu",
    well_known=False,
    styles=("3d", "flat"),
    lora_style="noto",
    device="cuda",
    unet_channels=(128, 256),
    latents=100_096,
    lora_latents=8_192,
    edit_latents=65_536,
    clip_latents=65_536,
    vae=Stage(steps=6_000, batch=128, rate=8e-4, decay=0.6, ema=0.998),
    decoder=Stage(steps=2_000, batch=32, rate=6e-4, decay=0.5, ema=0.998),
    text=Stage(steps=3_000, batch=512, rate=1.5e-3, ema=0.99, warmup=50, embedding_share=5.0),
    unet=Stage(steps=16_000, batch=512, rate=1.4e-3, decay=0.3, ema=0.999),
    controlnet=Stage(steps=3_000, batch=256, rate=1.5e-3, ema=0.995, outer_share=2.0),
    lora=Stage(steps=1_000, batch=256, rate=1e-3, ema=0.99),
    recogniser=Stage(steps=4_000, batch=256, rate=2e-3, ema=0.99),
    edit=Stage(steps=6_000, batch=512, rate=1e-3, decay=1 / 3, ema=0.998),
    motion=Stage(steps=6_000, batch=64, rate=1e-3, decay=1 / 3, ema=0.998),
    turbo=Stage(steps=2_000, batch=256, rate=1e-3, decay=0.5, ema=0.99),
    judge=Stage(steps=4_000, batch=256, rate=1e-3, decay=0.5, ema=0.99),
    upscaler=Stage(steps=20_000, batch=128, rate=5e-4, decay=0.5, ema=0.999, muon=False),
)


# What `cpu` ships, from a card lent for minutes: eight for the model itself, more for the rest.
CARD = replace(
    CPU,
    name="card",
    device="cuda",
    renew_steps=None,
    vae=Stage(steps=900, batch=512, rate=4e-4, decay=0.6, ema=0.98, warmup=30),
    decoder=Stage(steps=300, batch=32, rate=6e-4, decay=0.5, ema=0.98, warmup=20),
    text=Stage(steps=400, batch=512, rate=1.5e-3, ema=0.98, warmup=20, embedding_share=5.0),
    unet=Stage(steps=3_000, batch=512, rate=1.4e-3, decay=1 / 3, ema=0.998),
    controlnet=Stage(steps=600, batch=128, rate=1.5e-3, ema=0.99, warmup=20, outer_share=2.0),
    lora=Stage(steps=200, batch=128, rate=2e-3, ema=0.97, warmup=20),
    recogniser=Stage(steps=1200, batch=256, rate=2e-3, ema=0.99),
    edit=Stage(steps=1_500, batch=512, rate=1e-3, decay=1 / 3, ema=0.995),
    motion=Stage(steps=1_500, batch=64, rate=1e-3, decay=1 / 3, ema=0.995),
    turbo=Stage(steps=600, batch=256, rate=1e-3, decay=0.5, ema=0.99, warmup=20),
    judge=Stage(steps=1_500, batch=128, rate=1e-3, decay=0.5, ema=0.99, warmup=20),
    upscaler=Stage(steps=4_000, batch=128, rate=5e-4, decay=0.6, ema=0.995, muon=False),
)


def shortened(preset: Preset, steps: int, batch: int) -> Preset:
    """The same recipe in a few steps of small batches, to see that all of it runs."""
    names = ("vae", "decoder", "text", "unet", "controlnet", "lora", "recogniser")
    names += ("edit", "motion", "turbo", "judge", "upscaler")
    stages: dict[str, Any] = {
        name: replace(getattr(preset, name), steps=steps, batch=batch, warmup=1) for name in names
    }
    few = {"latents": 256, "lora_latents": 256, "edit_latents": 256, "clip_latents": 256}
    return replace(preset, name=f"{preset.name}-trial", **few, **stages)


TRIALS = tuple(shortened(preset, steps=4, batch=4) for preset in (GPU, CARD))
PRESETS = {preset.name: preset for preset in (CPU, GPU, CARD, *TRIALS)}
