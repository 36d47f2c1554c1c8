"""Small files that would cost much: each costs at most seconds, in a process of its own.

The bounds themselves have tests in `test_bombs.py` that cost nothing; these measure.
"""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from support.costly_files import chunk, flat, ora, png, webp

MOST_SECONDS = 4.0
"""Of the processor, for reading and linting one file, without the program's start."""
CODE = """
import sys, time
from pathlib import Path
from nodeforge.errors import NodeForgeError
from nodeforge.formats import comfyui, read_any
from nodeforge.formats.projects.bundle import ProjectFiles
from nodeforge.formats.canvas.openraster import read_openraster
from nodeforge.lint import lint
from nodeforge.models import ModelFolders
from nodeforge.models.folders.extra_model_paths import read_extra_paths
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue
file, home = Path(sys.argv[1]), Path(sys.argv[2])
catalogue, folders = Catalogue.shipped(), ModelFolders(Settings(home=home))
readers = {
    ".nforge": [ProjectFiles(home / "assets").load],
    ".ora": [read_openraster],
    ".yaml": [read_extra_paths],
}
others = [
    lambda f: lint(read_any(f), catalogue, folders),
    lambda f: comfyui.import_file(f, catalogue),
]
for read in readers.get(file.suffix, others):
    start = time.process_time()
    try:
        read(file)
    except NodeForgeError:
        pass
    print(time.process_time() - start)
"""


def graph(nodes: dict, **rest: object) -> bytes:
    return json.dumps({"format": 1, "nodes": nodes, **rest}).encode()


def chain(count: int) -> bytes:
    nodes = {f"n{i}": {"type": "values.text"} for i in range(count)}
    return graph(nodes, links={f"n{i}.value": f"n{i - 1}.value" for i in range(1, count)})


def aliases() -> bytes:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    pairs = zip("abcdef", "bcdefg", strict=True)
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]" for old, new in pairs]
    return "\n".join([*lines, "comfyui:", "  base_path: *g\n"]).encode()


def jpeg() -> bytes:
    segment = b"\xff\xe1" + struct.pack(">H", 39) + b"http://ns.adobe.com/xap/1.0/\0" + b"x" * 8
    return b"\xff\xd8" + segment * 200_000 + b"\xff\xda"


def many_texts() -> bytes:
    packed = zlib.compress(b"a" * 31 * 2**20)
    return png(*[(b"zTXt", b"k%d\0\0" % i + packed) for i in range(40)])


def large_text() -> bytes:
    text = b'{"format":1,"nodes":{},"x":[' + b"{}," * 10_000_000 + b"{}]}"
    return png((b"iTXt", b"nodeforge\0\1\0\0\0" + zlib.compress(text)))


def many_entries() -> bytes:
    count = 1_000_000
    wide = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, 2**20, 0)
    end = struct.pack("<4H2IH", 0, 0, 2**16 - 1, 2**16 - 1, 2**32 - 1, 2**32 - 1, 0)
    locator = struct.pack("<IQI", 0, 2**20, 1)
    return bytes(2**20) + b"PK\6\6" + wide + b"PK\6\7" + locator + b"PK\5\6" + end


def misspelt(nodes: int, ports: int) -> bytes:
    values = {f"n{i}": {f"naame{j}_{i}": 1 for j in range(ports)} for i in range(nodes)}
    return graph({n: {"type": "sampling.sampler", "values": v} for n, v in values.items()})


BOMBS = {
    "open packet.webp": lambda: webp(b"<nodeforge:texts>" * 62_000),
    "segments.jpg": jpeg,
    "texts.png": many_texts,
    "large text.png": large_text,
    "lists.json": lambda: b"[" + b"[]," * 20_000_000 + b"[]]",
    "lists within the bound.json": lambda: b'{"format":1,"x":[' + b"[]," * 2_700_000 + b"[]]}",
    "deep.json": lambda: b"[" * 8_000_000,
    "entries.nforge": many_entries,
    "aliases.yaml": aliases,
    "types.json": lambda: graph({f"n{i}": {"type": f"sampling.s{i}"} for i in range(20_000)}),
    "ports.json": lambda: misspelt(2_000, 50),
    "chain.json": lambda: chain(50_000),
    "chain within the bound.json": lambda: chain(19_000),
}


def cost(file: Path, home: Path) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, file, home], capture_output=True, text=True, check=True
    )
    return [float(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_costly_file_costs_little(name: str, tmp_path: Path):
    file = tmp_path / name
    file.write_bytes(BOMBS[name]())
    assert max(cost(file, tmp_path)) <= MOST_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["one name", "many names", "sizes alone"])
def test_a_costly_layered_picture_costs_one_of_its_layers(kind: str, tmp_path: Path):
    """40 layers of 8192 x 8192: equal ones are decoded once, others are refused by their sizes."""
    if kind == "sizes alone":
        head = struct.pack(">IIBBBBB", 8192, 8192, 8, 6, 0, 0, 0)
        cut = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
        pictures = {f"{i}.png": cut + chunk(b"IDAT", b"%d" % i) for i in range(40)}
    else:
        picture = flat(8192, 10, 20, 30, 255)
        pictures = {f"{i}.png": picture for i in range(40 if kind == "many names" else 1)}
    names = [*pictures] * (40 // len(pictures))
    stack = "".join(f'<layer src="{name}"/>' for name in names)
    file = ora(tmp_path / "layers.ora", pictures, stack, 8192)
    assert max(cost(file, tmp_path)) <= (1.0 if kind == "sizes alone" else 10.0)
