"""What enlarging 4096 × 4096 pixels by a small network takes, tile by tile.

python -m benchmarks.enlarging [--json]

Compact networks, ×2: one that sees no neighbour, whose tiles must give the bits of the whole
picture, and one of the width and depth of nano's. Each runs in a process of its own; memory is
its peak beside the two pictures.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import save_file

from benchmarks.reporting import options, tell
from nodeforge import diffusion
from nodeforge.diffusion.vision.compact import CompactNetwork
from nodeforge.values import Image

SIZE = 4096
SHAPES = {"shift-invariant": (4, 1), "as nano's": (32, 8)}
MIB = 2**20


def write(path: Path, width: int, depth: int) -> None:
    """A network that repeats pixels: all its weights are zero."""
    network = CompactNetwork(3, width, depth, 2)
    save_file({name: torch.zeros_like(each) for name, each in network.state_dict().items()}, path)


def measure(path: Path, size: int) -> dict[str, float]:
    """Seconds, MiB and difference of one network, in this process."""
    torch.set_num_threads(1)
    image = Image(torch.rand(1, size, size, 3, generator=torch.Generator().manual_seed(0)))
    host = diffusion.LocalHost(diffusion.Residency("cpu"))
    with host.use(diffusion.describe_upscaler(path)) as upscaler:
        diffusion.enlarge(upscaler, Image(image.pixels[:, :300, :300]))
        before, start = peak(), time.perf_counter()
        made = diffusion.enlarge(upscaler, image).pixels
        seconds, most = time.perf_counter() - start, peak() - before
    worst = max(
        float((made[:, top::2, left::2] - image.pixels).abs().max())
        for top in (0, 1)
        for left in (0, 1)
    )
    return {"seconds": seconds, "mib": (most - made.nbytes) / MIB, "difference": worst}


def peak() -> int:
    """Bytes that this process has had in memory at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--one", type=Path, help="a file to measure in this process")
    asked = parser.parse_args()
    if asked.one:
        tell(measure(asked.one, SIZE), True)
        return
    found: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        for name, shape in SHAPES.items():
            path = Path(folder) / "x2.safetensors"
            write(path, *shape)
            command = [sys.executable, "-m", "benchmarks.enlarging", "--one", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            one = json.loads(done.stdout.splitlines()[-1])
            found |= {f"{name}, {what}": value for what, value in one.items()}
    tell(found, asked.json)


if __name__ == "__main__":
    main()
