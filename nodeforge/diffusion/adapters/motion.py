"""AnimateDiff: a denoiser of pictures that draws videos (Guo et al. 2023).

Its frames go through the network as a batch of pictures. Hooks add a motion module's attention
along the frames after each of its blocks' layers; the network itself stays as it is, so LoRAs,
ControlNets and IP-Adapters act on every frame as on a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import field, replace
from typing import Any

from torch import Tensor, nn

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.motion_module import LoadedMotionModule
from nodeforge.diffusion.participants import (
    Host,
    ModelCall,
    Order,
    Participant,
    Predict,
    networks_loaded,
    participant,
)
from nodeforge.diffusion.weights.configs import denoiser_config
from nodeforge.errors import NodeForgeError
from nodeforge.models import FAMILIES
from nodeforge.values import Model, Motion, MotionModule, uncounted


class MotionError(NodeForgeError):
    """A motion module that a model cannot use."""


def with_motion(model: Model, module: MotionModule, context: int, overlap: int) -> Model:
    """`model` drawing videos.

    Args:
        model: A denoiser of pictures.
        module: Relates the frames.
        context: Frames that it sees together.
        overlap: Frames that neighbouring windows of a longer clip share.

    Raises:
        MotionError: the module was made for another architecture, or `overlap` is too large.
    """
    family = FAMILIES[model.weights.family]
    own = tuple(denoiser_config(model.weights).get("block_out_channels", ()))
    wanted = tuple(build(module).config["block_out_channels"])  # pyright: ignore
    if own != wanted:
        known = FAMILIES.get(module.weights.family)
        made_for = known.label if known else f"blocks of {', '.join(map(str, wanted))} channels"
        raise MotionError(
            f"the motion module is for {made_for}, the model is {family.label}.",
            place="port 'file'",
            way_out="Choose a motion module that was made for the model, or another model.",
        )
    if not 0 <= overlap < context:
        raise MotionError(
            f"windows of {context} frames cannot share {overlap}.",
            place="port 'overlap'",
            way_out=f"Choose less than {context}; a quarter is usual.",
        )
    return replace(model, motion=Motion(module, context, overlap))


@participant(order=Order.FRAMES)
class MotionModules(Participant):
    """Lets the frames of a clip see each other.

    Args:
        motion: Which module does it.
        modules: Loaded for the run.
    """

    motion: Motion
    modules: dict[str, LoadedMotionModule] = field(
        default_factory=dict, metadata=uncounted("loaded by the recipe of 'motion'")
    )

    def loaded(self, host: Host, steps: range) -> AbstractContextManager[None]:
        module = self.motion.module
        return networks_loaded(host, {module.weights.fingerprint: module}, self.modules)

    def wrap(self, predict: Predict, step: int) -> Predict:
        module = self.modules[self.motion.module.weights.fingerprint]

        def predicted(call: ModelCall) -> Tensor:
            clips, _, frames = call.x.shape[:3]
            folded = _as_pictures(call, frames)
            with moving(call.model.network, module, frames):
                made = predict(folded)
            return made.unflatten(0, (clips, frames)).transpose(1, 2)

        return predicted


def _as_pictures(call: ModelCall, frames: int) -> ModelCall:
    """The frames of all clips as one batch, with what is told of a clip told of each of them."""
    prompts = call.batch
    images = tuple(
        replace(each, embedding=each.embedding.repeat_interleave(frames, 0))
        for each in prompts.image_prompts
    )
    told = replace(prompts, inputs=prompts.inputs.repeated(frames), image_prompts=images)
    x = call.x.transpose(1, 2).flatten(0, 1)
    return replace(call, x=x, prompts=told, frames=call.frames or range(frames))


@contextmanager
def moving(network: nn.Module, module: LoadedMotionModule, frames: int) -> Iterator[None]:
    """Let `network`, called with the frames of clips as a batch, relate them for the block.

    Raises:
        LoadingError: the module has more or fewer layers than the network.
    """
    with ExitStack() as hooks:
        for name in ("time_embedding", "add_embedding"):
            if (layer := getattr(network, name, None)) is not None:
                for remove in _once_a_clip(layer, frames):
                    hooks.callback(remove)
        for layer, attention in _pairs(network, module.network):
            added = _along_frames(attention, frames)
            hooks.callback(layer.register_forward_hook(added).remove)
        yield


def _once_a_clip(layer: nn.Module, frames: int) -> Iterator[Callable[[], None]]:
    """Has a layer whose input is that of each frame work once: the batch decides the last bit."""

    def before(layer: nn.Module, inputs: Any) -> Any:
        return tuple(None if each is None else each[::frames] for each in inputs)

    def after(layer: nn.Module, inputs: Any, made: Tensor) -> Tensor:
        return made.repeat_interleave(frames, 0)

    yield layer.register_forward_pre_hook(before).remove
    yield layer.register_forward_hook(after).remove


def _along_frames(attention: nn.Module, frames: int) -> Any:
    def hook(layer: nn.Module, inputs: Any, made: Any) -> Any:
        if isinstance(made, tuple):
            return (attention(made[0], num_frames=frames), *made[1:])
        return attention(made, num_frames=frames)

    return hook


def _pairs(network: Any, module: Any) -> Iterator[tuple[nn.Module, nn.Module]]:
    """Each layer of the UNet that a layer of the module follows, with that."""
    blocks = [*zip(network.down_blocks, module.down_blocks, strict=True)]
    blocks += zip(network.up_blocks, module.up_blocks, strict=True)
    if module.mid_block is not None and network.mid_block is not None:
        blocks.append((network.mid_block, module.mid_block))
    for block, motion in blocks:
        layers = getattr(block, "attentions", None) or block.resnets
        if len(layers) != len(motion.motion_modules):
            raise LoadingError(
                "the motion module was made for a model of other layers.",
                way_out="Choose a motion module that was made for the model.",
            )
        yield from zip(layers, motion.motion_modules, strict=True)
