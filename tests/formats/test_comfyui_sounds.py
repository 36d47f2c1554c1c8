"""ComfyUI's workflows of Stable Audio Open, as the official template wires them."""

from __future__ import annotations

from typing import Any

import pytest

from nodeforge.formats.comfyui import Imported, convert, from_json
from nodeforge.graph.model import Input, Node
from nodeforge.spec import Catalogue
from support.comfyui import WorkflowBuilder, sampler_values

CATALOGUE = Catalogue.shipped()


def stable_audio(
    seconds: float = 47.6, told: dict[str, Any] | None = None, sound: bool = False
) -> WorkflowBuilder:
    """Text to sound; with `sound`, from a sound."""
    whole = WorkflowBuilder()
    model = whole.add("CheckpointLoaderSimple", {"ckpt_name": "stable_audio_open_1.0.safetensors"})
    clip = whole.add("CLIPLoader", {"clip_name": "t5_base.safetensors", "type": "stable_audio"})
    texts = [whole.add("CLIPTextEncode", {"text": each}, clip=(clip, 0)) for each in ("rain", "")]
    prompts = {name: (text, 0) for name, text in zip(("positive", "negative"), texts, strict=True)}
    if told is not None:
        node = whole.add("ConditioningStableAudio", told, **prompts)
        prompts = {"positive": (node, 0), "negative": (node, 1)}
    if sound:
        loaded = whole.add("LoadAudio", {"audio": "song.flac", "audioUI": "", "upload": ""})
        latent = whole.add("VAEEncodeAudio", audio=(loaded, 0), vae=(model, 2))
    else:
        latent = whole.add("EmptyLatentAudio", {"seconds": seconds, "batch_size": 2})
    links: dict[str, Any] = {"model": (model, 0), "latent_image": (latent, 0), **prompts}
    drawn = whole.add("KSampler", sampler_values(), **links)
    decoded = whole.add("VAEDecodeAudio", samples=(drawn, 0), vae=(model, 2))
    values = {"filename_prefix": "audio/rain", "quality": "V0", "audioUI": ""}
    whole.add("SaveAudioMP3", values, audio=(decoded, 0))
    return whole


def imported(workflow: WorkflowBuilder) -> Imported:
    made = convert(from_json(workflow.ui()), CATALOGUE)
    assert made.document.graph == convert(from_json(workflow.api()), CATALOGUE).document.graph
    return made


def one(made: Imported, kind: str) -> tuple[str, Node]:
    """The only node of a type."""
    nodes = made.document.graph.nodes.items()
    ((name, node),) = ((name, each) for name, each in nodes if each.type == kind)
    return name, node


@pytest.mark.parametrize(
    ("seconds", "told", "noise", "cut"),
    [
        (47.6, {"seconds_start": 0.0, "seconds_total": 30.0}, 30.0, None),
        (47.6, {"seconds_start": 0.0, "seconds_total": 200.0}, 47.5, None),
        (10.0, {"seconds_start": 0.0, "seconds_total": 30.0}, 30.0, 10.0),
        (47.6, None, 47.0, None),
    ],
)
def test_a_sound_is_drawn_for_as_long_as_the_model_is_told(seconds, told, noise, cut):
    made = imported(stable_audio(seconds, told))
    name, node = one(made, "sampling.audio_noise")
    assert (node.values["seconds"], node.values["batch"]) == (noise, 2)
    decode, decoded = one(made, "latent.decode_audio")
    assert decoded.values.get("seconds") == cut
    links = made.document.graph.links
    assert links[Input(one(made, "sampling.denoise")[0], "noise")].node == name
    assert links[Input(one(made, "audio.save")[0], "audio")].node == decode
    assert not made.report.problems
    assert "convention" not in one(made, "sampling.sampler")[1].values
    shorter = [each for each in made.report.differences if "shorter latent" in str(each)]
    assert bool(shorter) == (seconds < 47.5)


def test_a_sound_is_made_of_a_sound():
    made = imported(stable_audio(sound=True))
    _name, node = one(made, "sampling.audio_noise")
    assert node.values.keys() <= {"seed"}
    links = made.document.graph.links
    encode, _ = one(made, "latent.encode_audio")
    assert links[Input(one(made, "sampling.denoise")[0], "latent")].node == encode
    assert one(made, "audio.resample")[1].values["rate"] == 44_100


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("SplitAudioChannels", "channels"),
        ("JoinAudioChannels", "channels"),
        ("RecordAudio", "Load audio"),
    ],
)
def test_what_has_no_counterpart_says_why(kind: str, why: str):
    whole = stable_audio()
    whole.nodes[-1].links["audio"] = (whole.add(kind), 0)
    assert why in "\n".join(convert(from_json(whole.api()), CATALOGUE).report.lines())
