"""Grid, contact sheet and table of what cells came to."""

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nodeforge.engine.sweeps.cells import Cell, fan_out
from nodeforge.engine.sweeps.contact_sheet import sheet, wall
from nodeforge.engine.sweeps.grid import pages, thumbnail
from nodeforge.engine.sweeps.results import CellResult, table
from nodeforge.media import VideoFormat, write_video
from tests.engine.sweeps.test_axes import axis

HOSTILE = "<script>alert(\"1\")</script> & 'x', 狐 🦊 " + "long " * 300


def picture(folder: Path, name: str, size=(40, 30), colour=(200, 10, 10)) -> Path:
    Image.new("RGB", size, colour).save(folder / name)
    return folder / name


def results(folder: Path, cells: list[Cell]) -> list[CellResult]:
    files = [picture(folder, f"fox {cell.number}#%.png") for cell in cells]
    return [
        CellResult(cell, (file,), 0.5, 3, ("denoise",))
        for cell, file in zip(cells, files, strict=True)
    ]


@pytest.fixture
def cells(tmp_path: Path) -> list[Cell]:
    (tmp_path / "prompts").write_text(f"a\n{HOSTILE}")
    axes = [axis("schedule.steps=1,2,3"), axis("sampler.name=euler,heun")]
    return fan_out([*axes, axis(f"prompt.text=@{tmp_path / 'prompts'}")])


def test_a_page_has_its_pictures_in_their_places(tmp_path: Path, cells: list[Cell]):
    made = results(tmp_path, cells[:6])
    picture(tmp_path, "fox 4#%.png", colour=(10, 10, 200))  # row 2, column 2
    (page,) = pages(made)
    pixels = np.asarray(Image.open(io.BytesIO(page))).astype(int)
    red = np.argwhere((pixels[..., 0] > 150) & (pixels[..., 1] < 60))
    blue = np.argwhere((pixels[..., 2] > 150) & (pixels[..., 1] < 60))
    assert len(red) == 5 * len(blue)
    (top, left), (bottom, right) = red.min(0), red.max(0)
    middle = blue.mean(0)
    assert abs(middle[0] - (top + bottom) / 2) < 2
    assert middle[1] > (left + right) / 2


@pytest.mark.parametrize("format", [VideoFormat.MP4, VideoFormat.MKV, VideoFormat.GIF])
def test_a_video_is_shown_by_its_first_frame(tmp_path: Path, format: VideoFormat):
    frames = np.zeros((3, 32, 48, 3), np.uint8)
    frames[0, ..., 0] = 200
    file = tmp_path / f"fox{format.suffix}"
    write_video(file, frames, 8.0, format)
    red = np.asarray(thumbnail(file, 48, 32)).astype(int)
    assert red.shape == (32, 48, 3)
    assert np.abs(red - frames[0]).max() < 24
    (page,) = pages([CellResult(fan_out([axis("noise.seed=1,2")])[0], (file,), 0.5, 3, ())])
    assert Image.open(io.BytesIO(page)).width > 48


def test_every_page_is_drawn_also_with_holes_faults_and_hostile_labels(
    tmp_path: Path, cells: list[Cell]
):
    made = results(tmp_path, [*cells[:5], *cells[7:]])
    made[1] = CellResult(cells[1], error=HOSTILE)
    made[2] = CellResult(cells[2], (picture(tmp_path, "wide.png", (900, 20)),))
    made[3] = CellResult(cells[3], (tmp_path / "notes.txt",))
    assert len(pages(made)) == 2


def test_many_rows_are_several_pages_and_many_columns_small_pictures(tmp_path: Path):
    one, many = axis("schedule.steps=1"), axis("noise.seed=1:150:1")
    file = picture(tmp_path, "large.png", (300, 300))
    long, wide = (
        pages([CellResult(cell, (file,)) for cell in fan_out(axes)])
        for axes in ((many,), (one, many))
    )
    assert (len(long), len(wide)) == (3, 1)
    for page in (*long, *wide):
        width, height = Image.open(io.BytesIO(page)).size
        assert max(width, height) < 20_000


class Seen(HTMLParser):
    """What a browser makes of a sheet."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.values: dict[str, list[str]] = {"src": [], "href": []}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in self.values and value is not None:
                self.values[name].append(value)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_contact_sheet_stands_alone_and_escapes_what_people_wrote(
    tmp_path: Path, cells: list[Cell]
):
    made = results(tmp_path, cells)
    made[-1] = CellResult(cells[-1], error=HOSTILE)
    seen = Seen(sheet(HOSTILE, made, tmp_path).decode())
    assert "script" not in seen.tags
    assert seen.tags.count("td") == 12
    assert HOSTILE.strip() in seen.text
    assert all(source.startswith("data:image/webp;base64,") for source in seen.values["src"])
    assert len(seen.values["src"]) == 11
    assert seen.values["href"][0] == "fox%201%23%25.png"
    assert not re.search(r"https?://", sheet(HOSTILE, made, tmp_path).decode())


def test_a_wall_shows_what_there_is_and_what_went_wrong(tmp_path: Path):
    file = picture(tmp_path, "estimate_001.png")
    seen = Seen(wall("Wall", [("1", [file], ""), ("2", [], "out of memory")], tmp_path).decode())
    assert seen.values["href"] == ["estimate_001.png"]
    assert "out of memory" in seen.text


def test_the_table_has_settings_times_and_files(tmp_path: Path, cells: list[Cell]):
    (tmp_path / "sub").mkdir()
    made = [
        *results(tmp_path, cells[:-1]),
        CellResult(cells[-1], (picture(tmp_path / "sub", "x.png"), Path("/elsewhere/y.png"))),
    ]
    rows = list(csv.DictReader(io.StringIO(table(made, tmp_path).decode(), newline="")))
    assert [row["schedule.steps"] for row in rows[:3]] == ["1", "1", "2"]
    assert rows[-1]["prompt.text"] == HOSTILE.strip()
    assert rows[-1]["files"] == "sub/x.png; /elsewhere/y.png"
    assert (rows[0]["seconds"], rows[0]["model_calls"]) == ("0.500", "3")
