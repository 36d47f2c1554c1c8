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
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from math import prod
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
    LoadedControlNet,
    LoadedModel,
    LoadedNetwork,
    LoadedTextEncoder,
    load,
    streams,
    weight_bytes,
)
from nodeforge.diffusion.networks.streaming import stream_of
from nodeforge.diffusion.tensors import attention
from nodeforge.diffusion.tensors.devices import numerics, report_of
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.weights.configs import own_folder
from nodeforge.diffusion.weights.weights_file import stored_tensors
from nodeforge.models import locate
from nodeforge.settings import GIB, MemoryMode
from nodeforge.values import (
    ControlNet,
    ImageEncoder,
    IpAdapter,
    Lora,
    Model,
    MotionModule,
    NetworkRecipe,
    Recipe,
    TextEncoder,
    TextEncoderPart,
    UpscaleModel,
    Vae,
    Weights,
)

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
        self._loaded: OrderedDict[Key, LoadedNetwork | LoadedLora] = OrderedDict()
        self._sizes: dict[Key, int] = {}
        """Bytes of each; counted as it is loaded and let go, as that walks all its layers."""
        self._overlays: dict[Key, LoraHooks] = {}
        self._in_use: dict[Key, int] = {}
        self._empty_prompts: dict[tuple[Key, ...], dict[Hashable, PromptInputs]] = {}
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
        loras = _loras(recipe)
        with ExitStack() as kept:
            way = self._policy.attention_of(recipe)
            kept.enter_context(attention.use_attention(way, self.device))
            attention.check_network(self._policy, recipe, self.device)
            if isinstance(recipe, Model) and self.device == CPU:
                kept.enter_context(allocator.memory_kept())
            if isinstance(recipe, TextEncoder):
                parts = [self._use(kept, part, loras, check) for part in recipe.parts]
                # the empty chunk is kept for the base alone: a LoRA encodes it otherwise
                empty = {} if loras else self._empty_prompts.setdefault(_texts_key(recipe), {})
                yield LoadedTextEncoder(tuple(parts), recipe.family, empty)
            else:
                yield self._use(kept, recipe, loras, check)

    def _use(
        self,
        kept: ExitStack,
        recipe: NetworkRecipe,
        loras: Sequence[Lora],
        check: Callable[[], None],
    ) -> Any:
        """One network with LoRAs over it, kept until `kept` ends."""
        key = _key(recipe)
        loaded = self._keep(kept, key, lambda: self._load(recipe, check))
        if (stream := stream_of(loaded.network)) is not None:
            stream.check = check
        weighted = [
            WeightedLora(
                self._keep(kept, *self._lora(each.weights, recipe, loaded, check)),
                each.weight,
                each.blocks,
            )
            for each in loras
        ]
        kept.enter_context(self._overlays[key].attach(weighted))
        return loaded

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
            return (
                "networks that nobody used were dropped, and the blocks of transformers are now "
                "read from the disk as they compute"
            )
        return (
            "networks that nobody used were dropped, and the denoiser's weights are now fed to "
            "the card in pieces, those of transformers from the disk"
        )

    def memory_needs(self, recipe: Recipe) -> MemoryNeeds:
        """What a network will need here, known without loading it.

        Raises:
            LoadingError: the model lacks something.
        """
        return memory_needs(recipe, self._policy, self.device)

    @property
    def policy(self) -> Policy:
        """Precision, memory mode and attention."""
        return self._policy

    @property
    def bytes_held(self) -> int:
        """Bytes of weights in memory."""
        return sum(self._sizes.values())

    def numerics(self) -> dict[str, str]:
        """All about this machine that changes numbers."""
        return numerics(self.device, self._policy)

    def _keep(self, kept: ExitStack, key: Key, load: Callable[[], Any]) -> Any:
        """What has this key, kept until `kept` ends; loaded if it is not there."""
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = load()
                self._sizes[key] = _size(self._loaded[key])
            self._loaded.move_to_end(key)
            loaded = self._loaded[key]
            if not self._in_use.get(key):
                self._place(key, loaded)
            self._in_use[key] = self._in_use.get(key, 0) + 1
            kept.callback(self._let_go, key)
            return loaded

    def _place(self, key: Key, loaded: LoadedNetwork | LoadedLora) -> None:
        """Have the weights where they compute, until nobody uses them."""
        self._placed[key] = ExitStack()
        if key in self._elsewhere and not isinstance(loaded, LoadedLora):
            self._placed[key].enter_context(on_device(loaded.network, self.device))

    def _let_go(self, key: Key) -> None:
        with self._lock:
            self._in_use[key] -= 1
            if not self._in_use[key]:
                self._placed.pop(key).close()
                self._rest(key)
                self._sizes[key] = _size(self._loaded[key])
            self._shrink(self._bytes_kept)

    def _rest(self, key: Key) -> None:
        """Give back what a network needs only while it computes."""
        loaded = self._loaded[key]
        if not isinstance(loaded, LoadedLora) and (stream := stream_of(loaded.network)):
            stream.rest()

    def _load(self, recipe: NetworkRecipe, check: Callable[[], None]) -> LoadedNetwork:
        found = replace(recipe, weights=found_weights(recipe.weights))
        needed = self._weight_bytes(found)
        self._shrink(max(0, self._bytes_kept - needed))
        fed = self._must_feed(found, needed)
        waits = self._policy.memory in (MemoryMode.LOW, MemoryMode.VERY_LOW)
        home = CPU if fed or waits else None
        streamed = fed and streams(found, self._policy, self.device)
        loaded = load(found, self.device, self._policy, check, home, streamed=streamed)
        if isinstance(loaded, LoadedModel | LoadedControlNet):
            attention.prepare(loaded.network, self._policy.attention)
        streaming = fed and stream_of(loaded.network) is not None
        if isinstance(loaded, LoadedModel):
            configure(
                loaded.network,
                # a stream rounds by itself
                replace(self._policy, fp8_weights=False) if streaming else self._policy,
            )
        if fed and not streaming and self.device != CPU:
            stream_layers(loaded.network, self.device)
        key = _key(recipe)
        (self._elsewhere.add if waits and not fed else self._elsewhere.discard)(key)
        self._overlays[key] = LoraHooks(loaded.network)
        return loaded

    def _lora(
        self, lora: Weights, recipe: NetworkRecipe, base: LoadedNetwork, check: Callable[[], None]
    ) -> tuple[Key, Callable[[], LoadedLora]]:
        """The key of a LoRA read for this base, and how to read it."""
        part = recipe.weights.part
        key = (lora.fingerprint, f"lora for {part} {_key(recipe)[0]}")
        dtype = self._policy.dtype_of(recipe, self.device)
        return key, lambda: load_lora(
            found_weights(lora), part, base.network, self.device, dtype, check
        )

    def _must_feed(self, recipe: NetworkRecipe, needed: int) -> bool:
        """Whether a network's weights, `needed` bytes, are to come piece by piece.

        Those of transformers from the disk, block by block; of others, on cards alone, layer by
        layer from main memory.
        """
        if not isinstance(recipe, Model | ControlNet | TextEncoderPart):
            return False
        if self.device == CPU and not streams(recipe, self._policy, self.device):
            return False
        if self._tight:
            return True
        if self._policy.memory in (MemoryMode.DEVICE, MemoryMode.LOW):
            return False
        return needed > self._bytes_kept

    def _weight_bytes(self, recipe: NetworkRecipe) -> int:
        """What the weights will take here; no less, where there is room for more anyway."""
        most = (
            _numbers_in_files(recipe.weights) * self._policy.dtype_of(recipe, self.device).itemsize
        )
        made_as_read = isinstance(recipe, IpAdapter | ImageEncoder | UpscaleModel)
        if made_as_read or self.bytes_held + most <= self._bytes_kept:
            return most
        return weight_bytes(build(recipe), recipe, self._policy, self.device)

    def _shrink(self, most: int) -> None:
        """Drop idle networks, the least recently used first, until `most` bytes are held."""
        dropped = False
        for key in list(self._loaded):
            if self.bytes_held <= most:
                break
            if not self._in_use.get(key):
                del self._loaded[key], self._sizes[key]
                self._overlays.pop(key, None)
                self._forget_empty_prompts(key)
                dropped = True
        if dropped:
            gc.collect()
            allocator.release_memory()
            if self.device != CPU:
                torch.get_device_module(self.device).empty_cache()

    def _forget_empty_prompts(self, dropped: Key) -> None:
        for keys in [keys for keys in self._empty_prompts if dropped in keys]:
            del self._empty_prompts[keys]

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


