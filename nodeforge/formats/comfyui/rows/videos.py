"""Videos: ComfyUI's own nodes and those of VideoHelperSuite, which pass frames as pictures."""

from __future__ import annotations

from nodeforge.formats.comfyui.link_value import InputValue, LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows.images import file_prefix, picture
from nodeforge.graph.model import Input, Output

_VIDEO, _IMAGE = ("VIDEO",), ("IMAGE",)


def _load(node: NodeConversion) -> None:
    made = node.add("video.load", file=picture(node, "file"))
    node.set_outputs(LinkValue("VIDEO", Output(made, "video")))


def _save(node: NodeConversion) -> None:
    chosen = node.known_value("format", "auto")
    if chosen not in ("auto", "mp4"):
        raise NoCounterpartError(f"saves as '{chosen}', which is not written here.")
    prefix = file_prefix(node, node.known_value("filename_prefix", "video/ComfyUI"))
    node.add("video.save", video=node.output("video"), prefix=prefix)


def _components(node: NodeConversion) -> None:
    video = node.output("video")
    told = node.add("video.components", video=video)
    frames = node.add("video.to_images", video=video)
    node.set_outputs(
        LinkValue("IMAGE", Output(frames, "image")),
        LinkValue("AUDIO", Output(told, "audio")),
        LinkValue("FLOAT", Output(told, "rate")),
    )


def _slice(node: NodeConversion) -> None:
    start, seconds = node.known_value("start_time", 0.0), node.known_value("duration", 0.0)
    end = start + seconds if seconds else 0.0
    if start < 0 <= end and seconds:
        end = 0.0
    made = node.add("video.trim", video=node.output("video"), start=start, end=end)
    node.set_outputs(LinkValue("VIDEO", Output(made, "video")))


def video_of(
    node: NodeConversion, images: str, rate: InputValue | None = None, audio: Output | None = None
) -> Output:
    """Pictures as a video: the one whose frames they are, where it can play at the rate.

    Args:
        node: The node being converted.
        images: Its input for the pictures.
        rate: Frames a second; None is any.
        audio: The sound.
    """
    link = node.link_value(images)
    clip = link.clip if link is not None and link.output is None else None
    if clip is None or (rate is not None and not _plays_at(node, clip, rate)):
        made = node.add("video.from_images", images=link, rate=rate, audio=audio)
        return Output(made, "video")
    if audio is None:
        return clip
    return Output(node.add("video.set_audio", video=clip, audio=audio), "video")


def _plays_at(node: NodeConversion, clip: Output, rate: InputValue) -> bool:
    """Let a decoded video play at a rate; whether that is its rate then."""
    graph, end = node.workflow.document.graph, Input(clip.node, "rate")
    made = graph.nodes[clip.node]
    if made.type != "latent.decode_video":
        return False
    known = graph.links.get(end) or made.values.get("rate")
    given = rate.value if rate.output is None else rate.output
    if known is not None:
        return known == given
    if rate.output is not None:
        graph.links[end] = rate.output
    else:
        made.values["rate"] = rate.value
    return True


def _create(node: NodeConversion) -> None:
    video = video_of(node, "images", node.input_value("fps", 30.0), node.output("audio"))
    node.set_outputs(LinkValue("VIDEO", video))


def _save_frames(
    node: NodeConversion, format: str, rate: float, quality: int | None = None, audio: bool = False
) -> None:
    """Pictures as a video that is saved."""
    sound = node.output("audio") if audio else None
    video = video_of(node, "images", node.input_value("fps", rate), sound)
    prefix = file_prefix(node, node.known_value("filename_prefix", "ComfyUI"))
    node.add("video.save", video=video, prefix=prefix, format=format, quality=quality)


def _save_webm(node: NodeConversion) -> None:
    if node.known_value("codec", "vp9") != "vp9":
        node.report_difference("A WebM is encoded in VP9 here, not in AV1")
    crf = node.known_value("crf", 32.0)
    _save_frames(node, "webm", 24.0, _quality(crf, 63, 0.45))


def _save_webp(node: NodeConversion) -> None:
    quality = 100 if node.known_value("lossless", True) else node.known_value("quality", 80)
    _save_frames(node, "webp", 6.0, min(max(quality, 1), 100))


def _save_apng(node: NodeConversion) -> None:
    _save_frames(node, "apng", 6.0)


