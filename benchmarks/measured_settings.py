"""How many pictures nano's recogniser names right, beside their measured distances.

python -m benchmarks.measured_settings --runs RUNS [--preset cpu] [--pictures 16] [--json]

The recogniser is that of nano's training (`tools.nano.recogniser`), in RUNS/PRESET; its weights do
not ship. The distances are those of `nodeforge measure nano`, which has to have run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmarks.reporting import options, tell
from nodeforge.models import Measurement, ModelFolders
from nodeforge.settings import Settings
from nodeforge.values.sampling_labels import SAMPLER_LABELS
from tools.nano.bench import Bench
from tools.nano.captions import prompt
from tools.nano.presets import PRESETS
from tools.nano.samplers import BATCH, FIRST_SEED, Drawer


def judged(measurement: Measurement, bench: Bench, count: int) -> dict[str, Any]:
    """Distance, and the share of `count` pictures named right, by sampler and steps."""
    scenes = bench.fixed[:count]
    prompts, drawer = [prompt(scene) for scene in scenes], Drawer(bench.model, bench.device)
    found: dict[str, Any] = {}
    for sampler in measurement.conditions.samplers:
        for point in measurement.curve(sampler):
            pictures = []
            for first in range(0, len(prompts), BATCH):
                part = prompts[first : first + BATCH]
                pictures += drawer(sampler, point.steps, part, FIRST_SEED + first)[0]
            name = f"{SAMPLER_LABELS[sampler]}, {point.steps} steps"
            found[name] = {"distance": point.distance, "named": bench.top(scenes, pictures)}
    return found


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    parser.add_argument("--pictures", type=int, default=2 * BATCH)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    folders = ModelFolders(Settings())
    path = folders.find("checkpoint", "nano")
    known = folders.measured(path)
    if not known:
        parser.error("nano was not measured: nodeforge measure nano")
    bench = Bench(PRESETS[asked.preset], asked.runs / asked.preset, path)
    figures = judged(known[0], bench, asked.pictures)
    tell(figures, asked.json, lambda name, told: f"{name:<22}{told}")


if __name__ == "__main__":
    main()
