"""Keeps networks in memory, and loads and evicts them. The one owner of their weights.

Networks are shared by all recipes of the same weights, and never changed: LoRAs lie over them
while they are used. What is not used stays as long as it fits; the least recently used goes
first. The policy's memory mode says where it stays.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nodeforge.diffusion.adapters.lora import LoadedLora, LoraHooks, WeightedLora, load_lora
from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.memory import allocator
from nodeforge.diffusion.memory.offloading import CPU, configure, on_device, stream_layers
from nodeforge.diffusion.memory.requirements import MemoryNeeds, memory_needs
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.loading import (
    Loaded,
    LoadedControlNet,
    LoadedModel,
    LoadedTextEncoder,
    load,
    weight_bytes,
)
from nodeforge.diffusion.tensors import attention
from nodeforge.diffusion.tensors.devices import numerics, report_of
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.models import locate
from nodeforge.settings import GIB, MemoryMode
from nodeforge.values import ControlNet, Lora, Model, Recipe, TextEncoder, Weights

_SHARE = 0.6
"""Of the device's memory that idle networks may keep, where no bound is given."""

Key = tuple[str, str]


class Residency:
    """Turns recipes into loaded networks, and keeps what fits.

    Args:
        device: Where networks compute.
        policy: Where their weights are, and in which precision.
        bytes_kept: Bytes of weights that may stay in memory; a network in use always may.
            None lets the policy say.
    """

    def __init__(
        self,
        device: torch.device | str = "cpu",
        policy: Policy = DEFAULT,
        *,
        bytes_kept: int | None = None,
    ) -> None:
        self.device = torch.device(device)
        self._policy = policy
        self._tight = policy.memory is MemoryMode.VERY_LOW
        self._bytes_kept = self._bound() if bytes_kept is None else bytes_kept
        self._placed: dict[Key, ExitStack] = {}
        self._elsewhere: set[Key] = set()  # those that wait away from the device
        self._loaded: OrderedDict[Key, Loaded | LoadedLora] = OrderedDict()
        self._overlays: dict[Key, LoraHooks] = {}
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
            AttentionError: the policy's attention is not there.
            LoadingError: the model is gone, or lacks something.
            ModelFileError: a file is damaged.
        """
        key = _key(recipe)
        with ExitStack() as kept:
            kept.enter_context(attention.use_attention(self._policy.attention, self.device))
            loaded = self._keep(kept, key, lambda: self._load(recipe, check))
            loras = [
                WeightedLora(
                    self._keep(kept, *self._lora(each.weights, recipe, loaded, check)),
                    each.weight,
                    each.blocks,
                )
                for each in _loras(recipe)
            ]
            kept.enter_context(self._overlays[key].attach(loras))
            if isinstance(recipe, Model) and self.device == CPU:
                kept.enter_context(allocator.memory_kept())
            # the empty chunk is kept for the base alone: a LoRA encodes it otherwise
            changed = loras and isinstance(loaded, LoadedTextEncoder)
            yield replace(loaded, empty={}) if changed else loaded

    def free(self) -> None:
        """Let go of every network that is not in use."""
        with self._lock:
            self._shrink(0)

    def free_memory(self) -> str:
        """Make room after memory ran out; from now on less of it is taken.

        Returns:
            What was done, a clause for the person. Numbers stay the same.
        """
        self._tight = True
        self._bytes_kept = 0
        self.free()
        if self.device.type == "cpu":
            return "networks that nobody used were dropped"
        return (
            "networks that nobody used were dropped, and the denoiser's weights are now fed to "
            "the card layer by layer"
        )

    def memory_needs(self, recipe: Recipe) -> MemoryNeeds:
        """What a network will need here, known without loading it.

        Raises:
            LoadingError: the model lacks something.
        """
        return memory_needs(recipe, self._policy, self.device)

    @property
    def bytes_held(self) -> int:
        """Bytes of weights in memory."""
        return sum(_size(loaded) for loaded in self._loaded.values())

    def numerics(self) -> dict[str, str]:
        """All about this machine that changes numbers."""
        return numerics(self.device, self._policy)

    def _keep(self, kept: ExitStack, key: Key, load: Callable[[], Any]) -> Any:
        """What has this key, kept until `kept` ends; loaded if it is not there."""
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = load()
            self._loaded.move_to_end(key)
            loaded = self._loaded[key]
            if not self._in_use.get(key):
                self._place(key, loaded)
            self._in_use[key] = self._in_use.get(key, 0) + 1
            kept.callback(self._let_go, key)
            return loaded

    def _place(self, key: Key, loaded: Loaded | LoadedLora) -> None:
        """Have the weights where they compute, until nobody uses them."""
        self._placed[key] = ExitStack()
        if key in self._elsewhere and not isinstance(loaded, LoadedLora):
            self._placed[key].enter_context(on_device(loaded.network, self.device))

    def _let_go(self, key: Key) -> None:
        with self._lock:
            self._in_use[key] -= 1
            if not self._in_use[key]:
                self._placed.pop(key).close()
            self._shrink(self._bytes_kept)

    def _load(self, recipe: Recipe, check: Callable[[], None]) -> Loaded:
        found = replace(recipe, weights=found_weights(recipe.weights))
        if isinstance(found, TextEncoder) and found.second:
            found = replace(found, second=found_weights(found.second))
        self._shrink(max(0, self._bytes_kept - _size_on_disk(found.weights)))
        fed = isinstance(found, Model | ControlNet) and self._must_feed(found)
        waits = self._policy.memory in (MemoryMode.LOW, MemoryMode.VERY_LOW)
        loaded = load(found, self.device, self._policy, check, CPU if fed or waits else None)
        if isinstance(loaded, LoadedModel | LoadedControlNet):
            attention.prepare(loaded.network, self._policy.attention)
        if isinstance(loaded, LoadedModel):
            configure(loaded.network, self._policy)
        if isinstance(loaded, LoadedModel | LoadedControlNet) and fed:
            stream_layers(loaded.network, self.device)
        key = _key(recipe)
        (self._elsewhere.add if waits and not fed else self._elsewhere.discard)(key)
        self._overlays[key] = LoraHooks(loaded.network)
        return loaded

    def _lora(
        self, lora: Weights, recipe: Recipe, base: Loaded, check: Callable[[], None]
    ) -> tuple[Key, Callable[[], LoadedLora]]:
        """The key of a LoRA read for this base, and how to read it."""
        part = recipe.weights.part
        key = (lora.fingerprint, f"lora for {part} {_key(recipe)[0]}")
        dtype = self._policy.dtype(part, self.device)
        return key, lambda: load_lora(
            found_weights(lora), part, base.network, self.device, dtype, check
        )

    def _must_feed(self, recipe: Model | ControlNet) -> bool:
        """Whether a denoiser's weights are to come layer by layer."""
        if self.device == CPU or self._tight:
            return self.device != CPU
        if self._policy.memory in (MemoryMode.DEVICE, MemoryMode.LOW):
            return False
        return weight_bytes(build(recipe), recipe, self._policy, self.device) > self._bytes_kept

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
            allocator.release_memory()
            if self.device != CPU:
                torch.get_device_module(self.device).empty_cache()

    def _bound(self) -> int:
        """Bytes of idle networks that the policy keeps."""
        match self._policy.memory:
            case MemoryMode.DEVICE:
                return sys.maxsize
            case MemoryMode.VERY_LOW:
                return 0
            case MemoryMode.LOW:
                return _share_of(CPU)
            case MemoryMode.AUTO:
                return _share_of(self.device)


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


def _key(recipe: Recipe) -> Key:
    """A VAE may be used for several families: its numbers are scaled otherwise then."""
    weights, name = recipe.weights, recipe.weights.fingerprint
    if isinstance(recipe, TextEncoder) and recipe.second:
        name += f" {recipe.second.fingerprint}"
    return name, f"{weights.family} {weights.part}"


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
    folders = [folder for folder in path.glob(f"{weights.part}*") if folder.is_dir()]
    files = [file for folder in folders or [path] for file in folder.glob("*.safetensors")] or [
        path
    ]
    return sum(file.stat().st_size for file in files if file.is_file())


def _share_of(device: torch.device) -> int:
    total: float = report_of(device).total
    if device.type == "cuda":  # some of it may be kept for others
        total *= torch.cuda.get_per_process_memory_fraction(device.index)
    return int(total * _SHARE) if total else 8 * GIB