def _quality(crf: float, worst: float, a_step: float) -> int:
    """Our quality for an encoder's constant rate factor, as `nodeforge.media` counts it."""
    return min(max(round((worst - crf) / a_step), 1), 100)


_FORMATS = {
    **dict.fromkeys(("image/gif", "video/ffmpeg-gif"), "gif"),
    "image/webp": "webp",
    **dict.fromkeys(("video/h264-mp4", "video/nvenc_h264-mp4"), "mp4"),
    "video/webm": "webm",
    "video/ffv1-mkv": "mkv",
    **dict.fromkeys(("video/8bit-png", "video/16bit-png"), "png sequence"),
}
_INSTEAD = {
    "video/h265-mp4": ("mp4", "H.265"),
    "video/nvenc_hevc-mp4": ("mp4", "H.265"),
    "video/nvenc_av1-mp4": ("mp4", "AV1"),
    "video/av1-webm": ("webm", "AV1"),
    "video/ProRes": ("mkv", "ProRes"),
}
_OURS = {"mp4": "H.264", "webm": "VP9", "mkv": "FFV1"}


def _combine(node: NodeConversion) -> None:
    """VideoHelperSuite's: pictures, a rate and a sound to a file."""
    format = _combined_format(node)
    rate = node.input_value("frame_rate", 8.0)
    video = video_of(node, "images", rate, node.output("audio"))
    if node.known_value("pingpong", False):
        video = _there_and_back(node, video)
    if node.known_value("trim_to_audio", False):
        node.report_difference("The video is not cut to its sound; 'Set sound of video' can")
    node.set_outputs(LinkValue("VHS_FILENAMES"))
    if not node.known_value("save_output", True):
        node.add("video.preview", video=video)
        return
    prefix = file_prefix(node, node.known_value("filename_prefix", "AnimateDiff"))
    crf = node.source.values.get("crf")
    known = {"mp4": (51, 0.4), "webm": (63, 0.45)}.get(format)
    quality = _quality(crf, *known) if known and isinstance(crf, int | float) else None
    node.add("video.save", video=video, prefix=prefix, format=format, quality=quality)


def _combined_format(node: NodeConversion) -> str:
    chosen = node.known_value("format", "image/gif")
    if chosen in _FORMATS:
        return _FORMATS[chosen]
    if chosen not in _INSTEAD:
        raise NoCounterpartError(f"saves as '{chosen}', which is not written here.")
    ours, codec = _INSTEAD[chosen]
    node.report_difference(f"The video is encoded in {_OURS[ours]} here, not in {codec}")
    return ours


def _there_and_back(node: NodeConversion, video: Output) -> Output:
    """A video that plays forth and back, with neither end twice."""
    back = node.add("video.reverse", video=video)
    middle = node.add("video.trim", video=Output(back, "video"), start=1, end=-1, unit="frames")
    made = node.add("video.join")
    for place, part in enumerate((video, Output(middle, "video"))):
        node.links[Input(made, "videos", place)] = part
    return Output(made, "video")


_MOST = 10**9
"""Frames; more in a file is nonsense, and no float holds every number."""
_OLD_SIZES = {"Custom Width": (True, False), "Custom Height": (False, True), "Custom": (True, True)}


def _load_frames(node: NodeConversion) -> None:
    """VideoHelperSuite's: a range of a video as pictures, with its sound."""
    rate = node.known_value("force_rate", 0.0)
    skipped = min(node.known_value("skip_first_frames", 0), _MOST)
    wide, high = _forced_size(node)
    made = node.add(
        "video.load",
        file=picture(node, "video"),
        start=skipped / rate if rate else float(skipped),
        unit=None if rate or not skipped else "frames",
        every=max(1, node.known_value("select_every_nth", 1)),
        rate=rate,
        most=node.known_value("frame_load_cap", 0),
        width=wide,
        height=high,
    )
    video = Output(made, "video")
    frames, told = node.add("video.to_images", video=video), ""
    if any(node.workflow.is_linked(node.source, slot) for slot in (1, 2)):
        told = node.add("video.components", video=video)
    node.set_outputs(
        LinkValue("IMAGE", Output(frames, "image")),
        LinkValue("INT", Output(told, "frames")) if told else LinkValue("INT"),
        LinkValue("AUDIO", Output(told, "audio")) if told else LinkValue("AUDIO"),
        LinkValue("VHS_VIDEOINFO", video),
    )


