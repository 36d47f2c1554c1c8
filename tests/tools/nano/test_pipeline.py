"""What is exported loads and draws; masked inpainting leaves the rest alone."""

import json

import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from tools.nano.edits import inpainting
from tools.nano.export import (
    EDGE_PULL,
    forget_paths,
    name_float32,
    replace_folder,
    strengthen,
)
from tools.nano.sampling import draw_prompts, new_pipeline
from tools.nano.shapes import decode, encode, new_controlnet, new_text_encoder, new_unet, new_vae
from tools.nano.tokens import build_tokenizer
from tools.nano.train_lora import save_adapter, with_adapter
from tools.nano.train_vae import to_pixels, to_tensor


@pytest.fixture
def pipeline(concepts):
    torch.manual_seed(0)
    tokenizer = build_tokenizer(concepts)
    unet = new_unet((32, 32)).eval()
    text = new_text_encoder(tokenizer, layers=1).eval()
    return new_pipeline(new_vae((8, 8, 16, 16, 16)).eval(), unet, text, tokenizer)


def drawn(pipeline, prompts=("a ball",), **options):
    return draw_prompts(
        pipeline, prompts, range(len(prompts)), steps=2, height=64, width=64, **options
    )


def test_an_exported_folder_draws_the_same_picture(pipeline, tmp_path):
    pipeline.save_pretrained(tmp_path)
    read = StableDiffusionPipeline.from_pretrained(tmp_path)
    assert np.array_equal(drawn(read)[0], drawn(pipeline)[0])


def test_the_text_encoder_is_run_in_float32_though_stored_in_half(pipeline, tmp_path):
    pipeline.text_encoder.half().save_pretrained(tmp_path)
    name_float32(tmp_path / "config.json")
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "float32"
    read = type(pipeline.text_encoder).from_pretrained(tmp_path)
    assert read.dtype == torch.float32


def test_an_export_does_not_say_where_its_parts_were_read(pipeline, tmp_path):
    pipeline.vae.save_pretrained(tmp_path / "read")
    again = type(pipeline.vae).from_pretrained(tmp_path / "read")
    again.save_pretrained(tmp_path / "out")
    forget_paths(tmp_path / "out")
    assert str(tmp_path) not in (tmp_path / "out" / "config.json").read_text("utf-8")


def test_a_picture_does_not_depend_on_the_others_of_its_batch(pipeline):
    alone = drawn(pipeline)[0].astype(int)
    together = drawn(pipeline, ("a ball", "an owl"))[0]
    assert np.abs(alone - together).max() <= 4  # bfloat16 sums in another order


@torch.no_grad()
def test_inpainting_leaves_what_is_outside_the_mask(pipeline):
    picture = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    mask = np.zeros((256, 256), np.uint8)
    mask[:, 128:] = 255
    painted = inpainting(pipeline, [picture], mask, ["a ball"])[0]
    back = to_pixels(decode(pipeline.vae, encode(pipeline.vae, to_tensor(picture[None])).mean))[0]
    changed = np.abs(painted.astype(int) - back).mean(axis=(0, 2))
    assert changed[:64].mean() < 0.7 * changed[192:].mean()  # group norms see the whole


def test_a_new_controlnet_changes_nothing(pipeline):
    controlnet = new_controlnet(pipeline.unet)
    noisy, time, words = torch.randn(1, 16, 4, 4), torch.tensor([5]), torch.randn(1, 32, 192)
    edges = torch.rand(1, 3, 64, 64)
    down, middle = controlnet(noisy, time, words, controlnet_cond=edges, return_dict=False)
    assert all(not part.any() for part in (*down, middle))


@torch.no_grad()
def test_an_exported_controlnet_pulls_harder(pipeline):
    controlnet = new_controlnet(pipeline.unet)
    for layer in (*controlnet.controlnet_down_blocks, controlnet.controlnet_mid_block):
        torch.nn.init.normal_(layer.weight)
    noisy, time, words = torch.randn(1, 16, 4, 4), torch.tensor([5]), torch.randn(1, 32, 192)
    edges = torch.rand(1, 3, 64, 64)
    _, before = controlnet(noisy, time, words, controlnet_cond=edges, return_dict=False)
    strengthen(controlnet)
    _, after = controlnet(noisy, time, words, controlnet_cond=edges, return_dict=False)
    assert torch.allclose(after, EDGE_PULL * before, rtol=1e-4, atol=1e-4)


def test_a_saved_lora_loads_and_weighs_what_its_weight_says(pipeline, tmp_path):
    plain = drawn(pipeline)[0]
    lora = tmp_path / "flat.safetensors"
    unet = with_adapter(new_unet((32, 32)))
    for name, weight in unet.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    save_adapter(unet, lora)
    pipeline.load_lora_weights(tmp_path, weight_name=lora.name, adapter_name="flat")
    assert not np.array_equal(drawn(pipeline)[0], plain)
    pipeline.set_adapters(["flat"], [0.0])
    assert np.array_equal(drawn(pipeline)[0], plain)


def test_a_lora_that_pulls_twice_as_much_is_as_the_same_at_weight_2(pipeline, tmp_path):
    unet = with_adapter(new_unet((32, 32)))
    for name, weight in unet.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    save_adapter(unet, tmp_path / "one.safetensors")
    save_adapter(unet, tmp_path / "two.safetensors", pull=2.0)
    for name in ("one", "two"):
        pipeline.load_lora_weights(tmp_path, weight_name=f"{name}.safetensors", adapter_name=name)
    pictures = []
    for name, weight in (("one", 2.0), ("two", 1.0)):
        pipeline.set_adapters([name], [weight])
        pictures.append(drawn(pipeline)[0].astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 2


def test_a_folder_is_replaced_whole_but_for_its_card(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name / "unet").mkdir(parents=True)
        (tmp_path / name / "unet" / name).touch()
        (tmp_path / name / "model_index.json").write_text(name)
    (tmp_path / "old" / "README.md").write_text("card")
    replace_folder(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old" / "README.md").read_text() == "card"
    assert (tmp_path / "old" / "model_index.json").read_text() == "new"
    assert [path.name for path in (tmp_path / "old" / "unet").iterdir()] == ["new"]
    assert not (tmp_path / "new").exists()
