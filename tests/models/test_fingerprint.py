import json
import os
import shutil
import time

import pytest
from blake3 import blake3

from nodeforge.errors import Cancelled
from nodeforge.models import CorruptModelError, Fingerprints, ModelFileError, without_reading

SHAPES = {"a": [64, 64], "b": [64]}


@pytest.fixture
def prints(tmp_path):
    return Fingerprints(tmp_path / "cache")


def aged(path, seconds=60):
    """`path`, as if it had been written some time ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def whole_folder(root, write):
    write(root / "unet" / "model.safetensors", SHAPES)
    (root / "unet" / "config.json").write_text("{}")
    (root / "model_index.json").write_text(json.dumps({"unet": ["diffusers", "UNet"]}))
    for path in [*root.rglob("*"), root]:
        aged(path)
    return root


def test_a_copy_has_the_same_fingerprint(tmp_path, write, prints):
    first = write(tmp_path / "a.safetensors", SHAPES, fill=b"same")
    second = write(tmp_path / "other name.safetensors", SHAPES, fill=b"same")
    assert prints.of(first) == prints.of(second)


def test_a_change_at_the_start_of_a_tensor_changes_it(tmp_path, write, prints):
    first = write(tmp_path / "a.safetensors", SHAPES)
    second = write(tmp_path / "b.safetensors", SHAPES, fill=bytes(64 * 64 * 2) + b"\x01")
    assert prints.of(first) != prints.of(second)


def test_a_changed_file_gets_a_new_fingerprint(tmp_path, write, prints):
    file = tmp_path / "a.safetensors"
    before = prints.of(aged(write(file, SHAPES)))
    assert prints.of(aged(write(file, SHAPES, fill=b"x"), 30)) != before


def test_a_file_rewritten_within_one_tick_is_seen(tmp_path, write, prints):
    file = write(tmp_path / "a.safetensors", SHAPES)
    before, time_ns = prints.of(file), file.stat().st_mtime_ns
    write(file, SHAPES, fill=b"x")
    os.utime(file, ns=(time_ns, time_ns))
    assert prints.of(file) != before


def test_an_unchanged_file_is_not_read_again(tmp_path, write, prints):
    file = aged(write(tmp_path / "a.safetensors", SHAPES))
    made = prints.of(file)
    pieces = []
    assert prints.of(file, pieces.append) == made
    assert Fingerprints(tmp_path / "cache").of(file, pieces.append) == made
    assert pieces == []


def test_a_content_key_is_blake3_of_the_whole_file(tmp_path, write, prints):
    file = write(tmp_path / "a.safetensors", SHAPES, fill=b"same")
    assert prints.of(file) == "b3:" + blake3(file.read_bytes()).hexdigest()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no time of change")
def test_another_content_of_the_same_size_and_time_is_seen(tmp_path, write, prints):
    """files A15: unzip, rsync -t and restored backups keep the time."""
    file = aged(write(tmp_path / "a.safetensors", SHAPES))
    made, told = prints.of(file), file.stat()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1  # beyond the first 4 KiB of a tensor
    file.write_bytes(data)
    os.utime(file, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert prints.of(file) != made


@pytest.mark.skipif(os.name != "posix", reason="Windows has no time of change")
@pytest.mark.parametrize("way", ["copied over", "moved over", "linked to another"])
def test_a_file_that_was_replaced_is_another_whatever_its_time_says(tmp_path, write, prints, way):
    """files A15: a path, a size and a time of writing are not enough."""
    one = aged(write(tmp_path / "one.safetensors", SHAPES, fill=b"one"))
    other = aged(write(tmp_path / "other.safetensors", SHAPES, fill=b"two"))
    swap = tmp_path / "swap.safetensors"
    for number, source in enumerate((one, other)):
        if way == "copied over":
            shutil.copy(source, swap)
        elif way == "moved over":
            shutil.copy(source, tmp_path / "new")
            (tmp_path / "new").replace(swap)
        else:
            swap.unlink(missing_ok=True)
            swap.symlink_to(source)
        os.utime(swap, ns=(10**18, 10**18))
        made = prints.of(swap), prints.sha256(swap)
        expected = prints.of(source), prints.sha256(source)
        assert made == expected, number


def test_a_change_deep_inside_a_tensor_changes_the_key_and_not_the_quick_one(
    tmp_path, write, prints
):
    shapes = {"a": [64, 64]}
    first = write(tmp_path / "a.safetensors", shapes)
    second = write(tmp_path / "b.safetensors", shapes)
    data = bytearray(second.read_bytes())
    data[-1] ^= 1
    second.write_bytes(data)
    assert prints.of(first) != prints.of(second)
    assert prints.quick(first) == prints.quick(second)
    assert len(prints.quick(first)) == 32


def test_planning_does_not_read_a_large_model(tmp_path, write, prints, monkeypatch):
    monkeypatch.setattr("nodeforge.models.files.fingerprint.SMALL", 1000)
    file = aged(write(tmp_path / "a.safetensors", SHAPES))
    with without_reading():
        assert prints.of(file) == f"unread:{file}"
    pieces = []
    made = prints.of(file, pieces.append)
    assert sum(pieces) == file.stat().st_size
    with without_reading():
        assert prints.of(file) == made == prints.known(file)


def test_a_stopped_reading_is_remembered_by_nobody(tmp_path, write, prints):
    file = aged(write(tmp_path / "a.safetensors", SHAPES))

    def stop(count):
        raise Cancelled

    with pytest.raises(Cancelled):
        prints.of(file, stop)
    assert prints.known(file) is None


def test_one_changed_file_of_a_folder_is_read_alone(tmp_path, write, prints):
    root = whole_folder(tmp_path / "m", write)
    prints.of(root)
    aged(write(root / "unet" / "model.safetensors", SHAPES, fill=b"x"), 30)
    pieces = []
    prints.of(root, pieces.append)
    assert pieces == [(root / "unet" / "model.safetensors").stat().st_size]


def test_what_is_forgotten_is_read_again(tmp_path, write, prints):
    file = aged(write(tmp_path / "a.safetensors", SHAPES))
    made = prints.of(file)
    prints.forget()
    assert prints.known(file) is None
    assert prints.of(file) == made


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"x": 3}', b"\xff", b"[" * 99_999])
def test_a_damaged_memory_is_forgotten(tmp_path, write, prints, damage):
    file = aged(write(tmp_path / "a.safetensors", SHAPES))
    made = prints.of(file)
    (tmp_path / "cache" / "content_keys.json").write_bytes(damage)
    assert Fingerprints(tmp_path / "cache").of(file) == made


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, write):
    (tmp_path / "cache").write_text("a file where the folder should be")
    file = aged(write(tmp_path / "a.safetensors", SHAPES))
    prints = Fingerprints(tmp_path / "cache")
    assert prints.of(file) == prints.of(file)


def test_two_processes_keep_what_each_found(tmp_path, write):
    files = [aged(write(tmp_path / f"{i}.safetensors", {**SHAPES, str(i): [1]})) for i in range(2)]
    one, other = Fingerprints(tmp_path / "cache"), Fingerprints(tmp_path / "cache")
    made = [one.of(files[0]), other.of(files[1])]
    later = Fingerprints(tmp_path / "cache")
    assert [later.locate(name) for name in made] == files


def test_a_moved_model_is_located_by_its_content(tmp_path, write, prints):
    first = aged(write(tmp_path / "a.safetensors", SHAPES))
    second = aged(write(tmp_path / "b.safetensors", SHAPES))
    made = prints.of(first)
    assert prints.of(second) == made
    first.unlink()
    assert prints.locate(made) == second
    aged(write(second, SHAPES, fill=b"other"), 30)
    assert prints.locate(made) is None


def test_a_folder_counts_its_networks_and_configs_and_nothing_else(tmp_path, write, prints):
    root = whole_folder(tmp_path / "m", write)
    made = prints.of(root)
    write(root / "lora" / "extra.safetensors", SHAPES)
    (root / "README.md").write_text("words")
    assert prints.of(root) == made
    (root / "unet" / "config.json").write_text('{"x": 1}')
    assert prints.of(root) != made


def test_a_file_added_to_a_folder_is_seen_and_then_watched(tmp_path, write, prints):
    root = whole_folder(tmp_path / "m", write)
    made = [prints.of(root)]
    for content in ("{}", '{"y": 1}'):
        (root / "unet" / "extra.json").write_text(content)
        made.append(prints.of(root))
    assert len(set(made)) == 3


def test_a_damaged_or_missing_model_has_none(tmp_path, write, prints):
    file = write(tmp_path / "a.safetensors", SHAPES)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorruptModelError):
        prints.of(file)
    with pytest.raises(ModelFileError):
        prints.of(tmp_path / "gone")


def test_sha256_is_that_of_the_whole_file(tmp_path, prints):
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    assert prints.sha256(file).startswith("ba7816bf8f01cfea")
    assert len(prints.sha256(tmp_path)) == 64


@pytest.mark.parametrize("suffix", [".safetensors", ".png"])
def test_where_inodes_mean_nothing_samples_decide_once_a_start(
    tmp_path, write, monkeypatch, suffix
):
    """On networks and FAT; another content of the same size and time is another file."""
    monkeypatch.setattr("nodeforge.models.files.file_cache.is_trusted", lambda _: False)
    monkeypatch.setattr("nodeforge.models.files.fingerprint.is_trusted", lambda _: False)
    path = write(tmp_path / "m.safetensors", {"a": [64, 64]})
    path = path.rename(path.with_suffix(suffix))
    aged(path)
    before, first = path.stat(), Fingerprints(tmp_path / "cache")
    name = first.of if suffix == ".safetensors" else first.sha256
    key = name(path)
    data = bytearray(path.read_bytes())
    assert Fingerprints(tmp_path / "cache")._samples == {}
    data[-64 * 64 * 2] ^= 255  # the sampled start of the tensor
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert name(path) == key  # it is sampled once a start
    later = Fingerprints(tmp_path / "cache")
    assert (later.of if suffix == ".safetensors" else later.sha256)(path) != key
    first.forget()
    if suffix == ".safetensors":
        assert first.of(path) != key
