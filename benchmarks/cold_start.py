"""A cold run of the first workflow beside the least that makes its picture, as whole processes.

The floor is a fresh process that imports torch and exactly the classes that the run needs,
loads nano and draws with diffusers' own scheduler.

python -m benchmarks.cold_start [--json]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.reporting import options, tell
from nodeforge.settings import shipped

REPEATS = 3
FLOOR = """
import sys
from pathlib import Path
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from PIL import Image
from transformers.models.clip.modeling_clip import CLIPTextModel
from tokenizers import Tokenizer

torch.set_grad_enabled(False)
torch.set_num_threads(max(1, torch.get_num_threads() - 1))
root = Path(sys.argv[1])
unet, vae, encoder = (
    kind.from_pretrained(root / part, torch_dtype=torch.float32)
    for kind, part in (
        (UNet2DConditionModel, "unet"), (AutoencoderKL, "vae"), (CLIPTextModel, "text_encoder"),
    )
)
scheduler = DPMSolverMultistepScheduler.from_pretrained(root / "scheduler")
tokenizer = Tokenizer.from_file(str(root / "tokenizer" / "tokenizer.json"))
tokenizer.enable_padding(length=32)
tokenizer.enable_truncation(32)
ids = torch.tensor([tokenizer.encode(text).ids for text in ("", "a red fox")])
embedding = encoder(ids).last_hidden_state
scheduler.set_timesteps(20)
size = unet.config.sample_size
x = torch.randn(1, unet.config.in_channels, size, size) * scheduler.init_noise_sigma
for timestep in scheduler.timesteps:
    read = scheduler.scale_model_input(torch.cat([x, x]), timestep)
    unwanted, wanted = unet(read, timestep, encoder_hidden_states=embedding).sample.chunk(2)
    x = scheduler.step(unwanted + 4 * (wanted - unwanted), timestep, x).prev_sample
pixels = vae.decode(x / vae.config.scaling_factor).sample[0].clamp(-1, 1)
array = ((pixels + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
Image.fromarray(array).save(sys.argv[2])
"""


def measure() -> dict[str, float]:
    """Median seconds of both, alternating, and what NodeForge takes beyond the floor."""
    with tempfile.TemporaryDirectory() as folder:
        rounds = [(_floor(Path(folder)), _nodeforge(Path(folder), i)) for i in range(REPEATS)]
    floor, ours = (statistics.median(column) for column in zip(*rounds, strict=True))
    beyond = statistics.median(own - least for least, own in rounds)
    return {"floor": floor, "nodeforge run": ours, "beyond the floor": beyond,
            "nodeforge run / floor": ours / floor}  # fmt: skip


def _floor(folder: Path) -> float:
    nano = shipped("resources") / "models" / "nano"
    return _seconds([sys.executable, "-c", FLOOR, str(nano), str(folder / "floor.png")], {})


def _nodeforge(folder: Path, attempt: int) -> float:
    workflow = shipped("workflows") / "text_to_image.json"
    home = folder / str(attempt)  # an empty cache
    command = [sys.executable, "-m", "nodeforge", "run", str(workflow), "--out", str(folder)]
    return _seconds(command, {"NODEFORGE_HOME": str(home)})


def _seconds(command: list[str], variables: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **variables})
    return time.perf_counter() - start


def main() -> None:
    arguments = options(__doc__).parse_args()
    tell(measure(), arguments.json, lambda name, figure: f"{name:<28}{figure:8.3f}")


if __name__ == "__main__":
    main()
