import contextlib
import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from nodeforge.models import CorruptModelError, ModelFileError, PickleRefusedError, read_header

SHAPES = {"a": [2, 3], "b": [4], "empty": [0, 5], "one": []}


def tries(count):
    health = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=count, deadline=None, suppress_health_check=health)


def with_header(path, header, data=b""):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def tensor(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_a_file_of_the_real_library_is_read(tmp_path):
    file = tmp_path / "m.safetensors"
    save_file({"x": np.zeros((3, 5), np.float16)}, file, metadata={"who": "me"})
    header = read_header(file)
    entry = header.tensors["x"]
    assert (entry.dtype, entry.shape, entry.span) == ("F16", (3, 5), (0, 30))
    assert header.metadata == {"who": "me"}
    assert header.first + entry.span[1] == file.stat().st_size


@tries(60)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_anywhere_is_refused(tmp_path, write, share):
    whole = write(tmp_path / "whole.safetensors", SHAPES).read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CorruptModelError):
        read_header(cut)


@tries(200)
@given(data=st.binary(max_size=300))
def test_nonsense_is_refused(tmp_path, data):
    file = tmp_path / "nonsense.safetensors"
    file.write_bytes(data)
    with pytest.raises(ModelFileError):
        read_header(file)


@tries(200)
@given(
    header=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["dtype", "shape", "data_offsets", "__metadata__", "x"]), inner
            )
        ),
        max_leaves=8,
    )
)
def test_any_json_is_read_or_refused(tmp_path, header):
    file = with_header(tmp_path / "odd.safetensors", header)
    with contextlib.suppress(CorruptModelError):
        read_header(file)


@pytest.mark.parametrize(
    "header",
    [
        {"x": tensor(offsets=(0, 9))},
        {"x": tensor(offsets=(4, 12))},
        {"x": tensor(offsets=(8, 0))},
        {"x": tensor(offsets=(-8, 0))},
        {"x": tensor(offsets=(0, 8.0))},
        {"x": tensor(dtype="F31")},
        {"x": tensor(), "y": tensor(dtype="F31", shape=(0,), offsets=(8, 8))},
        {"x": tensor(shape=[1] * 65, offsets=(0, 4))},
        {"x": tensor(), "__metadata__": {"deep": 1, "x": [[]] * 3}, "y": {"dtype": "F32"}},
        {"x": tensor(shape=(-2,))},
        {"x": tensor(shape=(True, 2))},
        {"x": tensor(shape=("2",))},
        {"x": tensor(), "y": tensor()},
        {"x": tensor(shape=(1,), offsets=(0, 4)), "y": tensor(shape=(1,), offsets=(2, 6))},
        {"x": tensor(shape=(10**18, 10**18), offsets=(0, 10**30))},
        {},
        [],
        b'{"x": ' + b"[" * 100_000,
        b"{" + b"9" * 10_000,
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_false_header_is_refused(tmp_path, header):
    with pytest.raises(CorruptModelError):
        read_header(with_header(tmp_path / "false.safetensors", header, bytes(8)))


@pytest.mark.parametrize(
    "told",
    [
        '"__metadata__": {"shape": "x"}, "x": %s',
        '"x": %s, "__metadata__": {"shape": "x", "steps": 3}',
        '"x": %s, "__metadata__": {"shape": "x"}, "empty": {"dtype": "F32", "shape": [0], '
        '"data_offsets": [8, 8], "note": "__metadata__"}',
    ],
)
def test_metadata_is_read_wherever_it_stands_and_whatever_it_names(tmp_path, told):
    raw = ("{" + told % json.dumps(tensor()) + "}").encode()
    header = read_header(with_header(tmp_path / "m.safetensors", raw, bytes(8)))
    assert header.metadata == {"shape": "x"}
    assert set(header.tensors) - {"empty"} == {"x"}
    assert header.sizes == {"F32": 8}


@pytest.mark.parametrize(
    ("told", "fact"),
    [
        ('"x": {}, "__metadata__": {"a": "b"}', "describes its tensor 'x' falsely"),
        ('"x": %s, "__metadata__": []', "has metadata that is not text by name"),
        ('"x": %s, "__metadata__": {"a": "b"}, "__metadata__": {}', "contradicts itself"),
        ('"x": %s, "x": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}', "does not know"),
        ('"x": %s', None),
    ],
)
def test_what_is_false_in_a_header_is_said(tmp_path, told, fact):
    raw = ("{" + told.replace("%s", json.dumps(tensor())) + "}").encode()
    file = with_header(tmp_path / "m.safetensors", raw, bytes(8))
    refused = pytest.raises(CorruptModelError, match=fact) if fact else contextlib.nullcontext()
    with refused:
        read_header(file)


def test_a_huge_header_is_refused_without_reading_it(tmp_path):
    file = tmp_path / "huge.safetensors"
    file.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(CorruptModelError, match="claims a header of"):
        read_header(file)


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".bin", ".safetensors"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_is_refused_whatever_it_is_called(tmp_path, suffix, protocol):
    file = tmp_path / f"model{suffix}"
    file.write_bytes(pickle.dumps({"state_dict": list(range(99))}, protocol=protocol))
    with pytest.raises(PickleRefusedError, match="nodeforge models allow"):
        read_header(file)


def test_a_zip_of_pickles_is_refused(tmp_path):
    file = tmp_path / "model.ckpt"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    with pytest.raises(PickleRefusedError):
        read_header(file)


def test_a_header_whose_length_looks_like_a_pickle_is_read(tmp_path, write):
    file = write(tmp_path / "m.safetensors", {"x": [1]})
    raw = file.read_bytes()[8:-2]
    padded = with_header(tmp_path / "p.safetensors", raw.ljust(0x280), b"\0\0")
    assert padded.read_bytes().startswith(b"\x80\x02")
    assert list(read_header(padded).tensors) == ["x"]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"gone\.safetensors: cannot be read"):
        read_header(tmp_path / "gone.safetensors")


@pytest.mark.slow
def test_the_offered_command_converts_a_pickle(tmp_path):
    source = tmp_path / "model.ckpt"
    make = "import torch, sys; torch.save({'state_dict': {'x': torch.ones(3)}}, sys.argv[1])"
    subprocess.run([sys.executable, "-c", make, str(source)], check=True)
    refused = PickleRefusedError(source, is_part=True)
    command = refused.way_out.split("only: ", 1)[1].replace("python", sys.executable, 1)
    subprocess.run(command, shell=True, check=True)
    assert list(read_header(source.with_suffix(".safetensors")).tensors) == ["x"]
