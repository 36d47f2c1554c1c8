"""IP-Adapters: the pipeline to the last bit, windows in the step keys, nothing left behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny_adapters
import tiny_models
import torch
from diffusers import (
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image as Pillow
from safetensors.torch import load_file, save_file
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, FamilyMismatchError, LoadingError
from nodeforge.diffusion.adapters.image_prompts import add_image_prompt
from nodeforge.diffusion.networks.image_encoder import config_of
from nodeforge.diffusion.weights.weights_file import stored_tensors
from nodeforge.values import (
    Guidance,
    Image,
    ImageEncoder,
    IpAdapter,
    Noise,
    Sampler,
    Schedule,
    Weights,
)
from nodeforge.worker.codec import ValueCodec

# diffusers' schedulers hand numpy arrays to torch the old way, thousands of times.
pytestmark = pytest.mark.filterwarnings("ignore:__array_")

SIZE, SEED, STEPS = 64, 5, 4
KINDS = ["plain", "plus", "full"]


@pytest.fixture(scope="module")
def files(sd_folder, tmp_path_factory):
    """An adapter of each kind, and the image encoder's folder."""
    root = tmp_path_factory.mktemp("ip")
    tiny_adapters.image_encoder().save_pretrained(root / "encoder")
    made = [
        tiny_adapters.write_ip_adapter(sd_folder, root / f"{kind}.safetensors", kind=kind)
        for kind in KINDS
    ]
    return *made, root / "encoder"


def recipe(kind, path, part):
    return kind(Weights(str(path), str(path), "sd15", part))


@pytest.fixture(scope="module")
def adapters(files):
    return [recipe(IpAdapter, file, "ip_adapter") for file in files[:-1]]


@pytest.fixture(scope="module")
def encoder(files):
    return recipe(ImageEncoder, files[-1], "image_encoder")


