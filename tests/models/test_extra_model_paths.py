"""``extra_model_paths.yaml`` in the shapes in which people write it; what is not read is named."""

from pathlib import Path

import pytest

from nodeforge.errors import RequestError
from nodeforge.models import folder_problems
from nodeforge.models.folders.extra_model_paths import read_extra_paths
from nodeforge.settings import ModelFolder, Settings

SHAPES = {
    "text": "a:\n  loras: one",
    "block": "a:\n  loras: |\n    one\n    two\n",
    "block with a comment": "a:\n  loras: |\n    one\n    # old/place\n    two\n",
    "flow list": "a:\n  loras: [one, two]",
    "dashes": "a:\n  loras:\n    - one\n    - two\n",
    "dashes without indent": "a:\n  loras:\n  - one\n  - two\n",
    "quoted": "a:\n  'loras': \"one\"",
    "windows": "a:\r\n  loras: one\r\n",
    "comment": "# mine\na:  # section\n  loras: one  # place\n",
    "list of blocks": "a:\n  loras:\n    - |\n      one\n      two\n",
    "trailing separator": "a:\n  loras: one/\n",
    "several sections": "a:\n  loras: one\nb:\n  loras: two\n",
    "flow section": "a: {loras: one}",
    "empty section": "a:\nb:\n  loras: one",
}


def written(folder, text, encoding="utf-8"):
    file = folder / "extra_model_paths.yaml"
    file.write_bytes(text.encode(encoding))
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read(tmp_path, shape, encoding):
    """files B11, B17."""
    found, unread = read_extra_paths(written(tmp_path, SHAPES[shape], encoding))
    names = [folder.path.relative_to(tmp_path).as_posix() for folder in found]
    assert names in (["one"], ["one", "two"])
    assert names == ["one", "two"] or "two" not in SHAPES[shape]
    assert {folder.name for folder in found} == {"loras"}
    assert unread == []


UNREAD = {
    "a:\n  loras: 5": "'a', 'loras': '5' is no folder",
    "a:\n  loras:": "'a', 'loras': nothing is no folder",
    "a:\n  loras: null": "'a', 'loras': nothing is no folder",
    "a:\n  loras: [one, 5]": "'a', 'loras': '5' is no folder",
    "a:\n  loras: {x: one}": "'a', 'loras': a section is no folder",
    "a:\n  loras: [[one]]": "'a', 'loras': a list is no folder",
    "a:\n  loras: true": "'a', 'loras': a truth value is no folder",
    "a:\n  base_path: 5\n  loras: one": "'a', 'base_path' is '5'",
    "a:\n  base_path: [x]\n  loras: one": "'a', 'base_path' is a list",
    "a:\n  base_path: nowhere\n  loras: one": "'a', 'base_path': there is no folder",
    "loras: one": "'loras' is 'one', not a section",
    "a:\n  - loras: one": "'a' is a list, not a section",
    "a:\n  loras: one\n  loras: two": "'a', 'loras' stands twice",
    'a:\n  loras: "a\\0b"': "is no folder",
    f"a:\n  loras: {'x' * 300}": "is no folder",
    "a:\n  loras: ~nobody_of_this_name/x": "is no folder",
}


@pytest.mark.parametrize("text", UNREAD, ids=lambda text: text[:40])
def test_what_is_not_read_is_named_with_section_and_key(tmp_path, text):
    """files B11, reliability F12."""
    file = written(tmp_path, text)
    settings = Settings(home=tmp_path, extra_model_paths=(str(file),))
    (problem,) = folder_problems(settings)
    assert problem.fact.startswith(f"{file}: ")
    assert UNREAD[text] in problem.fact


@pytest.mark.parametrize(
    ("text", "fact"), [("a:\n\tloras: one", "spaces, not with tabs"), ("a: [", "is not YAML")]
)
def test_what_is_no_yaml_says_why(tmp_path, text, fact):
    """files B11."""
    with pytest.raises(RequestError, match=fact):
        read_extra_paths(written(tmp_path, text))


def test_a_device_is_no_list_of_folders(tmp_path):
    """reliability F15: /dev/zero has no end."""
    (tmp_path / "x.yaml").symlink_to("/dev/zero")
    with pytest.raises(RequestError, match="is no file"):
        read_extra_paths(tmp_path / "x.yaml")


def test_model_folders_that_name_nothing_are_told(tmp_path):
    """files C12."""
    (tmp_path / "here" / "loras").mkdir(parents=True)
    (tmp_path / "bare").mkdir()
    settings = Settings(
        home=tmp_path,
        model_folders=(
            ModelFolder(str(tmp_path / "gone")),
            ModelFolder(str(tmp_path / "here"), "comfy"),
            ModelFolder(str(tmp_path / "bare"), "comfyui"),
            ModelFolder(str(tmp_path / "here"), "comfyui"),
        ),
    )
    gone, layout, bare = folder_problems(settings)
    assert "there is no folder" in gone.fact
    assert "'comfy' is no layout" in layout.fact
    assert layout.way_out.startswith("Did you mean 'comfyui'?")
    assert "has no folder of the layout comfyui" in bare.fact


ALIASES = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcde", "bcdef", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        ALIASES,
        "a: [" + "[]," * 6_000 + "]",
        "".join(f"k{i}: v\n" for i in range(3_000)),
        "a: &a {" + ",".join(f"k{i}: 1" for i in range(400)) + "}\n"
        + "".join(f"s{i}: {{<<: *a}}\n" for i in range(100)),
    ],
    ids=["aliases", "lists", "keys", "merged keys"],
)  # fmt: skip
def test_a_file_of_more_values_than_folders_need_is_refused(tmp_path: Path, text: str):
    """Reliability, bombs: aliases count each time that they stand for something."""
    file = tmp_path / "bomb.yaml"
    file.write_text(text)
    with pytest.raises(RequestError, match="more than 5,000 values"):
        read_extra_paths(file)


@pytest.mark.parametrize(
    "value",
    ["5", "1.0e+308", "2024-01-01", "!!timestamp 1", "!!int x", "!!binary AAAA", "9" * 5000,
     ":".join(["59"] * 10_000), "!!omap [{k: v}]", "!!set {k}"],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_a_value_that_is_no_text_is_named(tmp_path: Path, value: str):
    file = tmp_path / "extra.yaml"
    file.write_text(f"comfyui:\n  loras: {value}\n  checkpoints: models\n")
    read = read_extra_paths(file)
    assert [folder.name for folder in read.folders] == ["checkpoints"]
    assert len(read.unread) == 1
    assert "'comfyui', 'loras'" in read.unread[0]
