"""Assets are what their names say, or are not taken (reliability F8)."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nodeforge.engine.content.assets import keep_bytes, keep_picture
from nodeforge.engine.content.files import Files, MissingFileError
from nodeforge.settings import Settings
from nodeforge.spec import FileWidget, PortSpec

PORT = PortSpec("file", "path", widget=FileWidget("image"))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "fox.png")
    return tmp_path / "fox.png"


def files(settings: Settings, entry: dict) -> Files:
    return Files(settings, {"fox": entry})


def test_a_cut_copy_is_no_asset_and_is_written_again(tmp_path: Path, picture: Path):
    settings = Settings(home=tmp_path / "home")
    entry = keep_picture(picture, settings)
    (kept,) = settings.assets.iterdir()
    whole = kept.read_bytes()
    for name in (f"{entry['sha256']}.part", kept.name):
        kept.unlink(missing_ok=True)
        (settings.assets / name).write_bytes(whole[:100])  # of a killed process, a full disk
        with pytest.raises(MissingFileError, match="not on this machine"):
            files(settings, entry).resolve(PORT, "asset:fox")
        assert keep_picture(picture, settings) == entry
        assert files(settings, entry).resolve(PORT, "asset:fox").read_bytes() == whole
    kept.write_bytes(b"")
    assert keep_bytes(whole, ".png", settings) == entry["sha256"]
    assert kept.read_bytes() == whole


def test_a_link_among_the_assets_is_not_followed(tmp_path: Path, picture: Path):
    settings = Settings(home=tmp_path / "home")
    entry = keep_picture(picture, settings)
    (kept,) = settings.assets.iterdir()
    kept.unlink()
    kept.symlink_to(picture)
    with pytest.raises(MissingFileError):
        files(settings, entry).resolve(PORT, "asset:fox")