def _forced_size(node: NodeConversion) -> tuple[int, int]:
    """Width and height that frames get; 0 goes by the other, or is the file's."""
    wide, high = node.known_value("custom_width", 0), node.known_value("custom_height", 0)
    forced = node.source.values.get("force_size")
    if not isinstance(forced, str):
        return wide, high
    if forced == "Disabled":
        return 0, 0
    if forced in _OLD_SIZES:
        takes = _OLD_SIZES[forced]
        return wide if takes[0] else 0, high if takes[1] else 0
    given = [int(each) if each.isdigit() else 0 for each in forced.split("x")]
    return (given[0], given[1]) if len(given) == 2 else (0, 0)


def _info(node: NodeConversion) -> None:
    """VideoHelperSuite's facts of a video as it was loaded."""
    video = node.output("video_info")
    if video is None:
        raise NoCounterpartError("nothing feeds its 'video_info'.")
    made = node.add("video.components", video=video)
    ports = ("rate", "frames", "seconds", "width", "height")
    kinds = ("FLOAT", "INT", "FLOAT", "INT", "INT")
    node.set_outputs(
        *(LinkValue(kind, Output(made, port)) for kind, port in zip(kinds, ports, strict=True))
    )


_FRAMES = ("IMAGE", "INT", "AUDIO", "VHS_VIDEOINFO")
_RANGE = (
    *("video", "force_rate", "custom_width", "custom_height", "frame_load_cap"),
    *("skip_first_frames", "select_every_nth", "format"),
)
_LOADED = ("video.load", "video.to_images", "video.components")
_SAVED = ("video.from_images", "video.set_audio", "video.save")
_INPUTS = "Videos are looked for in NodeForge's folder *inputs*."

ROWS = (
    Row("LoadVideo", "Load Video", ("file", "upload"), _VIDEO, ("video.load",), _load, _INPUTS),
    Row(
        "SaveVideo",
        "Save Video",
        ("filename_prefix", "format", "codec"),
        (),
        ("video.save",),
        _save,
    ),
    Row(
        "CreateVideo",
        "Create Video",
        ("fps",),
        _VIDEO,
        ("video.from_images", "video.set_audio"),
        _create,
        "Of a decoded video: the rate that it is decoded at.",
    ),
    Row(
        "GetVideoComponents",
        "Get Video Components",
        (),
        ("IMAGE", "AUDIO", "FLOAT"),
        ("video.components", "video.to_images"),
        _components,
    ),
    Row(
        "Video Slice",
        "Video Slice",
        ("start_time", "duration", "strict_duration"),
        _VIDEO,
        ("video.trim",),
        _slice,
    ),
    Row(
        "SaveWEBM",
        "Save WEBM",
        ("filename_prefix", "codec", "fps", "crf"),
        (),
        _SAVED,
        _save_webm,
    ),
    Row(
        "SaveAnimatedWEBP",
        "Save Animated WEBP",
        ("filename_prefix", "fps", "lossless", "quality", "method"),
        (),
        _SAVED,
        _save_webp,
    ),
    Row(
        "SaveAnimatedPNG",
        "Save Animated PNG",
        ("filename_prefix", "fps", "compress_level"),
        (),
        _SAVED,
        _save_apng,
    ),
    *(
        Row(kind, name, _RANGE, _FRAMES, _LOADED, _load_frames, _INPUTS)
        for kind, name in (
            ("VHS_LoadVideo", "Load Video (Upload) 🎥🅥🅗🅢"),
            ("VHS_LoadVideoPath", "Load Video (Path) 🎥🅥🅗🅢"),
        )
    ),
    Row(
        "VHS_VideoCombine",
        "Video Combine 🎥🅥🅗🅢",
        (
            *("frame_rate", "loop_count", "filename_prefix", "format", "pingpong"),
            *("save_output", "pix_fmt", "crf", "save_metadata", "trim_to_audio"),
        ),
        ("VHS_FILENAMES",),
        (*_SAVED, "video.preview", "video.reverse", "video.trim", "video.join"),
        _combine,
    ),
    Row(
        "VHS_VideoInfoLoaded",
        "Video Info (Loaded) 🎥🅥🅗🅢",
        (),
        ("FLOAT", "INT", "FLOAT", "INT", "INT"),
        ("video.components",),
        _info,
    ),
)
