"""Pickles: their tensors are read after a yes, and no code in them ever runs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import tiny_upscalers
import torch
from safetensors.torch import load_file

from nodeforge.diffusion.weights.pickles import convert_pickle
from nodeforge.errors import NodeForgeError
from nodeforge.models import (
    ModelFolders,
    PickleRefusedError,
    converted_path,
    fingerprint,
    recognise,
)
from nodeforge.settings import Settings, save_settings


class Evil:
    """Makes a file as soon as it is read."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self._command,)


def trained(path: Path, **others: Any) -> Path:
    torch.save({"params_ema": tiny_upscalers.state(tiny_upscalers.rrdb()), **others}, path)
    return path


def test_weights_are_found_among_what_a_training_kept(tmp_path: Path):
    source = trained(tmp_path / "x.pth", params={"a": torch.zeros(1)}, optimizer={"step": 3})
    assert convert_pickle(source, tmp_path / "made" / "x.safetensors") > 20
    info = recognise(tmp_path / "made" / "x.safetensors")
    assert (info.architecture, info.scale) == ("esrgan", 4)
    made = load_file(tmp_path / "made" / "x.safetensors")
    for name, tensor in tiny_upscalers.state(tiny_upscalers.rrdb()).items():
        assert torch.equal(made[name], tensor)


def test_a_bare_state_dict_is_read_and_shared_memory_split(tmp_path: Path):
    shared = torch.arange(6.0)
    told = {"a": shared, "b": shared[2:], "inner": {"c": shared.view(2, 3).T}, "step": 4}
    torch.save(told, tmp_path / "x.pt")
    assert convert_pickle(tmp_path / "x.pt", tmp_path / "x.safetensors") == 3
    made = load_file(tmp_path / "x.safetensors")
    assert torch.equal(made["inner.c"], shared.view(2, 3).T)
    assert torch.equal(made["b"], shared[2:])


@pytest.mark.parametrize("form", ["zip", "old", "bare"])
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path: Path, form: str):
    evil, source = Evil(f"touch '{tmp_path / 'ran'}'"), tmp_path / "evil.pth"
    if form == "bare":
        source.write_bytes(pickle.dumps(evil, protocol=2))
    else:
        told = {"params": {"x": torch.ones(2)}, "evil": evil}
        torch.save(told, source, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(NodeForgeError, match=r"asks for '\w+\.system' .* None of it was run"):
        convert_pickle(source, tmp_path / "x.safetensors")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "x.safetensors").exists()


def test_a_protocol_that_torch_does_not_read_is_refused(tmp_path: Path):
    torch.save({"a": torch.ones(2)}, tmp_path / "x.pt", pickle_protocol=4)
    with pytest.raises(NodeForgeError, match="does not read as tensors alone"):
        convert_pickle(tmp_path / "x.pt", tmp_path / "x.safetensors")


def test_what_holds_no_whole_tensors_is_named(tmp_path: Path):
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    whole = trained(tmp_path / "whole.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.pth").write_text("hello")
    for name, fact in (("empty", "no tensors"), ("cut", "cut short"), ("text", "pickle")):
        with pytest.raises(NodeForgeError, match=fact):
            convert_pickle(tmp_path / f"{name}.pth", tmp_path / "x.safetensors")


def test_an_allowed_pickle_is_its_copy_until_it_changes(tmp_path: Path):
    settings = Settings(tmp_path / "home")
    folder = settings.models / "upscalers"
    folder.mkdir(parents=True)
    source = trained(folder / "x.pth")
    folders = ModelFolders(settings)
    assert folders.find("upscaler", "x.pth") == source
    with pytest.raises(PickleRefusedError, match="nodeforge models allow"):
        recognise(source)

    key = fingerprint(source)
    copy = converted_path(settings, key, source.name)
    convert_pickle(source, copy)
    save_settings(Settings(tmp_path / "home", pickles_allowed={key: "x.pth"}))
    assert folders.find("upscaler", "x.pth") == copy  # also where the settings were read before
    assert folders.find("upscaler", str(source), frozenset({source})) == copy
    (listed,) = (info for info in folders.scan() if info.name == "x.pth")
    assert (listed.name, listed.architecture) == ("x.pth", "esrgan")

    trained(source, more=1)
    assert folders.find("upscaler", "x.pth") == source
