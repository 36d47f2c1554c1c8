"""Names of model files: what the list shows can be chosen, whatever it is called."""

import os
import sys
import unicodedata

import pytest

from nodeforge.models import ForbiddenModelError, ModelFolders, recognise
from nodeforge.models.errors import ModelFileError, OtherKindError
from nodeforge.settings import Settings
from support.model_files import write_safetensors

SHAPES = {"emb_params": [2, 768]}
posix = pytest.mark.skipif(sys.platform == "win32", reason="no such names there")

NAMES = [
    "plain.safetensors",
    "UPPER.SAFETENSORS",
    "Mixed.SafeTensors",
    "short.SFT",
    "~tilde.safetensors",
    "~/in_a_folder.safetensors",
    "C:x.safetensors",
    "c:/x.safetensors",
    "a:b:c.safetensors",
    "back\\slash.safetensors",
    "deep/er\\est/x.safetensors",
    "two..dots.safetensors",
    "x.safetensors.safetensors",
    "with space.safetensors",
    " leading.safetensors",
    unicodedata.normalize("NFC", "für élise.safetensors"),
    unicodedata.normalize("NFD", "züge.safetensors"),
    "猫🐱.safetensors",
    "-dash.safetensors",
    "a%20b+c.safetensors",
    "quote'\"s.safetensors",
    "new\nline.safetensors",
    "no_utf8_\udcff.safetensors",
]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "home" / "models" / "embeddings"


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


def own(settings, folder):
    return [i for i in ModelFolders(settings).scan() if i.path.is_relative_to(folder)]


@posix
def test_what_is_listed_is_found(settings, folder):
    """files B13, B14: for every info in `scan()`, `find(listed, name)` is its path."""
    for name in NAMES:
        write_safetensors(folder / name, SHAPES)
    listed = own(settings, folder)
    assert {info.name for info in listed} == set(NAMES)
    folders = ModelFolders(settings)
    assert all(folders.find(info.listed, info.name) == info.path for info in listed)
    assert all(info.kind == "embedding" for info in listed)
    assert set(folders.names("embedding")) == set(NAMES)


@posix
@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ("sub/x.safetensors", "sub\\x.safetensors"),
        ("sub/x.safetensors", "sub\\x"),
        ("sub\\x.safetensors", "sub/x"),
        ("UPPER.SAFETENSORS", "UPPER"),
        ("UPPER.SAFETENSORS", "UPPER.safetensors"),
        ("lower.safetensors", "lower.SafeTensors"),
        (unicodedata.normalize("NFD", "züge.safetensors"), unicodedata.normalize("NFC", "züge")),
        (unicodedata.normalize("NFC", "züge.safetensors"), unicodedata.normalize("NFD", "züge")),
        ("~tilde.safetensors", "~tilde"),
        ("x.gguf", "x.gguf"),
        ("X.GGUF", "X"),
    ],
)
def test_a_name_is_found_as_other_systems_write_it(settings, folder, there, asked):
    """files B9, B13, B14."""
    write_safetensors(folder / there, SHAPES)
    assert ModelFolders(settings).find("embedding", asked) == folder / there


@posix
def test_a_backslash_in_a_name_is_not_another_file(settings, folder):
    """files B14."""
    one = write_safetensors(folder / "a\\x.safetensors", SHAPES)
    other = write_safetensors(folder / "a" / "x.safetensors", SHAPES)
    folders = ModelFolders(settings)
    assert folders.find("embedding", "a\\x.safetensors") == one
    assert folders.find("embedding", "a/x.safetensors") == other


@posix
@pytest.mark.parametrize("name", ["../x", "..\\x", "/etc/passwd", "C:\\x", "~/x", "\\\\s\\x"])
def test_what_leads_out_stays_forbidden(settings, folder, name):
    """files B14."""
    write_safetensors(folder / "a.safetensors", SHAPES)
    with pytest.raises(ForbiddenModelError):
        ModelFolders(settings).find("embedding", name)


