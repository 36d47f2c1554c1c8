from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest

from nodeforge.api import (
    Choice,
    DeclarationError,
    File,
    Image,
    Latent,
    ModelFile,
    Multiline,
    NodeType,
    Range,
    Role,
    RunContext,
    Saves,
    Seed,
    node,
    node_type_of,
)
from nodeforge.spec import (
    ChoiceWidget,
    FileWidget,
    ModelFileWidget,
    NodeSpec,
    NumberWidget,
    SeedWidget,
    TextWidget,
    ToggleWidget,
)
from nodeforge.spec.widget import widget_from_json, widget_to_json


class Mood(Enum):
    HAPPY = "happy"
    SAD = "sad"


class Pair(NamedTuple):
    image: Image
    count: int


@node("test.everything", version=3, title="Everything", effects=True)
def everything(
    run: RunContext,
    image: Image,
    many: list[Image],
    whole: Annotated[int, Range(1, 9)],
    seed: Annotated[int, Seed()],
    prompt: Annotated[str, Multiline(names="embedding")],
    file: Annotated[Path, File("image")],
    model: Annotated[Path, ModelFile("checkpoint")],
    anything: Any,
    latent: Latent | None = None,
    share: Annotated[float | None, Range(0.0, 1.0, step=0.05)] = None,
    yes: bool = True,
    mood: Mood = Mood.SAD,
    kind: Annotated[str, Choice("png", "jpeg")] = "png",
) -> Pair:
    """Do everything at once.

    Only here to be declared.

    Args:
        image: A picture,
            described over two lines.
        many: Pictures.
        whole: A number.
        seed: A seed.
        prompt: A text.
        file: A file.
        model: A model.
        anything: Anything.
        latent: A latent.
        share: A share.
        yes: A switch.
        mood: A mood.
        kind: A kind.

    Returns:
        image: The picture.
        count: How many.
    """
    del run, many, whole, seed, prompt, file, model, anything, latent, share, yes, mood, kind
    return Pair(image, 1)


def made() -> NodeType:
    node_type = node_type_of(everything)
    assert node_type is not None
    return node_type


def test_ports_come_from_the_signature():
    spec = made().spec
    assert {port.name: port.type for port in spec.inputs} == {
        "image": "image",
        "many": "image",
        "whole": "integer",
        "seed": "integer",
        "prompt": "text",
        "file": "path",
        "model": "path",
        "anything": "any",
        "latent": "latent",
        "share": "float",
        "yes": "boolean",
        "mood": "text",
        "kind": "text",
    }
    assert [(port.name, port.type) for port in spec.outputs] == [
        ("image", "image"),
        ("count", "integer"),
    ]
    assert [port.name for port in spec.inputs if port.many] == ["many"]
    assert [port.name for port in spec.inputs if port.optional] == ["latent", "share"]
    assert made().wants_run


def test_widgets_come_from_the_annotations():
    widgets = {name: port.widget for name, port in made().spec.input.items() if port.widget}
    assert widgets == {
        "whole": NumberWidget(1, 9),
        "seed": SeedWidget(),
        "prompt": TextWidget(multiline=True, names="embedding"),
        "file": FileWidget("image"),
        "model": ModelFileWidget("checkpoint"),
        "share": NumberWidget(0.0, 1.0, 0.05),
        "yes": ToggleWidget(),
        "mood": ChoiceWidget(("happy", "sad")),
        "kind": ChoiceWidget(("png", "jpeg")),
    }
    assert made().spec.input["mood"].default == "sad"


def test_choices_may_be_called_otherwise_than_they_are_stored():
    def heard(
        tone: Annotated[str, Choice("a_sharp", "b", labels={"a_sharp": "A♯"})] = "b",
    ) -> float:
        """Hear a tone.

        Args:
            tone: Which.
        """
        return 440.0

    widget = node_type_of(node("test.heard")(heard)).spec.input["tone"].widget
    assert widget == ChoiceWidget(("a_sharp", "b"), ("A♯", "b"))
    assert [widget.label(name) for name in ("a_sharp", "b", "gone")] == ["A♯", "b", "gone"]
    assert widget_from_json(widget_to_json(widget)) == widget


