"""T2I-Adapters: the pipeline to the last bit, beside ControlNets, and the names in their files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny_adapters
import tiny_models
import torch
from diffusers import (
    EulerDiscreteScheduler,
    MultiAdapter,
    StableDiffusionAdapterPipeline,
    StableDiffusionXLAdapterPipeline,
    T2IAdapter,
    UNet2DConditionModel,
)
from PIL import Image as Pillow
from safetensors.torch import load_file, save_file

from nodeforge import diffusion, models
from nodeforge.diffusion import Denoising, LoadingError
from nodeforge.diffusion.networks.t2i_adapter import build_t2i_adapter, named
from nodeforge.values import (
    ControlNet,
    Guidance,
    Image,
    Noise,
    Sampler,
    Schedule,
    Tiling,
    Weights,
)

# diffusers' schedulers hand numpy arrays to torch the old way, thousands of times.
pytestmark = pytest.mark.filterwarnings("ignore:__array_")

SIZE, SEED, STEPS = 64, 5, 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model whose first level has attention, as real ones have: adapters need that."""
    folder = tiny_models.write_folder(tmp_path_factory.mktemp("sd"))
    torch.manual_seed(2)
    UNet2DConditionModel(
        sample_size=64, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=768, attention_head_dim=2,
    ).save_pretrained(folder / "unet")  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def folders(folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("t2i")
    return [tiny_adapters.write_t2i_adapter(folder, root / str(seed), seed=seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def nets(folders):
    return [diffusion.describe_t2i_adapter(folder) for folder in folders]


@pytest.fixture(scope="module")
def prompts(folder, residency):
    with residency.use(diffusion.describe(folder).text_encoder) as encoder:
        return [diffusion.encode_prompt(encoder, text) for text in ("a red cat", "blurry")]


@pytest.fixture
def task(folder, prompts):
    return Denoising(
        diffusion.describe(folder).model, prompts[0], Sampler("euler"),
        Schedule("normal", STEPS), Guidance(7.5), prompts[1], noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip


def drawing(seed):
    rng = np.random.default_rng(seed)
    return Pillow.fromarray(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))


def hint(seed=0):
    return Image(torch.from_numpy(np.asarray(drawing(seed), np.float32) / 255)[None])


def steered(task, *controls):
    positive = task.positive
    for control in controls:
        positive = diffusion.add_control(positive, *control)
    return replace(task, positive=positive)


def theirs(folder, folders, pictures, scale, guidance, kind=StableDiffusionAdapterPipeline):
    unsafe = {"safety_checker": None, "requires_safety_checker": False}
    nets = [T2IAdapter.from_pretrained(folder) for folder in folders]
    one = len(nets) == 1
    made = kind.from_pretrained(
        folder,
        adapter=nets[0] if one else MultiAdapter(nets),
        **(unsafe if kind is StableDiffusionAdapterPipeline else {}),
    )
    for network in (*nets, made.unet, made.text_encoder):
        for parameter in network.parameters():
            # in aligned memory: mapped from a file, the last bit of small products differs
            parameter.data = parameter.data.clone()
    made.set_progress_bar_config(disable=True)
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    return made(
        "a red cat", negative_prompt="blurry", num_inference_steps=STEPS, width=SIZE, height=SIZE,
        generator=torch.Generator().manual_seed(SEED), output_type="latent",
        image=pictures[0] if one else pictures, adapter_conditioning_scale=scale,
        guidance_scale=guidance,
    ).images  # fmt: skip


def difference(ours, other):
    return float((ours - other).abs().max())


@pytest.mark.parametrize("scale", [7.5, 1.0])
def test_one_adapter_equals_the_pipeline(host, task, folder, folders, nets, scale):
    task = steered(replace(task, guidance=Guidance(scale)), (nets[0], hint(), 0.8))
    other = theirs(folder, folders[:1], [drawing(0)], 0.8, scale)
    assert difference(diffusion.denoise(host, task).samples, other) == 0.0


@pytest.mark.parametrize("count", [1, 2])
def test_sdxl_s_equal_its_pipeline(host, sdxl, sdxl_folder, tmp_path, count):
    folders = [
        tiny_adapters.write_t2i_adapter(sdxl_folder, tmp_path / str(seed), seed=seed, xl=True)
        for seed in range(count)
    ]
    with host.use(sdxl.text_encoder) as loaded:
        encode = diffusion.behaviour("sdxl").encode
        prompts = [encode(loaded, text) for text in ("a red cat", "blurry")]
    task = Denoising(
        sdxl.model, prompts[0], Sampler("euler"), Schedule("normal", STEPS), Guidance(7.5),
        prompts[1], noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    nets = [diffusion.describe_t2i_adapter(folder) for folder in folders]
    ours = steered(task, *((net, hint(seed), 0.8 - 0.3 * seed) for seed, net in enumerate(nets)))
    other = theirs(
        sdxl_folder, folders, [drawing(0), drawing(1)][:count],
        0.8 if count == 1 else [0.8, 0.5], 7.5, kind=StableDiffusionXLAdapterPipeline,
    )  # fmt: skip
    assert {net.weights.family for net in nets} == {"sdxl"}
    assert difference(diffusion.denoise(host, ours).samples, other) == 0.0


def test_two_adapters_equal_the_pipeline(host, task, folder, folders, nets):
    ours = steered(task, (nets[0], hint(0), 0.8), (nets[1], hint(1), 0.5))
    other = theirs(folder, folders, [drawing(0), drawing(1)], [0.8, 0.5], 7.5)
    assert difference(diffusion.denoise(host, ours).samples, other) == 0.0


def test_an_adapter_acts_beside_a_controlnet_within_its_window_and_in_tiles(
    host, task, folder, nets, tmp_path
):
    control = diffusion.describe_controlnet(tiny_models.write_controlnet(folder, tmp_path))
    both = steered(task, (nets[0], hint(), 1.0, 0.0, 0.5), (control, hint(1), 1.0))
    alone = steered(task, (control, hint(1), 1.0))
    first = diffusion.denoise(host, both).samples
    assert not torch.equal(diffusion.denoise(host, alone).samples, first)
    before = host.model_calls
    diffusion.denoise(
        host, steered(task, (nets[0], hint(), 1.0, 0.0, 0.75), (control, hint(1), 1.0))
    )
    assert host.model_calls - before == 2
    tiled = replace(both, model=replace(task.model, tiling=Tiling(64, 16)))
    large = replace(tiled, noise=Noise(SEED, 96, SIZE))
    assert diffusion.denoise(host, large).samples.isfinite().all()


def test_an_adapter_of_drawings_reads_one_channel(host, task, folder, tmp_path):
    folder = tiny_adapters.write_t2i_adapter(folder, tmp_path, channels=1)
    net = diffusion.describe_t2i_adapter(folder)
    assert diffusion.denoise(host, steered(task, (net, hint(), 1.0))).samples.isfinite().all()


def test_what_is_no_adapter_is_refused(folder):
    with pytest.raises(LoadingError, match="this is a VAE, not a T2I-Adapter"):
        diffusion.describe_t2i_adapter(folder / "vae")


KINDS = {
    "full": T2IAdapter(3, [8, 16, 16, 16], 2, 8, "full_adapter"),
    "full of SDXL": T2IAdapter(1, [8, 16, 16, 16], 2, 16, "full_adapter_xl"),
    "light": T2IAdapter(3, [8, 16, 16], 4, 8, "light_adapter"),
}


def authors(name, layers):
    """The name in the authors' files, which count full adapters' blocks through."""
    words = name.removeprefix("adapter.").split(".")
    match words:
        case ["body", level, "resnets", block, *rest] if layers:
            return ".".join(["body", str(int(level) * layers + int(block)), *rest])
        case ["body", level, "in_conv", kind] if layers:
            return f"body.{int(level) * layers}.in_conv.{kind}"
        case ["body", level, "resnets", block, *rest]:
            return ".".join(["body", level, "body", block, *rest])
    return ".".join(words)


@pytest.mark.parametrize("kind", KINDS)
def test_an_authors_file_has_the_same_tensors_and_tells_its_shape(kind, tmp_path):
    made = KINDS[kind]
    layers = 0 if kind == "light" else 2
    state = {authors(n, layers): t.clone() for n, t in made.state_dict().items()}
    assert set(named(state)) == set(made.state_dict())
    file = tmp_path / "adapter.safetensors"
    save_file(state, file)
    built = build_t2i_adapter(Weights(str(file), "x", "sd15", "t2i_adapter"))
    told = {n: tuple(t.shape) for n, t in built.state_dict().items()}
    assert told == {n: tuple(t.shape) for n, t in made.state_dict().items()}


def test_adapters_and_encoders_are_recognised(folder, folders, tmp_path):
    file = tiny_adapters.write_ip_adapter(folder, tmp_path / "ip.safetensors")
    tiny_adapters.image_encoder().save_pretrained(tmp_path / "encoder")
    assert models.recognise(folders[0]).kind is models.Kind.T2I_ADAPTER
    assert models.recognise(file).kind is models.Kind.IP_ADAPTER
    assert models.recognise(tmp_path / "encoder").kind is models.Kind.IMAGE_ENCODER
    assert diffusion.describe_ip_adapter(file).weights.family == "sd15"
    alone = tmp_path / "encoder" / "model.safetensors"
    assert diffusion.describe_image_encoder(alone).weights.part == "image_encoder"
    assert load_file(alone)
    assert isinstance(diffusion.describe_t2i_adapter(folders[0]), ControlNet)