@posix
def test_links_to_files_and_folders_elsewhere_are_followed(tmp_path, settings, folder):
    """files B18: model files are only read."""
    file = write_safetensors(tmp_path / "disk" / "sub" / "a.safetensors", SHAPES)
    folder.mkdir(parents=True)
    (folder / "one.safetensors").symlink_to(file)
    (folder / "many").symlink_to(tmp_path / "disk")
    (folder / "again.safetensors").symlink_to(folder / "one.safetensors")
    folders = ModelFolders(settings)
    names = {info.name for info in own(settings, folder)}
    assert names == {"one.safetensors", "many/sub/a.safetensors", "again.safetensors"}
    for name in (*names, "many/sub/a"):
        assert folders.find("embedding", name).samefile(file)


@posix
def test_loops_dead_links_pipes_and_devices_are_refused(tmp_path, settings, folder):
    """files B18."""
    write_safetensors(folder / "a.safetensors", SHAPES)
    (folder / "dead.safetensors").symlink_to(tmp_path / "nowhere")
    (folder / "round.safetensors").symlink_to(folder / "round.safetensors")
    (folder / "device.safetensors").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.safetensors")
    (folder / "self").symlink_to(folder)
    (folder / "up").symlink_to(folder.parent)
    (folder / "top").symlink_to("/")
    (folder / "system").symlink_to("/proc")
    listed = {info.name: info for info in own(settings, folder)}
    bad = {"dead.safetensors", "round.safetensors", "device.safetensors", "pipe.safetensors"}
    assert listed.keys() == {"a.safetensors", *bad}
    assert all(listed[name].reason for name in bad)
    for name in bad:
        with pytest.raises(ForbiddenModelError):
            ModelFolders(settings).find("embedding", name)
        with pytest.raises(ModelFileError):
            recognise(folder / name)


KINDS = {
    "x.gguf": (b"ggml" + bytes(40), "a GGML file", ".safetensors"),
    "page.safetensors": (b"<!DOCTYPE html><html>", "a web page", "Download"),
    "lower.safetensors": (b"\n<html lang='en'>", "a web page", "Download"),
    "lfs.safetensors": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
        "a Git LFS pointer",
        "git lfs pull",
    ),
    "answer.safetensors": (b'{"error":"Invalid username or password."}', "JSON", ".safetensors"),
    "picture.safetensors": (b"\x89PNG\r\n\x1a\n" + bytes(20), "a PNG picture", ".safetensors"),
    "keras.safetensors": (b"\x89HDF\r\n\x1a\n" + bytes(20), "an HDF5 file", ".safetensors"),
    "array.safetensors": (b"\x93NUMPY\1\0" + bytes(20), "a NumPy array", ".safetensors"),
    "seven.safetensors": (b"7z\xbc\xaf\x27\x1c" + bytes(20), "a 7z archive", ".safetensors"),
    "gz.safetensors": (b"\x1f\x8b\x08\0" + bytes(20), "a gzip archive", ".safetensors"),
    "clip.safetensors": (b"\0\0\0\x18ftypisom" + bytes(20), "a video (MP4)", ".safetensors"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_kind_is_named(settings, folder, name):
    """files C5: and listed with the reason."""
    content, kind, way_out = KINDS[name]
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    with pytest.raises(OtherKindError) as caught:
        recognise(folder / name)
    assert kind in caught.value.fact
    assert way_out in caught.value.way_out
    (info,) = own(settings, folder)
    assert (info.kind, info.name) == ("unknown", name)
    assert kind in info.reason
    assert ModelFolders(settings).find("embedding", name) == folder / name


def test_an_empty_file_is_said_to_be_empty(folder):
    """files C5."""
    folder.mkdir(parents=True)
    (folder / "x.safetensors").touch()
    with pytest.raises(ModelFileError, match="is empty"):
        recognise(folder / "x.safetensors")
