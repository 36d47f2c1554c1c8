"""Plays sound by QtMultimedia, which is in PySide6-Addons and need not be installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6 import __version__ as version
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject

from nodeforge.errors import NodeForgeError
from nodeforge.ui.running.result_clips import Sound

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioSink  # pyright: ignore[reportMissingModuleSource]

COMMAND = f"pip install PySide6-Addons=={version}"
"""What installs it: of the version that is there, as others are not compatible."""
_BYTES = 2
_BUFFERED = 0.1
"""Seconds of sound on their way to the device."""


class SoundUnavailableError(NodeForgeError):
    """Sound cannot be played; `command` is what would mend that, empty for none."""

    def __init__(self, fact: str, command: str = "") -> None:
        super().__init__(fact)
        self.command = command


class SoundOutput(QObject):
    """The sound of one clip.

    Args:
        sound: What is played.
        parent: Owns it.

    Raises:
        SoundUnavailableError: QtMultimedia is not installed, or there is no output device.
    """

    def __init__(self, sound: Sound, parent: QObject) -> None:
        super().__init__(parent)
        check_sound()
        self._sound = sound
        self._content = QByteArray(sound.samples)
        self._buffer = QBuffer(self._content, self)
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self._sink: QAudioSink | None = None
        self._volume = 1.0

    def play(self, seconds: float, speed: float = 1.0) -> None:
        """Play from a time on; pitch goes with `speed`. Silent where the device cannot do it."""
        from PySide6.QtMultimedia import (  # pyright: ignore[reportMissingModuleSource]
            QAudioFormat,
            QAudioSink,
            QMediaDevices,
        )

        self.stop()
        sound = self._sound
        wanted = QAudioFormat()
        wanted.setSampleRate(max(1, round(sound.rate * speed)))
        wanted.setChannelCount(sound.channels)
        wanted.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        device = QMediaDevices.defaultAudioOutput()
        start = round(seconds * sound.rate) * sound.channels * _BYTES
        if start >= len(sound.samples) or not device.isFormatSupported(wanted):
            return
        self._buffer.seek(start)
        self._sink = QAudioSink(device, wanted, self)
        self._sink.setBufferSize(wanted.bytesForDuration(round(_BUFFERED * 1e6)))
        self._sink.setVolume(self._volume)
        self._sink.start(self._buffer)

    def stop(self) -> None:
        if self._sink is not None:
            self._sink.stop()
            self._sink.deleteLater()
            self._sink = None

    def set_muted(self, muted: bool) -> None:
        self._volume = 0.0 if muted else 1.0
        if self._sink is not None:
            self._sink.setVolume(self._volume)


def check_sound() -> None:
    """Raise `SoundUnavailableError` where sound cannot be played."""
    try:
        from PySide6.QtMultimedia import (  # pyright: ignore[reportMissingModuleSource]
            QMediaDevices,
        )
    except ModuleNotFoundError as error:
        raise SoundUnavailableError("Sound needs PySide6-Addons:", COMMAND) from error
    except ImportError as error:  # a library of the system is missing, as libpulse
        raise SoundUnavailableError(f"Sound cannot be played: {error}.") from error
    if QMediaDevices.defaultAudioOutput().isNull():
        raise SoundUnavailableError("There is no sound output.")
