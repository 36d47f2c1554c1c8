"""The start page: recent files, tasks, and shipped workflows as cards."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from nodeforge.formats import load, needed_models
from nodeforge.models import FAMILIES, known_words
from nodeforge.settings import shipped
from nodeforge.ui.common.formatting import tooltip_html
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.elided import ElidedButton

_COLUMNS = 4
"""Maximum number of cards in a row."""
_GAP, _MARGIN = 12, 24
_RECENT = 4
"""Recent files that are listed."""
PICTURE = (132, 132)
"""Pixels of a workflow's picture."""
_CARD = PICTURE[0] + 22
_SUFFIXES = (".png", ".jpg", ".webp")
_TASKS = {
    "text_to_image": ("Make a picture", "Say what it shows, then run."),
    "image_to_image": ("Change a picture", "Say what becomes of a picture of yours."),
    "inpaint": ("Paint", "Paint, mask and inpaint on a canvas."),
    "enlarge": ("Enlarge", "Make a picture of yours twice as large."),
}
"""Title and description of each task, by the workflow that it opens or whose picture it has."""
_PAINT = "inpaint"
"""The task that opens a canvas instead of a workflow."""
_ABOUT = {
    "text_to_image": ("Text to image", "Make a picture from a prompt."),
    "image_to_image": ("Image to image", "Change a picture with a prompt."),
    "edit_by_instruction": ("Edit by instruction", "Say what should change in a picture."),
    "edit_with_references": (
        "Edit with references",
        "The same with more pictures to go by, for an edit model of yours.",
    ),
    "inpaint": ("Inpaint", "Paint something new into a part of a picture."),
    "two_pass_upscale": (
        "Two-pass upscale",
        "Make a picture, then make it larger with new detail.",
    ),
    "lora_style": ("LoRA style", "Give pictures another style with a LoRA."),
    "few_steps": ("Few steps", "A picture in four steps, by a LoRA that hurries its model."),
    "compare_samplers": ("Compare samplers", "One seed, several samplers, side by side."),
    "tiled_upscale": ("Tiled upscale", "Make a picture twice as large, tile by tile."),
    "enlarge": ("Enlarge by a model", "Make a picture larger with an upscaler."),
    "enlarge_with_detail": (
        "Enlarge with more detail",
        "Make a picture larger with an upscaler, then add detail tile by tile.",
    ),
    "refine_regions": ("Refine regions", "Find parts of a picture, and draw each anew, larger."),
    "regional_prompts": ("Regional prompts", "Another prompt in each part of the picture."),
    "list_of_prompts": ("List of prompts", "A picture for each of several prompts."),
    "wildcards": ("Wildcards", "Prompts whose words are drawn by chance."),
    "text_to_audio": ("Text to sound", "Make a sound from a description."),
    "text_to_song": ("Text to song", "Make a song from its style and lyrics."),
    "text_to_video": ("Text to video", "Make a short clip of a thing that moves."),
    "wan_text_to_video": ("Text to video with Wan", "Make a video from a description."),
    "controlnet_edges": ("ControlNet", "Make a picture that follows the edges of another."),
}
"""Title and description of each shipped workflow, in display order."""
_SHIPPED = "models/nano"
"""The model that comes with the program, in the resources."""
_NAMED = 9
"""Of the things that it draws, so many stand on the page."""
_OF_CANVAS = "canvas_"
"""Prefix of workflows that only the canvas runs; they are not listed."""


