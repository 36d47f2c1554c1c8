"""What the linter says of prompts, names of results and sizes, on the shipped workflows."""

import pytest
from PIL import Image

from nodeforge.formats.workflow import load
from nodeforge.graph.model import Input, Output
from nodeforge.lint import Severity, lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue

CATALOGUE = Catalogue.shipped()


def found(name, rule, tmp_path=None, **values):
    document = load(shipped("workflows") / f"{name}.json")
    for place, value in values.items():
        node, _, port = place.partition("__")
        document.node(node).values[port] = value
    models = ModelFolders(Settings(home=tmp_path)) if tmp_path else None
    return [each for each in lint(document, CATALOGUE, models) if each.rule == rule]


FOREIGN = {
    "<lora:a:1> fox": "Load LoRA",
    "fox <lora:style/a b:0.8:0.5>": "Load LoRA",
    "<lyco:a:1> fox": "Load LoRA",
    "<hypernet:a:1> fox": "Load LoRA",
    "a fox BREAK a cat": "Concatenate prompts",
    "a fox,\nBREAK\na cat": "Concatenate prompts",
    "a AND b": "Combine prompts",
    "a fox :1.2 AND a cat :0.8": "Combine prompts",
    "__animal__": "Wildcards",
    "a __color/warm__ fox": "Wildcards",
    "{fox|cat}": "alternates",
    "a {2$$red|blue|green} fox": "alternates",
    "a {red} fox": "1.05",
    "a {{red}} fox": "1.05",
    "a red++ fox": "(word:1.1)",
    "a (red, blue)++, fox": "(word:1.1)",
    "(a fox)+": "(word:1.1)",
    "red--, fox": "(word:1.1)",
    '("a fox", "a cat").and()': "Combine prompts",
    '("a fox", "a cat").blend(0.5, 0.5)': "Average prompts",
    "a fox --ar 16:9": "node",
    "a fox --no cats": "negative",
    "<random:fox,cat>": "Write the words",
    "left ADDCOL right": "Prompt for a region",
    "a COUPLE b": "Prompt for a region",
}
OURS = [
    "a red fox",
    "(red:1.2) [blue] fox, ((sharp))",
    "[fox:cat:0.5], [fox|cat]",
    "embedding:style, a fox",
    "sand and land, BREAKFAST, a breaking wave",
    "a C++ book, a fox--a red one",
    "snake_case, __, a_b, dash - dash, well-known",
    "1 < 2 > 1, a <3 heart",
    "a \\{literal\\} brace",
    'quote "x". and (y). and so on',
    "and",
    "",
]


@pytest.mark.parametrize("text", FOREIGN)
@pytest.mark.parametrize("node", ["prompt", "negative"])
def test_syntax_of_other_programs_is_named_with_the_way_out(text, node):
    """files A18."""
    problems = found("text_to_image", "prompt_syntax", **{f"{node}__text": text})
    assert problems
    assert all(each.severity is Severity.WARNING for each in problems)
    assert any(FOREIGN[text] in each.way_out for each in problems)
    assert all((each.node, each.port) == (node, "text") for each in problems)


@pytest.mark.parametrize("text", OURS)
def test_our_own_syntax_and_plain_words_are_not(text):
    """files A18."""
    assert found("text_to_image", "prompt_syntax", prompt__text=text) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("fox " * 2400, 0),
        ("fox " * 2401, 1),
        ("(" * 3000 + "fox" + ")" * 3000, 0),
        ("(fox:1.2) " * 2000, 0),
        ("[fox:cat:0.5] " * 2000, 0),
        ("123 456 " * 2000, 0),
        ("x" * 9000, 0),
        ("лиса " * 3000, 1),
    ],
)
def test_a_prompt_that_cannot_be_encoded_is_named_before_the_run(text, count):
    """files: prompts too long; never where a tokenizer may make do."""
    problems = found("text_to_image", "prompt_length", prompt__text=text)
    assert len(problems) == count
    assert all(each.severity is Severity.ERROR for each in problems)


@pytest.mark.parametrize(
    ("prefix", "wrong"),
    [
        ("../../x", True),
        ("/abs/x", True),
        ("~/x", True),
        ("a/../b", True),
        ("..", True),
        ("C:\\x", True),
        ("D:/x", True),
        ("\\\\server\\x", True),
        ("~", True),
        ("fox", False),
        ("foxes/red", False),
        ("a:b", False),
        ("a?b*c", False),
        ("..fox", False),
        ("~fox", False),
        ("x" * 300, False),
        ("{date}_{prompt}", False),
    ],
)
def test_a_name_that_leads_out_is_named_before_the_run(prefix, wrong):
    """files C8."""
    problems = found("text_to_image", "output_names", save__prefix=prefix)
    assert bool(problems) is wrong
    assert all(each.severity is Severity.ERROR for each in problems)