def test_words_come_from_the_docstring():
    spec = made().spec
    assert (spec.summary, spec.doc) == ("Do everything at once.", "Only here to be declared.")
    assert spec.input["image"].doc == "A picture, described over two lines."
    assert spec.output["count"].doc == "How many."
    assert (spec.title, spec.category, spec.version, spec.effects) == (
        "Everything", "test", 3, True,
    )  # fmt: skip


def test_a_node_type_survives_json():
    spec = made().spec
    assert NodeSpec.from_json(spec.to_json()) == spec


def test_a_function_stays_a_function():
    @node("test.double")
    def double(value: int) -> int:
        """Double.

        Args:
            value: A number.
        """
        return value * 2

    assert double(4) == 8
    node_type = node_type_of(double)
    assert node_type is not None
    assert node_type.spec.title == "Double"
    assert node_type.spec.role is Role.COMPUTE
    assert node_type.spec.outputs[0].name == "integer"


def no_docstring(value: int) -> int:
    return value


def undescribed(value: int, weight: float) -> int:
    """Do.

    Args:
        value: A number.
    """
    return value


def untyped(value) -> int:
    """Do.

    Args:
        value: A number.
    """
    return value


def no_result(value: int):
    """Do.

    Args:
        value: A number.
    """
    return value


def bare_path(file: Path) -> int:
    """Do.

    Args:
        file: A file.
    """
    return len(file.parts)


def strange_type(thing: complex) -> int:
    """Do.

    Args:
        thing: Strange.
    """
    return int(thing.real)


def default_without_widget(image: Image = 3) -> Image:  # type: ignore[assignment]
    """Do.

    Args:
        image: A picture.
    """
    return image


def strange_extra(value: Annotated[int, "what"]) -> int:
    """Do.

    Args:
        value: A number.
    """
    return value


def undescribed_result(image: Image) -> Pair:
    """Do.

    Args:
        image: A picture.

    Returns:
        image: The picture.
    """
    return Pair(image, 1)


@pytest.mark.parametrize(
    ("function", "fact"),
    [
        (no_docstring, "has no docstring"),
        (undescribed, "parameter 'weight' is not described under 'Args:'"),
        (untyped, "parameter 'value' has no type"),
        (no_result, "does not say what it returns"),
        (bare_path, "a Path needs"),
        (strange_type, "cannot travel along a link"),
        (default_without_widget, "is a port only"),
        (strange_extra, "not one of nodeforge.api's"),
        (undescribed_result, "result 'count' is not described under 'Returns:'"),
    ],
)
def test_a_wrong_declaration_fails_on_import_and_says_so(function, fact: str):
    with pytest.raises(DeclarationError) as caught:
        node("latent.blend")(function)
    assert str(caught.value).startswith("latent.blend: ")
    assert fact in str(caught.value)


@pytest.mark.parametrize(
    ("effects", "saves", "fact"),
    [
        (False, Saves("first", {"": ".txt"}, prefix="first"), "saves files, and has no effects"),
        (True, Saves("first", {"": ".txt"}), "'saves' names 'prefix', which is no port"),
        (True, Saves("first", {"a": ".a"}, prefix="first"), "'saves' names 'format', which is no"),
    ],
)
def test_what_a_node_saves_are_ports_of_its_own(effects: bool, saves: Saves, fact: str):
    def save(first: str) -> None:
        """Save.

        Args:
            first: A text.
        """

    with pytest.raises(DeclarationError, match=fact):
        node("text.save", effects=effects, saves=saves)(save)


def test_an_id_has_a_category():
    with pytest.raises(DeclarationError, match=r"category\.name"):
        node("blend")(everything)
