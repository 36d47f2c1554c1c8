"""A model of real size on a card, against diffusers' pipeline: speed, memory, every memory mode.

python -m benchmarks.on_card [--json] [--family sd15|sdxl|nano] [--device cuda] [--pictures 3]

Random weights are made on the spot, in half precision (nano is the shipped model: a quick check
of this script, also on a processor). Every side runs in a process of its own, and makes one
picture before those that count. Steps a second include the prompts and the decoding.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

from benchmarks.reporting import options, tell
from nodeforge import diffusion
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.tokenizer import tokenizer_of
from nodeforge.diffusion.tensors.devices import out_of_memory_explained
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.errors import OutOfMemoryError
from nodeforge.models import FAMILIES
from nodeforge.settings import GIB, MemoryMode, Precision, shipped
from nodeforge.values import ControlNet, Guidance, Noise, Sampler, Schedule, TextEncoderPart
from tests.support.loaded_networks import family_recipes

PROMPT, NEGATIVE, SCALE = "a red cat", "blurry", 7.5
WORK = {"sd15": (512, 20), "sdxl": (1024, 30), "nano": (256, 4)}
"""Side in pixels and steps."""
PIPELINES = {"sdxl": "StableDiffusionXLPipeline"}
SPEED = "steps a second"
CAPS = (8 * GIB, 4 * GIB)


@dataclass(frozen=True)
class Side:
    """One way to make the picture.

    Args:
        policy: Ours; None is diffusers' pipeline.
        cap: Bytes of the card that the process may take.
    """

    policy: Policy | None
    cap: int = 0


SIDES = {
    "pipeline": Side(None),
    "ours": Side(Policy()),
    "ours, compiled": Side(Policy(compiled=True)),
    "ours, half in every part, compiled": Side(Policy(precision=Precision.HALF, compiled=True)),
    "ours, half in every part, 8-bit weights": Side(
        Policy(precision=Precision.HALF, fp8_weights=True)
    ),
    **{f"memory {mode}": Side(Policy(mode)) for mode in MemoryMode if mode is not MemoryMode.AUTO},
    **{f"within {cap // GIB} GiB": Side(Policy(), cap) for cap in CAPS},
}
SAME = [name for name in SIDES if name.startswith(("ours", "memory", "within")) and "," not in name]
"""Sides whose pictures must be equal."""


def write(family: str, folder: Path) -> None:
    """A diffusers folder with random weights of the family's real shapes, float16.

    Norms scale by 1, so that numbers stay as large as a trained network's.
    """
    if family == "nano":
        shutil.copytree(shipped("resources") / "models" / "nano", folder)
        return
    config = FAMILIES[family].config_folder
    shutil.copytree(config, folder)
    pool = (torch.randn(2**26, generator=torch.Generator().manual_seed(0)) * 0.02).half()
    for name, recipe in family_recipes(family, str(config)).items():
        if isinstance(recipe, ControlNet):
            continue
        network: Any = build(recipe).half().to_empty(device="cpu")
        fill(network, pool)
        network.save_pretrained(folder / name)
        if isinstance(recipe, TextEncoderPart):
            tokenizer = tokenizer_of(recipe)
            tokenizer.save_pretrained(folder / name.replace("text_encoder", "tokenizer"))


def fill(network: torch.nn.Module, pool: torch.Tensor) -> None:
    """Give every parameter other numbers of `pool`; drawing them takes minutes."""
    for number, (name, parameter) in enumerate(network.named_parameters()):
        values = pool[number : number + parameter.numel()].view(parameter.shape)
        scales = parameter.dim() == 1 and name.endswith("weight")
        parameter.data.copy_(torch.ones_like(values) if scales else values)


class Ours:
    """The library as the worker uses it: with one more try where memory runs out."""

    def __init__(self, folder: Path, device: str, policy: Policy) -> None:
        self._described = diffusion.describe(folder)
        self._host = diffusion.LocalHost(diffusion.Residency(diffusion.choose(device), policy))
        self.tried_again = 0

    def picture(self, seed: int, size: int, steps: int) -> torch.Tensor:
        try:
            return self._picture(seed, size, steps)
        except OutOfMemoryError:
            self.tried_again += 1
        self._host.residency.free_memory()
        return self._picture(seed, size, steps)

    @out_of_memory_explained()
    def _picture(self, seed: int, size: int, steps: int) -> torch.Tensor:
        model, text_encoder, vae = self._described
        with self._host.use(text_encoder) as encoder:
            encode = diffusion.behaviour(encoder.family).encode
            positive, negative = encode(encoder, PROMPT), encode(encoder, NEGATIVE)
        task = diffusion.Denoising(
            model,
            positive,
            Sampler("euler"),
            Schedule("normal", steps),
            Guidance(SCALE),
            negative,
            noise=Noise(seed, size, size),
        )
        latent = diffusion.denoise(self._host, task)
        with self._host.use(vae) as loaded:
            return diffusion.decode(loaded, latent).pixels


class Theirs:
    """diffusers' pipeline, in half precision but for the VAE, as ours."""

    tried_again = 0

    def __init__(self, folder: Path, device: str, family: str) -> None:
        import diffusers

        half = Policy().dtype(torch.device(device))
        name = PIPELINES.get(family, "StableDiffusionPipeline")
        pipeline: Any = getattr(diffusers, name).from_pretrained(
            folder, torch_dtype=half, local_files_only=True
        )
        pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline.to(device)
        self._pipeline.vae.to(torch.float32)

    def picture(self, seed: int, size: int, steps: int) -> torch.Tensor:
        latents = self._pipeline(
            PROMPT,
            negative_prompt=NEGATIVE,
            num_inference_steps=steps,
            guidance_scale=SCALE,
            height=size,
            width=size,
            generator=torch.Generator().manual_seed(seed),
            output_type="latent",
        ).images
        vae = self._pipeline.vae
        with torch.no_grad():
            pixels = vae.decode(latents.float() / vae.config.scaling_factor).sample
        return (pixels * 0.5 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu()


def run_side(name: str, folder: Path, family: str, device: str, pictures: int) -> dict[str, float]:
    """How fast the median picture is made, and in how much memory; leaves the last beside."""
    side, (size, steps) = SIDES[name], WORK[family]
    card = torch.device(device).type == "cuda"
    if card and side.cap:
        whole = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, side.cap / whole))
    maker = (
        Theirs(folder, device, family) if side.policy is None else Ours(folder, device, side.policy)
    )
    maker.picture(1, size, steps)  # loads, warms up and compiles
    times, made = [time.perf_counter()], []
    for seed in range(2, 2 + pictures):
        made.append(maker.picture(seed, size, steps))
        times.append(time.perf_counter())
    torch.save(made[-1], _place_of(name, folder.parent))
    peak = torch.cuda.max_memory_reserved() / 2**20 if card else 0.0
    return {
        SPEED: steps / statistics.median(end - start for start, end in pairwise(times)),
        "peak memory, MiB": peak,
        "times that memory ran out": maker.tried_again,
    }


