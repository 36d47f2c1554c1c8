"""Videos and sounds from files and into files, by FFmpeg (PyAV); numpy, no torch, no Qt."""

from nodeforge.media.container import AUDIO_SUFFIXES, VIDEO_SUFFIXES
from nodeforge.media.errors import (
    ClipTooLargeError,
    CutOffError,
    MediaError,
    MissingStreamError,
    RangeError,
)
from nodeforge.media.facts import AudioFacts, VideoFacts, probe_audio, probe_video
from nodeforge.media.reading import (
    MOST_CLIP,
    Clip,
    check_clip,
    fitted_size,
    read_frame,
    read_video,
)
from nodeforge.media.sound import Samples, Sound, read_audio
from nodeforge.media.sound_writing import AudioFormat, SampleDepth, write_audio
from nodeforge.media.texts import read_media_text
from nodeforge.media.timeline import Selection, TimeUnit
from nodeforge.media.writing import VideoFormat, check_video, write_video
