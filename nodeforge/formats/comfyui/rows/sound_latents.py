"""Latents of sounds: made of nothing or of sounds, and turned into sounds."""

from __future__ import annotations

from dataclasses import replace

from nodeforge.formats.comfyui.link_value import EmptyLatent, InputValue, LinkValue
from nodeforge.formats.comfyui.node_conversion import NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.graph.model import Output

_LONGEST = 47.5
"""Seconds of Stable Audio Open's latents: 1,024 cells of 2,048 samples, 44,100 a second."""
_RATE, _SONG_RATE = 44_100, 48_000
"""Samples a second of its VAE, and of ACE-Step's: sounds are brought there as they are encoded."""


def _nothing(node: NodeConversion) -> None:
    seconds = node.input_value("seconds", 47.6)
    if seconds.output is None and seconds.value < _LONGEST:
        node.report_difference(
            f"All {_LONGEST} seconds that the model has are drawn here and then cut, as it was "
            "trained; a shorter latent is drawn there, which is another sound"
        )
    size = EmptyLatent(
        InputValue(), InputValue(), node.input_value("batch_size", 1), seconds=seconds
    )
    node.set_outputs(LinkValue("LATENT", empty=size, sound=True, seconds=seconds))


def _nothing_of_a_song(node: NodeConversion) -> None:
    """A latent as long as its song, all of which is drawn and decoded."""
    batch, seconds = node.input_value("batch_size", 1), node.input_value("seconds", 120.0)
    size = EmptyLatent(InputValue(), InputValue(), batch, seconds=seconds)
    node.set_outputs(LinkValue("LATENT", empty=size, sound=True))


def _tell_seconds(node: NodeConversion) -> None:
    """What the model is told of the length; our loop tells it the noise's."""
    if node.known_value("seconds_start", 0.0):
        node.report_difference("Every sound begins at 0 seconds here")
    total = node.input_value("seconds_total", 47.0)
    prompts = (
        node.link_value(name) or LinkValue("CONDITIONING") for name in ("positive", "negative")
    )
    node.set_outputs(*(replace(prompt, seconds=total) for prompt in prompts))


def seconds_of(latent: LinkValue, positive: LinkValue | None) -> InputValue | None:
    """Seconds of the noise: those that the model is told, as far as it has them.

    Where no node tells them, ComfyUI tells it 47; those of a latent that was encoded are its own.
    """
    if latent.empty is not None and latent.seconds is None:
        return latent.empty.seconds
    told = positive.seconds if positive is not None else None
    if told is None:
        return InputValue(47.0) if latent.output is None else None
    return told if told.output is not None else InputValue(min(max(told.value, 0.1), _LONGEST))


def _decode(node: NodeConversion) -> None:
    samples = node.link_value("samples", needed="so there is no latent")
    assert samples is not None
    seconds = samples.seconds
    if seconds is not None:
        node.report_difference(
            "Loud sounds are made quieter there, by five times their spread; here they are left"
        )
    is_cut = seconds is not None and (seconds.output is not None or seconds.value < _LONGEST)
    name = node.add(
        "latent.decode_audio",
        vae=node.output("vae"),
        latent=samples,
        seconds=seconds if is_cut else None,
        tiled=True if node.source.class_type == "VAEDecodeAudioTiled" else None,
    )
    node.set_outputs(LinkValue("AUDIO", Output(name, "audio")))


def _encode(node: NodeConversion) -> None:
    vae = node.output("vae")
    loader = node.workflow.document.graph.nodes.get(vae.node) if vae is not None else None
    of_songs = str(loader.values.get("file", "") if loader else "").lower().startswith("ace")
    rate = _SONG_RATE if of_songs else _RATE
    same_rate = node.add("audio.resample", audio=node.output("audio"), rate=rate)
    audio = Output(same_rate, "audio")
    name = node.add("latent.encode_audio", vae=vae, audio=audio)
    node.set_outputs(LinkValue("LATENT", Output(name, "latent"), sound=True))


_LATENT = ("LATENT",)

ROWS = (
    Row(
        "EmptyLatentAudio",
        "Empty Latent Audio",
        ("seconds", "batch_size"),
        _LATENT,
        (),
        _nothing,
        "Seconds and batch of the audio noise.",
        virtual=True,
    ),
    *(
        Row(
            kind,
            name,
            ("seconds", "batch_size"),
            _LATENT,
            (),
            _nothing_of_a_song,
            "Seconds and batch of the audio noise.",
            virtual=True,
        )
        for kind, name in (
            ("EmptyAceStepLatentAudio", "Empty Ace Step 1.0 Latent Audio"),
            ("EmptyAceStep1.5LatentAudio", "Empty Ace Step 1.5 Latent Audio"),
        )
    ),
    Row(
        "ConditioningStableAudio",
        "ConditioningStableAudio",
        ("seconds_start", "seconds_total"),
        ("CONDITIONING",) * 2,
        (),
        _tell_seconds,
        "Seconds of the audio noise.",
        virtual=True,
    ),
    *(
        Row(kind, name, widgets, ("AUDIO",), ("latent.decode_audio",), _decode)
        for kind, name, widgets in (
            ("VAEDecodeAudio", "VAE Decode Audio", ()),
            ("VAEDecodeAudioTiled", "VAE Decode Audio (Tiled)", ("tile_size", "overlap")),
        )
    ),
    Row(
        "VAEEncodeAudio",
        "VAE Encode Audio",
        (),
        _LATENT,
        ("audio.resample", "latent.encode_audio"),
        _encode,
    ),
)
