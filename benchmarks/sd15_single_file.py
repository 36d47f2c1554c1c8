"""A single SD 1.5 file of real size against diffusers' pipeline: weights, time, memory.

python -m benchmarks.sd15_single_file [--json] [--rounds 3]

The file has random weights, 2 GB in float16. Each side runs in a process of its own: load
offline, 256 × 256, 4 steps on the CPU, then another seed. "fast" is ours in half precision.
About 6 GB of memory are needed.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from benchmarks.reporting import options, tell
from nodeforge import diffusion
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.models import FAMILIES
from nodeforge.settings import Precision
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from tests import tiny_models
from tests.support.loaded_networks import family_recipes, single_recipes

SIZE, STEPS, SCALE = 256, 4, 7.5
PROMPT, NEGATIVE = "a red cat", "blurry"
SEEDS = (1, 2)
PARTS = ("unet", "text_encoder", "vae")


def write(file: Path) -> None:
    """Write a checkpoint in LDM layout with every tensor of SD 1.5, float16."""
    pool = (torch.randn(2**26, generator=torch.Generator().manual_seed(0)) * 0.02).half()
    tensors: dict[str, torch.Tensor] = {}
    recipes = family_recipes("sd15", str(FAMILIES["sd15"].config_folder))
    for part in PARTS:
        network = build(recipes[part])
        state = network.state_dict()
        for number, (name, ldm) in enumerate(tiny_models.ldm_names(part, network).items()):
            start = 1009 * number  # no two tensors are alike
            values = pool[start : start + state[name].numel()]
            shape = tiny_models.ldm_shape(ldm, tuple(state[name].shape))
            tensors[ldm] = values.reshape(shape).contiguous().clone()
    save_file(tensors, file)


def check(file: Path) -> int:
    """How many weights of the loaded networks equal the file's; all must.

    Raises:
        AssertionError: one does not.
    """
    count = 0
    with safe_open(file, "pt") as stored:
        for recipe in single_recipes(*diffusion.describe(file)):
            network = diffusion.load(recipe, torch.device("cpu")).network
            state = network.state_dict()
            for name, ldm in tiny_models.ldm_names(recipe.weights.part, network).items():
                wanted = stored.get_tensor(ldm).reshape(state[name].shape).float()
                assert torch.equal(state[name], wanted), name
                count += 1
    return count


class Ours:
    """The library as the worker uses it: networks are loaded when they are needed."""

    def __init__(self, file: Path, policy: Policy = DEFAULT) -> None:
        self.described = diffusion.describe(file)
        self.host = diffusion.LocalHost(diffusion.Residency("cpu", policy))
        with self.host.use(self.described.text_encoder) as encoder:
            self.positive = diffusion.encode_prompt(encoder, PROMPT)
            self.negative = diffusion.encode_prompt(encoder, NEGATIVE)

    def picture(self, seed: int) -> torch.Tensor:
        task = diffusion.Denoising(
            self.described.model,
            self.positive,
            Sampler("ddim"),
            Schedule("normal", STEPS),
            Guidance(SCALE),
            self.negative,
            noise=Noise(seed, SIZE, SIZE),
        )
        latent = diffusion.denoise(self.host, task)
        with self.host.use(self.described.vae) as vae:
            return diffusion.decode(vae, latent).pixels


class Theirs:
    """diffusers' pipeline from the same file, offline."""

    def __init__(self, file: Path) -> None:
        from diffusers.pipelines.stable_diffusion import pipeline_stable_diffusion
        from diffusers.schedulers.scheduling_ddim import DDIMScheduler

        self.pipeline: Any = pipeline_stable_diffusion.StableDiffusionPipeline.from_single_file(
            str(file),
            config=str(FAMILIES["sd15"].config_folder),
            local_files_only=True,
            safety_checker=None,
            requires_safety_checker=False,
            torch_dtype=torch.float32,
        )
        self.pipeline.scheduler = DDIMScheduler.from_config(self.pipeline.scheduler.config)
        self.pipeline.set_progress_bar_config(disable=True)

    def picture(self, seed: int) -> torch.Tensor:
        made = self.pipeline(
            PROMPT,
            negative_prompt=NEGATIVE,
            num_inference_steps=STEPS,
            guidance_scale=SCALE,
            height=SIZE,
            width=SIZE,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
        )
        return torch.from_numpy(made.images)


SIDES: dict[str, Callable[[Path], Ours | Theirs]] = {
    "pipeline": Theirs,
    "ours": Ours,
    "fast": lambda file: Ours(file, Policy(precision=Precision.HALF)),
}


def run_side(side: str, file: Path) -> dict[str, float]:
    """Seconds of the first run and of another seed, and the process's peak, MiB.

    The first picture is left beside the file.
    """
    torch.set_num_threads(1)
    start = time.perf_counter(), time.process_time()
    maker = SIDES[side](file)
    first = maker.picture(SEEDS[0])
    middle = time.perf_counter(), time.process_time()
    maker.picture(SEEDS[1])
    end = time.perf_counter(), time.process_time()
    torch.save(first, file.with_suffix(f".{side}"))
    return {
        "first run": middle[0] - start[0],
        "another seed": end[0] - middle[0],
        "first run (processor time)": middle[1] - start[1],
        "another seed (processor time)": end[1] - middle[1],
        "peak memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _in_its_own_process(side: str, file: Path) -> Any:
    command = [sys.executable, "-m", "benchmarks.sd15_single_file", "--side", side, str(file)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(rounds: int) -> dict[str, float]:
    """The sides' own figures, and the ratios of ours to theirs."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sd15.safetensors"
        write(file)
        equal = _in_its_own_process("check", file)
        taken = [{s: _in_its_own_process(s, file) for s in SIDES} for _ in range(rounds)]
        figures = {"file GiB": file.stat().st_size / 2**30, "weights equal": equal}
        figures |= differences(file)
    for name in taken[0]["ours"]:
        for side in SIDES:
            figures[f"{side}: {name}"] = statistics.median(r[side][name] for r in taken)
        for side in ("ours", "fast"):
            ratios = [r[side][name] / r["pipeline"][name] for r in taken]
            figures[f"{name}: {side} / pipeline"] = statistics.median(ratios)
    return figures


def differences(file: Path) -> dict[str, float]:
    """How far each side's first picture is from the pipeline's, of 255."""
    pictures = {side: torch.load(file.with_suffix(f".{side}")).double() for side in SIDES}
    found = {}
    for side in ("ours", "fast"):
        difference = (pictures[side] - pictures["pipeline"]).abs() * 255
        found[f"picture of {side}: mean difference"] = float(difference.mean())
        found[f"picture of {side}: largest difference"] = float(difference.max())
    return found


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=(*SIDES, "check"), help=argparse.SUPPRESS)
    parser.add_argument("file", nargs="?", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side == "check":
        print(json.dumps(check(arguments.file)))
    elif arguments.side:
        print(json.dumps(run_side(arguments.side, arguments.file)))
    else:
        tell(measure(arguments.rounds), arguments.json)


if __name__ == "__main__":
    main()
