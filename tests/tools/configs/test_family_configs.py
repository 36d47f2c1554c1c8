"""What ships in `resources/configs`: the shape of each family's real models, offline."""

import json
from pathlib import Path
from typing import Any

import pytest

from nodeforge.models import FAMILIES
from support.model_files import real_names
from support.model_headers import checkpoint

SHIPPED = [
    name
    for name, family in FAMILIES.items()
    if family.config.startswith("configs/") and family.denoiser == "unet"
]
PARAMETERS = {
    "sd15": {"unet": 859_520_964, "vae": 83_653_863, "text_encoder": 123_060_480},
    "sd21": {"unet": 865_910_724, "vae": 83_653_863, "text_encoder": 340_387_840},
    "sdxl": {
        "unet": 2_567_463_684,
        "vae": 83_653_863,
        "text_encoder": 123_060_480 + 694_659_840,
        "controlnet": 1_251_014_160,
    },
    "sdxl_refiner": {"unet": 2_259_526_660, "vae": 83_653_863, "text_encoder": 694_659_840},
}
"""As in the files that their authors published, whose sizes they give: 6.94 GB for SDXL's base
in float16, 6.08 GB for the refiner's, 5.21 GB for SD 2.1 in float32."""


@pytest.mark.parametrize("family", SHIPPED)
def test_the_networks_are_of_the_published_sizes_and_a_checkpoint_feeds_all_of_each(family):
    from nodeforge.diffusion.networks.building import build
    from nodeforge.diffusion.weights.layouts import from_ldm, matched
    from nodeforge.diffusion.weights.weights_file import StoredTensor
    from tests.support.loaded_networks import family_recipes

    there = {
        name: StoredTensor(Path(name), "F16", tuple(shape), 0)
        for name, shape in checkpoint(real_names(), family).items()
    }

    def squeezed(shape):
        return tuple(side for side in shape if side != 1)

    recipes = family_recipes(family, str(FAMILIES[family].config_folder))
    counts = dict.fromkeys(PARAMETERS[family], 0)
    for name, recipe in recipes.items():
        part = "text_encoder" if name.startswith("text_encoder") else name
        if part not in counts:
            continue
        network: Any = build(recipe)
        counts[part] += sum(p.numel() for p in network.parameters())
        if part == "controlnet":
            continue
        found = from_ldm(name, there, network.config)
        state = {key: tuple(t.squeeze().shape) for key, t in network.state_dict().items()}
        fed = {key: squeezed(s.shape) for key, s in matched(state, found).items()}
        assert fed == state, name
    assert counts == PARAMETERS[family]


@pytest.mark.parametrize("family", SHIPPED)
def test_the_configs_say_what_the_facts_say(family):
    facts = FAMILIES[family]

    def config(part, name="config.json"):
        return json.loads((facts.config_folder / part / name).read_text())

    for meaning, folder in facts.denoisers.items():
        unet = config(folder)
        assert facts.in_channels[unet["in_channels"]] == meaning
        assert (unet["cross_attention_dim"], unet["out_channels"]) == (facts.width, 4)
    vae = config("vae")
    space = facts.latent_space
    assert vae["scaling_factor"] == space.factor
    assert vae["latent_channels"] == space.channels
    assert 2 ** (len(vae["block_out_channels"]) - 1) == space.scale
    scheduler = config("scheduler", "scheduler_config.json")
    assert scheduler["prediction_type"] == facts.prediction_types[0]
    widths = [config(part)["hidden_size"] for part in facts.text_encoders]
    assert sum(widths) == facts.width


@pytest.mark.parametrize("family", SHIPPED)
def test_tokenizers_are_clips_and_fill_up_as_the_family_was_trained(family):
    from nodeforge.diffusion.networks.tokenizer import tokenizer_of
    from nodeforge.values import TextEncoderPart
    from tests.support.loaded_networks import family_recipes

    facts = FAMILIES[family]
    recipes = family_recipes(family, str(facts.config_folder)).values()
    made = [tokenizer_of(each) for each in recipes if isinstance(each, TextEncoderPart)]
    filled = {"sd15": [49407], "sd21": [0], "sdxl": [49407, 0], "sdxl_refiner": [0]}[family]
    assert len(made) == len(facts.text_encoders)
    for tokenizer, pad in zip(made, filled, strict=True):
        ids = tokenizer("a photo of a cat", padding="max_length").input_ids
        assert ids[:7] == [49406, 320, 1125, 539, 320, 2368, 49407]
        assert set(ids[7:]) == {pad}
        assert len(ids) == 77


def test_the_list_of_words_ships_once():
    roots = {FAMILIES[family].config_folder for family in SHIPPED}
    assert len([file for root in roots for file in root.rglob("tokenizer.json")]) == 1
