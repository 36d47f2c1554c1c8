"""What may be added to guidance: formulas, what is neutral, resuming, and nothing left behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPAGPipeline, StableDiffusionPipeline
from diffusers.guiders.adaptive_projected_guidance import MomentumBuffer, normalized_guidance
from diffusers.guiders.classifier_free_zero_star_guidance import cfg_zero_star_scale
from diffusers.guiders.skip_layer_guidance import SkipLayerGuidance
from diffusers.hooks import LayerSkipConfig

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LayerNameError, parse_layer_names
from nodeforge.diffusion.guidance.formulas import (
    GuidanceState,
    Predictions,
    apply_guidance,
    fitted,
    thresholded,
)
from nodeforge.diffusion.guidance.perturbed_attention import layers, perturbed
from nodeforge.diffusion.tensors.conditioning import RangeError
from nodeforge.diffusion.tensors.prediction import Clean
from nodeforge.values import (
    FreeU,
    Guidance,
    Noise,
    Perturbation,
    PerturbationKind,
    Projection,
    Sampler,
    Schedule,
    Thresholding,
    ZeroStar,
)
from nodeforge.worker.codec import ValueCodec

# diffusers' schedulers hand numpy arrays to torch the old way, thousands of times.
pytestmark = pytest.mark.filterwarnings("ignore:__array_")

STEPS, SIZE, SEED = 4, 32, 5
PAG = Perturbation(PerturbationKind.ATTENTION, 3.0)
SLG = Perturbation(PerturbationKind.LAYER, 2.5)
ADDED = {
    "zero star": {"zero_star": ZeroStar(1)},
    "projection": {"projection": Projection(0.2, -0.5, 3.0)},
    "thresholding": {"thresholding": Thresholding(2.0, 0.9)},
    "perturbed attention": {"perturbations": (PAG,)},
    "skipped layers": {"perturbations": (SLG,)},
}
each_added = pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)


@pytest.fixture
def task(sd, prompts):
    return Denoising(
        sd.model, prompts[0], Sampler("euler"), Schedule("normal", STEPS), Guidance(7.5),
        prompts[1], noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip


def run(host, task, **guidance):
    host.steps.kept.clear()
    return diffusion.denoise(host, replace(task, guidance=replace(task.guidance, **guidance)))


def some(seed=0, batch=2):
    torch.manual_seed(seed)
    return torch.randn(batch, 4, 6, 5)


@pytest.mark.parametrize(
    "neutral",
    [
        {"projection": Projection(1.0, 0.0, 0.0)},
        {"thresholding": Thresholding(7.5, 1.0)},
        {"thresholding": Thresholding(50.0, 0.5)},
        {"perturbations": (replace(PAG, scale=0.0), replace(SLG, scale=0.0))},
    ],
    ids=["projection", "thresholding", "a higher scale's range", "perturbation"],
)
def test_what_is_neutral_leaves_plain_guidance_s_bits(host, task, neutral):
    plain = run(host, task).samples
    assert torch.equal(run(host, task, **neutral).samples, plain)


@each_added
def test_what_is_added_changes_the_picture_and_leaves_the_network(host, task, added):
    plain = run(host, task).samples
    other = run(host, task, **added).samples
    assert other.isfinite().all()
    assert not torch.equal(other, plain)
    assert torch.equal(run(host, task).samples, plain)


@each_added
@pytest.mark.parametrize("sampler", ["euler", "heun", "dpmpp_2m"])
def test_a_run_resumed_at_any_step_has_the_same_bits(residency, task, added, sampler):
    host = diffusion.LocalHost(residency)
    task = replace(task, sampler=Sampler(sampler))
    whole = run(host, task, **added).samples
    codec = ValueCodec()
    for key, checkpoint in list(host.steps.kept.items()):
        again = diffusion.LocalHost(residency)
        again.steps.store(key, codec.decode(codec.encode(checkpoint)))
        out = diffusion.denoise(again, replace(task, guidance=replace(task.guidance, **added)))
        assert torch.equal(out.samples, whole)


def test_projection_is_the_paper_s_with_momentum():
    how = Guidance(9.0, projection=Projection(0.3, -0.5, 2.0))
    memory, buffer = GuidanceState(), MomentumBuffer(-0.5)
    for seed in range(3):
        wanted, unwanted, x = some(seed), some(seed + 10), some(seed + 20)
        clean = Clean(x, torch.tensor(2.5), "epsilon")
        ours = clean(apply_guidance(how, Predictions(wanted, unwanted), clean, memory))
        theirs = normalized_guidance(
            clean(wanted), clean(unwanted), 9.0 - 1, buffer, 0.3, 2.0, True
        )
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_projection_without_bound_and_momentum_keeps_only_what_is_across():
    how = Guidance(4.0, projection=Projection(0.0, 0.0, 0.0))
    wanted, unwanted, x = some(1), some(2), some(3)
    clean = Clean(x, torch.tensor(0.7), "v_prediction")
    added = clean(apply_guidance(how, Predictions(wanted, unwanted), clean, GuidanceState()))
    added = added - clean(wanted)
    along = (added * clean(wanted)).sum(dim=(1, 2, 3))
    assert along.abs().max() < 1e-3 * added.norm() * clean(wanted).norm()


def test_the_fitted_negative_is_the_nearest_multiple():
    wanted, unwanted = some(1), some(2)
    factor = cfg_zero_star_scale(wanted.flatten(1), unwanted.flatten(1)).view(-1, 1, 1, 1)
    assert torch.allclose(fitted(unwanted, wanted), unwanted * factor, atol=1e-6)
    left = wanted - fitted(unwanted, wanted)
    assert (left * unwanted).sum(dim=(1, 2, 3)).abs().max() < 1e-4


def test_silent_steps_ask_nothing(host, task):
    before = host.model_calls
    run(host, task, zero_star=ZeroStar(2))
    assert host.model_calls - before == STEPS - 2


def test_thresholding_brings_values_into_the_gentle_range():
    gentle, far = some(1), 6 * some(2) + 1
    pulled = thresholded(far, gentle, 0.9)
    mean = far.mean(dim=(2, 3), keepdim=True)
    bound = (gentle - gentle.mean(dim=(2, 3), keepdim=True)).abs().amax(dim=(2, 3), keepdim=True)
    assert ((pulled - mean).abs() <= bound * 1.0001).all()
    assert torch.equal(thresholded(gentle, gentle, 0.5), gentle)
    same_side = (pulled - mean) * (far - mean)
    assert same_side.min() >= -1e-5


@pytest.mark.parametrize("scale", [7.5, 1.0])
def test_perturbed_attention_is_diffusers_pipeline_s(host, task, sd_folder, scale):
    made = StableDiffusionPAGPipeline.from_pretrained(
        sd_folder, safety_checker=None, requires_safety_checker=False, pag_applied_layers=["mid"]
    )
    made.set_progress_bar_config(disable=True)
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    theirs = made(
        "a red cat", negative_prompt="blurry", num_inference_steps=STEPS, guidance_scale=scale,
        pag_scale=3.0, width=SIZE, height=SIZE, generator=torch.Generator().manual_seed(SEED),
        output_type="latent",
    ).images  # fmt: skip
    ours = run(host, task, scale=scale, perturbations=(PAG,)).samples
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(run(host, task, scale=scale).samples, theirs, atol=1e-2)


def test_skipped_layers_are_diffusers_guider_s(host, sd, prompts):
    guider = SkipLayerGuidance(
        5.0, 2.0, skip_layer_guidance_start=0.0, skip_layer_guidance_stop=1.0,
        skip_layer_config=LayerSkipConfig(
            [0], fqn="mid_block.attentions.0.transformer_blocks", skip_ff=True
        ),
    )  # fmt: skip
    x, at = torch.nn.functional.pad(some(3, batch=1), (0, 3, 0, 2)), torch.tensor(500)
    texts = [prompt.prompts[0].embedding for prompt in prompts]
    with host.use(sd.model) as model, torch.no_grad():
        network = model.network
        guider.set_state(step=1, num_inference_steps=4, timestep=at)
        batches = guider.prepare_inputs({"text": (texts[0], texts[1])})
        for batch in batches:
            guider.prepare_models(network)
            batch.noise_pred = network(x, at, encoder_hidden_states=batch.text)[0]
            guider.cleanup_models(network)
        theirs = guider(batches)[0]
        wanted, unwanted = (network(x, at, encoder_hidden_states=text)[0] for text in texts)
        with perturbed(network, SLG):
            less = network(x, at, encoder_hidden_states=texts[0])[0]
    how = Guidance(5.0, perturbations=(replace(SLG, scale=2.0),))
    clean = Clean(x, torch.tensor(1.0), "epsilon")
    ours = apply_guidance(how, Predictions(wanted, unwanted, [less]), clean, GuidanceState())
    assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("freeu", [FreeU(), FreeU((1.5, 1.6), (0.9, 0.2))])
def test_freeu_equals_the_pipeline_and_is_gone_afterwards(host, task, sd_folder, freeu):
    made = StableDiffusionPipeline.from_pretrained(
        sd_folder, safety_checker=None, requires_safety_checker=False
    )
    made.set_progress_bar_config(disable=True)
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    made.enable_freeu(*freeu.skip, *freeu.backbone)
    theirs = made(
        "a red cat", negative_prompt="blurry", num_inference_steps=STEPS, width=SIZE, height=SIZE,
        generator=torch.Generator().manual_seed(SEED), output_type="latent",
    ).images  # fmt: skip
    plain = run(host, task).samples
    ours = run(host, replace(task, model=replace(task.model, freeu=freeu))).samples
    assert float((ours - theirs).abs().max()) == 0.0
    assert torch.equal(run(host, task).samples, plain)
    assert not torch.equal(ours, plain)


def started_at(host, first, second):
    diffusion.denoise(host, first)
    before = len(host.steps.kept)
    diffusion.denoise(host, second)
    return STEPS - (len(host.steps.kept) - before)


@each_added
def test_what_is_added_counts_from_the_first_step(host, task, added):
    other = replace(task, guidance=replace(task.guidance, **added))
    assert started_at(host, task, other) == 0
    assert started_at(host, other, other) == STEPS


def test_freeu_counts_from_the_first_step(host, task):
    other = replace(task, model=replace(task.model, freeu=FreeU()))
    assert started_at(host, task, other) == 0


def test_a_perturbation_s_moved_end_starts_there(host, task):
    def until(end):
        return replace(task, guidance=Guidance(7.5, perturbations=(replace(PAG, end=end),)))

    assert started_at(host, until(0.5), until(0.75)) == 2


def test_a_perturbation_s_window_is_checked(host, task):
    with pytest.raises(RangeError):
        run(host, task, perturbations=(replace(PAG, start=0.5, end=0.5),))


def test_an_error_within_leaves_no_hook_behind(host, sd):
    with host.use(sd.model) as model:
        with pytest.raises(KeyError), perturbed(model.network, SLG):
            raise KeyError
        assert not any(module._forward_hooks for module in model.network.modules())


def test_places_are_read_and_found(host, sd):
    assert parse_layer_names("mid, down.1 up.0.1,mid") == ("mid", "down.1", "up.0.1")
    with host.use(sd.model) as model:
        assert layers(model.network, ("mid",)) == ["mid_block.attentions.0.transformer_blocks.0"]
        assert len(layers(model.network, ("up.0",))) == 2
        assert layers(model.network, ("up.0.1", "up.0.1")) == [
            "up_blocks.0.attentions.1.transformer_blocks.0"
        ]


@pytest.mark.parametrize("text", ["", ",", "middle", "down", "up.x", "down.1.2.3"])
def test_what_is_no_place_is_refused(text):
    with pytest.raises(LayerNameError):
        parse_layer_names(text)


def test_a_place_without_attention_is_refused_with_those_that_have(host, task):
    away = replace(PAG, layers=("down.0",))
    with pytest.raises(LayerNameError, match=r"no attention at 'down\.0'") as caught:
        run(host, task, perturbations=(away,))
    assert "mid.0" in caught.value.way_out