class WorkflowCard(QFrame):
    """A clickable card with a picture, a title and a description."""

    pressed = Signal()

    def __init__(self, title: str, text: str, picture: QPixmap | None) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.setFixedWidth(_CARD)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(4)
        image = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        image.setFixedSize(*PICTURE)
        image.setPixmap(picture or icon("tree-structure", "dim").pixmap(48))
        heading, line = QLabel(title, wordWrap=True), QLabel(text, wordWrap=True)
        heading.setProperty("role", "heading")
        line.setProperty("role", "dim")
        line.setAlignment(Qt.AlignmentFlag.AlignTop)
        line.setMinimumHeight(32)
        for part in (image, heading, line):
            column.addWidget(part)
        column.addStretch(1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() is Qt.MouseButton.LeftButton and self.rect().contains(
            event.position().toPoint()
        ):
            self.pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit()
        else:
            super().keyPressEvent(event)


class StartPage(QScrollArea):
    """Cards and lists that open workflows."""

    open_requested = Signal(Path)
    task_requested = Signal(Path)
    """The workflow of a task, which shows first what the person has to say."""
    canvas_requested = Signal()
    new_requested = Signal()
    browse_requested = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Start page")
        self._workspace = workspace
        self._shown: list[tuple[QGridLayout, list[WorkflowCard]]] = []
        self._pictures: dict[str, QPixmap | None] = {}
        workspace.recent_changed.connect(self.build)
        self.build()

    def build(self) -> None:
        content = QWidget()
        outer = QHBoxLayout(content)
        outer.addStretch(1)
        column = QVBoxLayout()
        column.setContentsMargins(_MARGIN, 32, _MARGIN, 24)
        column.setSpacing(_GAP)
        outer.addLayout(column)
        outer.addStretch(1)
        self._shown = []
        recent = self._workspace.recent
        if recent:
            column.addWidget(_label("Go on with", "title"))
        for path in recent[:_RECENT]:
            column.addWidget(self._recent(path), 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(_label("Start with a task", "title"))
        column.addLayout(self._tasks())
        column.addLayout(self._buttons())
        if (drawn := _what_is_drawn()) is not None:
            column.addWidget(drawn)
        column.addSpacing(12)
        column.addWidget(_label("Workflows", "heading"))
        column.addLayout(self._cards(listed_workflows()))
        column.addWidget(_label("Workflows for a model of yours", "heading"))
        column.addLayout(self._cards(workflows_with_models()))
        column.addStretch(1)
        self.setWidget(content)
        self._place_cards()

    def _tasks(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(_GAP)
        cards: list[WorkflowCard] = []
        for name, (title, text) in _TASKS.items():
            card = WorkflowCard(title, text, self._picture(name))
            file = shipped("workflows") / f"{name}.json"
            ask = self.canvas_requested.emit
            card.pressed.connect(ask if name == _PAINT else partial(self.task_requested.emit, file))
            cards.append(card)
        self._shown.append((grid, cards))
        return grid

    def _cards(self, files: Sequence[Path]) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(_GAP)
        cards: list[WorkflowCard] = []
        for file in files:
            title, text = _ABOUT.get(file.stem) or (file.stem.replace("_", " ").capitalize(), "")
            if needs := needs_label(file):
                text = f"{text} {needs}".strip()
            card = WorkflowCard(title, text, self._picture(file.stem))
            card.pressed.connect(partial(self.open_requested.emit, file))
            cards.append(card)
        self._shown.append((grid, cards))
        return grid

    def _picture(self, name: str) -> QPixmap | None:
        """Read once: the page is built anew with every file that is opened."""
        if name not in self._pictures:
            self._pictures[name] = _picture(name)
        return self._pictures[name]

    def _place_cards(self) -> None:
        room = self.width() - 2 * _MARGIN - _GAP
        columns = max(1, min(_COLUMNS, room // (_CARD + _GAP)))
        for grid, cards in self._shown:
            for index, card in enumerate(cards):
                grid.addWidget(card, index // columns, index % columns)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self._place_cards()
        super().resizeEvent(event)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for text, name, signal in (
            ("Open…", "folder-open", self.browse_requested),
            ("Empty workflow", "file-plus", self.new_requested),
        ):
            button = QPushButton(icon(name), text)
            button.clicked.connect(signal)
            row.addWidget(button)
        hint = _label("Or drop a workflow or a picture anywhere in this window.", "dim")
        hint.setWordWrap(True)
        row.addWidget(hint, 1)
        return row

    def _recent(self, path: Path) -> ElidedButton:
        button = ElidedButton(f"{path.stem}    {path.parent}")
        button.setIcon(icon("file"))
        button.setFlat(True)
        button.setToolTip(str(path))
        button.clicked.connect(lambda: self.open_requested.emit(path))
        return button


def listed_workflows() -> list[Path]:
    """The shipped workflows that the start page shows, in its order."""
    files = shipped("workflows").glob("*.json")
    return sorted((file for file in files if not file.stem.startswith(_OF_CANVAS)), key=_order)


def workflows_with_models() -> list[Path]:
    """The shipped workflows for models that do not ship."""
    return sorted((shipped("workflows") / "with_models").glob("*.json"), key=_order)


def needs_label(file: Path) -> str:
    """Which models a shipped workflow needs, how large they are, and their licences."""
    told = (
        f"Needs {FAMILIES[each.family].label} ({each.size / 1e9:.1f} GB, {each.licence})."
        for each in needed_models(load(file))
    )
    return " ".join(told)


def _order(file: Path) -> tuple[int, str]:
    known = list(_ABOUT)
    return (known.index(file.stem) if file.stem in known else len(known), file.stem)


def _picture(name: str) -> QPixmap | None:
    """The picture of a shipped workflow, from the resources."""
    for suffix in _SUFFIXES:
        path = shipped("resources") / "workflows" / (name + suffix)
        pixmap = QPixmap(str(path)) if path.is_file() else QPixmap()
        if not pixmap.isNull():
            return _fitted(pixmap)
    return None


def _fitted(pixmap: QPixmap) -> QPixmap:
    """`pixmap` scaled and cropped to a card's picture size, for the screen's pixel ratio."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    size = QSize(round(PICTURE[0] * ratio), round(PICTURE[1] * ratio))
    mode, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode
    large = pixmap.scaled(size, mode, smooth.SmoothTransformation)
    left, top = (large.width() - size.width()) // 2, (large.height() - size.height()) // 2
    cut = large.copy(left, top, size.width(), size.height())
    cut.setDevicePixelRatio(ratio)
    return cut


def _what_is_drawn() -> QLabel | None:
    """What the shipped model was taught: some of it as text, all as a tip."""
    known = known_words(shipped("resources") / _SHIPPED)
    if known is None:
        return None
    few = ", ".join(known.things[:: len(known.things) // _NAMED][:_NAMED])
    rest = len(known.things) - _NAMED
    label = _label(f"The shipped model draws {few} and {rest} other things.", "dim")
    label.setWordWrap(True)
    label.setToolTip(tooltip_html(f"It draws {', '.join(known.things)}."))
    return label


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    return label
