"""The Preferences dialog; writes the settings file and the window's store when accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from nodeforge.engine.cache import DiskTier, shared_problem
from nodeforge.engine.queue.placement import worker_devices
from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.settings import (
    GIB,
    MOST_WORKERS,
    Attention,
    MemoryMode,
    Precision,
    Settings,
    update_settings,
)
from nodeforge.ui.common import formatting
from nodeforge.ui.common import theme as themes
from nodeforge.ui.common.command_registry import CommandRegistry
from nodeforge.ui.documents.autosave import PAUSE, autosave_interval
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.preferences.model_folders import ModelFolders
from nodeforge.ui.preferences.packs import PackPermissions
from nodeforge.ui.preferences.sections import Section
from nodeforge.ui.preferences.shortcut_editor import ShortcutEditor
from nodeforge.ui.running.output_folders import PLACEHOLDERS, expand_pattern

_DEVICES = {
    "auto": "Best available",
    "cuda": "NVIDIA or AMD card (cuda)",
    "mps": "Apple (mps)",
    "xpu": "Intel (xpu)",
    "cpu": "Processor (cpu)",
}
_MEMORY = {
    MemoryMode.AUTO: "Automatic",
    MemoryMode.DEVICE: "All on the device",
    MemoryMode.LOW: "Offload when unused",
    MemoryMode.VERY_LOW: "Layer by layer",
}
_PRECISION = {
    Precision.AUTO: "Automatic",
    Precision.FULL: "Full (32 bit)",
    Precision.HALF: "Half (16 bit)",
}
_ATTENTION = {
    Attention.AUTO: "Automatic (torch)",
    Attention.FLASH: "Flash",
    Attention.EFFICIENT: "Memory-efficient",
    Attention.CUDNN: "cuDNN",
    Attention.MATH: "Plain",
    Attention.SLICED: "Sliced",
    Attention.XFORMERS: "xFormers",
    Attention.FLASH_ATTN: "flash-attn (transformers)",
    Attention.SAGE: "SageAttention (transformers, 8 bit)",
}
_AS_DENOISER = "As the denoiser"
_OF_TORCH = (
    Attention.AUTO,
    Attention.FLASH,
    Attention.EFFICIENT,
    Attention.CUDNN,
    Attention.MATH,
)
"""Ways that text encoders and VAEs have too."""
_THEMES = {name: name.capitalize() for name in themes.THEMES}
_DEFAULTS = {field.name: field.default for field in fields(Settings)}


class Preferences(QDialog):
    """Shows sections of preferences, with a search."""

    def __init__(
        self, workspace: Workspace, actions: CommandRegistry, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.resize(QSize(760, 720).boundedTo(self.screen().availableSize() * 0.9))
        self._workspace, self._actions = workspace, actions
        self._settings = settings = workspace.settings
        self.search = QLineEdit(placeholderText="Search preferences", clearButtonEnabled=True)
        self.search.setAccessibleName("Search preferences")
        self.search.textChanged.connect(self._filter)
        self.device = _menu(_devices(workspace), settings.device)
        self.memory_mode = _menu(_MEMORY, settings.memory_mode)
        self.precision = _menu(_PRECISION, settings.precision)
        self.attention = _menu(_attention(workspace), settings.attention)
        self.text_attention = _own_attention(workspace, settings.text_attention)
        self.vae_attention = _own_attention(workspace, settings.vae_attention)
        self.fp8 = _switch(settings.fp8_weights)
        self.compiled = _switch(settings.compiled)
        self.memory = _gib(settings.memory_cache_bytes)
        self.disk = _gib(settings.disk_cache_bytes)
        self.workers = QSpinBox(minimum=1, maximum=MOST_WORKERS)
        self.workers.setValue(settings.workers)
        self.workers.setToolTip(
            "How many jobs run at a time: one a card, or on shares of the processor. A job goes "
            "where its models are loaded"
        )
        self.worker_devices = QLineEdit(", ".join(settings.worker_devices))
        self.worker_devices.setPlaceholderText("A card each")
        self.worker_devices.setToolTip(
            "The device of each of several workers, as cuda:0, cuda:3, or another machine's name"
        )
        self.shared = QLineEdit(settings.shared_cache)
        self.shared.setPlaceholderText("None: results stay on this machine")
        self.shared.setToolTip("A folder, as on a NAS, in which several machines keep results")
        self.output = QLineEdit(settings.output_folder)
        self.output.setPlaceholderText(str(settings.home / "outputs"))
        self.pattern = QLineEdit(str(workspace.store.value("output_pattern", "")))
        self.autosave = QSpinBox(minimum=1, maximum=600, suffix=" s")
        self.autosave.setValue(autosave_interval(workspace.store))
        self.folders = ModelFolders(settings)
        self.theme = _menu(_THEMES, workspace.theme.name)
        self.previews = _switch(workspace.store.value("previews", "true") != "false")
        self.shortcuts = ShortcutEditor(actions)
        self.packs = PackPermissions(settings)
        self._failed = QLabel(wordWrap=True)
        self._failed.setProperty("role", "error")
        self._failed.hide()
        self._empty = QLabel("No preferences match this search.")
        self._empty.setProperty("role", "empty")
        self._empty.hide()
        self._lay_out([*self._running(), *self._rest()])

    def accept(self) -> None:
        settings = replace(
            self._settings,
            device=self.device.currentData(),
            memory_mode=MemoryMode(self.memory_mode.currentData()),
            precision=Precision(self.precision.currentData()),
            attention=Attention(self.attention.currentData()),
            text_attention=_chosen_attention(self.text_attention),
            vae_attention=_chosen_attention(self.vae_attention),
            fp8_weights=self.fp8.isChecked(),
            compiled=self.compiled.isChecked(),
            memory_cache_bytes=round(self.memory.value() * GIB),
            disk_cache_bytes=round(self.disk.value() * GIB),
            workers=self.workers.value(),
            worker_devices=_names(self.worker_devices.text()),
            shared_cache=self.shared.text().strip(),
            output_folder=self.output.text().strip(),
            model_folders=self.folders.chosen(),
            packs_allowed=self.packs.allowed(),
        )
        if conflicts := self.shortcuts.conflicts():
            self._refuse(" ".join(conflicts) + " Choose other keys for one of them.")
            return
        try:
            expand_pattern(self.pattern.text(), "name")
            worker_devices(settings, settings.workers)  # refuses more than there are devices
            if settings.shared_cache and settings.shared_cache != self._settings.shared_cache:
                _refuse_shared(Path(settings.shared_cache))
            self._workspace.set_settings(self._written(settings))
        except (OSError, NodeForgeError) as error:
            self._refuse(str(error))
            return
        self._keep()
        super().accept()

    def add_folder(self, path: str) -> None:
        """Add a model folder."""
        self.folders.add(path)

    def _written(self, settings: Settings) -> Settings:
        """Write what was changed here; another process may have changed the rest meanwhile."""
        before = self._settings
        names = (field.name for field in fields(Settings))
        changed = {n: v for n in names if (v := getattr(settings, n)) != getattr(before, n)}
        return update_settings(settings.home, lambda now: replace(now, **changed))

    def _keep(self) -> None:
        """Save the window settings."""
        store = self._workspace.store
        store.setValue("output_pattern", self.pattern.text().strip())
        store.setValue("previews", "true" if self.previews.isChecked() else "false")
        store.setValue("autosave_pause", self.autosave.value())
        self._actions.set_shortcuts(self.shortcuts.changed(), store)
        if self.theme.currentData() != self._workspace.theme.name:
            self._workspace.set_theme(themes.THEMES[self.theme.currentData()])

    def _running(self) -> list[Section]:
        run, kept = Section("Running"), Section("Results kept")
        run.add("Device", self.device, _DEVICES[str(_DEFAULTS["device"])], "gpu cuda cpu")
        run.add("Workers", self.workers, "1", "processes queue sweep cards several")
        run.add("Devices of workers", self.worker_devices, "a card each", "processes machines")
        run.add("Memory of the device", self.memory_mode, _MEMORY[MemoryMode.AUTO], "vram offload")
        run.add("Precision", self.precision, _PRECISION[Precision.AUTO], "float16 bfloat16")
        run.add("Attention", self.attention, _ATTENTION[Attention.AUTO], "sdpa kernel flash")
        run.add("Attention of text encoders", self.text_attention, _AS_DENOISER, "sdpa kernel")
        run.add("Attention of VAEs", self.vae_attention, _AS_DENOISER, "sdpa kernel")
        run.add("Weights in 8 bit", self.fp8, "off", "fp8 memory")
        run.add("Compile networks", self.compiled, "off", "torch faster")
        run.add("Preview every step", self.previews, "on")
        kept.add("In memory", self.memory, _size_of("memory_cache_bytes"), "cache size")
        kept.add("On disk", self.disk, _size_of("disk_cache_bytes"), "cache size")
        shared = _folder_row(self.shared, "Shared folder", self._browse)
        kept.add("Shared folder", shared, "none", "cache nas network machines")
        self._tier = DiskTier(self._settings.result_cache, "", self._settings.disk_cache_bytes)
        clear = QPushButton(f"Clear ({self._held()} on disk)")
        clear.clicked.connect(
            lambda: clear.setText(f"{formatting.byte_size(self._tier.clear())} freed")
        )
        kept.add("Clear results", clear, "kept until room is needed", "cache empty")
        return [run, kept]

    def _rest(self) -> list[Section]:
        files, look = Section("Files"), Section("Window")
        keys, packs = Section("Shortcuts"), Section("Packs")
        output = _folder_row(self.output, "Output folder", self._browse)
        files.add("Output folder", output, str(self._settings.home / "outputs"))
        self.pattern.setPlaceholderText("{date}/{workflow}")
        self.pattern.setToolTip(f"Folders within the output folder. May hold {PLACEHOLDERS}")
        files.add("Folders by pattern", self.pattern, "none", "name date workflow subfolder")
        files.add("Autosave after", self.autosave, f"{PAUSE} s without editing", "crash recover")
        files.add_wide("Model folders", self.folders, "checkpoints comfyui a1111")
        look.add("Theme", self.theme, "Dark", "light colours")
        keys.add_wide("Shortcuts", self.shortcuts, "keys", self.shortcuts.search)
        packs.add_wide("Packs", self.packs, "nodes permission allow")
        return [files, look, keys, packs]

    def _lay_out(self, sections: list[Section]) -> None:
        self._sections = sections
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(4, 4, 12, 4)
        for section in sections:
            column.addWidget(section)
        column.addWidget(self._empty)
        column.addStretch(1)
        area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        save = buttons.addButton("Save", QDialogButtonBox.ButtonRole.AcceptRole)
        for button in (save, *self.findChildren(QPushButton)):
            button.setAutoDefault(False)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        for part in (self.search, area, self._failed, buttons):
            whole.addWidget(part)

    def _filter(self, text: str) -> None:
        found = [section.search(text) for section in self._sections]
        self._empty.setVisible(not any(found))

    def _refuse(self, why: str) -> None:
        self._failed.setText(why)
        self._failed.show()

    def _held(self) -> str:
        return formatting.byte_size(sum(state.st_size for state in self._tier.entries()))

    def _browse(self, field: QLineEdit) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Choose a folder"):
            field.setText(path)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(760, 720)


def _folder_row(field: QLineEdit, name: str, browse: Callable[[QLineEdit], None]) -> QWidget:
    """A field for a folder, with a button that chooses one."""
    box, button = QWidget(), QPushButton("Choose…")
    box.setFocusProxy(field)
    field.setAccessibleName(name)
    button.setAccessibleName(f"Choose the {name[:1].lower()}{name[1:]}")
    button.clicked.connect(lambda: browse(field))
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(field, 1)
    row.addWidget(button)
    return box


def _names(text: str) -> tuple[str, ...]:
    """What is named between commas."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def _refuse_shared(chosen: Path) -> None:
    """Raise `RequestError` where results cannot be kept in a folder."""
    if problem := shared_problem(chosen):
        fact, way_out = problem
        raise RequestError(fact, place="Shared folder", way_out=way_out)


