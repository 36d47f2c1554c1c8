"""Small files that would cost much: each is refused, or read as far as its bounds go.

Reliability F9 and its table of bombs.
"""

import json
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from nodeforge.canvas.document import composite
from nodeforge.errors import Cancelled
from nodeforge.formats import read
from nodeforge.formats.canvas.openraster import read_openraster
from nodeforge.formats.errors import TooLargeError
from nodeforge.formats.pictures import read_any
from nodeforge.formats.projects.archive import opened
from nodeforge.imaging import read_text
from nodeforge.lint import lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue
from support.costly_files import chunk, flat, ora, png, webp


def test_an_xmp_packet_whose_texts_never_close_holds_none():
    assert read_text(webp(b"<nodeforge:texts>" * 60_000)) == {}


def test_a_jpeg_of_many_segments_is_read_up_to_a_number():
    segment = b"\xff\xe1" + struct.pack(">H", 39) + b"http://ns.adobe.com/xap/1.0/\0" + b"x" * 8
    assert read_text(b"\xff\xd8" + segment * 200_000 + b"\xff\xda") == {}


def test_a_picture_is_not_read_whole_for_its_texts(tmp_path: Path):
    with (tmp_path / "sparse.png").open("wb") as file:
        file.write(png((b"tEXt", b"first\0there")))
        file.truncate(3 * 2**30)  # takes no room on the disk
    assert read_text(tmp_path / "sparse.png") == {"first": "there"}


def test_texts_are_unpacked_up_to_a_bound_in_all():
    packed = zlib.compress(b"a" * 12 * 2**20)
    texts = read_text(png(*[(b"zTXt", b"text %d\0\0" % i + packed) for i in range(40)]))
    assert sum(map(len, texts.values())) <= 32 * 2**20


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"format":1,"x":[' + b"{}," * 2_900_000 + b"{}]}", "larger than 8 MiB"),
        (b'{"format":1,"x":[' + b"[]," * 2_000_000 + b"[]]}", "more than 3,000,000 values"),
        (json.dumps({"format": 1, "nodes": {f"n{i}": {} for i in range(20_001)}}), "20,000 nodes"),
    ],
    ids=["bytes", "values", "nodes"],
)
def test_json_beyond_a_bound_is_refused_and_the_bound_is_named(text: bytes | str, told: str):
    with pytest.raises(TooLargeError, match=told):
        read(text)


def test_a_zip_of_a_million_entries_is_refused_before_its_directory_is_read(tmp_path: Path):
    count = 1_000_000
    wide = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, 2**20, 0)
    end = struct.pack("<4H2IH", 0, 0, 2**16 - 1, 2**16 - 1, 2**32 - 1, 2**32 - 1, 0)
    tail = b"PK\6\6" + wide + b"PK\6\7" + struct.pack("<IQI", 0, 2**20, 1) + b"PK\5\6" + end
    (tmp_path / "many.nforge").write_bytes(bytes(2**20) + tail)
    with pytest.raises(TooLargeError, match="1,000,000 files"), opened(tmp_path / "many.nforge"):
        pass
    with zipfile.ZipFile(tmp_path / "few.nforge", "w") as file:
        file.writestr("a", b"content")
    with opened(tmp_path / "few.nforge") as archive:
        assert archive.read("a", 100) == b"content"


def test_many_mistakes_cost_no_comparison_each(tmp_path: Path):
    """Hints for unknown types and ports are looked for a bounded number of times."""
    catalogue = Catalogue.shipped()
    nodes = {f"n{i}": {"type": f"sampling.sampler{i}"} for i in range(3_000)}
    file = tmp_path / "types.json"
    file.write_text(json.dumps({"format": 1, "nodes": nodes}))
    problems = lint(read_any(file), catalogue, ModelFolders(Settings(home=tmp_path)))
    assert sum(problem.rule == "unknown_nodes" for problem in problems) == 3_000
    assert len(catalogue._hints) <= 200


def test_layers_that_show_one_picture_decode_it_once_and_share_its_tiles(tmp_path: Path):
    """Also under 40 names; and tiles of one colour are one array."""
    picture = flat(512, 10, 20, 30, 255)
    pictures = {f"{i}.png": picture for i in range(40)}
    stack = "".join(f'<layer src="{name}"/>' for name in pictures)
    told: list[float] = []
    read = read_openraster(ora(tmp_path / "a.ora", pictures, stack, 512), told.append)
    assert len(read.state.layers) == 40
    assert len({id(tile) for layer in read.state.layers for _, tile in layer.tiles.items()}) == 1
    assert told[-1] == 1.0
    assert sum(share > 0 for share in told) == 1  # decoded once


def test_layers_of_too_many_pixels_are_refused_before_one_is_decoded(tmp_path: Path):
    """17 pictures whose headers say 8192 x 8192; nothing of them is there to decode."""
    head = struct.pack(">IIBBBBB", 8192, 8192, 8, 6, 0, 0, 0)
    cut = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    pictures = {f"{i}.png": cut + chunk(b"IDAT", b"%d" % i) for i in range(17)}
    stack = "".join(f'<layer src="{name}"/>' for name in pictures)
    with pytest.raises(TooLargeError, match="1,073,741,824 pixels"):
        read_openraster(ora(tmp_path / "a.ora", pictures, stack, 8192))


def test_groups_in_groups_are_composited_once_each(tmp_path: Path):
    """Each layer and group is laid on what is below it once, however deep it is."""
    stack = '<stack opacity="0.9"><layer src="a.png"/>' * 60 + "</stack>" * 60
    file = ora(tmp_path / "a.ora", {"a.png": flat(256, 9, 9, 9, 99)}, stack, 256)
    state = read_openraster(file).state
    assert [layer.is_group for layer in state.layers].count(True) == 60
    laid: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        module, real = "nodeforge.canvas.document.composite.blend_onto", composite.blend_onto
        patch.setattr(module, lambda *given: (laid.append(1), real(*given)))
        composite.composite(state.layers, state.box)
    assert len(laid) == 120


def test_reading_an_openraster_file_ends_where_it_is_told_to(tmp_path: Path):
    pictures = {f"{i}.png": flat(256, i, 0, 0, 255) for i in range(3)}
    stack = "".join(f'<layer src="{name}"/>' for name in pictures)

    def stop(share: float) -> None:
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        read_openraster(ora(tmp_path / "a.ora", pictures, stack, 256), stop)
