"""Reference layers that an instruction shows to an edit model, and calls by ``<layer:name>``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nodeforge.canvas.document.layer_tags import LAYER_TAG, layer_tag
from nodeforge.canvas.generation.node_copies import nodes_of_type
from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.graph.paths import Names
from nodeforge.imaging import Bytes
from nodeforge.models import FAMILIES, too_many_references

INSTRUCT = "text.instruct"
_LOAD = "image.load"


class TooManyLayersError(RequestError):
    """More pictures than the model takes."""


class UnknownLayerError(RequestError):
    """A prompt calls a layer that is no reference."""


class EmptyInstructionError(RequestError):
    """Nothing says what should change."""


@dataclass(frozen=True, eq=False)
class ReferencePicture:
    """What a reference layer shows.

    Args:
        name: What the layer is called.
        pixels: uint8, (height, width, 4) of any size, alpha not premultiplied.
    """

    name: str
    pixels: Bytes = field(repr=False)


def reads_references(document: Document) -> bool:
    """Whether a workflow shows reference layers to an edit model."""
    return next(nodes_of_type(document.graph, INSTRUCT), None) is not None


def add_references(
    document: Document,
    pictures: Sequence[tuple[ReferencePicture, str]],
    family: str = "",
    variant: str = "",
) -> None:
    """Show the pictures to each *Encode instruction*, after those that it sees already.

    ``<layer:name>`` in any text becomes what models of the family are taught to read, such as
    ``image 2``.

    Args:
        document: Changed in place.
        pictures: Each with the value of its file.
        family: The model's, a name in `FAMILIES`; empty where it is not known.
        variant: The model's.

    Raises:
        TooManyLayersError: the model takes fewer.
        UnknownLayerError: a text calls a layer that is none of them, or two of one name.
    """
    first = seen = 1
    for graph, name in list(nodes_of_type(document.graph, INSTRUCT)):
        first = 1 + sum(end.node == name and end.port == "images" for end in graph.links)
        for number, (picture, file) in enumerate(pictures, first - 1):
            loader = Names(graph.nodes)(_LOAD.rpartition(".")[2])
            graph.nodes[loader] = Node(_LOAD, {"file": file}, title=picture.name)
            graph.links[Input(name, "images", number)] = Output(loader, "image")
        seen = first - 1 + len(pictures)
    facts = FAMILIES.get(family)
    word = facts.reference_called if facts else "image {}".format
    if facts and (problem := too_many_references(facts, variant or facts.variant, seen)):
        fact, way_out = problem
        raise TooManyLayersError(
            fact,
            way_out=f"{way_out} The canvas is the first; hide reference layers that are not needed."
            if pictures
            else way_out,
        )
    names = [picture.name for picture, _ in pictures]
    _call(document.graph, names, [word(first + n) for n in range(len(names))])


def check_instruction(document: Document, prompts: Sequence[str]) -> None:
    """Raise where neither an *Encode instruction* nor one of the masks' prompts says anything.

    Raises:
        EmptyInstructionError: there is no instruction.
    """
    nodes = (graph.nodes[name] for graph, name in nodes_of_type(document.graph, INSTRUCT))
    if not any(text.strip() for text in (*prompts, *(str(n.values.get("text")) for n in nodes))):
        raise EmptyInstructionError(
            "there is no instruction.",
            way_out="Write what should change, such as: make it night.",
        )


def refuse_calls(document: Document) -> None:
    """Raise `UnknownLayerError` where a text calls a layer, in a workflow that sees none."""
    for node in every_node(document.graph).values():
        texts = (value for value in node.values.values() if isinstance(value, str))
        if tag := next(filter(None, map(LAYER_TAG.search, texts)), None):
            raise UnknownLayerError(
                f"the prompt calls the layer '{tag[1]}', and this workflow shows the model none.",
                way_out="Choose 'Edit' with an edit model, or take the tag away.",
            )


def _call(graph: Graph, names: Sequence[str], words: Sequence[str]) -> None:
    for node in every_node(graph).values():
        for port, value in node.values.items():
            if isinstance(value, str):
                node.values[port] = LAYER_TAG.sub(lambda tag: _word(tag[1], names, words), value)


def _word(name: str, names: Sequence[str], words: Sequence[str]) -> str:
    if (count := names.count(name)) == 1:
        return words[names.index(name)]
    if count:
        raise UnknownLayerError(
            f"{count} reference layers are called '{name}', so {layer_tag(name)} may mean each.",
            way_out="Rename one of them.",
        )
    there = ", ".join(f"'{each}'" for each in names)
    raise UnknownLayerError(
        f"the prompt calls the layer '{name}', and no reference layer that is seen is named so.",
        way_out=f"The reference layers here are {there}."
        if there
        else "Make the layer a reference layer and show it, or take the tag away.",
    )
