"""The shipped configurations of the transformer families and of their text encoders."""

import json
import math

import pytest

from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.tokenizer import tokenizer_of
from nodeforge.models import FAMILIES, SPACES, TEXT_ENCODER_KINDS
from nodeforge.values import TextEncoderPart, Weights
from tests.support.loaded_networks import family_recipes

PARAMETERS = {
    "flux1": 11_901_408_320,
    "chroma": 8_899_983_424,
    "z_image": 6_154_908_736,
    "flux2_dev": 32_223_281_152,
    "flux2_klein_4b": 3_875_544_576,
    "flux2_klein_9b": 9_078_581_248,
    "flux3_klein": 5_538_458_368,
    "qwen_image": 20_430_401_088,
    "krea2": 12_820_073_036,
    "qwen_image_21": 7_115_124_736,
    "qwen_image_layered": 20_430_407_232,
    "sd3": 2_243_171_520,
    "anima": 1_956_405_248 + 134_663_680,
}
"""Of the denoisers that their authors published, as public parameter counts and file sizes say."""
TEXT_ENCODERS = {
    "t5_xxl": 4_762_310_656,
    "qwen3_4b": 4_022_468_096,
    # without its head, its last ten layers and its last norm, which encoding does not use
    "mistral_small": 22_901_314_560 - 10 * 555_755_520 - 5120,
    "qwen25_vl_7b": 8_292_166_656 - 152_064 * 3584,
    "qwen3_vl_4b": 4_437_815_808,
    "qwen3_vl_8b": 8_767_123_696 - 151_936 * 4096,
    "qwen3_8b": 8_190_735_360 - 151_936 * 4096,  # without the head, which encoding does not use
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_denoisers_have_the_published_number_of_parameters(name):
    family = FAMILIES[name]
    recipe = family_recipes(name, str(family.config_folder))[family.denoiser]
    network = build(recipe)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("kind", TEXT_ENCODERS)
def test_text_encoders_have_the_published_number_of_parameters(kind):
    network = build(alone(kind))
    assert sum(parameter.numel() for parameter in network.parameters()) == TEXT_ENCODERS[kind]


def alone(kind):
    """A recipe of a text encoder in a file of its own."""
    return TextEncoderPart(kind, Weights("somewhere.safetensors", "", "", "text_encoder"))


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_configs_say_what_the_facts_say(name):
    family = FAMILIES[name]
    for meaning, folder in family.denoisers.items():
        config = json.loads((family.config_folder / folder / "config.json").read_text())
        assert family.in_channels[config["in_channels"]] == meaning
    space = SPACES[family.space]
    vae = json.loads((space.config_folder / "config.json").read_text())
    folded = math.prod(vae.get("patch_size") or (1,))
    assert vae.get("latent_channels", vae.get("z_dim")) * folded == space.channels
    if space.factor is not None:
        assert (vae["scaling_factor"], vae["shift_factor"]) == (space.factor, space.shift)


@pytest.mark.parametrize(
    ("kind", "text", "ids"),
    [
        ("t5_xxl", "a photo of a cat", [3, 9, 1202, 13, 3, 9, 1712, 1]),
        ("qwen3_4b", "Hello, world!", [9707, 11, 1879, 0]),
        ("qwen3_8b", "Hello, world!", [9707, 11, 1879, 0]),
        ("mistral_small", "a photo of a cat", [1097, 16649, 1307, 1261, 7990]),
    ],
)
def test_tokenizers_say_the_published_ids(kind, text, ids):
    tokens = tokenizer_of(alone(kind)).encode(text, 16)
    text, padding = [1] * len(ids), [0] * (16 - len(ids))
    assert [each for each, read in zip(tokens.ids, tokens.mask, strict=True) if read] == ids
    left = TEXT_ENCODER_KINDS[kind].pads_left
    assert tokens.mask == (padding + text if left else text + padding)
    assert (TEXT_ENCODER_KINDS[kind].tokenizer_folder / "LICENSE").is_file()


START, END, ASSISTANT, NEW_LINE, USER = 151644, 151645, 77091, 198, 872
THINK, THOUGHT, TWO_LINES = 151667, 151668, 271


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("z_image", []),
        ("flux3_klein", []),
        ("flux2_klein_4b", [THINK, TWO_LINES, THOUGHT, TWO_LINES]),
    ],
)
def test_prompts_are_put_into_the_model_s_own_template(name, after):
    family = FAMILIES[name]
    tokenizer = tokenizer_of(alone(family.text_encoders["text_encoder"]))
    ids = tokenizer.encode(family.prompt_template.format("fox"), 64, padded=False).ids
    fox = tokenizer.encode("fox", 8, padded=False).ids
    wanted = [START, USER, NEW_LINE, *fox, END, NEW_LINE, START, ASSISTANT, NEW_LINE, *after]
    assert ids == wanted
