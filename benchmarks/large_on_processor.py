"""Large models of real size in very low memory on a processor: seconds by part, and the peak.

python -m benchmarks.large_on_processor [--model "flux1 int8"] [--json] [--folder FOLDER]

Writes small weights of random numbers in separate files as people have them: the denoiser (Z-Image
6 GB of scaled fp8, Flux.1 12 GB of int8_convrot or 7 GB of GGUF Q4_0, in its authors' names), its
text encoder (4 or 5 GB of scaled fp8) and VAE. A prompt is encoded, one step of 256 × 256 is run
without guidance and decoded: once with the files dropped from the page cache, once with what the
first run left there. Each run is a process of its own. 11 to 18 GB of disk are needed, and minutes.

The peak is the most of RssAnon + RssShmem, sampled: what cannot be given back. What the system
keeps of the files is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.model_writer import write_file
from benchmarks.reporting import options, tell
from nodeforge import diffusion
from nodeforge.diffusion.networks.building import build, import_libraries
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.settings import MemoryMode
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from tests.support.loaded_networks import real_size_recipes
from tests.tiny_originals import original, under

SIZE = 256
PROMPT = "a red fox in the snow, morning light"


@dataclass(frozen=True)
class Large:
    """A model in files as people have them.

    Args:
        family: Whose it is.
        denoiser: The form of its denoiser, as `write_file` has it.
        files: By part.
    """

    family: str
    denoiser: str
    files: Mapping[str, str]

    def form(self, part: str) -> str:
        """The form of a part; of a text encoder that is large, scaled 8 bits."""
        if part == "transformer":
            return self.denoiser
        return "fp8" if "fp8" in self.files[part] else "bf16"

    @property
    def encoders(self) -> list[str]:
        return [name for part, name in self.files.items() if part.startswith("text_encoder")]


_FLUX = {
    "text_encoder": "text_encoders/clip_l.safetensors",
    "text_encoder_2": "text_encoders/t5xxl_fp8_e4m3fn_scaled.safetensors",
    "vae": "vae/ae.safetensors",
}
MODELS = {
    "z_image": Large(
        "z_image",
        "fp8",
        {
            "transformer": "diffusion_models/z_image_turbo_fp8_scaled.safetensors",
            "text_encoder": "text_encoders/qwen_3_4b_fp8_scaled.safetensors",
            "vae": "vae/ae.safetensors",
        },
    ),
    "flux1 int8": Large(
        "flux1",
        "int8",
        {"transformer": "diffusion_models/flux1-dev_int8_convrot.safetensors", **_FLUX},
    ),
    "flux1 Q4_0": Large(
        "flux1", "Q4_0", {"transformer": "diffusion_models/flux1-dev-Q4_0.gguf", **_FLUX}
    ),
}
_EVERY = 0.01
"""Seconds between two looks at the memory."""


def write(folder: Path, model: Large) -> None:
    """Write a model's files."""
    recipes = real_size_recipes(model.family)
    for part, name in model.files.items():
        state: Mapping[str, Any] = build(recipes[part]).state_dict()
        if part == "transformer":
            state = original(state)
        elif "qwen" in name:
            state = under("model.", state)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("wb") as file:
            write_file(file, state, model.form(part))
            file.flush()
            os.fsync(file.fileno())


class Peak:
    """The most memory of this process that cannot be given back, by part of the work."""

    def __init__(self) -> None:
        self.by_part: dict[str, int] = {}
        self._part = ""
        self._done = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def during(self, part: str) -> Iterator[None]:
        self._part, self.by_part[part] = part, _held()
        try:
            yield
        finally:
            self._note()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            if self._part:
                self._note()

    def _note(self) -> None:
        self.by_part[self._part] = max(self.by_part[self._part], _held())


def _held() -> int:
    """RssAnon + RssShmem of this process, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return sum(int(found[name].split()[0]) * 1024 for name in ("RssAnon", "RssShmem"))


def run(folder: Path, large: Large, *, cold: bool, threads: int) -> dict[str, float]:
    """Seconds and peak, MiB, of each part of one picture."""
    torch.set_num_threads(threads)
    import_libraries()
    peak, figures = Peak(), {}
    residency = diffusion.Residency("cpu", Policy(MemoryMode.VERY_LOW))
    host = diffusion.LocalHost(residency)

    def timed(part: str, work: Callable[[], Any]) -> Any:
        start, worked = time.perf_counter(), time.process_time()
        with peak.during(part):
            made = work()
        figures[f"{part}: seconds"] = time.perf_counter() - start
        figures[f"{part}: processor seconds"] = time.process_time() - worked
        return made

    model = diffusion.describe_denoiser(folder / large.files["transformer"])
    encoders = [folder / name for name in large.encoders]
    text_encoder = diffusion.describe_text_encoder(*encoders, family=large.family)
    vae = diffusion.describe_vae(folder / large.files["vae"], "flux")
    if cold:
        for name in large.files.values():
            with (folder / name).open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def encode() -> Any:
        with host.use(text_encoder) as encoder:
            return diffusion.encode_text(encoder, text_encoder, PROMPT)

    def step() -> Any:
        task = diffusion.Denoising(
            model,
            positive,
            Sampler("flow_euler"),
            Schedule("simple", 1),
            Guidance(1.0),
            noise=Noise(1, SIZE, SIZE),
        )
        return diffusion.denoise(host, task)

    def decode() -> Any:
        with host.use(vae) as loaded:
            return diffusion.decode(loaded, latent)

    positive = timed("text", encode)
    latent = timed("one step", step)
    image = timed("decode", decode)
    assert bool(image.pixels.isfinite().all())
    figures |= {f"{part}: peak MiB": most / 2**20 for part, most in peak.by_part.items()}
    figures["picture's sum"] = float(image.pixels.double().sum())
    return figures


def measure(folder: Path, name: str, threads: int) -> dict[str, float]:
    """The figures of both runs."""
    files = MODELS[name].files
    write(folder, MODELS[name])
    figures = {f"{part} GB": (folder / file).stat().st_size / 1e9 for part, file in files.items()}
    for way in ("cold", "warm"):
        command = [sys.executable, "-m", "benchmarks.large_on_processor", "--way", way]
        command += ["--model", name]
        command += ["--folder", str(folder), "--threads", str(threads)]
        environment = {**os.environ, "NODEFORGE_HOME": str(folder / "home")}
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
        found = json.loads(done.stdout.splitlines()[-1])
        figures |= {f"{way}: {name}": figure for name, figure in found.items()}
    peaks = [figure for name, figure in figures.items() if name.endswith("peak MiB")]
    return {**figures, "peak GB": max(peaks) * 2**20 / 1e9}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--model", choices=tuple(MODELS), default="z_image")
    parser.add_argument("--folder", type=Path, help="where the files are written for the run")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--way", choices=("cold", "warm"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        cold = arguments.way == "cold"
        print(
            json.dumps(
                run(arguments.folder, MODELS[arguments.model], cold=cold, threads=arguments.threads)
            )
        )
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        tell(measure(Path(folder), arguments.model, arguments.threads), arguments.json)


if __name__ == "__main__":
    main()
