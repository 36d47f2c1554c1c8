from pathlib import Path

import pytest

from nodeforge.errors import RequestError
from nodeforge.settings import ModelFolder, Settings, default_home, load_settings, save_settings


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