def _key(recipe: NetworkRecipe) -> Key:
    """What networks are shared by: content, and what is read of it.

    A VAE may be used for several spaces: its numbers are scaled otherwise then.
    """
    weights = recipe.weights
    match recipe:
        case TextEncoderPart():
            return weights.fingerprint, recipe.kind
        case Vae():
            return weights.fingerprint, f"{recipe.space} vae"
    return weights.fingerprint, f"{weights.family} {weights.part}"


def _texts_key(recipe: TextEncoder) -> tuple[Key, ...]:
    """Whose empty prompt it is: of these encoders, for this family."""
    return (*map(_key, recipe.parts), (recipe.family, "family"))


def _loras(recipe: Recipe) -> tuple[Lora, ...]:
    """The LoRAs of `recipe` that change anything."""
    loras = recipe.loras if isinstance(recipe, Model | TextEncoder | MotionModule) else ()
    return tuple(lora for lora in loras if lora.weight != 0)


def _size(loaded: LoadedNetwork | LoadedLora) -> int:
    if isinstance(loaded, LoadedLora):
        return loaded.bytes
    tensors = (*loaded.network.parameters(), *loaded.network.buffers())
    held = (tensor.untyped_storage() for tensor in tensors)
    return sum({storage.data_ptr(): storage.nbytes() for storage in held}.values())


def _numbers_in_files(weights: Weights) -> int:
    """How many numbers the files have; a whole checkpoint counts for each of its networks."""
    path = Path(weights.path)
    files = [path] if path.is_file() else (own_folder(weights) or path).glob("*.safetensors")
    tensors = (tensor for file in files for tensor in stored_tensors(file).values())
    return sum(prod(tensor.shape) for tensor in tensors)


def _share_of(device: torch.device) -> int:
    total: float = report_of(device).total
    if device.type == "cuda":  # some of it may be kept for others
        total *= torch.cuda.get_per_process_memory_fraction(device.index)
    return int(total * _SHARE) if total else 8 * GIB
