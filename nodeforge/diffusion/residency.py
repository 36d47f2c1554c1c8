"""Which networks are in memory. The one owner of their weights.

Networks are shared by all recipes of the same weights, and never changed: LoRAs lie over them
while they are used. What is not used stays as long as it fits; the least recently used goes
first.
"""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nodeforge.diffusion.description import LoadingError
from nodeforge.diffusion.devices import devices, numerics
from nodeforge.diffusion.loading import Loaded, LoadedTextEncoder, load
from nodeforge.diffusion.lora import LoadedLora, Overlay, load_lora
from nodeforge.models import locate
from nodeforge.values import Lora, Model, Recipe, TextEncoder, Weights

_SHARE = 0.6
"""Of the device's memory that idle networks may keep, where no bound is given."""

Key = tuple[str, str]


class Residency:
    """Turns recipes into loaded networks, and keeps what fits.

    Args:
        device: Where networks are to be.
        bytes_kept: Bytes of weights that may stay in memory; a network in use always may.
            None takes a share of the device's memory.
    """

    def __init__(
        self, device: torch.device | str = "cpu", *, bytes_kept: int | None = None
    ) -> None:
        self.device = torch.device(device)
        self._bytes_kept = _bound(self.device) if bytes_kept is None else bytes_kept
        self._loaded: OrderedDict[Key, Loaded | LoadedLora] = OrderedDict()
        self._overlays: dict[Key, Overlay] = {}
        self._in_use: dict[Key, int] = {}
        self._lock = threading.RLock()

    @contextmanager
    def use(self, recipe: Recipe, check: Callable[[], None] = lambda: None) -> Iterator[Any]:
        """The network of `recipe` for the `with` block; loaded if it is not there.

        Args:
            recipe: Which one.
            check: Called between tensors while loading; what it raises stops the loading.

        Returns:
            `LoadedModel`, `LoadedTextEncoder`, `LoadedVae` or `LoadedControlNet`, as the
            recipe says.

        Raises:
            LoadingError: the model is gone, or lacks something.
            ModelFileError: a file is damaged.
        """
        key = (recipe.weights.fingerprint, recipe.weights.part)
        with ExitStack() as kept:
            loaded = self._keep(kept, key, lambda: self._load(recipe, check))
            loras = [
                (self._keep(kept, *self._lora(lora.weights, recipe, loaded, check)), lora.weight)
                for lora in _loras(recipe)
            ]
            kept.enter_context(self._overlays[key].lay(loras))
            # the empty chunk is kept for the base alone: a LoRA encodes it otherwise
            changed = loras and isinstance(loaded, LoadedTextEncoder)
            yield replace(loaded, empty={}) if changed else loaded

    def free(self) -> None:
        """Let go of every network that is not in use."""
        with self._lock:
            self._shrink(0)

    @property
    def bytes_held(self) -> int:
        """Bytes of weights in memory."""
        return sum(_size(loaded) for loaded in self._loaded.values())

    def numerics(self) -> dict[str, str]:
        """All about this machine that changes numbers."""
        return numerics(self.device)

    def _keep(self, kept: ExitStack, key: Key, load: Callable[[], Any]) -> Any:
        """What has this key, kept until `kept` ends; loaded if it is not there."""
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = load()
            self._loaded.move_to_end(key)
            self._in_use[key] = self._in_use.get(key, 0) + 1
            kept.callback(self._let_go, key)
            return self._loaded[key]

    def _let_go(self, key: Key) -> None:
        with self._lock:
            self._in_use[key] -= 1
            self._shrink(self._bytes_kept)

    def _load(self, recipe: Recipe, check: Callable[[], None]) -> Loaded:
        found = replace(recipe, weights=found_weights(recipe.weights))
        self._shrink(max(0, self._bytes_kept - _size_on_disk(found.weights)))
        loaded = load(found, self.device, check)
        self._overlays[recipe.weights.fingerprint, recipe.weights.part] = Overlay(loaded.network)
        return loaded

    def _lora(
        self, lora: Weights, recipe: Recipe, base: Loaded, check: Callable[[], None]
    ) -> tuple[Key, Callable[[], LoadedLora]]:
        """The key of a LoRA read for this base, and how to read it."""
        part = recipe.weights.part
        key = (lora.fingerprint, f"lora for {part} {recipe.weights.fingerprint}")
        return key, lambda: load_lora(found_weights(lora), part, base.network, check)

    def _shrink(self, most: int) -> None:
        """Drop idle networks, the least recently used first, until `most` bytes are held."""
        dropped = False
        for key in list(self._loaded):
            if self.bytes_held <= most:
                break
            if not self._in_use.get(key):
                del self._loaded[key]
                self._overlays.pop(key, None)
                dropped = True
        if dropped:
            gc.collect()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()


def found_weights(weights: Weights) -> Weights:
    """`weights` with a path that exists: the content may have moved since the recipe was made.

    Raises:
        LoadingError: the content is nowhere.
    """
    if Path(weights.path).exists():
        return weights
    if (path := locate(weights.fingerprint)) is not None:
        return replace(weights, path=str(path))
    raise LoadingError(
        "the model is no longer there.",
        place=weights.path,
        way_out="Put it back, or choose another model.",
    )


def _loras(recipe: Recipe) -> tuple[Lora, ...]:
    """The LoRAs of `recipe` that change anything."""
    loras = recipe.loras if isinstance(recipe, Model | TextEncoder) else ()
    return tuple(lora for lora in loras if lora.weight != 0)


def _size(loaded: Loaded | LoadedLora) -> int:
    if isinstance(loaded, LoadedLora):
        return loaded.bytes
    return sum(p.numel() * p.element_size() for p in loaded.network.parameters())


def _size_on_disk(weights: Weights) -> int:
    """A guess at what loading will take: a whole checkpoint counts for each of its networks."""
    path = Path(weights.path)
    folder = path / weights.part
    files = folder.glob("*.safetensors") if folder.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _bound(device: torch.device) -> int:
    report = next((r for r in devices() if r.kind == device.type), None)
    return int(report.total * _SHARE) if report and report.total else 8 * 2**30
