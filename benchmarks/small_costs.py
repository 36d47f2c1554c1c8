"""What must cost next to nothing: another LoRA over a loaded model, a preview of a step.

python -m benchmarks.small_costs [--json] [--rounds 5]

The LoRA lies over an SD 1.5 of real size with random weights: rank 16 on every attention layer.
Times are processor time, one thread.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from benchmarks import sd15_single_file
from benchmarks.reporting import options, tell
from nodeforge import diffusion
from nodeforge.diffusion.networks.building import build
from nodeforge.settings import shipped
from nodeforge.values import Guidance, Model, Noise, Sampler, Schedule

RANK = 16
NANO = shipped("resources") / "models" / "nano"


def write_lora(model: Model, file: Path, seed: int) -> None:
    """A LoRA in peft's layout for every attention layer of `model`, float16."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, layer in build(model).named_modules():
        if isinstance(layer, nn.Linear) and ".attn" in name:
            into, out = layer.in_features, layer.out_features
            down = torch.randn(RANK, into, generator=generator).half()
            tensors[f"unet.{name}.lora_A.weight"] = down
            tensors[f"unet.{name}.lora_B.weight"] = torch.zeros(out, RANK).half()
    save_file(tensors, file)


def lora_cost(rounds: int) -> dict[str, float]:
    """Seconds to have the base, and to have another LoRA over it than before."""
    base, other = [], []
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "sd15.safetensors"
        sd15_single_file.write(file)
        model = diffusion.describe(file).model
        for number in range(rounds):
            lora = Path(home) / f"lora{number}.safetensors"
            write_lora(model, lora, number)
            changed = diffusion.with_lora(model, diffusion.describe_lora(lora, "sd15"), 0.8)
            residency = diffusion.Residency("cpu")
            base.append(_seconds(lambda r=residency: _have(r, model)))
            other.append(_seconds(lambda r=residency, m=changed: _have(r, m)))
    shares = [second / first for first, second in zip(base, other, strict=True)]
    return {
        "load the base, s": statistics.median(base),
        "another LoRA over it, s": statistics.median(other),
        "LoRA / base": statistics.median(shares),
    }


def preview_cost(rounds: int) -> dict[str, float]:
    """Milliseconds of a step of nano, and of its preview."""
    steps, previews = [], []
    for number in range(rounds):
        host = _Watching(diffusion.Residency("cpu"))
        model, text_encoder, _ = diffusion.describe(NANO)
        with host.use(text_encoder) as encoder:
            prompt = diffusion.behaviour(encoder.family).encode(encoder, "a fox")
        task = diffusion.Denoising(
            model, prompt, Sampler("dpmpp_2m"), Schedule("normal", 10), Guidance(5.0),
            noise=Noise(number, 256, 256),
        )  # fmt: skip
        diffusion.denoise(host, task)  # the first steps of a process are slow
        host.steps.kept.clear()
        host.previews.clear()
        whole = _seconds(lambda host=host, task=task: diffusion.denoise(host, task))
        previews.append(statistics.median(host.previews))
        steps.append((whole - sum(host.previews)) / 10)
    shares = [preview / step for preview, step in zip(previews, steps, strict=True)]
    return {
        "a step of nano, ms": 1000 * statistics.median(steps),
        "its preview, ms": 1000 * statistics.median(previews),
        "preview / step": statistics.median(shares),
    }


class _Watching(diffusion.LocalHost):
    """Asks for every preview, and remembers how long it took."""

    def __init__(self, residency: diffusion.Residency) -> None:
        super().__init__(residency)
        self.previews: list[float] = []

    def progress(
        self,
        step: int,
        of: int,
        preview: Callable[[], np.ndarray] | None = None,
        part: float = 0.0,
        rate: float = 8.0,
    ) -> None:
        if preview is not None:
            self.previews.append(_seconds(preview))


def _have(residency: diffusion.Residency, model: Model) -> None:
    with residency.use(model):
        pass


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    tell({**lora_cost(asked.rounds), **preview_cost(asked.rounds)}, asked.json)


if __name__ == "__main__":
    main()
