"""Z-Image of real size in very low memory on a processor: seconds by part, and the peak.

python -m benchmarks.large_on_processor [--json] [--folder FOLDER] [--threads 1]

Writes scaled 8-bit weights of random numbers in separate files as people have them: the denoiser
(6 GB, its authors' names), Qwen3-4B (4 GB) and Flux.1's VAE. A prompt is encoded, one step of
256 × 256 is run and decoded: once with the files dropped from the page cache, once with what the
first run left there. Each run is a process of its own. About 11 GB of disk are needed, and minutes.

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
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

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
FILES = {
    "transformer": "diffusion_models/z_image_turbo_fp8_scaled.safetensors",
    "text_encoder": "text_encoders/qwen_3_4b_fp8_scaled.safetensors",
    "vae": "vae/ae.safetensors",
}
_SPREAD, _PART = 64.0, 0.02
"""Of the 8-bit numbers, and of the weights that they mean."""
_POOL = 2**24
_EVERY = 0.01
"""Seconds between two looks at the memory."""


def write(folder: Path) -> None:
    """Write the three files."""
    recipes = real_size_recipes("z_image")
    states = {part: build(recipes[part]).state_dict() for part in FILES}
    states["transformer"] = original(states["transformer"])
    states["text_encoder"] = under("model.", states["text_encoder"])
    for part, name in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("wb") as file:
            write_file(file, states[part], scaled=part != "vae")
            file.flush()
            os.fsync(file.fileno())


def write_file(file: BinaryIO, state: Mapping[str, Tensor], *, scaled: bool) -> None:
    """A safetensors file, tensor by tensor: nothing of it is in memory as a whole."""
    header, at = {}, 0
    entries: list[tuple[str, int, str]] = []
    for name, tensor in state.items():
        small = scaled and tensor.ndim == 2 and name.endswith(".weight")
        kind = "F8_E4M3" if small else "BF16"
        entries.append((kind, tensor.numel(), name))
        size = tensor.numel() * (1 if small else 2)
        header[name] = _entry(kind, list(tensor.shape), at, at + size)
        at += size
        if small:
            header[f"{name}_scale"] = _entry("F32", [], at, at + 4)
            entries.append(("F32", 1, name))
            at += 4
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 8)
    file.write(len(told).to_bytes(8, "little") + told)
    pools = _pools()
    for number, (kind, count, name) in enumerate(entries):
        # norms are near one, or nothing would be left of what they multiply
        pool = pools["ones" if kind == "BF16" and "norm" in name else kind]
        start = 1009 * number % (_POOL // 2) if kind != "F32" else 0
        while count:
            piece = pool[start : start + count]
            file.write(memoryview(piece.view(torch.uint8).numpy()))  # pyright: ignore[reportArgumentType]
            count, start = count - len(piece), 0


def _entry(kind: str, shape: list[int], first: int, end: int) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [first, end]}


def _pools() -> dict[str, Tensor]:
    """Random numbers that the tensors of a file are cut from, by type."""
    numbers = torch.randn(_POOL, generator=torch.Generator().manual_seed(0))
    return {
        "F8_E4M3": (numbers * _SPREAD).to(torch.float8_e4m3fn),
        "BF16": (numbers * _PART).bfloat16(),
        "ones": (1 + numbers * _PART).bfloat16(),
        "F32": torch.full((1,), _PART / _SPREAD),
    }


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


def run(folder: Path, *, cold: bool, threads: int) -> dict[str, float]:
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

    model = diffusion.describe_denoiser(folder / FILES["transformer"])
    text_encoder = diffusion.describe_text_encoder(folder / FILES["text_encoder"], family="z_image")
    vae = diffusion.describe_vae(folder / FILES["vae"], "flux")
    if cold:
        for name in FILES.values():
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


def measure(folder: Path, threads: int) -> dict[str, float]:
    """The figures of both runs."""
    write(folder)
    figures = {f"{part} GB": (folder / name).stat().st_size / 1e9 for part, name in FILES.items()}
    for way in ("cold", "warm"):
        command = [sys.executable, "-m", "benchmarks.large_on_processor", "--way", way]
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
    parser.add_argument("--folder", type=Path, help="where the files are written for the run")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--way", choices=("cold", "warm"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        cold = arguments.way == "cold"
        print(json.dumps(run(arguments.folder, cold=cold, threads=arguments.threads)))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        tell(measure(Path(folder), arguments.threads), arguments.json)


if __name__ == "__main__":
    main()