@pytest.fixture
def task(sd, prompts):
    return Denoising(
        sd.model, prompts[0], Sampler("euler"), Schedule("normal", STEPS), Guidance(7.5),
        prompts[1], noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip


def drawing(seed, width=48, height=40):
    rng = np.random.default_rng(seed)
    return Pillow.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def picture(seed=0):
    return Image(torch.from_numpy(np.asarray(drawing(seed), np.float32) / 255)[None])


def seeing(host, task, encoder, *looks):
    positive = task.positive
    for adapter, image, *more in looks:
        with host.use(adapter) as loaded, host.use(encoder) as eyes:
            positive = add_image_prompt(positive, adapter, loaded, eyes, image, *more)
    return replace(task, positive=positive)


def theirs(sd_folder, files, encoder, pictures, scales, kind=StableDiffusionPipeline, **more):
    unsafe = {"safety_checker": None, "requires_safety_checker": False}
    made = kind.from_pretrained(
        sd_folder,
        **(unsafe if kind is StableDiffusionPipeline else {}),
        image_encoder=tiny_adapters.image_encoder(),
        feature_extractor=CLIPImageProcessorPil(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        ),
    )
    made.set_progress_bar_config(disable=True)
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    states = []
    for file in files:
        state = {"image_proj": {}, "ip_adapter": {}}
        for name, tensor in load_file(file).items():
            part, _, rest = name.partition(".")
            state[part][rest] = tensor.clone()
        states.append(state)
    made.unet._load_ip_adapter_weights(states, low_cpu_mem_usage=False)
    made.set_ip_adapter_scale(scales)
    asked = {"guidance_scale": 7.5, "height": SIZE, "width": SIZE} | more
    return made(
        "a red cat", negative_prompt="blurry", num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(SEED), output_type="latent",
        ip_adapter_image=pictures, **asked,
    ).images  # fmt: skip


def difference(ours, other):
    return float((ours - other).abs().max())


@pytest.mark.parametrize("which", range(len(KINDS)), ids=KINDS)
@pytest.mark.parametrize("scale", [7.5, 1.0])
def test_one_adapter_equals_the_pipeline(
    host, task, sd_folder, files, adapters, encoder, which, scale
):
    task = seeing(host, task, encoder, (adapters[which], picture(), 0.7))
    ours = diffusion.denoise(host, replace(task, guidance=Guidance(scale))).samples
    other = theirs(
        sd_folder, files[which : which + 1], encoder, [drawing(0)], [0.7], guidance_scale=scale
    )
    assert difference(ours, other) == 0.0


def test_two_adapters_equal_the_pipeline(host, task, sd_folder, files, adapters, encoder):
    looks = (adapters[0], picture(0), 0.7), (adapters[1], picture(1), 1.2)
    ours = diffusion.denoise(host, seeing(host, task, encoder, *looks)).samples
    other = theirs(sd_folder, files[:2], encoder, [drawing(0), drawing(1)], [0.7, 1.2])
    assert difference(ours, other) == 0.0


def test_several_pictures_are_looked_at_together(host, task, sd_folder, files, adapters, encoder):
    both = Image(torch.cat([picture(0).pixels, picture(1).pixels]))
    ours = diffusion.denoise(host, seeing(host, task, encoder, (adapters[0], both, 0.7))).samples
    other = theirs(sd_folder, files[:1], encoder, [[drawing(0), drawing(1)]], [0.7])
    assert difference(ours, other) == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_sdxl_s_equals_its_pipeline(host, sdxl, sdxl_folder, encoder, tmp_path, kind):
    file = tiny_adapters.write_ip_adapter(sdxl_folder, tmp_path / "xl.safetensors", kind=kind)
    adapter = diffusion.describe_ip_adapter(file)
    with host.use(sdxl.text_encoder) as loaded:
        encode = diffusion.behaviour("sdxl").encode
        positive, negative = (encode(loaded, text) for text in ("a red cat", "blurry"))
    task = Denoising(
        sdxl.model, positive, Sampler("euler"), Schedule("normal", STEPS), Guidance(7.5),
        negative, noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    ours = diffusion.denoise(host, seeing(host, task, encoder, (adapter, picture(), 0.7))).samples
    other = theirs(
        sdxl_folder, [file], encoder, [drawing(0)], [0.7], kind=StableDiffusionXLPipeline
    )
    assert difference(ours, other) == 0.0


def test_the_network_is_as_before_and_strength_0_is_the_model_alone(host, task, adapters, encoder):
    plain = diffusion.denoise(host, task).samples
    seen = diffusion.denoise(host, seeing(host, task, encoder, (adapters[0], picture(), 1.0)))
    assert not torch.equal(seen.samples, plain)
    host.steps.kept.clear()
    assert torch.equal(diffusion.denoise(host, task).samples, plain)
    with host.use(task.model) as model:
        kinds = {type(each).__name__ for each in model.network.attn_processors.values()}
        assert kinds == {"AttnProcessor2_0"}
        hooked = (m for m in model.network.modules() if m._forward_hooks or m._forward_pre_hooks)
        assert not list(hooked)
    host.steps.kept.clear()
    unseen = seeing(host, task, encoder, (adapters[0], picture(), 0.0))
    assert torch.equal(diffusion.denoise(host, unseen).samples, plain)


def calls(host, task):
    before = host.model_calls
    diffusion.denoise(host, task)
    return host.model_calls - before


def test_windows_and_contents_are_in_the_step_keys(host, task, adapters, encoder):
    def look(image, *more):
        return seeing(host, task, encoder, (adapters[0], image, *more))

    assert calls(host, look(picture(), 1.0, 0.0, 0.5)) == STEPS
    assert calls(host, look(picture(), 1.0, 0.0, 0.75)) == 2
    assert calls(host, look(picture(), 1.0, 0.0, 0.5)) == 0
    assert calls(host, look(picture(1), 1.0, 0.0, 0.5)) == STEPS
    assert calls(host, look(picture(), 0.9, 0.0, 0.5)) == STEPS


def test_a_lora_and_a_tile_go_with_it(host, task, adapters, encoder, sd_folder, tmp_path):
    file = tiny_models.write_lora(sd_folder, tmp_path / "lora.safetensors")
    model = diffusion.with_lora(task.model, diffusion.describe_lora(file, "sd15"), 0.5)
    seen = seeing(host, replace(task, model=model), encoder, (adapters[0], picture(), 1.0))
    assert diffusion.denoise(host, seen).samples.isfinite().all()


def test_a_prompt_with_pictures_is_kept_on_disk(host, task, adapters, encoder):
    seen = seeing(host, task, encoder, (adapters[0], picture(), 1.0)).positive
    codec = ValueCodec()
    again = codec.decode(codec.encode(seen))
    assert again.prompts[0].images[0].adapter == adapters[0]
    assert torch.equal(again.prompts[0].images[0].embedding, seen.prompts[0].images[0].embedding)


def test_an_encoder_in_one_file_needs_no_configuration(host, files, adapters, encoder, task):
    file = files[-1] / "model.safetensors"
    told = config_of(stored_tensors(file))
    assert (told.image_size, told.patch_size, told.num_hidden_layers) == (32, 8, 3)
    alone = recipe(ImageEncoder, file, "image_encoder")
    looks = (adapters[0], picture(), 1.0)
    first, second = (seeing(host, task, each, looks).positive for each in (encoder, alone))
    one, other = (each.prompts[0].images[0].embedding for each in (first, second))
    assert torch.equal(one, other)


@pytest.mark.parametrize("kind", ["face id", "face id plus"])
def test_one_that_reads_faces_through_another_network_is_refused(
    host, task, sd_folder, encoder, tmp_path, kind
):
    file = tiny_adapters.write_ip_adapter(sd_folder, tmp_path / "face.safetensors", kind=kind)
    adapter = diffusion.describe_ip_adapter(file)
    with pytest.raises(LoadingError, match="FaceID"):
        seeing(host, task, encoder, (adapter, picture(), 1.0))


def test_what_does_not_fit_is_refused(host, task, files, adapters, encoder, tmp_path):
    away = replace(task, positive=replace(task.positive, family="nano"))
    with pytest.raises(FamilyMismatchError, match=r"for SD 1\.5, the prompt for nano"):
        seeing(host, away, encoder, (adapters[0], picture(), 1.0))
    tensors = load_file(files[0])
    for name, change in {
        "faces": {"image_proj.proj.weight": None},
        "layers": {"ip_adapter.1.to_v_ip.weight": None},
    }.items():
        file = tmp_path / f"{name}.safetensors"
        save_file({n: t for n, t in tensors.items() if n not in change}, file)
        with pytest.raises(LoadingError, match="cannot be read"):
            seeing(host, task, encoder, (recipe(IpAdapter, file, "x"), picture(), 1.0))
