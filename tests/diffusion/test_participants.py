"""Participants: what they declare is in the step keys, and only that."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import pytest
import torch

from nodeforge.diffusion.adapters.controlnet import ControlNets
from nodeforge.diffusion.adapters.image_prompts import ImagePrompts
from nodeforge.diffusion.adapters.lora import LoraWeights
from nodeforge.diffusion.adapters.motion import MotionModules
from nodeforge.diffusion.denoising.context_windows import ContextWindows
from nodeforge.diffusion.denoising.edit_channels import EditChannels
from nodeforge.diffusion.denoising.guidance_embedding import EmbeddedGuidance
from nodeforge.diffusion.denoising.inpainting import (
    DifferentialMask,
    GivenFrames,
    InpaintingChannels,
)
from nodeforge.diffusion.denoising.next_timestep import NextTimestep
from nodeforge.diffusion.denoising.prefill import FilledCaches, Prefill
from nodeforge.diffusion.denoising.step_cache import CachedBlocks, ComputedCall, ComputedCalls
from nodeforge.diffusion.denoising.tiled import TileProgress, Tiles
from nodeforge.diffusion.families import behaviour
from nodeforge.diffusion.guidance.classifier_free import GuidedPrompts
from nodeforge.diffusion.guidance.formulas import GuidanceState
from nodeforge.diffusion.guidance.freeu import FreeUnet
from nodeforge.diffusion.guidance.perturbed_attention import PerturbedNetwork
from nodeforge.diffusion.guidance.step_prompts import StepPrompts
from nodeforge.diffusion.networks.kv_cache import KvCache
from nodeforge.diffusion.networks.left_out_blocks import Added
from nodeforge.diffusion.participants import (
    BY_STEP,
    Order,
    Participant,
    ParticipantError,
    participant,
    registered,
)
from nodeforge.diffusion.participants.step_keys import step_keys
from nodeforge.diffusion.tensors.noise import draw_noise
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.values import (
    UNCOUNTED,
    Control,
    ControlNet,
    FreeU,
    Image,
    ImagePrompt,
    IpAdapter,
    Lora,
    Motion,
    MotionModule,
    Perturbation,
    PerturbationKind,
    Prompt,
    Weights,
    uncounted,
)

STEPS = 4


def weights(fingerprint):
    return Weights("somewhere", fingerprint, "sd15", "unet")


def prompt(value):
    return Prompt(torch.full((1, 2, 3), float(value)))


def control(strength):
    return Control(ControlNet(weights("net")), Image(torch.zeros(1, 8, 8, 3)), strength)


def image_prompt(strength):
    return ImagePrompt(
        IpAdapter(weights("ip")), torch.ones(1, 1, 3), torch.zeros(1, 1, 3), strength
    )


def perturbation(scale):
    return Perturbation(PerturbationKind.ATTENTION, scale)


def of_steps(value):
    return (value,) * STEPS


ADDED = ComputedCall(Added(torch.ones(1), torch.ones(1), ()))
# Two examples of each class, which differ in every field.
INPUTS = PromptInputs(torch.zeros(1, 2, 4))
EXAMPLES = [
    (
        ImagePrompts(of_steps((image_prompt(1.0),))),
        ImagePrompts(of_steps((image_prompt(0.5),)), {"ip": object()}),  # pyright: ignore
    ),
    (
        ControlNets(of_steps((control(1.0),)), 8, 8, 8, lambda: None),
        ControlNets(
            of_steps((control(0.5),)), 16, 16, 4, lambda: None,
            {"net": object()}, {1: torch.ones(1)},  # pyright: ignore
        ),
    ),
    (PerturbedNetwork(of_steps((perturbation(3.0),))), PerturbedNetwork(of_steps(()))),
    (
        GuidedPrompts(of_steps(StepPrompts((prompt(1),))), "epsilon"),
        GuidedPrompts(
            of_steps(StepPrompts((prompt(2),))), "v_prediction",
            lambda *_: torch.ones(1), apart=True, from_positive=True,
            guidance_state=GuidanceState(torch.ones(1)), low_noise=(875.0, 3.0),
        ),
    ),
    (LoraWeights((Lora(weights("a"), 1.0),)), LoraWeights((Lora(weights("a"), 0.5),))),
    (FreeUnet(FreeU()), FreeUnet(FreeU((1.1, 1.1)))),
    (
        CachedBlocks(0.1, 3, of_steps(True)),
        CachedBlocks(0.2, 2, of_steps(False), ComputedCalls({"a": ADDED})),
    ),
    (EmbeddedGuidance(torch.ones(1, 4)), EmbeddedGuidance(torch.zeros(1, 4))),
    (
        Prefill(behaviour("qwen_image_21")),
        Prefill(behaviour("flux2_klein_9b"), FilledCaches([(INPUTS, KvCache((), 1))])),
    ),
    (NextTimestep(of_steps(500.0)), NextTimestep(of_steps(250.0))),
    (EditChannels(), EditChannels()),
    (InpaintingChannels(torch.ones(1, 5, 2, 2)), InpaintingChannels(torch.zeros(1, 5, 2, 2))),
    (
        Tiles(8, 2, TileProgress(lambda *_: None)),
        Tiles(16, 4, TileProgress(lambda *_: None)),
    ),
    (
        MotionModules(Motion(MotionModule(weights("motion")))),
        MotionModules(Motion(MotionModule(weights("motion")), 8, 2), {"motion": object()}),  # pyright: ignore
    ),
    (GivenFrames(torch.zeros(1), torch.zeros(1)), GivenFrames(torch.ones(1), torch.ones(1))),
    (ContextWindows(16, 4), ContextWindows(8, 2)),
    (
        DifferentialMask(*torch.zeros(3, 1, 1, 2, 2).unbind(), 0, 4, "epsilon"),
        DifferentialMask(*torch.ones(3, 1, 1, 2, 2).unbind(), 1, 5, "v_prediction"),
    ),
]  # fmt: skip


def keys_of(*participants):
    drawn = draw_noise((1,), (4, 2, 2))
    return step_keys({}, drawn, drawn.start, participants, STEPS)


def changes(by_step=False):
    for first, second in EXAMPLES:
        for each in fields(first):  # pyright: ignore[reportArgumentType]
            if by_step and not each.metadata.items() >= BY_STEP.items():
                continue
            yield pytest.param(first, second, each, id=f"{type(first).__name__}.{each.name}")


def test_every_participant_of_the_program_has_examples():
    ours = {each for each in registered() if each.__module__.startswith("nodeforge.")}
    assert ours == {type(first) for first, _ in EXAMPLES}


@pytest.mark.parametrize(("first", "second", "changed"), changes())
def test_a_changed_field_changes_the_keys_it_says(first, second, changed):
    before, other = keys_of(first), getattr(second, changed.name)
    after = keys_of(replace(first, **{changed.name: other}))
    different = [a != b for a, b in zip(before, after, strict=True)]
    expected = UNCOUNTED not in changed.metadata
    assert different == [expected] * STEPS


@pytest.mark.parametrize(("first", "second", "changed"), changes(by_step=True))
def test_a_field_by_step_changes_the_keys_from_its_step_on(first, second, changed):
    before, values = keys_of(first), list(getattr(first, changed.name))
    for step in range(STEPS):
        entries = [*values[:step], getattr(second, changed.name)[step], *values[step + 1 :]]
        after = keys_of(replace(first, **{changed.name: tuple(entries)}))
        different = [a != b for a, b in zip(before, after, strict=True)]
        assert different == [at >= step for at in range(STEPS)]


def test_a_file_counts_by_its_content_and_not_by_its_place():
    moved = replace(weights("a"), path="elsewhere")
    assert keys_of(LoraWeights((Lora(weights("a"), 1.0),))) == keys_of(
        LoraWeights((Lora(moved, 1.0),))
    )


def test_the_order_is_part_of_the_key():
    one, two = EXAMPLES[4][0], EXAMPLES[5][0]
    assert keys_of(one, two) != keys_of(two, one)


def test_a_class_that_is_no_participant_is_refused():
    with pytest.raises(ParticipantError, match="is no Participant"):

        @participant(order=Order.MASK)  # pyright: ignore[reportArgumentType]
        class Plain:
            pass


def test_a_participant_cannot_write_its_own_key():
    with pytest.raises(ParticipantError, match="defines 'at'"):

        @participant(order=Order.MASK)
        class Own(Participant):
            def at(self, step: int):
                return {}


def test_a_value_that_is_no_field_is_refused():
    with pytest.raises(ParticipantError, match="factor is no field"):

        @participant(order=Order.MASK)
        class Hidden(Participant):
            factor = 2.0


def test_a_participant_cannot_change_after_it_was_made():
    with pytest.raises(AttributeError):
        EXAMPLES[4][0].loras = ()


def test_an_unregistered_class_has_no_keys():
    @dataclass(frozen=True)
    class Unregistered(Participant):
        factor: float = 1.0

    with pytest.raises(ParticipantError, match="not registered"):
        keys_of(Unregistered())


def test_a_value_of_unknown_type_has_no_key():
    @participant(order=Order.MASK)
    class Odd(Participant):
        thing: object
        note: str = field(default="", metadata=uncounted("only a note"))

    with pytest.raises(TypeError, match="object has no digest"):
        keys_of(Odd(object()))
