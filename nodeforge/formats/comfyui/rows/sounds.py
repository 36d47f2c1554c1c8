"""Sounds: ComfyUI's own nodes and those of VideoHelperSuite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodeforge.formats.comfyui.link_value import LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row, single_node
from nodeforge.formats.comfyui.rows.images import file_prefix, picture
from nodeforge.graph.model import Input, Output

_AUDIO = ("AUDIO",)


def _set_audio(node: NodeConversion, made: str) -> None:
    node.set_outputs(LinkValue("AUDIO", Output(made, "audio")))


def _load(node: NodeConversion) -> None:
    _set_audio(node, node.add("audio.load", file=picture(node, "audio")))


def _load_part(node: NodeConversion, file: str, start: str) -> None:
    """VideoHelperSuite's: a part of a sound."""
    begins, seconds = node.known_value(start, 0.0), node.known_value("duration", 0.0)
    end = begins + seconds if seconds else 0.0
    _set_audio(node, node.add("audio.load", file=picture(node, file), start=begins, end=end))


def _save(node: NodeConversion, format: str | None, bitrate: int | None = None) -> None:
    prefix = file_prefix(node, node.known_value("filename_prefix", "audio/ComfyUI"))
    audio = node.output("audio")
    node.add("audio.save", audio=audio, prefix=prefix, format=format, bitrate=bitrate)


def _save_opus(node: NodeConversion) -> None:
    _save(node, "opus", _bitrate(node.known_value("quality", "128k")))


def _save_mp3(node: NodeConversion) -> None:
    node.report_difference("The sound is saved as Opus; MP3 is not written here")
    _save(node, "opus", _bitrate(node.known_value("quality", "V0")))


def _save_advanced(node: NodeConversion) -> None:
    chosen = node.known_value("format", "flac")
    quality = _bitrate(node.known_value("format.quality", "128k"))
    if chosen == "mp3":
        node.report_difference("The sound is saved as Opus; MP3 is not written here")
    elif chosen not in ("flac", "opus", "wav"):
        raise NoCounterpartError(f"saves as '{chosen}', which is not written here.")
    packed = chosen in ("mp3", "opus")
    _save(node, "opus" if packed else chosen, quality if packed else None)


def _bitrate(quality: str) -> int:
    """Thousand bits a second; MP3's best variable rate is about 245."""
    return int(quality[:-1]) if quality[:-1].isdigit() and quality.endswith("k") else 245


def _trim(node: NodeConversion) -> None:
    start, seconds = node.known_value("start_index", 0.0), node.known_value("duration", 60.0)
    end = start + seconds
    if start < 0 <= end:
        end = 0.0
    _set_audio(node, node.add("audio.trim", audio=node.output("audio"), start=start, end=end))


def _join(node: NodeConversion) -> None:
    first, second = node.output("audio1"), node.output("audio2")
    if node.known_value("direction", "after") == "before":
        first, second = second, first
    made = node.add("audio.join")
    for place, feed in enumerate(each for each in (first, second) if each is not None):
        node.links[Input(made, "audios", place)] = feed
    _set_audio(node, made)


def _mix(node: NodeConversion) -> None:
    method = node.known_value("merge_method", "add")
    if method not in ("add", "mean"):
        raise NoCounterpartError(f"merges by '{method}', which our mixing does not know.")
    made = node.add("audio.mix", first=node.output("audio1"), second=node.output("audio2"))
    if method == "mean":
        made = node.add("audio.gain", audio=Output(made, "audio"), decibels=_HALF)
    else:
        node.report_difference("A sum louder than full scale is scaled down there, and not here")
    _set_audio(node, made)


def _encode_song(node: NodeConversion) -> None:
    """A song of ACE-Step 1.5; where its language model plans it, the caption alone does here."""
    if node.known_value("generate_audio_codes", True):
        node.report_difference(
            "A language model plans the song there (generate_audio_codes); here the model hears "
            "caption and lyrics alone, as without it"
        )
    told = {
        "language": node.input_value("language", "en"),
        "bpm": node.input_value("bpm", 120),
        "key": node.input_value("keyscale", ""),
        "time_signature": node.known_value("timesignature", "4"),
        "seconds": node.input_value("duration", 120.0),
    }
    _add_song(node, told)


