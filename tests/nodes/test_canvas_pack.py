"""What Generate does on the canvas, node by node, and as a whole on models of other kinds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image as Pillow
from safetensors.torch import load_file, save_file

from nodeforge import diffusion
from nodeforge.api import Conditioning, Image, Mask, Prompt, Schedule, SizeMismatchError
from nodeforge.engine.cache import MemoryTier, ResultCache
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.session import Session
from nodeforge.formats import load
from nodeforge.imaging import Fill, to_bytes
from nodeforge.settings import Settings, shipped
from nodeforge.worker.build import LoadedNetworks
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_pack, load_packs

NODES = Path(__file__).parents[2] / "nodes"
NANO = shipped("resources") / "models" / "nano"
FULL = Schedule("normal", 20)


@pytest.fixture(scope="module")
def canvas():
    return {name: made.function for name, made in load_pack(NODES / "canvas").items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    tiny_models.write_folder(made / "sd")
    tiny_models.write_folder(made / "inpainting", inpainting=True)
    tiny_models.write_folder(made / "no_encoder")
    file = made / "no_encoder" / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    save_file({n: t for n, t in tensors.items() if not n.startswith(("encoder.", "quant"))}, file)
    return made


@pytest.fixture
def host():
    return diffusion.LocalHost(diffusion.Residency("cpu"))


def test_the_canvas_s_pixels_come_as_they_are(canvas, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 4), np.uint8)
    Pillow.fromarray(pixels).save(tmp_path / "box.png")
    shown = canvas["canvas.image"](tmp_path / "box.png")
    assert np.array_equal(to_bytes(shown.image.pixels[0].numpy()), pixels)
    assert np.array_equal(to_bytes(shown.empty.values[0].numpy()), 255 - pixels[..., 3])


def steering(canvas, folder, pixels, path, **options):
    """The hint that a ControlNet gets from a control layer."""
    Pillow.fromarray(pixels).save(path)
    plain = Conditioning((Prompt(torch.zeros(1, 77, 192)),), torch.zeros(1, 77, 192), "nano")
    net = diffusion.describe_controlnet(NANO / "controlnet")
    steered = canvas["canvas.control"](plain, net, path, **options)
    (control,) = steered.prompts[0].controls
    return control.hint.pixels[0].numpy()


def test_a_drawing_on_a_control_layer_is_white_on_black(canvas, folder, tmp_path):
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[10:12, 4:28] = (200, 30, 30, 255)
    hint = steering(canvas, folder, pixels, tmp_path / "drawn.png")
    assert hint[10:12, 4:28].min() == 1
    assert hint[:9].max() == hint[13:].max() == 0


def test_a_picture_on_a_control_layer_gives_its_edges(canvas, folder, tmp_path):
    pixels = np.full((32, 32, 4), 255, np.uint8)
    pixels[8:24, 8:24, :3] = 0
    hint = steering(canvas, folder, pixels, tmp_path / "picture.png")
    assert hint[16, 7:9].max() == 1
    assert hint[12:20, 12:20].max() == hint[:5].max() == 0
    whole = steering(canvas, folder, pixels, tmp_path / "picture.png", reading="picture")
    assert whole[16, 16].max() == 0
    assert whole[0, 0].min() == 1


def test_without_control_or_reference_layers_the_prompt_is_as_it_was(canvas):
    prompt = Conditioning((Prompt(torch.zeros(1, 77, 192)),), torch.zeros(1, 77, 192), "nano")
    assert canvas["canvas.control"](prompt, None) is prompt
    assert canvas["canvas.reference"](None, prompt, None, None) is prompt


def test_a_mask_can_be_made_weaker(canvas, tmp_path):
    Pillow.new("L", (5, 4), 200).save(tmp_path / "mask.png")
    whole, half = (canvas["canvas.mask"](tmp_path / "mask.png", s).values for s in (1.0, 0.5))
    assert whole.unique().tolist() == [pytest.approx(200 / 255)]
    assert torch.allclose(half, whole / 2)


def said(area=None):
    return Conditioning(
        (Prompt(torch.ones(1, 77, 768), area=area),), torch.ones(1, 77, 768), "sd15"
    )


def test_without_a_file_a_region_passes_the_prompt_on(canvas, host, folder):
    encoder = diffusion.describe(folder / "sd").text_encoder
    before = said()
    assert canvas["canvas.region"](host, encoder, before) is before


def test_a_region_s_prompt_acts_in_it_and_the_others_around_it(canvas, host, folder, tmp_path):
    encoder = diffusion.describe(folder / "sd").text_encoder
    files = []
    for number in range(2):
        values = np.zeros((32, 32), np.uint8)
        values[:, 8 * number : 8 * number + 16] = 255
        files.append(tmp_path / f"{number}.png")
        Pillow.fromarray(values).save(files[-1])
    once = canvas["canvas.region"](host, encoder, said(), files[0], "a cat")
    twice = canvas["canvas.region"](host, encoder, once, files[1], "a dog", 2.0)
    rest, cat, dog = (prompt.area.values[0, 0] for prompt in twice.prompts)
    assert (rest + cat + dog).unique().tolist() == [1.0]
    assert cat.nonzero().flatten().tolist() == list(range(8))
    assert dog.nonzero().flatten().tolist() == list(range(8, 24))
    assert twice.prompts[2].weight == 2.0


def test_a_smaller_area_is_brought_to_the_region_s_size(canvas, host, folder, tmp_path):
    encoder = diffusion.describe(folder / "sd").text_encoder
    Pillow.new("L", (32, 32), 255).save(tmp_path / "all.png")
    before = said(Mask(torch.ones(1, 8, 8)))
    made = canvas["canvas.region"](host, encoder, before, tmp_path / "all.png", "a cat")
    assert made.prompts[0].area.values.shape == (1, 32, 32)
    assert made.prompts[0].area.values.max() == 0


@pytest.mark.parametrize("size", [(100, 60), (256, 256), (900, 500)])
@pytest.mark.parametrize(("model", "side", "multiple"), [("nano", 256, 16), ("sd", 512, 8)])
def test_the_model_decides_how_many_pixels_it_sees(canvas, folder, size, model, side, multiple):
    recipe = diffusion.describe(NANO if model == "nano" else folder / model).model
    image, mask = Image(torch.rand(1, *size[::-1], 4)), Mask(torch.ones(1, *size[::-1]))
    seen = canvas["canvas.prepare"](recipe, image, mask, FULL)
    assert seen.image.width % multiple == seen.image.height % multiple == 0
    assert seen.image.width * seen.image.height == pytest.approx(side**2, rel=0.12)
    assert seen.image.width / seen.image.height == pytest.approx(size[0] / size[1], rel=0.1)
    assert not seen.image.has_alpha
    assert (seen.mask.width, seen.mask.height) == (seen.image.width, seen.image.height)


def test_a_prepared_mask_covers_the_mask_and_more(canvas):
    mask = torch.zeros(1, 256, 256)
    mask[:, 100:150, 100:150] = 1
    model = diffusion.describe(NANO).model
    seen = canvas["canvas.prepare"](model, Image(torch.rand(1, 256, 256, 3)), Mask(mask), FULL)
    assert (seen.mask.values >= mask).all()
    assert seen.mask.values.sum() > mask.sum()
    assert seen.mask.values[0, 0, 0] == 0


def test_a_mask_of_another_size_is_refused(canvas):
    image, mask = Image(torch.rand(1, 30, 40, 3)), Mask(torch.ones(1, 20, 20))
    model = diffusion.describe(NANO).model
    with pytest.raises(SizeMismatchError, match="20 × 20"):
        canvas["canvas.prepare"](model, image, mask, FULL, Fill.BLUR)
    with pytest.raises(SizeMismatchError, match="20 × 20"):
        canvas["canvas.result"](image, image, mask)


def encoded(canvas, host, path):
    model, _, vae = diffusion.describe(path)
    mask = torch.zeros(1, 64, 64)
    mask[:, 16:48, 16:48] = 1
    torch.manual_seed(0)
    return canvas["canvas.encode"](host, model, vae, Image(torch.rand(1, 64, 64, 3)), Mask(mask))


def test_only_an_inpainting_model_gets_a_masked_picture_of_its_own(canvas, host, folder):
    plain = encoded(canvas, host, folder / "sd")
    assert plain.masked_image is plain.latent
    inpainting = encoded(canvas, host, folder / "inpainting")
    assert not torch.equal(inpainting.masked_image.samples, inpainting.latent.samples)


def test_a_model_without_an_encoder_is_refused_by_name(canvas, host, folder):
    with pytest.raises(diffusion.LoadingError, match="encoder") as caught:
        encoded(canvas, host, folder / "no_encoder")
    assert caught.value.way_out


def test_every_candidate_of_a_batch_is_transparent_outside_of_the_mask(canvas):
    mask = torch.zeros(1, 40, 50)
    mask[:, 10:30, 10:30] = 1
    image = Image(torch.randint(0, 256, (1, 40, 50, 3)) / 255)
    made = canvas["canvas.result"](Image(torch.rand(3, 64, 80, 3)), image, Mask(mask))
    assert made.patch.pixels.shape == (3, 40, 50, 4)
    assert made.patch.pixels[..., 3][:, mask[0] == 0].max() == 0
    kept = made.image.pixels[:, mask[0] == 0]
    assert torch.equal(kept, image.pixels[:, mask[0] == 0].expand(3, -1, -1))
    assert not torch.equal(made.image.pixels[0], made.image.pixels[1])


def test_a_patch_keeps_the_alpha_of_a_generated_picture(canvas):
    """Models that draw with alpha, as Qwen-Image 2.1 does."""
    image, mask = Image(torch.rand(1, 40, 50, 3)), Mask(torch.ones(1, 40, 50))
    drawn = Image(torch.rand(2, 40, 50, 4))
    made = canvas["canvas.result"](drawn, image, mask)
    assert torch.equal(made.patch.pixels, drawn.pixels)


def test_layers_come_in_the_size_of_the_box_and_are_cut_by_the_mask_alone(canvas):
    mask = torch.zeros(1, 40, 50)
    mask[:, 10:30, 10:30] = 0.3  # how much may change says nothing here
    image, layers = Image(torch.rand(1, 40, 50, 3)), Image(torch.rand(3, 40, 50, 4))
    made = canvas["canvas.layers"](layers, image, Mask(mask))
    inside = mask[0] > 0
    assert torch.equal(made.patch.pixels[:, inside], layers.pixels[:, inside])
    assert made.patch.pixels[..., 3][:, ~inside].max() == 0
    assert made.image.pixels.shape == (1, 40, 50, 4)
    top = layers.pixels.clone()
    top[-1, ..., 3] = 1
    shown = canvas["canvas.layers"](Image(top), image, Mask(mask)).image.pixels[0]
    assert (shown[inside] - top[-1][inside]).abs().max() <= 0.5 / 255 + 1e-6
    other = canvas["canvas.layers"](Image(torch.rand(2, 64, 64, 4)), image, Mask(mask))
    assert other.patch.pixels.shape == (2, 40, 50, 4)
    with pytest.raises(SizeMismatchError, match="20 × 20"):
        canvas["canvas.layers"](layers, image, Mask(torch.ones(1, 20, 20)))


@pytest.mark.filterwarnings("ignore:__array_")
@pytest.mark.parametrize("name", ["sd", "inpainting"])
def test_the_shipped_workflow_runs_on_models_with_and_without_a_mask(folder, tmp_path, name):
    settings = Settings(home=tmp_path)
    cache = ResultCache(MemoryTier(2**26), None, ValueCodec())
    networks = LoadedNetworks(diffusion.Residency("cpu"))
    session = Session(settings, load_packs(settings).node_types, cache, networks, torch.no_grad)
    document = load(shipped("workflows") / "canvas_inpaint.json")
    given: dict[str, dict[str, Any]] = {
        "model": {"file": str(folder / name)}, "prepare": {"size": 64}, "schedule": {"steps": 2},
    }  # fmt: skip
    for node, values in given.items():
        document.node(node).values |= values
    told: list[Any] = []
    asked = RunRequest("run", targets=["result"], granted=[str(folder / name)])
    results = session.run(document.graph, asked, RunState(told.append))
    assert results, told[-1]
    assert results["result"]["patch"].pixels.shape == (1, 256, 256, 4)
