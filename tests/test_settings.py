import json
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
        pickles_allowed={"b3:00": "4x.pth"},
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


@pytest.mark.parametrize("text", ["{", "[]"])
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
    '{"output_folder": "\\ud800"}': "half a character",
    '{"memory_cache_bytes": -1}': "out of range",
    '{"disk_cache_bytes": 1e999}': "disk_cache_bytes",
    f'{{"disk_cache_bytes": {10**400}}}': "disk_cache_bytes",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:40])
def test_a_setting_of_a_wrong_kind_costs_itself_alone(tmp_path: Path, text: str):
    """reliability F15, files C12: one sentence that names the setting; all others count."""
    other = "precision" if "device" in text else "device"
    right = {"precision": "half", "device": "cuda:1"}[other]
    raw = {**json.loads(text), other: right, "from_the_future": [1]}
    (tmp_path / "settings.json").write_text(json.dumps(raw), "utf-8")
    settings = load_settings(tmp_path)
    assert settings == replace(Settings(home=tmp_path), **{other: right})
    assert len(settings.problems) == 1
    assert WRONG[text] in settings.problems[0]
    update_settings(tmp_path, lambda now: replace(now, compiled=True))
    assert json.loads(settings.file.read_text()).items() >= raw.items()
    update_settings(tmp_path, lambda now: replace(now, compiled=False))
    assert load_settings(tmp_path) == settings


def test_entries_of_a_wrong_kind_leave_the_others_of_their_setting(tmp_path: Path):
    folders = [{"path": "/a", "layout": "comfyui", "note": "mine"}, 5, {"path": 7}, {"path": "/b"}]
    packs = {"good": "abc", "bad": True, "worse": ["abc"]}
    raw = {"model_folders": folders, "packs_allowed": packs}
    (tmp_path / "settings.json").write_text(json.dumps(raw))
    settings = load_settings(tmp_path)
    assert settings.model_folders == (ModelFolder("/a", "comfyui"), ModelFolder("/b"))
    assert settings.packs_allowed == {"good": "abc"}
    named = {problem.split("'")[1] for problem in settings.problems}
    assert named == {
        *("model_folders[1]", "model_folders[2]", "packs_allowed.bad", "packs_allowed.worse")
    }
    update_settings(tmp_path, lambda now: replace(now, packs_allowed={"new": "def"}))
    kept = json.loads(settings.file.read_text())
    assert kept["model_folders"] == folders
    assert kept["packs_allowed"] == {"new": "def", "bad": True, "worse": ["abc"]}


@pytest.mark.parametrize("text", ["[" * 100_000, "5", '"text"', "", "\ufeff"])
def test_a_settings_file_that_is_no_json_object_is_refused(tmp_path: Path, text: str):
    (tmp_path / "settings.json").write_text(text, "utf-8")
    with pytest.raises(RequestError, match=r"settings\.json") as caught:
        load_settings(tmp_path)
    assert "JSON" in caught.value.fact
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