def _encode_old_song(node: NodeConversion) -> None:
    if node.known_value("lyrics_strength", 1.0) != 1.0:
        node.report_difference("Lyrics have their full strength here")
    _add_song(node, {})


def _add_song(node: NodeConversion, told: Mapping[str, Any]) -> None:
    clip = node.link_value("clip")
    texts = {"caption": node.input_value("tags", ""), "lyrics": node.input_value("lyrics", "")}
    name = node.add("text.encode_song", text_encoder=clip, **texts, **told)
    family = clip.family if clip else ""
    node.set_outputs(LinkValue("CONDITIONING", Output(name, "conditioning"), family=family))


_HALF = -6.0206
"""Decibels of half the amplitude."""
_SONG = (
    *("tags", "lyrics", "seed", "bpm", "duration", "timesignature", "language", "keyscale"),
    *("generate_audio_codes", "cfg_scale", "temperature", "top_p", "top_k", "min_p"),
)

ROWS = (
    Row(
        "LoadAudio",
        "Load Audio",
        ("audio", "audioUI", "upload"),
        _AUDIO,
        ("audio.load",),
        _load,
        "Sounds are looked for in NodeForge's folder *inputs*.",
    ),
    *(
        Row(
            kind,
            name,
            (file, start, "duration"),
            _AUDIO,
            ("audio.load",),
            lambda node, file=file, start=start: _load_part(node, file, start),
        )
        for kind, name, file, start in (
            ("VHS_LoadAudio", "Load Audio (Path)🎥🅥🅗🅢", "audio_file", "seek_seconds"),
            ("VHS_LoadAudioUpload", "Load Audio (Upload)🎥🅥🅗🅢", "audio", "start_time"),
        )
    ),
    Row(
        "SaveAudio",
        "Save Audio (FLAC)",
        ("filename_prefix", "audioUI"),
        (),
        ("audio.save",),
        lambda node: _save(node, None),
    ),
    Row(
        "SaveAudioOpus",
        "Save Audio (Opus)",
        ("filename_prefix", "quality", "audioUI"),
        (),
        ("audio.save",),
        _save_opus,
    ),
    Row(
        "SaveAudioMP3",
        "Save Audio (MP3)",
        ("filename_prefix", "quality", "audioUI"),
        (),
        ("audio.save",),
        _save_mp3,
        "Saved as Opus.",
    ),
    Row(
        "SaveAudioAdvanced",
        "Save Audio (Advanced)",
        ("filename_prefix", "format", "format.quality"),
        (),
        ("audio.save",),
        _save_advanced,
    ),
    single_node(
        "PreviewAudio",
        "Preview Audio",
        "audio.preview",
        {"audio": "audio"},
        widgets="audioUI",
    ),
    Row(
        "TextEncodeAceStepAudio1.5",
        "TextEncodeAceStepAudio1.5",
        _SONG,
        ("CONDITIONING",),
        ("text.encode_song",),
        _encode_song,
        "Without the language model that plans the song there.",
    ),
    Row(
        "TextEncodeAceStepAudio",
        "TextEncodeAceStepAudio",
        ("tags", "lyrics", "lyrics_strength"),
        ("CONDITIONING",),
        ("text.encode_song",),
        _encode_old_song,
        "Of ACE-Step 1, which is not run; for ACE-Step 1.5 it says as much.",
    ),
    single_node(
        "EmptyAudio",
        "Empty Audio",
        "audio.silence",
        {},
        "AUDIO:audio",
        values={
            "seconds": ("duration", 60.0),
            "rate": ("sample_rate", 44_100),
            "channels": ("channels", 2),
        },
    ),
    Row(
        "TrimAudioDuration",
        "Trim Audio Duration",
        ("start_index", "duration"),
        _AUDIO,
        ("audio.trim",),
        _trim,
    ),
    Row("AudioConcat", "Audio Concat", ("direction",), _AUDIO, ("audio.join",), _join),
    Row(
        "AudioMerge",
        "Audio Merge",
        ("merge_method",),
        _AUDIO,
        ("audio.mix", "audio.gain"),
        _mix,
    ),
    single_node(
        "AudioAdjustVolume",
        "Audio Adjust Volume",
        "audio.gain",
        {"audio": "audio"},
        "AUDIO:audio",
        values={"decibels": ("volume", 1)},
    ),
)
