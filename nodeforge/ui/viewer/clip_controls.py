"""What lies under a picture that plays: the waveform and the transport row; and the keys."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QHideEvent, QImage, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QVBoxLayout, QWidget

from nodeforge.ui.running.result_clips import ClipSource, Sound
from nodeforge.ui.viewer.picture_view import PictureView
from nodeforge.ui.viewer.player import Player
from nodeforge.ui.viewer.sound_output import SoundOutput, SoundUnavailableError, check_sound
from nodeforge.ui.viewer.transport_bar import TransportBar
from nodeforge.ui.viewer.waveform_strip import WaveformStrip

_STEP = 64
"""Pixels by which frames are asked for in other sizes while the view is resized."""
_KEYPAD = Qt.KeyboardModifier.KeypadModifier
_Key = Qt.Key


class ClipControls(QWidget):
    """Plays clips in a picture view; hidden while there is none.

    Args:
        view: Where the frames are shown.
        arrows: Whether the arrow keys, Home and End go through the frames; else they are left to
            whoever has them, and comma and period alone do.
    """

    def __init__(self, view: PictureView, *, arrows: bool = True) -> None:
        super().__init__()
        self.view = view
        self.player = Player()
        keys = ("Left", "Right", "Home", "End") if arrows else (",", ".", "", "")
        self.transport = TransportBar(self.player, keys)
        self.waveform = WaveformStrip()
        self._sound: SoundOutput | None = None
        self._keys: dict[int, Callable[[], None]] = {
            _Key.Key_Space: self.player.toggle,
            _Key.Key_Comma: lambda: self.player.step(-1),
            _Key.Key_Period: lambda: self.player.step(1),
            _Key.Key_L: self.transport.loop.click,
        }
        if arrows:
            self._keys |= {
                _Key.Key_Left: lambda: self.player.step(-1),
                _Key.Key_Right: lambda: self.player.step(1),
                _Key.Key_Home: lambda: self.player.step(-(2**30)),
                _Key.Key_End: lambda: self.player.step(2**30),
            }
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.waveform)
        column.addWidget(self.transport)
        self.player.frame_shown.connect(self._show_frame)
        self.player.moved.connect(self._show_position)
        self.player.playing_changed.connect(self._switch_sound)
        self.player.jumped.connect(self._place_sound)
        self.transport.muted.connect(self._mute)
        self.waveform.sought.connect(self._seek_share)
        self.waveform.resized.connect(self._ask_waveform)
        view.zoomed.connect(lambda _: self._choose_size())
        self.watch(view, *self.transport.controls)
        self.hide()

    @property
    def is_open(self) -> bool:
        """Whether there is a clip."""
        return self.player.source is not None

    def open(self, source: ClipSource | None, share: float = 0.0) -> None:
        """Show a clip, standing still at a share of its length; the one that is shown stays."""
        known = self.player.source
        if source is not None and known is not None and source.key == known.key:
            return
        self._end_sound()
        self.transport.show_notice("")
        self.waveform.show_image(None)
        self.view.set_playhead(None)
        self.player.open(source, share)
        self.setVisible(source is not None)
        if source is None:
            return
        facts = source.facts
        self.waveform.setVisible(facts.frames > 0 and facts.sound > 0)
        self.transport.show_clip()
        self._show_position(self.player.position)
        self._choose_size()
        self._ask_waveform(self.waveform.pixels)
        if facts.sound:
            try:
                check_sound()
            except SoundUnavailableError as error:
                self.transport.show_notice(error.fact, error.command)

    def watch(self, *parts: QWidget) -> None:
        """Take the clip's keys also while one of these has the focus."""
        for part in parts:
            part.installEventFilter(self)

    def pause(self) -> None:
        self.player.pause()

    def handle_key(self, event: QKeyEvent) -> bool:
        """Whether a key was one of the clip's; then it has acted."""
        do = self._key_of(event)
        if do is not None:
            do()
        return do is not None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Keys of the picture and of the controls; a button keeps its own Space."""
        if not isinstance(event, QKeyEvent) or self._key_of(event) is None:
            return False
        if event.key() == _Key.Key_Space and isinstance(watched, QAbstractButton | QComboBox):
            return False
        if event.type() is QEvent.Type.ShortcutOverride:  # the window has these as shortcuts
            event.accept()
            return True
        return event.type() is QEvent.Type.KeyPress and self.handle_key(event)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        self.pause()
        super().hideEvent(event)

    def _key_of(self, event: QKeyEvent) -> Callable[[], None] | None:
        if not self.is_open or event.modifiers() & ~_KEYPAD:
            return None
        return self._keys.get(event.key())

    def _show_frame(self, image: QImage) -> None:
        facts = self.player.facts
        self.view.show_image(image, size=QSize(facts.width, facts.height))

    def _show_position(self, position: int) -> None:
        share = position / max(1, self.player.count - 1)
        self.waveform.show_share(share)
        if self.is_open and not self.player.facts.frames:
            self.view.set_playhead(share)

    def _choose_size(self) -> None:
        """Ask for frames as large as they are shown, in steps."""
        facts = self.player.facts
        if not facts.frames:
            return
        longest = max(facts.width, facts.height)
        size = QSize(facts.width, facts.height)
        shown = longest * self.view.zoom_of(size)
        self.player.set_longest(min(longest, max(_STEP, math.ceil(shown / _STEP) * _STEP)))

    def _ask_waveform(self, pixels: QSize) -> None:
        source = self.player.source
        if source is None or not source.facts.sound or not source.facts.frames:
            return
        length = self.player.count / self.player.rate

        def show(image: QImage | None) -> None:
            if source is self.player.source:
                self.waveform.show_image(image, source.facts.sound / length)

        if pixels.width() > 0 and not pixels.isEmpty():
            source.request_waveform(pixels.width(), pixels.height(), show)

    def _seek_share(self, share: float) -> None:
        self.player.seek(round(share * (self.player.count - 1)))

    def _switch_sound(self, playing: bool) -> None:
        if not playing:
            if self._sound is not None:
                self._sound.stop()
        elif self._sound is not None:
            self._place_sound()
        elif self.player.source is not None and self.transport.sound.isEnabled():
            self._ask_sound(self.player.source)

    def _ask_sound(self, source: ClipSource) -> None:
        """Have the sound sent, once it is to be heard."""
        if not source.facts.sound:
            return

        def use(sound: Sound | None) -> None:
            if sound is None or source is not self.player.source or self._sound is not None:
                return
            try:
                self._sound = SoundOutput(sound, self)
            except SoundUnavailableError as error:
                self.transport.show_notice(error.fact, error.command)
                return
            self._mute(self.transport.sound.isChecked())
            self._place_sound()

        source.request_sound(use)

    def _place_sound(self) -> None:
        """Play the sound from where the frames are."""
        if self._sound is not None and self.player.playing:
            self._sound.play(self.player.seconds, self.player.speed)

    def _mute(self, muted: bool) -> None:
        if self._sound is not None:
            self._sound.set_muted(muted)

    def _end_sound(self) -> None:
        if self._sound is not None:
            self._sound.stop()
            self._sound.deleteLater()
            self._sound = None
