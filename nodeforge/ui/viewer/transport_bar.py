"""The transport row: play, frame by frame, timeline, loop, speed, sound."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common.icons import icon
from nodeforge.ui.fields.elided import ElidedLabel
from nodeforge.ui.viewer.player import Player

SPEEDS = (0.25, 0.5, 1.0, 1.5, 2.0)
_PLAY, _PAUSE = ("play", "Play (Space)"), ("pause", "Pause (Space)")


class TransportBar(QWidget):
    """Controls a player.

    Args:
        player: What it controls.
        keys: The keys for a frame back, a frame on, the first and the last frame, for tooltips.
    """

    muted = Signal(bool)
    """The sound was switched off, or on."""

    def __init__(self, player: Player, keys: tuple[str, str, str, str]) -> None:
        super().__init__()
        self._player = player
        self.setAccessibleName("Playback")
        self.timeline = QSlider(Qt.Orientation.Horizontal)
        self.timeline.setAccessibleName("Timeline")
        self.timeline.setToolTip("Drag to another time")
        self.timeline.valueChanged.connect(self._slid)
        self.place = QLabel()
        self.place.setProperty("role", "dim")
        before, after, first, last = keys
        self.first = _button(
            "skip-back", _named("First frame", first), lambda: player.step(-(2**30))
        )
        self.before = _button(
            "caret-left", _named("Previous frame", before), lambda: player.step(-1)
        )
        self.play = _button(*_PLAY, player.toggle)
        self.after = _button("caret-right", _named("Next frame", after), lambda: player.step(1))
        self.last = _button("skip-forward", _named("Last frame", last), lambda: player.step(2**30))
        self.loop = _button("repeat", "Loop (L)", self._switch_loop)
        self.loop.setCheckable(True)
        self.loop.setChecked(player.loop)
        self.speed = QComboBox()
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip("Speed; the pitch of the sound goes with it")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g}×", speed)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.speed.currentIndexChanged.connect(lambda _: player.set_speed(self.speed.currentData()))
        self.sound = _button("speaker-high", "Sound off", self._switch_sound)
        self.sound.setCheckable(True)
        self._notice = QWidget()
        self.notice = ElidedLabel()
        self.notice.setProperty("role", "dim")
        self.copy = _button("copy", "Copy the command", self._copy_command)
        self._command = ""
        self._lay_out()
        self.show_notice("")
        player.moved.connect(self._show_position)
        player.playing_changed.connect(self._show_playing)

    @property
    def controls(self) -> list[QWidget]:
        """What takes the focus, in tab order."""
        buttons = [self.first, self.before, self.play, self.after, self.last, self.loop]
        return [self.timeline, *buttons, self.speed, self.sound, self.copy]

    def show_clip(self) -> None:
        """Show the controls of the player's clip."""
        facts = self._player.facts
        self.timeline.blockSignals(True)
        self.timeline.setRange(0, max(0, self._player.count - 1))
        self.timeline.setPageStep(max(1, self._player.count // 10))
        self.timeline.blockSignals(False)
        self.sound.setVisible(facts.sound > 0)
        self._show_position(self._player.position)

    def show_notice(self, text: str, command: str = "") -> None:
        """Say why there is no sound, and what would mend it; empty for nothing."""
        self._command = command
        self.notice.set_whole_text(f"{text} {command}".strip())
        self.copy.setVisible(bool(command))
        self._notice.setVisible(bool(text))
        self.sound.setEnabled(not text)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 0)
        column.setSpacing(4)
        row, buttons, notice = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(self._notice)
        row.addWidget(self.timeline, 1)
        row.addWidget(self.place)
        buttons.setSpacing(2)
        for part in (self.first, self.before, self.play, self.after, self.last):
            buttons.addWidget(part)
        buttons.addStretch(1)
        for part in (self.loop, self.speed, self.sound):
            buttons.addWidget(part)
        notice.setContentsMargins(0, 0, 0, 0)
        notice.addWidget(self.notice, 1)
        notice.addWidget(self.copy)
        column.addLayout(row)
        column.addLayout(buttons)
        column.addWidget(self._notice)
        for one, next_one in zip(self.controls, self.controls[1:], strict=False):
            self.setTabOrder(one, next_one)

    def _slid(self, position: int) -> None:
        self._player.seek(position)

    def _show_position(self, position: int) -> None:
        player = self._player
        self.timeline.blockSignals(True)
        self.timeline.setValue(position)
        self.timeline.blockSignals(False)
        seconds, whole = player.seconds, player.facts.seconds
        if player.facts.frames:
            whole = player.count / player.rate
        text = f"{time_text(seconds)} / {time_text(whole)}"
        if player.facts.frames:
            text += f"   {position + 1}/{player.count}"
            self.timeline.setToolTip(f"Frame {position + 1} of {player.count}; drag to another")
        self.place.setText(text)

    def _show_playing(self, playing: bool) -> None:
        name, text = _PAUSE if playing else _PLAY
        self.play.setIcon(icon(name))
        self.play.setToolTip(text)
        self.play.setAccessibleName(text.partition(" (")[0])

    def _switch_loop(self) -> None:
        self._player.loop = self.loop.isChecked()

    def _switch_sound(self) -> None:
        off = self.sound.isChecked()
        text = "Sound on" if off else "Sound off"
        self.sound.setIcon(icon("speaker-slash" if off else "speaker-high"))
        self.sound.setToolTip(text)
        self.sound.setAccessibleName(text)
        self.muted.emit(off)

    def _copy_command(self) -> None:
        QGuiApplication.clipboard().setText(self._command)


def time_text(seconds: float) -> str:
    """A time in a clip: ``0:02.40``, ``1:02:03.00``."""
    hundredths = round(max(0.0, seconds) * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def _named(text: str, key: str) -> str:
    return f"{text} ({key})" if key else text


def _button(name: str, text: str, do: Callable[[], object]) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(name))
    button.setToolTip(text)
    button.setAccessibleName(text.partition(" (")[0])
    button.clicked.connect(do)
    return button
