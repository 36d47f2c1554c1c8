"""Files that the person gives on the command line: their names, their kinds, and pipes."""

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from nodeforge.cli.main import nodeforge as command
from nodeforge.cli.overrides import Overrides
from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.formats.workflow import load
from nodeforge.graph.assets import ASSET
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue, FileWidget
from support.comfyui import text_to_image
from support.command_line import WORKFLOWS, CommandLine

TEXT_TO_IMAGE = WORKFLOWS / "text_to_image.json"
CATALOGUE = Catalogue.shipped()


def picture(path, colour):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), colour).save(path, "PNG")
    return path


def overridden(home, *assignments):
    document = load(WORKFLOWS / "inpaint.json")
    overrides = Overrides(document, CATALOGUE, Settings(home=home))
    for assignment in assignments:
        overrides.set(assignment)
    return document


def content(document, node, home):
    name = document.node(node).values["file"].removeprefix(ASSET)
    (file,) = (home / "assets").glob(f"{document.assets[name]['sha256']}.*")
    return file.read_bytes()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a/in.png", "b/in.png"),
        ("in", "b/in"),
        ("a.b.png", "b/a.b.png"),
        ("ü.png", "b/ü.png"),
    ],
)
def test_two_pictures_of_one_name_stay_two(tmp_path, first, second):
    """files A0."""
    one = picture(tmp_path / first, "red")
    other = picture(tmp_path / second, "white")
    document = overridden(tmp_path, f"image.file={one}", f"mask.file={other}")
    assert len(document.assets) == 2
    assert content(document, "image", tmp_path) == one.read_bytes()
    assert content(document, "mask", tmp_path) == other.read_bytes()


def test_one_picture_given_twice_is_one_asset(tmp_path):
    """files A0: the same name when the content is the same."""
    one, same = picture(tmp_path / "a/in.png", "red"), picture(tmp_path / "b/in.png", "red")
    document = overridden(tmp_path, f"image.file={one}", f"mask.file={same}")
    assert list(document.assets) == ["in.png"]


@pytest.mark.parametrize("name", ["photo", "photo.2024", "a.b c", ".hidden", "x.verylongsuffix"])
def test_a_picture_needs_no_suffix(tmp_path, name):
    """reliability F21."""
    from nodeforge.engine.content.files import Files

    one = picture(tmp_path / name, "red")
    document = overridden(tmp_path, f"image.file={one}")
    port = CATALOGUE["image.load"].input["file"]
    assert isinstance(port.widget, FileWidget)
    files = Files(Settings(home=tmp_path), document.assets)
    assert files.resolve(port, document.node("image").values["file"]).is_file()


@pytest.mark.parametrize("value", ["x" * 5000, "a\0b", "~nobody_of_this_name/x.png", ""])
@pytest.mark.parametrize("port", ["image.file", "model.file"])
def test_what_can_be_no_file_stays_a_name_and_is_no_crash(tmp_path, port, value):
    """files C10, B14."""
    node, _, name = port.partition(".")
    document = overridden(tmp_path, f"{port}={value}")
    assert document.assets == {}
    assert str(document.node(node).values[name]).endswith(value)


FTYP = b"\0\0\0\x18ftyp"
OTHERS = {
    "a.heic": (FTYP + b"heic" + bytes(12), "a HEIC picture"),
    "a.heif": (FTYP + b"mif1" + bytes(12), "a HEIC picture"),
    "a.jxl": (b"\xff\x0a" + bytes(20), "a JPEG XL picture"),
    "b.jxl": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), "a JPEG XL picture"),
    "a.psd": (b"8BPS\0\1" + bytes(20), "a Photoshop picture"),
    "a.jp2": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20), "a JPEG 2000 picture"),
    "a.tga": (b"\0\0\2" + bytes(9) + b"\2\0\2\0\x18\0" + bytes(12), "a Targa picture"),
    "a.ico": (b"\0\0\1\0\1\0" + bytes(20), "an icon"),
    "a.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
    "b.svg": (b"<?xml version='1.0'?>\n<!-- x -->\n<svg/>", "an SVG drawing"),
    "a.mp4": (FTYP + b"isom" + bytes(12), "a video (MP4)"),
    "a.webm": (b"\x1a\x45\xdf\xa3" + bytes(20), "a video"),
    "a.avi": (b"RIFF\0\0\0\0AVI LIST", "a video (AVI)"),
    "a.html": (b"<!DOCTYPE html>\n<html>", "a web page"),
    "page.png": (b"\n <html><head>", "a web page"),
    "lfs.png": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"),
    "a.exr": (b"\x76\x2f\x31\x01" + bytes(9), "an OpenEXR picture"),
    "a.hdr": (b"#?RADIANCE\n", "a Radiance HDR picture"),
    "a.pdf": (b"%PDF-1.7\n", "a PDF document"),
    "a.xcf": (b"gimp xcf v011", "a GIMP picture"),
    "a.kra": (b"PK\3\4" + bytes(26) + b"mimetypeapplication/x-krita", "a Krita picture"),
    "a.ora": (b"PK\3\4" + bytes(26) + b"mimetypeimage/openraster", "an OpenRaster picture"),
    "a.ppm": (b"P6\n4 4\n255\n" + bytes(48), "a Netpbm picture"),
    "a.cr2": (b"II*\0\x10\0\0\0CR\2\0", "a camera's raw picture"),
    "a.png": (b"", "the file is empty"),
    "b.png": (b"\x89PNG\r\n\x1a\n cut", "cut short"),
    "b.avif": (FTYP + b"avif" + bytes(12), "cut short"),
    "text.png": (b"hello", "not a picture"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_a_picture_of_a_kind_that_is_not_read_is_named(tmp_path, name):
    """files C10: the kind by its magic, and the name that the person gave."""
    path = tmp_path / name
    path.write_bytes(OTHERS[name][0])
    with pytest.raises(RequestError) as caught:
        overridden(tmp_path, f"image.file={path}")
    assert OTHERS[name][1] in caught.value.fact
    assert caught.value.place == str(path)
    assert "PNG, JPEG" in caught.value.way_out
    assert not list((tmp_path / "assets").glob("*"))


@pytest.mark.parametrize("name", [n for n in OTHERS if n not in ("a.png", "b.png")])
def test_a_workflow_of_another_kind_is_named(tmp_path, name):
    """files C10: of what is run, too."""
    from nodeforge.formats import read_any

    path = tmp_path / f"w{Path(name).suffix}.json"
    path.write_bytes(OTHERS[name][0])
    with pytest.raises(NodeForgeError) as caught:
        read_any(path)
    assert path.name in str(caught.value)
    kind = OTHERS[name][1]
    if kind.startswith(("a ", "an ")) and name not in ("a.tga", "a.avi"):
        assert kind in caught.value.fact


def run(*arguments, **options):
    return CliRunner().invoke(command, [str(each) for each in arguments], **options)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))


