"""What a machine keeps for clients: files by content, models found by it."""

import hashlib
from pathlib import Path, PurePath
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from nodeforge.engine.remote import store as store_module
from nodeforge.engine.remote.address import MachineError
from nodeforge.engine.remote.messages import sha256_of
from nodeforge.engine.remote.named_files import NamedFile
from nodeforge.engine.remote.store import Store
from nodeforge.errors import DiskFullError
from nodeforge.settings import Settings

LORA = "lora"


@pytest.fixture
def there(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "there")


def model(path: Path, value: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = "lora_unet_down_blocks_0_attentions_0_proj_in"
    down, up = torch.full((4, 32), value), torch.ones(32, 4)
    save_file({f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up}, path)
    return path


def told(kind: str, name: str, path: Path, is_model: bool = False) -> dict[str, Any]:
    return NamedFile(kind, name, path, is_model).to_json(lambda *_: None)


def send(store: Store, header: dict[str, Any], data: bytes) -> Path:
    offset = store.begin({**header, "size": len(data)})
    for start in range(offset, len(data), 7):
        store.write({**header, "offset": start}, data[start : start + 7])
    return store.finish(header)


def test_a_model_is_found_by_its_content_under_any_name(tmp_path: Path, there: Settings):
    here = model(tmp_path / "style.safetensors")
    entry = told(LORA, "style", here, is_model=True)
    store = Store(there)
    with pytest.raises(MachineError, match="does not have this model") as missing:
        store.missing([entry])
    assert 'nodeforge worker copy {machine} "style"' in missing.value.way_out
    other = model(there.models / "loras" / "style.safetensors", 2.0)
    with pytest.raises(MachineError, match="another model under this name"):
        store.missing([entry])
    same = model(there.models / "loras" / "mine" / "called otherwise.safetensors")
    assert store.missing([entry]) == []
    assert store.named([entry]) == {(LORA, "style"): same}
    same.unlink()
    with pytest.raises(MachineError):
        store.named([entry])
    here.replace(other)
    assert store.named([entry]) == {(LORA, "style"): other}


def test_a_file_is_kept_by_its_content(tmp_path: Path, there: Settings):
    picture = tmp_path / "a.PNG"
    picture.write_bytes(b"pixels of a picture")
    entry, store = told("image", "a.PNG", picture), Store(there)
    digest = sha256_of(picture)
    assert store.missing([entry, entry]) == [digest]
    with pytest.raises(MachineError, match="has not arrived"):
        store.named([entry])
    kept = send(store, {"sha256": digest, "suffix": ".PNG"}, picture.read_bytes())
    assert store.missing([entry]) == []
    named = store.named([entry])["image", "a.PNG"]
    assert (named.name, named.read_bytes()) == ("a.PNG", picture.read_bytes())
    kept.write_bytes(b"somebody has changed it")
    assert store.missing([entry]) == [digest]
    send(store, {"sha256": digest, "suffix": ".PNG"}, picture.read_bytes())
    assert store.named([entry])["image", "a.PNG"].read_bytes() == picture.read_bytes()


def test_a_folder_is_made_of_what_is_kept(tmp_path: Path, there: Settings):
    folder = tmp_path / "words"
    (folder / "deep").mkdir(parents=True)
    (folder / "colours.txt").write_text("red\nblue")
    (folder / "deep" / "things.txt").write_text("fox")
    entry, store = told("wildcards", "", folder), Store(there)
    for part in entry["files"]:
        data = (folder / part["part"]).read_bytes()
        send(store, {"sha256": part["sha256"], "suffix": ".txt"}, data)
    made = store.named([entry])["wildcards", ""]
    assert (made / "deep" / "things.txt").read_text() == "fox"
    assert (made / "colours.txt").read_text() == "red\nblue"
    (folder / "colours.txt").unlink()
    (folder / "deep" / "things.txt").unlink()
    empty = store.named([told("wildcards", "", folder)])["wildcards", ""]
    assert list(empty.iterdir()) == []
    none = store.named([told("wildcards", "", tmp_path / "none")])["wildcards", ""]
    assert list(none.iterdir()) == []


def test_what_was_sent_half_goes_on_from_there(there: Settings):
    store, data = Store(there), bytes(range(100))
    header = {"kind": LORA, "name": "sub/a.safetensors", "digest": sha256(data)}
    store.begin({**header, "size": 100})
    store.write({**header, "offset": 0}, data[:40])
    assert Store(there).begin({**header, "size": 100}) == 40
    path = send(store, header, data)
    assert path == there.models / "loras" / "sub" / "a.safetensors"
    assert path.read_bytes() == data
    assert [each.name for each in path.parent.iterdir()] == ["a.safetensors"]
    with pytest.raises(MachineError, match="another model has this name"):
        store.begin({**header, "digest": sha256(b"x"), "size": 1})


def test_what_arrives_otherwise_is_sent_anew(there: Settings):
    store = Store(there)
    header = {"kind": LORA, "name": "a.safetensors", "digest": sha256(b"right")}
    with pytest.raises(MachineError, match="did not arrive"):
        send(store, header, b"wrong")
    assert store.begin({**header, "size": 5}) == 0
    assert send(store, header, b"right").read_bytes() == b"right"


@pytest.mark.parametrize(
    "header",
    [
        {"kind": LORA, "name": "../../x"},
        {"kind": LORA, "name": "/etc/x"},
        {"kind": "../x", "name": "x"},
        {"kind": LORA, "name": ""},
        {"sha256": "../../x", "suffix": ".png"},
        {"sha256": "A" * 64, "suffix": ".png"},
    ],
)
def test_nothing_is_written_outside_of_its_folder(there: Settings, header: dict[str, Any]):
    with pytest.raises(MachineError):
        Store(there).begin({"size": 1, "digest": "x", **header})
    assert not there.home.exists()


def test_a_folder_names_nothing_outside_of_itself(tmp_path: Path, there: Settings):
    store = Store(there)
    send(store, {"sha256": sha256(b"x"), "suffix": ".txt"}, b"x")
    part = {"part": "../../x", "sha256": sha256(b"x"), "size": 1, "suffix": ".txt"}
    with pytest.raises(MachineError, match="outside"):
        store.named([{"kind": "folder", "name": "f", "files": [part]}])
    one = {"kind": "image", "name": "f", "called": "../x", "files": [{**part, "part": ""}]}
    with pytest.raises(MachineError, match="outside"):
        store.named([one])


def test_a_full_disk_there_is_told_before_anything_is_sent(
    there: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(store_module, "_free_bytes", lambda _: 10)
    with pytest.raises(DiskFullError) as full:
        Store(there).begin({"kind": LORA, "name": "a", "digest": "x", "size": 11})
    assert full.value.place == str(there.models / "loras")
    assert "Free some space" in full.value.way_out


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_names_in_folders_have_slashes(tmp_path: Path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_text("a")
    entry = told("wildcards", "", tmp_path)
    assert [part["part"] for part in entry["files"]] == ["deep/a.txt"]
    assert PurePath(entry["files"][0]["part"]).parts == ("deep", "a.txt")
