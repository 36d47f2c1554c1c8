import multiprocessing
import resource
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nodeforge.errors import RequestError
from nodeforge.settings import (
    ModelFolder,
    Settings,
    default_home,
    load_settings,
    save_settings,
    update_settings,
)


def test_settings_come_back_as_they_were_saved(tmp_path: Path):
    settings = Settings(
        home=tmp_path,
        model_folders=(ModelFolder("D:/models", "comfyui"),),
        extra_model_paths=("D:/extra.yaml",),
        output_folder="D:/pictures",
        device="cpu",
        disk_cache_bytes=5,
        packs_allowed={"mine": "abc"},
    )
    save_settings(settings)
    assert load_settings(tmp_path) == settings
    assert settings.outputs == Path("D:/pictures")


def test_a_home_without_settings_has_the_defaults(tmp_path: Path):
    assert load_settings(tmp_path) == Settings(home=tmp_path)


def test_the_environment_moves_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path))
    assert default_home() == tmp_path
    assert load_settings().home == tmp_path


def test_settings_of_a_newer_version_are_read_as_far_as_known(tmp_path: Path):
    (tmp_path / "settings.json").write_text('{"device": "cpu", "from_the_future": 1}')
    assert load_settings(tmp_path).device == "cpu"


@pytest.mark.parametrize("text", ["{", "[]", '{"model_folders": [3]}', '{"model_folders": 3}'])
def test_settings_that_cannot_be_read_are_named(tmp_path: Path, text: str):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(RequestError, match=r"settings\.json"):
        load_settings(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_settings_are_read_with_any_mark_of_their_encoding(tmp_path: Path, encoding: str):
    """files B17: PowerShell and Notepad write one."""
    (tmp_path / "settings.json").write_bytes('{"output_folder": "D:/Bücher"}'.encode(encoding))
    assert load_settings(tmp_path).output_folder == "D:/Bücher"


WRONG = {
    '{"model_folders":[{"path":5}]}': "model_folders",
    '{"model_folders": ["/a"]}': "model_folders",
    '{"model_folders": [{"layout": "comfyui"}]}': "path",
    '{"model_folders": {"path": "/a"}}': "model_folders",
    '{"extra_model_paths":[5]}': "extra_model_paths",
    '{"extra_model_paths": "a.yaml"}': "extra_model_paths",
    '{"output_folder":5}': "output_folder",
    '{"output_folder":null}': "output_folder",
    '{"device":5}': "device",
    '{"memory_cache_bytes":"2 GB"}': "memory_cache_bytes",
    '{"memory_cache_bytes": 1.5}': "memory_cache_bytes",
    '{"memory_mode": "none of these"}': "memory_mode",
    '{"precision": 5}': "precision",
    '{"fp8_weights": "yes"}': "fp8_weights",
    '{"packs_allowed": []}': "packs_allowed",
    '{"packs_allowed": {"mine": 5}}': "packs_allowed",
    '{"output_folder": "a\\u0000b"}': "zero byte",
    '{"model_folders": [{"path": "a\\u0000b"}]}': "zero byte",
    f'{{"output_folder": "/a/{"x" * 300}"}}': "too many letters",
    "[" * 100_000: "JSON",
    "5": "object",
    '"text"': "object",
    "": "JSON",
    "\ufeff": "JSON",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:40])
def test_settings_of_the_wrong_kind_are_named(tmp_path: Path, text: str):
    """reliability F15, files C12: one sentence that names the setting."""
    (tmp_path / "settings.json").write_text(text, "utf-8")
    with pytest.raises(RequestError, match=r"settings\.json") as caught:
        load_settings(tmp_path)
    assert WRONG[text] in caught.value.fact
    assert caught.value.way_out


def _count_up(home: Path, name: str) -> None:
    def one_more(now: Settings) -> Settings:
        count = int(now.packs_allowed.get(name, "0")) + 1
        return replace(now, packs_allowed={**now.packs_allowed, name: str(count)})

    for _ in range(60):
        update_settings(home, one_more)


def test_settings_that_two_processes_change_keep_all_changes(tmp_path: Path):
    """Reliability F14: 209 of 400 changes were kept, and readers saw half a file."""
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_count_up, args=(tmp_path, name)) for name in "ab"]
    for other in others:
        other.start()
    while any(other.is_alive() for other in others):
        load_settings(tmp_path)  # never half a file
    assert all(other.exitcode == 0 for other in others)
    assert load_settings(tmp_path).packs_allowed == {"a": "60", "b": "60"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["settings.json", "settings.lock"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on writing there")
def test_settings_that_cannot_be_written_are_told_and_the_old_ones_stay(tmp_path: Path):
    """Reliability F16: a traceback, and a temporary file that stayed."""
    save_settings(Settings(home=tmp_path, device="cpu"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(RequestError, match=r"cannot be (saved|written)"):
            update_settings(tmp_path, lambda now: replace(now, device="cuda"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert load_settings(tmp_path).device == "cpu"
    assert list(tmp_path.glob(".*")) == []