BOMS = {
    "none": TEXT_TO_IMAGE.read_bytes(),
    "UTF-8": b"\xef\xbb\xbf" + TEXT_TO_IMAGE.read_bytes(),
    "UTF-16": TEXT_TO_IMAGE.read_text("utf-8").encode("utf-16"),
    "UTF-16 big": b"\xfe\xff" + TEXT_TO_IMAGE.read_text("utf-8").encode("utf-16-be"),
}


@pytest.mark.parametrize("content", BOMS.values(), ids=BOMS)
def test_a_workflow_is_read_from_standard_input(content):
    """files B16, B17."""
    done = run("lint", "-", input=content)
    assert done.exit_code == 0, done.output


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", ["lint", "diff", "picture"])
def test_a_workflow_is_read_from_a_pipe(tmp_path, name):
    """files B16: a pipe can be read only once."""
    content = TEXT_TO_IMAGE.read_bytes()
    if name == "picture":
        import numpy as np

        from nodeforge.formats import stamp
        from nodeforge.imaging import PictureFormat, encode

        pixels = np.zeros((4, 4, 3), np.uint8)
        content = encode(pixels, PictureFormat.PNG, stamp(load(TEXT_TO_IMAGE)))
    pipe = tmp_path / "63"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[content], daemon=True)
    writer.start()
    arguments = ["diff", pipe, TEXT_TO_IMAGE] if name == "diff" else ["lint", pipe]
    done = run(*arguments)
    writer.join(10)
    assert done.exit_code == 0, done.output


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_picture_is_read_from_a_pipe(tmp_path):
    """files B16."""
    content = picture(tmp_path / "in.png", "red").read_bytes()
    os.mkfifo(tmp_path / "63")
    writer = threading.Thread(target=(tmp_path / "63").write_bytes, args=[content], daemon=True)
    writer.start()
    document = overridden(tmp_path, f"image.file={tmp_path / '63'}")
    writer.join(10)
    assert document.node("image").values["file"] == "asset:63"


def test_an_import_of_standard_input_needs_a_name(tmp_path):
    """files B16."""
    content = json.dumps(text_to_image().api())
    refused = run("import", "-", input=content)
    assert isinstance(refused.exception, RequestError)
    assert "-o" in refused.exception.way_out
    target = tmp_path / "out.json"
    assert run("import", "-", "-o", target, input=content).exit_code == 0
    assert load(target).graph.nodes


def test_mending_a_pipe_in_place_is_refused():
    """files B16."""
    broken = TEXT_TO_IMAGE.read_text("utf-8").replace('"auto"', '"dpmpp_2n"')
    done = run("lint", "--fix", "-", input=broken)
    assert isinstance(done.exception, RequestError) or done.exit_code == 2


def test_a_picture_of_comfyui_offers_the_import(tmp_path):
    """files: messages say the way out."""
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("prompt", "{}")
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG", pnginfo=texts)
    (tmp_path / "c.png").write_bytes(out.getvalue())
    done = run("run", tmp_path / "c.png")
    assert isinstance(done.exception, RequestError)
    assert "nodeforge import" in done.exception.way_out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_under_the_output_is_an_error_in_one_sentence(tmp_path):
    """files C14."""
    environment = CommandLine(tmp_path).environment
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nodeforge", "nodes"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "The output cannot be written: No space left on device.\n"
