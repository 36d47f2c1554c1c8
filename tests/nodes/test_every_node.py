"""What holds for every node of every shipped pack, whatever it computes."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_adapters
import tiny_models
import tiny_motion
import tiny_transformers
import tiny_upscalers
import torch
from PIL import Image as Picture

from nodeforge import diffusion, media
from nodeforge.api import NodeType
from nodeforge.engine.cache import MemoryTier, ResultCache
from nodeforge.engine.running.context import NodeRun, RunRequest, RunState
from nodeforge.settings import Settings
from nodeforge.spec import FileWidget, ModelFileWidget, PortSpec, Role
from nodeforge.values import (
    Audio,
    Guidance,
    Image,
    Latent,
    Mask,
    Noise,
    Region,
    Sampler,
    Schedule,
    Video,
)
from nodeforge.values.latent import BCTHW
from nodeforge.worker.build import LoadedNetworks
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_packs

NODE_TYPES = load_packs(Settings(home=Path("no-home"))).node_types
COMPUTING = {key: made for key, made in NODE_TYPES.items() if made.spec.role is Role.COMPUTE}
SIZE = 64
EDIT_MODEL = "edit model"
EDITING = ("text.instruct", "text.add_reference")
"""Nodes that want values of an edit model."""

SOUND_MODEL = "sound model"
OF_SOUNDS = ("latent.decode_audio", "latent.encode_audio")
"""Nodes that want values of a model that makes sounds."""

SONG_MODEL = "song model"
OF_SONGS = ("text.encode_song",)
"""Nodes that want values of a model that reads lyrics."""

every_node = pytest.mark.parametrize("node_type", COMPUTING.values(), ids=COMPUTING)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiny")
    tiny_models.write_folder(made / "model")
    tiny_transformers.PIPELINES["flux2_klein"]().save_pretrained(made / "edit_model")
    tiny_transformers.PIPELINES["stable_audio"]().save_pretrained(made / "sound_model")
    tiny_transformers.PIPELINES["ace_step"]().save_pretrained(made / "song_model")
    tiny_models.write_lora(made / "model", made / "lora.safetensors")
    tiny_models.write_controlnet(made / "model", made / "controlnet")
    tiny_adapters.write_t2i_adapter(made / "model", made / "t2i_adapter")
    tiny_adapters.write_ip_adapter(made / "model", made / "ip_adapter.safetensors")
    tiny_adapters.image_encoder().save_pretrained(made / "image_encoder")
    tiny_adapters.write_embedding(made / "embedding.safetensors", 768)
    tiny_upscalers.write(tiny_upscalers.compact(), made / "upscaler.safetensors")
    tiny_motion.motion_adapter().save_pretrained(made / "motion")
    (made / "lines.txt").write_text("one\ntwo\n", encoding="utf-8")
    frames = np.full((6, SIZE, SIZE, 3), 90, np.uint8)
    sound = media.Sound(np.full((2, 8000), 0.25, np.float32), 16_000)
    media.write_video(made / "clip.mp4", frames, 12.0, media.VideoFormat.MP4, sound)
    media.write_audio(made / "sound.flac", sound, media.AudioFormat.FLAC)
    Picture.new("RGBA", (SIZE, SIZE), (200, 80, 30, 255)).save(made / "picture.png")
    return made


@pytest.fixture(scope="module")
def networks() -> LoadedNetworks:
    return LoadedNetworks(diffusion.Residency("cpu"))


@pytest.fixture(scope="module")
def samples(folder: Path, networks: LoadedNetworks) -> dict[str, Any]:
    """A value of each type that a node may want."""
    model, text_encoder, vae = diffusion.describe(folder / "model")
    torch.manual_seed(0)
    image = Image(torch.rand(1, SIZE, SIZE, 3))
    with networks.use(text_encoder, lambda: None) as encoder:
        prompt = diffusion.behaviour(encoder.family).encode(encoder, "a fox")
    return {
        "model": model,
        "text_encoder": text_encoder,
        "vae": vae,
        "controlnet": diffusion.describe_controlnet(folder / "controlnet"),
        "ip_adapter": diffusion.describe_ip_adapter(folder / "ip_adapter.safetensors"),
        "image_encoder": diffusion.describe_image_encoder(folder / "image_encoder"),
        "upscale_model": diffusion.describe_upscaler(folder / "upscaler.safetensors"),
        "conditioning": prompt,
        "latent": Latent(torch.randn(1, 4, SIZE // 8, SIZE // 8), "sd", 8),
        "noise": Noise(1, SIZE, SIZE),
        "schedule": Schedule("normal", 2),
        "sampler": Sampler("euler"),
        "guidance": Guidance(3.0),
        "image": image,
        "mask": Mask((torch.rand(1, SIZE, SIZE) > 0.7).float()),
        "region": Region(8, 8, 32, 32, SIZE, SIZE),
        "video": Video(
            torch.randint(0, 256, (24, SIZE, SIZE, 3), dtype=torch.uint8),
            12.0,
            Audio(torch.rand(1, 2, 32_000) - 0.5, 16_000),
        ),
        "audio": Audio(torch.rand(1, 2, 32_000) - 0.5, 16_000),
        "any": image,
        SOUND_MODEL: _of_sound_model(folder / "sound_model", networks),
        SONG_MODEL: {"text_encoder": diffusion.describe(folder / "song_model").text_encoder},
        EDIT_MODEL: _of_edit_model(folder / "edit_model", networks, image),
    }


def _of_sound_model(folder: Path, networks: LoadedNetworks) -> dict[str, Any]:
    """Values of a model that makes sounds, of 8 samples a second."""
    _, _, vae = diffusion.describe(folder)
    audio = Audio(torch.rand(1, 2, 16) - 0.5, 8)
    with networks.use(vae, lambda: None) as loaded:
        latent = diffusion.encode_audio(loaded, audio, cells=16)
    return {"vae": vae, "latent": latent, "audio": audio}


def _of_edit_model(folder: Path, networks: LoadedNetworks, image: Image) -> dict[str, Any]:
    """Values of a family whose models see reference pictures."""
    _, text_encoder, vae = diffusion.describe(folder)
    with networks.use(text_encoder, lambda: None) as encoder:
        prompt = diffusion.behaviour(encoder.family).encode(encoder, "make it night")
    with networks.use(vae, lambda: None) as loaded:
        latent = diffusion.encode(loaded, image)
    return {"text_encoder": text_encoder, "vae": vae, "conditioning": prompt, "latent": latent}


@pytest.fixture
def run(tmp_path: Path, networks: LoadedNetworks) -> Iterator[NodeRun]:
    cache = ResultCache(MemoryTier(0), None, ValueCodec())  # each call computes
    request = RunRequest("run", outputs=tmp_path)
    with torch.no_grad():
        yield NodeRun("node", "0" * 32, request, RunState(lambda _: None), cache, networks)


def arguments(node_type: NodeType, samples: dict[str, Any], folder: Path) -> dict[str, Any]:
    """From the declaration's defaults, and a sample for each port that must be linked."""
    if node_type.spec.type in EDITING:
        samples = samples | samples[EDIT_MODEL]
    if node_type.spec.type in OF_SOUNDS:
        samples = samples | samples[SOUND_MODEL]
    if node_type.spec.type in OF_SONGS:
        samples = samples | samples[SONG_MODEL]
    made = {port.name: _value(port, samples, folder) for port in node_type.spec.inputs}
    made = {name: value for name, value in made.items() if value is not None}
    if node_type.spec.type == "latent.decode_video":
        made["latent"] = Latent(torch.ones(1, 4, 3, SIZE // 8, SIZE // 8), "sd", 8, BCTHW, 8.0)
    if node_type.spec.type == "models.flow_shift":
        made["model"] = replace(made["model"], prediction="flow_prediction")
    for name, enum in node_type.enums.items():
        made[name] = enum(made[name])
    return made


def _value(port: PortSpec, samples: dict[str, Any], folder: Path) -> Any:
    if isinstance(port.widget, ModelFileWidget) and port.optional:
        return None
    if port.widget == FileWidget("any") and port.optional:
        return None
    if isinstance(port.widget, ModelFileWidget):
        alone = {
            "lora": "lora.safetensors",
            "controlnet": "controlnet",
            "t2i_adapter": "t2i_adapter",
            "ip_adapter": "ip_adapter.safetensors",
            "image_encoder": "image_encoder",
            "embedding": "embedding.safetensors",
            "upscaler": "upscaler.safetensors",
            "motion_module": "motion",
        }
        return folder / alone.get(port.widget.kind, "model")
    if isinstance(port.widget, FileWidget):
        named = {"text": "lines.txt", "folder": "", "wildcards": ""}
        named |= {"video": "clip.mp4", "audio": "sound.flac"}
        return folder / named.get(port.widget.kind, "picture.png")
    if port.widget is not None:
        return port.default
    if port.many:
        return [samples[port.type]] * 2
    return samples[port.type]


def call(node_type: NodeType, run: NodeRun, given: dict[str, Any]) -> Any:
    first = (run,) if node_type.wants_run else ()
    return node_type.function(*first, **given)


def tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors(item)]
    if is_dataclass(value):
        return [tensor for f in fields(value) for tensor in tensors(getattr(value, f.name))]
    return []


@every_node
def test_a_node_runs_from_its_defaults_twice_alike(
    node_type: NodeType, run: NodeRun, samples: dict[str, Any], folder: Path
):
    given = arguments(node_type, samples, folder)
    first, second = (call(node_type, run, given) for _ in range(2))
    assert len(tensors(first)) == len(tensors(second))
    assert all(map(torch.equal, tensors(first), tensors(second)))
    if not tensors(first):
        assert first == second


@every_node
def test_a_node_leaves_its_inputs_alone(
    node_type: NodeType, run: NodeRun, samples: dict[str, Any], folder: Path
):
    given = arguments(node_type, samples, folder)
    inputs = tensors(list(given.values()))
    before = [(tensor._version, tensor.clone()) for tensor in inputs]
    call(node_type, run, given)
    for tensor, (version, values) in zip(inputs, before, strict=True):
        assert tensor._version == version
        assert torch.equal(tensor, values)


@every_node
def test_what_a_node_gives_is_what_it_declares(
    node_type: NodeType, run: NodeRun, samples: dict[str, Any], folder: Path
):
    result = call(node_type, run, arguments(node_type, samples, folder))
    outputs = node_type.spec.outputs
    values = list(result) if node_type.many_results else [result] * len(outputs)
    assert len(values) == len(outputs)
    for value, port in zip(values, outputs, strict=True):
        if port.type in samples and port.type != "any":
            assert type(value) is type(samples[port.type])
            given = tensors(replace(value, audio=None) if port.type == "video" else value)
            kinds = {"video": (torch.uint8,), "conditioning": (torch.float32, torch.bool)}
            able = kinds.get(port.type, (torch.float32,))  # which tokens are read is bool
            assert all(t.device.type == "cpu" and t.dtype in able for t in given)


@every_node
def test_what_a_node_gives_can_be_kept_on_disk(
    node_type: NodeType, run: NodeRun, samples: dict[str, Any], folder: Path
):
    codec = ValueCodec()
    result = call(node_type, run, arguments(node_type, samples, folder))
    values = dict(result._asdict()) if node_type.many_results else {"result": result}
    data = codec.encode(values)
    assert data is not None
    again = codec.decode(data)
    assert all(map(torch.equal, tensors(list(values.values())), tensors(list(again.values()))))


@pytest.mark.parametrize("node_type", NODE_TYPES.values(), ids=NODE_TYPES)
def test_a_node_is_described(node_type: NodeType):
    spec = node_type.spec
    assert spec.summary.endswith(".")
    assert len(spec.summary) <= 100
    for port in spec.inputs:
        assert port.doc.endswith("."), port.name
    if len(spec.outputs) > 1:
        assert all(port.doc for port in spec.outputs)
