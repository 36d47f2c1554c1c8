"""Headers of GGUF files: what they say is checked against the file before it is believed."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import numpy as np
import pytest

from nodeforge.models import CorruptModelError, read_header, recognise
from nodeforge.models.files import gguf as ours


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def tensor(name: str = "x", sides=(32,), kind: int = 2, start: int = 0) -> bytes:
    dims = b"".join(struct.pack("<Q", side) for side in sides)
    return text(name) + struct.pack("<I", len(sides)) + dims + struct.pack("<IQ", kind, start)


def whole(
    *tensors: bytes, version: int = 3, count: int | None = None, told=(), data: int = 64
) -> bytes:
    counts = struct.pack("<QQ", len(tensors) if count is None else count, len(told))
    head = b"GGUF" + struct.pack("<I", version) + counts + b"".join(told) + b"".join(tensors)
    return head + bytes(-len(head) % 32) + bytes(data)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture
def real(tmp_path) -> Path:
    """A file as the package of llama.cpp's authors writes it, with a tokenizer's words inside."""
    writer = gguf.GGUFWriter(tmp_path / "real.gguf", "qwen3")
    writer.add_token_list([f"word{i}" for i in range(3000)])
    writer.add_string("general.name", "a model")
    rng = np.random.default_rng(0)
    for name, shape in {"token_embd.weight": (8, 64), "blk.0.attn_q.weight": (64, 32)}.items():
        numbers = gguf.quants.quantize(
            rng.normal(size=shape).astype(np.float32), gguf.GGMLQuantizationType.Q8_0
        )
        writer.add_tensor(name, numbers, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("output_norm.weight", np.ones(64, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path / "real.gguf"


def test_a_file_of_the_package_is_read(real):
    header = read_header(real)
    assert header.metadata["general.architecture"] == "qwen3"
    assert header.metadata["general.name"] == "a model"
    found = {name: (entry.dtype, entry.shape) for name, entry in header.tensors.items()}
    assert found == {
        "model.embed_tokens.weight": ("Q8_0", (8, 64)),
        "model.layers.0.self_attn.q_proj.weight": ("Q8_0", (64, 32)),
        "model.norm.weight": ("F32", (64,)),
    }
    theirs = {each.name: each.data_offset for each in gguf.GGUFReader(real).tensors}
    first = min(header.first + entry.span[0] for entry in header.tensors.values())
    assert first == min(theirs.values())


def test_a_file_cut_short_anywhere_is_refused(real):
    content = real.read_bytes()
    for share in (0.001, 0.01, 0.3, 0.7, 0.9, 0.999):
        with pytest.raises(CorruptModelError, match="cut short"):
            read_header(written(real, content[: max(int(len(content) * share), 5)]))


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (whole(version=1), "version 1"),
        (whole(tensor(), count=10**12), "claims 1000000000000 tensors"),
        (whole(tensor(), count=10**5), "cut short"),
        (whole(tensor(kind=77)), "unknown type: 'x', 77"),
        (whole(tensor(sides=(31,))), "falsely"),
        (whole(tensor(sides=(16, 2))), "falsely"),
        (whole(tensor(sides=(2**40, 2**40))), "is not there whole"),
        (whole(tensor(start=2**63)), "is not there whole"),
        (whole(tensor(), tensor()), "falsely"),
        (whole(tensor("x"), tensor("y", start=9)), "overlap"),
        (whole(tensor(sides=(32,) * 9)), "9 sides"),
        (whole(told=[text("a") + struct.pack("<I", 99)]), "unknown type: 99"),
        (whole(told=[text("a") + struct.pack("<IIQ", 9, 8, 2**60)]), "a list of"),
        (whole(told=[text("a") + struct.pack("<IIQ", 9, 9, 2)]), "a list of"),
        (whole(told=[text("a") + struct.pack("<IIQ", 9, 0, 2**60)]), "cut short"),
        (whole(told=[text("general.alignment") + struct.pack("<II", 4, 0)]), "alignment of 0"),
        (whole(told=[struct.pack("<Q", 2**63)]), "cut short"),
        (b"GGUF", "cut short"),
        (b"GGUF\3\0\0\0", "cut short"),
    ],
)
def test_what_is_false_is_said(tmp_path, content, fact):
    with pytest.raises(CorruptModelError, match=fact):
        read_header(written(tmp_path / "x.gguf", content))


def test_any_changed_byte_is_read_or_refused(real):
    content = bytearray(real.read_bytes())
    rng = np.random.default_rng(2)
    head = read_header(real).first
    for place in rng.integers(0, head, 200):
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        written(real, bytes(changed))
        try:
            recognise(real)
        except CorruptModelError:
            continue
        except Exception as error:
            if not changed.startswith(b"GGUF"):
                continue  # another kind of file, which is named
            raise AssertionError(place) from error


def test_a_header_that_never_ends_is_refused_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(ours, "LIMIT", 10_000)
    monkeypatch.setattr(ours, "_FIRST_READ", 100)
    words = text("a") + struct.pack("<IIQ", 9, 8, 1000) + text("word" * 5) * 1000
    with pytest.raises(CorruptModelError, match="more than 10000 bytes"):
        read_header(written(tmp_path / "x.gguf", whole(told=[words])))


def test_shapes_that_were_changed_to_fit_blocks_are_told(tmp_path):
    name = "x"
    shape = struct.pack("<IIQ", 9, 5, 2) + struct.pack("<ii", 8, 4)
    told = [text(f"comfy.gguf.orig_shape.{name}") + shape]
    header = read_header(written(tmp_path / "x.gguf", whole(tensor(name), told=told)))
    assert header.tensors[name].shape == (8, 4)
