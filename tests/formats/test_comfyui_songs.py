"""ComfyUI's workflows of ACE-Step, as the official template wires them."""

from __future__ import annotations

from typing import Any

from nodeforge.formats.comfyui import Imported, convert, from_json
from nodeforge.graph.model import Input, Node
from nodeforge.spec import Catalogue
from support.comfyui import WorkflowBuilder, sampler_values

CATALOGUE = Catalogue.shipped()
SONG = {
    "tags": "folk", "lyrics": "[verse]\nla", "seed": 3, "control": "fixed", "bpm": 90,
    "duration": 20.0, "timesignature": "3", "language": "de", "keyscale": "E minor",
    "generate_audio_codes": False, "cfg_scale": 2.0, "temperature": 0.85, "top_p": 0.9,
    "top_k": 0, "min_p": 0.0,
}  # fmt: skip
ENCODERS = {
    "clip_name1": "qwen_0.6b_ace15.safetensors",
    "clip_name2": "qwen_1.7b_ace15.safetensors",
}


def song(**changed: Any) -> WorkflowBuilder:
    made = WorkflowBuilder()
    name = {"unet_name": "acestep_v1.5_turbo.safetensors", "weight_dtype": "default"}
    model = made.add("UNETLoader", name)
    clip = made.add("DualCLIPLoader", {**ENCODERS, "type": "ace", "device": "default"})
    vae = made.add("VAELoader", {"vae_name": "ace_1.5_vae.safetensors"})
    shifted = made.add("ModelSamplingAuraFlow", {"shift": 3.0}, model=(model, 0))
    said = made.add("TextEncodeAceStepAudio1.5", {**SONG, **changed}, clip=(clip, 0))
    nothing = made.add("ConditioningZeroOut", conditioning=(said, 0))
    latent = made.add("EmptyAceStep1.5LatentAudio", {"seconds": 20.0, "batch_size": 2})
    sampled = made.add(
        "KSampler", sampler_values(), model=(shifted, 0), positive=(said, 0),
        negative=(nothing, 0), latent_image=(latent, 0),
    )  # fmt: skip
    decoded = made.add("VAEDecodeAudio", samples=(sampled, 0), vae=(vae, 0))
    made.add("SaveAudio", {"filename_prefix": "song"}, audio=(decoded, 0))
    return made


def imported(workflow: WorkflowBuilder) -> Imported:
    made = convert(from_json(workflow.ui()), CATALOGUE)
    assert made.document.graph == convert(from_json(workflow.api()), CATALOGUE).document.graph
    return made


def one(made: Imported, kind: str) -> tuple[str, Node]:
    """The only node of a type."""
    nodes = made.document.graph.nodes
    (name,) = [each for each, node in nodes.items() if node.type == kind]
    return name, nodes[name]


def test_a_song_keeps_what_is_told_of_it():
    made = imported(song())
    assert [each for each in made.report.converted if each.missing] == []
    told = one(made, "text.encode_song")[1].values
    assert told == {
        "caption": "folk", "lyrics": "[verse]\nla", "language": "de", "bpm": 90,
        "key": "E minor", "time_signature": "3", "seconds": 20.0,
    }  # fmt: skip
    noise = one(made, "sampling.audio_noise")[1].values
    assert (noise["seconds"], noise["batch"]) == (20.0, 2)
    # alone it would lack the silence that its VAE encodes
    assert one(made, "models.load")[1].values["file"] == "acestep_v1.5_turbo.safetensors"
    encoder = one(made, "models.load_text_encoder")[1].values
    assert encoder["file"] == "qwen_0.6b_ace15.safetensors"
    name, _ = one(made, "audio.save")
    links = made.document.graph.links
    assert made.document.graph.nodes[links[Input(name, "audio")].node].type == "latent.decode_audio"


def test_what_a_language_model_plans_is_said_to_be_missing():
    planned = "A language model plans the song"
    told = imported(song(generate_audio_codes=True)).report.differences
    assert any(each.startswith(planned) for each in told)
    told = imported(song()).report.differences
    assert not any(each.startswith(planned) for each in told)


def test_the_older_model_is_named_and_the_newer_is_run():
    assert imported(song()).report.families == []
    older = song()
    older.nodes[0].values["unet_name"] = "ace_step_v1_3.5b.safetensors"
    assert "ACE-Step 1" in imported(older).report.families
