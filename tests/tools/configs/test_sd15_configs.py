"""What ships in `resources/configs/sd15`, read as the worker reads it: without a network."""

import json

import pytest

from nodeforge.models import FAMILIES, Task

SD15 = FAMILIES["sd15"]


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(SD15.config_folder / "tokenizer", local_files_only=True)


def test_known_words_have_their_published_numbers(tokenizer):
    assert len(tokenizer) == 49408
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer.pad_token_id == 49407


def test_any_text_can_be_encoded_and_read_back(tokenizer):
    words = "ünïcödé café — “quotes” 日本語 🙂"
    ids = tokenizer(words).input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == words.replace(
        " ", ""
    )


@pytest.mark.parametrize("task", [Task.TEXT_TO_IMAGE, Task.INPAINTING])
def test_the_denoiser_has_the_channels_the_family_says(task):
    config = json.loads((SD15.denoiser_config(task) / "config.json").read_text())
    assert SD15.in_channels[config["in_channels"]] is task
    assert config["cross_attention_dim"] == SD15.width
    assert config["out_channels"] == SD15.latent_space.channels


def test_the_vae_makes_the_latents_the_family_says():
    config = json.loads((SD15.config_folder / "vae" / "config.json").read_text())
    assert config["latent_channels"] == SD15.latent_space.channels
    assert 2 ** (len(config["block_out_channels"]) - 1) == SD15.latent_space.scale
    assert config["scaling_factor"] == SD15.latent_space.factor


def test_the_schedule_is_the_one_it_was_trained_with():
    config = json.loads((SD15.config_folder / "scheduler" / "scheduler_config.json").read_text())
    assert (config["beta_start"], config["beta_end"]) == (0.00085, 0.012)
    assert (config["beta_schedule"], config["steps_offset"]) == ("scaled_linear", 1)
    assert config["prediction_type"] == SD15.prediction_types[0]
