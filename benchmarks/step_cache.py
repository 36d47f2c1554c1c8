"""What a step cache saves, and how far its result lies from the one without.

python -m benchmarks.step_cache [--json]

A random Flux.1 of 12 blocks, 20 steps, one thread. Its weights were never trained, and what its
first block adds changes by 0.3 to 0.5 from step to step: the seconds tell, the differences only
that they grow with the threshold.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel

from benchmarks.reporting import options, tell
from nodeforge import diffusion
from nodeforge.values import Guidance, Noise, Sampler, Schedule, StepCache
from tests import tiny_transformers

STEPS = 20
SIZE = 64
REPEATS = 2
THRESHOLDS = (0.0, 0.36, 0.42, 0.5)


def write_model(folder: Path) -> None:
    """A diffusers folder whose denoiser takes most of the time."""
    pipeline = tiny_transformers.PIPELINES["flux1"]()
    pipeline.transformer = tiny_transformers.seeded(
        FluxTransformer2DModel,
        patch_size=1,
        in_channels=4 * tiny_transformers.CHANNELS,
        num_layers=4,
        num_single_layers=8,
        attention_head_dim=32,
        num_attention_heads=4,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=[8, 12, 12],
        guidance_embeds=True,
    )
    pipeline.save_pretrained(folder)


def measure() -> dict[str, float]:
    """Seconds of a run, their share of those without, and the difference, by threshold."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder))
        described = diffusion.describe(Path(folder))
        residency = diffusion.Residency("cpu")
        with residency.use(described.text_encoder) as encoder:
            positive = diffusion.encode_text(encoder, described.text_encoder, "a red cat")

        def run(threshold: float) -> tuple[float, torch.Tensor]:
            model = replace(described.model, step_cache=StepCache(threshold))
            task = diffusion.Denoising(
                model,
                positive,
                Sampler("flow_euler"),
                Schedule("simple", STEPS),
                Guidance(3.5),
                noise=Noise(1, SIZE, SIZE),
            )
            start = time.process_time()
            made = diffusion.denoise(diffusion.LocalHost(residency), task).samples
            return time.process_time() - start, made

        run(0.0)
        rounds = [{each: run(each) for each in THRESHOLDS} for _ in range(REPEATS)]
    plain = rounds[0][0.0][1]
    figures: dict[str, float] = {}
    for each in THRESHOLDS:
        figures[f"{each:g}: seconds"] = statistics.median(one[each][0] for one in rounds)
        shares = [one[each][0] / one[0.0][0] for one in rounds]
        figures[f"{each:g}: share of the time without"] = statistics.median(shares)
        difference = (rounds[0][each][1] - plain).abs().mean() / plain.abs().mean()
        figures[f"{each:g}: mean difference, as a share"] = float(difference)
    return figures


def main() -> None:
    tell(measure(), options(__doc__).parse_args().json)


if __name__ == "__main__":
    main()
