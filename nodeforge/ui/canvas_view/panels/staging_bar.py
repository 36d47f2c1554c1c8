"""The staging bar: thumbnails of candidates, progress, and accept/discard buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.canvas_view.generation.generator import Generator
from nodeforge.ui.canvas_view.generation.staging_area import Candidate, Layers, StagingArea
from nodeforge.ui.canvas_view.generation.unchanged_parts import UnchangedParts
from nodeforge.ui.canvas_view.rendering.candidate_overlay import CandidateOverlay
from nodeforge.ui.canvas_view.rendering.layer_thumbnails import on_chequerboard, plain_icon
from nodeforge.ui.canvas_view.rendering.qt_images import to_image
from nodeforge.ui.common.icons import icon

_SIDE, _CHECK = 56, 7
_BETWEEN = 14
"""Pixels from picture to picture, as Qt lays icons out."""
_NOTCHES = 100
_ROOMY, _LEAST = 900, 560
"""Pixels of the bar from which its buttons have texts, and that it has at least."""
_OF_ONE_PICTURE = ("unchanged", "part")
"""Buttons for candidates without layers."""
_SLIDER, _SHORT_SLIDER = 140, 72


class StagingBar(QWidget):
    """Shown below the canvas while there are candidates or a generation runs."""

    def __init__(
        self,
        staging: StagingArea,
        candidate_overlay: CandidateOverlay,
        generator: Generator,
        unchanged_parts: UnchangedParts,
    ) -> None:
        super().__init__()
        self._staging, self._candidate_overlay, self._generator = (
            staging,
            candidate_overlay,
            generator,
        )
        self._unchanged = unchanged_parts
        self.setAccessibleName("Candidates")
        self.list = _row_of_pictures("Candidates")
        self.list.itemClicked.connect(lambda item: staging.select(self.list.row(item)))
        self.layers = _row_of_pictures("Layers of the candidate")
        self.layers.itemClicked.connect(lambda item: staging.show_layer(self.layers.row(item)))
        self.progress = QProgressBar(textVisible=False)
        self.words = QLabel()
        self.words.setProperty("role", "dim")
        self.split = _split_slider()
        self.split.valueChanged.connect(lambda value: candidate_overlay.set_split(value / _NOTCHES))
        self.buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(self.list, 5)
        row.addWidget(self.layers, 15)
        row.addWidget(self.words, 3)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addSpacing(8)
        self._compare = QLabel("Compare")
        row.addWidget(self._compare)
        row.addSpacing(4)
        row.addWidget(self.split)
        for name, text, picture, keys, do in self._actions():
            row.addWidget(self._button(name, text, picture, keys, do))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.progress)
        column.addLayout(row)
        self.setFixedHeight(_SIDE + 16)
        self._shown: list[Candidate] = []
        self._shown_layers: Layers | None = None
        staging.changed.connect(self._show)
        generator.changed.connect(self._show_progress)
        self._show()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(_LEAST, self.height())  # without texts

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Beside a wide panel the buttons have no texts but that to accept."""
        roomy = event.size().width() >= _ROOMY
        for name, text, *_ in self._actions():
            short = not roomy and name != "accept"
            self.buttons[name].setText("" if short else text)
        self._compare.setVisible(roomy)
        self.split.setFixedWidth(_SLIDER if roomy else _SHORT_SLIDER)
        super().resizeEvent(event)

    def _actions(self) -> list[tuple[str, str, str, str, Callable[[], object]]]:
        staging, generator = self._staging, self._generator
        return [
            ("previous", "", "caret-left", "Left", lambda: staging.step(-1)),
            ("next", "", "caret-right", "Right", lambda: staging.step(1)),
            ("show", "Show", "eye", "", lambda: staging.set_aside(False)),
            ("more", "More like this", "sparkle", "Ctrl+M", generator.more_like_this),
            ("unchanged", "Keep unchanged", "intersect", "", self._unchanged.toggle),
            ("part", "Paint in", "paint-roller", "Shift+Enter", staging.accept_part),
            ("discard", "Discard", "x", "Backspace", staging.discard),
            ("cancel", "Cancel", "stop", "Esc", generator.cancel),
            ("accept", "Accept", "check", "Enter", staging.accept),
        ]

    def _button(
        self, name: str, text: str, picture: str, keys: str, do: Callable[[], object]
    ) -> QPushButton:
        button = QPushButton(text)
        primary = name == "accept"
        button.setProperty("primary", primary)
        button.setIcon(icon(picture, "on_accent" if primary else "text"))
        tip = text or name.capitalize()
        button.setToolTip(f"{tip} ({keys})" if keys else tip)
        button.setAccessibleName(text or f"{name.capitalize()} candidate")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setCheckable(name == "unchanged")
        button.clicked.connect(lambda: (do(), self._show_progress()))
        self.buttons[name] = button
        return button

    def _show(self) -> None:
        staging = self._staging
        if self._shown != staging.candidates:
            self._shown = list(staging.candidates)
            self.list.clear()
            for each in self._shown:
                item = QListWidgetItem(_picture(each.image), "")
                item.setToolTip(each.description)
                self.list.addItem(item)
            # what they do not need is for the words
            self.list.setMaximumWidth(max(1, self.list.count()) * (_SIDE + _BETWEEN))
        self.list.setCurrentRow(staging.index)
        self._show_layers()
        if round(self._candidate_overlay.split * _NOTCHES) != self.split.value():
            self.split.setValue(round(self._candidate_overlay.split * _NOTCHES))
        self._show_progress()

    def _show_layers(self) -> None:
        """The layers of the shown candidate, the lowest first."""
        candidate = self._staging.candidate
        layers = candidate.layers if candidate is not None else None
        self.layers.setVisible(layers is not None)
        if layers is not self._shown_layers:
            self._shown_layers = layers
            self.layers.clear()
            for number, patch in enumerate(layers.patches if layers else (), 1):
                item = QListWidgetItem(_picture(to_image(patch, straight=True), chequered=True), "")
                item.setToolTip(f"Layer {number}: click to see it alone, and again for all")
                self.layers.addItem(item)
        self.layers.setCurrentRow(-1 if self._staging.layer is None else self._staging.layer)

    def _show_progress(self) -> None:
        staging, made = self._staging, self._generator.current_run
        self.setVisible(staging.is_open or made is not None)
        one, several = staging.candidate is not None, staging.count > 1
        for name in _OF_ONE_PICTURE:  # their room is the layers'
            self.buttons[name].setVisible(self._shown_layers is None)
        for name, on in (
            *((name, one) for name in ("more", "unchanged", "part", "discard", "accept")),
            *((name, several) for name in ("previous", "next")),
        ):
            self.buttons[name].setEnabled(on)
        self.buttons["unchanged"].setChecked(self._unchanged.is_on)
        self.buttons["cancel"].setVisible(made is not None)
        self.buttons["show"].setVisible(one and self._candidate_overlay.aside)
        self.split.setEnabled(one)
        self.progress.setValue(0)
        if made is not None:
            step, of = made.step
            self.progress.setRange(0, of)
            self.progress.setValue(step)
            text = f"Generating, step {step} of {of}" if of else "Generating…"
            self.words.setText("Waiting in the queue" if made.is_waiting else text)
        elif staging.painting_candidate:
            self.words.setText("Paint where the candidate should be; Enter ends it.")
        elif one and self._candidate_overlay.aside:
            self.words.setText("Put aside while you paint")
        elif one:
            layer = "" if staging.layer is None else f", layer {staging.layer + 1}"
            self.words.setText(f"Candidate {staging.index + 1} of {staging.count}{layer}")


def _picture(image: QImage, chequered: bool = False) -> QIcon:
    ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    small = image.scaled(_SIDE, _SIDE, ratio, smooth)
    return plain_icon(QPixmap.fromImage(on_chequerboard(small, _CHECK) if chequered else small))


def _row_of_pictures(name: str) -> QListWidget:
    made = QListWidget(
        viewMode=QListView.ViewMode.IconMode,
        flow=QListView.Flow.LeftToRight,
        movement=QListView.Movement.Static,
        uniformItemSizes=True,
    )
    made.setWrapping(False)
    made.setIconSize(QSize(_SIDE, _SIDE))
    made.setFixedHeight(_SIDE + 8)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setAccessibleName(name)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.setStyleSheet("QListWidget { background: transparent; border: none; }")
    return made


def _split_slider() -> QSlider:
    made = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=_NOTCHES)
    made.setValue(_NOTCHES)
    made.setAccessibleName("Compare")
    made.setToolTip("Candidate on the left, original on the right; or hold \\ (backslash)")
    made.setFixedWidth(_SLIDER)
    return made
