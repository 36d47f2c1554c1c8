"""Wan 2.2 5B of real size in very low memory on a processor: one denoising step, and the peak.

python -m benchmarks.wan_on_processor [--json] [--folder FOLDER] [--threads 1]

Writes a denoiser with scaled 8-bit weights of random numbers (5 GB, its authors' names) and runs
one step of 17 frames of 256 × 256 with guidance, on random words: the text encoder takes no part.
The step is a process of its own. The peak is the most of RssAnon + RssShmem, sampled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.large_on_processor import Peak
from benchmarks.model_writer import write_file
from benchmarks.reporting import options, tell
from nodeforge import diffusion
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.settings import MemoryMode
from nodeforge.values import Conditioning, Guidance, Noise, Prompt, Sampler, Schedule
from tests.support.loaded_networks import real_size_recipes
from tests.tiny_originals import original

FAMILY, FILE = "wan22_5b", "wan2.2_ti2v_5B_fp8_scaled.safetensors"
SIZE, FRAMES, TOKENS, WIDTH = 256, 17, 512, 4096


def write(folder: Path) -> Path:
    state = build(real_size_recipes(FAMILY)["transformer"]).state_dict()
    with (folder / FILE).open("wb") as file:
        write_file(file, original(state), "fp8")
    return folder / FILE


def run(file: Path, threads: int) -> dict[str, float]:
    """Seconds and peak of a step."""
    torch.set_num_threads(threads)
    peak = Peak()
    host = diffusion.LocalHost(diffusion.Residency("cpu", Policy(MemoryMode.VERY_LOW)))
    torch.manual_seed(0)
    words = torch.randn(2, 1, TOKENS, WIDTH)
    said = Conditioning((Prompt(words[0]),), words[1], FAMILY)
    task = diffusion.Denoising(
        diffusion.describe_denoiser(file),
        said,
        Sampler("unipc"),
        Schedule("normal", 1),
        Guidance(5.0),
        noise=Noise(1, SIZE, SIZE, frames=FRAMES),
    )
    start = time.perf_counter()
    with peak.during("one step"):
        latent = diffusion.denoise(host, task)
    assert bool(latent.samples.isfinite().all())
    return {
        "one step: seconds": time.perf_counter() - start,
        "one step: peak GB": peak.by_part["one step"] / 1e9,
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--folder", type=Path, help="where the file is written for the run")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.file:
        print(json.dumps(run(arguments.file, arguments.threads)))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        file = write(Path(folder))
        command = [sys.executable, "-m", "benchmarks.wan_on_processor", "--file", str(file)]
        command += ["--threads", str(arguments.threads)]
        environment = {**os.environ, "NODEFORGE_HOME": str(Path(folder) / "home")}
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
        figures = {"file GB": file.stat().st_size / 1e9, **json.loads(done.stdout)}
        tell(figures, arguments.json)


if __name__ == "__main__":
    main()