def test_a_crop_of_a_size_that_the_model_refuses_is_named(tmp_path):
    """files: sizes the model refuses."""
    (problem,) = found("inpaint", "sizes", tmp_path, crop__multiple=8)
    assert (problem.node, problem.port) == ("crop", "multiple")
    assert "divisible by 16" in problem.fact


def test_a_vae_that_crops_takes_any_size(tmp_path):
    """comfyui 1.11."""
    assert found("inpaint", "sizes", tmp_path, crop__multiple=8, encode__crop=True) == []
    assert found("inpaint", "sizes", tmp_path, crop__multiple=32) == []


@pytest.mark.parametrize(("size", "said"), [((100, 70), 1), ((128, 70), 1), ((128, 64), 0)])
def test_a_picture_of_a_size_that_the_model_refuses_is_named(tmp_path, size, said):
    """files: sizes the model refuses; by the file, before the run."""
    file = tmp_path / "p.png"
    Image.new("RGB", size).save(file)
    document = load(shipped("workflows") / "image_to_image.json")
    (encode,) = (n for n, node in document.graph.nodes.items() if node.type == "latent.encode")
    (loaded,) = (n for n, node in document.graph.nodes.items() if node.type == "image.load")
    document.graph.links[Input(encode, "image")] = Output(loaded, "image")
    folders = ModelFolders(Settings(home=tmp_path))
    problems = lint(document, CATALOGUE, folders, pictures=lambda _: file)
    problems = [each for each in problems if each.rule == "sizes"]
    assert len(problems) == said
    assert all(f"{size[0]} × {size[1]} pixels" in each.fact for each in problems)


@pytest.mark.parametrize("strength", [1e308, -1e308, 10**400, float("inf"), float("nan")])
@pytest.mark.parametrize("steps", [20, 10**400])
def test_numbers_without_bounds_are_no_crash(tmp_path, strength, steps):
    """reliability F12."""
    values = {"schedule__strength": strength, "schedule__steps": steps, "noise__width": 10**400 + 1}
    assert found("text_to_image", "steps", **values) == []
    assert found("text_to_image", "sizes", tmp_path, **values)


BLACK, WHITE = (0, 0, 0), (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "colour", "channel", "said"),
    [
        ("L", 0, "brightness", "Choose another file."),
        ("RGB", BLACK, "brightness", "Choose another file."),
        ("RGBA", (*BLACK, 255), "brightness", "Choose another file."),
        ("RGBA", (*BLACK, 0), "brightness", "Set 'channel' to transparency"),
        ("RGBA", (*WHITE, 0), "brightness", "Set 'channel' to transparency"),
        ("RGB", WHITE, "transparency", "Set 'channel' to brightness"),
        ("L", 1, "brightness", ""),
        ("RGBA", (*WHITE, 0), "transparency", ""),
        ("RGB", WHITE, "brightness", ""),
    ],
)
def test_an_empty_mask_is_said_before_the_run(tmp_path, mode, colour, channel, said):
    """files C15."""
    file = tmp_path / "m.png"
    Image.new(mode, (8, 6), colour).save(file)
    document = load(shipped("workflows") / "inpaint.json")
    document.node("mask").values |= {"file": "m.png", "channel": channel}
    problems = lint(document, CATALOGUE, pictures=lambda name: file if name == "m.png" else None)
    problems = [each for each in problems if each.rule == "empty_masks"]
    assert len(problems) == bool(said)
    assert all(said in each.way_out for each in problems)
    assert all((each.node, each.severity) == ("mask", Severity.WARNING) for each in problems)


def test_a_mask_that_cannot_be_read_or_is_not_there_is_left_to_the_others(tmp_path):
    """files C15."""
    (tmp_path / "m.png").write_bytes(b"nothing")
    document = load(shipped("workflows") / "inpaint.json")
    for found in (tmp_path / "m.png", None):
        problems = lint(document, CATALOGUE, pictures=lambda _, found=found: found)
        assert not [each for each in problems if each.rule == "empty_masks"]


def test_layers_are_called_on_the_canvas_alone():
    text = "put <layer:red jacket> on her"
    plain = load(shipped("workflows") / "text_to_image.json")
    plain.node("prompt").values["text"] = text
    (problem,) = [each for each in lint(plain, CATALOGUE) if each.rule == "prompt_syntax"]
    assert "'<layer:red jacket>' is how the canvas calls a reference layer" in problem.fact
    canvas = load(shipped("workflows") / "canvas_edit.json")
    canvas.node("instruction").values["text"] = text
    assert not [each for each in lint(canvas, CATALOGUE) if each.rule == "prompt_syntax"]
