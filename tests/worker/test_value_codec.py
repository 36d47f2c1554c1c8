import json
import struct
from dataclasses import fields, is_dataclass

import pytest
import torch

from nodeforge.values import Checkpoint, Conditioning, Image, Latent, Model, Prompt, Weights
from nodeforge.worker.codec import ValueCodec

CODEC = ValueCodec()


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        assert isinstance(other, dict)
        return one.keys() == other.keys() and all(same(v, other[k]) for k, v in one.items())
    if isinstance(one, list | tuple):
        assert isinstance(other, list | tuple)
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
        )
    return one == other and type(one) is type(other)


WIDE = torch.randn(2, 77, 16)
VALUES = [
    {"text": "ü", "number": 3, "decimal": 0.1, "yes": True, "none": None},
    {"image": Image(torch.rand(1, 8, 8, 3))},
    {"model": Model(Weights("a/b.safetensors", "f" * 32, "sd15", "unet"))},
    {"conditioning": Conditioning((Prompt(WIDE[:1]), Prompt(WIDE[1:], end=0.5)), WIDE[:1], "x")},
    {
        "checkpoint": Checkpoint(
            Latent(torch.randn(1, 4, 2, 2), "sd", 8),
            3,
            5,
            {"history": [torch.ones(2, dtype=torch.float64), None], "order": 2},
            {},
            (torch.Generator().get_state(),),
        )
    },
    {"empty": torch.zeros(0, 4), "scalar": torch.tensor(1.5), "turned": WIDE.transpose(0, 1)},
    {"half": torch.ones(3, dtype=torch.bfloat16), "nested": [(1, [2, (3,)]), {}]},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: next(iter(value)))
def test_a_value_comes_back_as_it_was(value: dict[str, object]):
    data = CODEC.encode(value)
    assert data is not None
    assert same(CODEC.decode(data), value)


def test_a_value_of_an_unknown_class_stays_in_the_process():
    assert CODEC.encode({"thing": object()}) is None


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\xff" * 64, struct.pack("<Q", 2) + b"{}"])
def test_nonsense_is_refused(data: bytes):
    with pytest.raises(ValueError, match="not an encoded value"):
        CODEC.decode(data)


def test_only_our_classes_come_back():
    header = json.dumps(
        {"__metadata__": {"value": json.dumps({"class": "Popen", "fields": {"args": "true"}})}}
    ).encode()
    with pytest.raises(ValueError, match="not an encoded value"):
        CODEC.decode(struct.pack("<Q", len(header)) + header)


def test_a_tensor_counts_its_bytes():
    assert CODEC.size(Image(torch.zeros(1, 64, 64, 3))) >= 64 * 64 * 3 * 4
