"""Headers of the real sizes give every parameter of the networks; nothing is allocated."""

from __future__ import annotations

import math

import pytest

from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.weights.layouts import matched, tensors_of
from nodeforge.diffusion.weights.weights_file import stored_tensors
from nodeforge.models import recognise
from nodeforge.values import Model, Weights
from tests.support.model_files import real_names, write_safetensors

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
    "sd3": 2_243_171_520 + 384**2 * 1536,
    "anima": 1_956_405_248 + 134_663_680,
}
"""As published, but for Chroma's positions, which are no weights, and with SD 3's, which are none
either."""


def alone(file, family):
    """The recipe of a denoiser without its content's key, which would be read for."""
    return Model(Weights(str(file), "", family, "transformer"))


@pytest.mark.parametrize("family", PARAMETERS)
def test_a_file_in_original_names_gives_every_parameter(tmp_path, family):
    shapes = real_names()[f"{family}_original"]
    file = write_safetensors(tmp_path / "m.safetensors", shapes, dtype="BF16")
    model = alone(file, family)
    network = build(model)
    wanted = {name: tuple(each.shape) for name, each in network.state_dict().items()}
    there = tensors_of(model, stored_tensors(file), network)
    found = {name: each.shape for name, each in matched(wanted, there).items()}
    assert found == wanted
    assert sum(math.prod(shape) for shape in found.values()) == PARAMETERS[family]


def test_schnell_and_fill_have_their_own_numbers_of_parameters(tmp_path):
    shapes = real_names()["flux1_original"]
    schnell = {n: s for n, s in shapes.items() if "guidance_in" not in n}
    fill = {**shapes, "img_in.weight": [3072, 384]}
    for name, tensors, count in (
        ("schnell", schnell, 11_891_178_560),
        ("fill", fill, 11_902_391_360),
    ):
        file = write_safetensors(tmp_path / f"{name}.safetensors", tensors, dtype="BF16")
        assert recognise(file).variant == name
        network = build(alone(file, "flux1"))
        assert sum(each.numel() for each in network.parameters()) == count
