"""The shipped text-to-image workflow as a whole makes what diffusers' pipeline makes."""

from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)

from nodeforge import diffusion
from nodeforge.engine import events
from nodeforge.engine.cache import MemoryTier, ResultCache
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.session import Session
from nodeforge.formats import load
from nodeforge.settings import Settings
from nodeforge.worker.build import LoadedNetworks
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_packs
from support.command_line import WORKFLOWS

SEED, STEPS, SIZE, SCALE = 11, 6, 64, 5.0
PROMPT, NEGATIVE = "a red fox", "blurry"


def by_workflow(home: Path) -> np.ndarray:
    graph = load(WORKFLOWS / "text_to_image.json").graph
    for node, values in {
        "model": {"file": "tiny"},
        "prompt": {"text": PROMPT},
        "negative": {"text": NEGATIVE},
        "noise": {"seed": SEED, "width": SIZE, "height": SIZE},
        "sampler": {"name": "dpmpp_2m"},
        "schedule": {"name": "normal", "steps": STEPS},
        "guidance": {"scale": SCALE},
    }.items():
        graph.nodes[node].values.update(values)
    settings = Settings(home=home)
    cache = ResultCache(MemoryTier(2**28), None, ValueCodec())
    networks = LoadedNetworks(diffusion.Residency("cpu"))
    packs = load_packs(settings)
    session = Session(settings, packs.node_types, cache, networks, torch.no_grad)
    happened: list[events.Event] = []
    request = RunRequest("run", ["decode"], outputs=home)
    results = session.run(graph, request, RunState(happened.append))
    assert results, happened[-1]
    return results["decode"]["image"].pixels.numpy()


def by_pipeline(family: str, folder: Path) -> np.ndarray:
    if family == "sdxl":
        pipeline = StableDiffusionXLPipeline.from_pretrained(folder, add_watermarker=False)
    else:
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder, safety_checker=None, requires_safety_checker=False
        )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    return pipeline(
        PROMPT,
        negative_prompt=NEGATIVE,
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        width=SIZE,
        height=SIZE,
        generator=torch.Generator().manual_seed(SEED),
        output_type="np",
    ).images


@pytest.mark.filterwarnings("ignore:__array_")
@pytest.mark.parametrize("family", ["sd15", "sd21", "sdxl"])
def test_the_shipped_workflow_makes_the_pipelines_picture_to_the_bit(family: str, tmp_path: Path):
    folder = tmp_path / "models" / "checkpoints" / "tiny"
    folder.parent.mkdir(parents=True)
    prediction = "v_prediction" if family == "sd21" else "epsilon"
    tiny_models.write_folder(folder, family=family, prediction=prediction)
    assert np.abs(by_workflow(tmp_path) - by_pipeline(family, folder)).max() == 0.0
