"""Videos and sounds from files and into files, by FFmpeg (PyAV); numpy, no torch, no Qt.

Frames are uint8, (frames, height, width, 3), sRGB; samples float32, (channels, samples).
"""

from nodeforge.media import clip_edits, sound_edits
from nodeforge.media.clip_edits import SpeedChange
from nodeforge.media.container import AUDIO_SUFFIXES, VIDEO_SUFFIXES
from nodeforge.media.errors import (
    ClipTooLargeError,
    CutOffError,
    MediaError,
    MissingStreamError,
    RangeError,
)
from nodeforge.media.facts import AudioFacts, VideoFacts, probe_audio, probe_video
from nodeforge.media.reading import MOST_CLIP, Clip, check_clip, read_frame, read_video
from nodeforge.media.saving import save_audio, save_video
from nodeforge.media.sound import MOST_SOUND, Samples, Sound, read_audio
from nodeforge.media.sound_writing import AudioFormat, SampleDepth, write_audio
from nodeforge.media.texts import read_media_text
from nodeforge.media.timeline import Selection, TimeUnit
from nodeforge.media.writing import VideoFormat, check_video, write_video

__all__ = [
    "AUDIO_SUFFIXES",
    "MOST_CLIP",
    "MOST_SOUND",
    "VIDEO_SUFFIXES",
    "AudioFacts",
    "AudioFormat",
    "Clip",
    "ClipTooLargeError",
    "CutOffError",
    "MediaError",
    "MissingStreamError",
    "RangeError",
    "SampleDepth",
    "Samples",
    "Selection",
    "Sound",
    "SpeedChange",
    "TimeUnit",
    "VideoFacts",
    "VideoFormat",
    "check_clip",
    "check_video",
    "clip_edits",
    "probe_audio",
    "probe_video",
    "read_audio",
    "read_frame",
    "read_media_text",
    "read_video",
    "save_audio",
    "save_video",
    "sound_edits",
    "write_audio",
    "write_video",
]