def _devices(workspace: Workspace) -> dict[str, str]:
    """Devices to choose from: kinds, available cards, and the current one if unavailable."""
    cards = {device: f"{name} ({device})" for device, name in workspace.graphics_cards.items()}
    chosen = workspace.settings.device
    others = {name: f"{name}, another machine" for name in sorted(workspace.settings.machines)}
    there = _DEVICES | cards | others
    return there if chosen in there else {**there, chosen: f"{chosen}, not found now"}


def _attention(workspace: Workspace) -> dict[Attention, str]:
    """Attention backends to choose from, and the current one if unavailable."""
    there = workspace.attention or list(Attention)
    chosen = workspace.settings.attention
    found = {way: text for way, text in _ATTENTION.items() if way in there}
    return found if chosen in found else {**found, chosen: f"{_ATTENTION[chosen]}, not found now"}


def _own_attention(workspace: Workspace, chosen: Attention | None) -> QComboBox:
    """A menu of how networks beside the denoiser compute attention; none is as it does."""
    there = workspace.attention or list(_OF_TORCH)
    shown = [way for way in _OF_TORCH if way in there or way is chosen]
    return _menu({"": _AS_DENOISER, **{way: _ATTENTION[way] for way in shown}}, chosen or "")


def _chosen_attention(menu: QComboBox) -> Attention | None:
    return Attention(menu.currentData()) if menu.currentData() else None


def _menu(options: Mapping[Any, str], chosen: str) -> QComboBox:
    box = QComboBox()
    for name, text in options.items():
        box.addItem(text, str(name))
    box.setCurrentIndex(max(0, box.findData(str(chosen))))
    return box


def _switch(on: bool) -> QCheckBox:
    """A check box that says its state, as those of the inspector do."""
    box = QCheckBox("On" if on else "Off", checked=on)
    box.toggled.connect(lambda now: box.setText("On" if now else "Off"))
    return box


def _size_of(name: str) -> str:
    return formatting.byte_size(float(str(_DEFAULTS[name])))


def _gib(value: int) -> QDoubleSpinBox:
    box = QDoubleSpinBox(minimum=0.1, maximum=4096, suffix=" GiB", decimals=1)
    box.setValue(value / GIB)
    return box