def _place_of(name: str, folder: Path) -> Path:
    return folder / f"{list(SIDES).index(name)}.pt"


def measure(family: str, device: str, pictures: int) -> Iterator[tuple[str, float]]:
    """Each side's figures, and how they stand to the pipeline's."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "model"
        write(family, folder)
        asked = folder, family, device, pictures
        taken = {name: _in_its_own_process(name, *asked) for name in SIDES}
        made = {name: torch.load(_place_of(name, Path(home))) for name in SIDES}
    for name, figures in taken.items():
        for what, value in figures.items():
            yield f"{name}: {what}", value
        yield f"{name}: speed, of the pipeline's", figures[SPEED] / taken["pipeline"][SPEED]
    for name in SAME:
        yield f"{name}: is ours' picture", torch.equal(made[name], made["ours"])


def _in_its_own_process(
    name: str, folder: Path, family: str, device: str, pictures: int
) -> dict[str, float]:
    command = [
        *(sys.executable, "-m", "benchmarks.on_card", "--side", name),
        *("--folder", str(folder), "--family", family, "--device", device),
        *("--pictures", str(pictures)),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--family", choices=tuple(WORK), default="sd15")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--pictures", type=int, default=3, help="that count, of each side")
    parser.add_argument("--side", choices=tuple(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        side = run_side(asked.side, asked.folder, asked.family, asked.device, asked.pictures)
        print(json.dumps(side))
    else:
        tell(dict(measure(asked.family, asked.device, asked.pictures)), asked.json)


if __name__ == "__main__":
    main()
