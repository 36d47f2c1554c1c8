"""Edits that put into nodes what other programs write into prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from nodeforge.graph.changes import Change
from nodeforge.graph.document import Document
from nodeforge.graph.edits import AddNodes, GraphEdit, InsertOnLink, Link, SetValue, Through
from nodeforge.graph.edits.links import source_of
from nodeforge.graph.edits.pass_through import links_through, passed_beside
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.paths import join, split
from nodeforge.lint.context import LintContext
from nodeforge.spec import Catalogue

LOAD_LORA, CONCATENATE, ENCODER = "models.load_lora", "text.concatenate", "text_encoder"
WILDCARDS = "text.wildcards"
_TAG = re.compile(r"<\w+:([^<>:\n]+)(?::([+-]?[\d.]{1,8}))?(?::([+-]?[\d.]{1,8}))?[^<>\n]*>")
_GAP = re.compile(r"\s*,\s*(?=,|$)|^\s*,\s*")


@dataclass(eq=False)
class LoraOfTag(GraphEdit):
    """Load the LoRA of a tag in a node, and take the tag out of the prompt.

    Args:
        path: The node that encodes the prompt.
        port: Where its text is.
        tag: As it stands there, ``<lora:ink:0.8>``.
        file: The LoRA's name in the model folders.
        catalogue: Declares the ports.
    """

    path: str
    port: str
    tag: str
    file: str
    catalogue: Catalogue

    @property
    def name(self) -> str:
        return f"load {PurePosixPath(self.file).stem}"

    def changes(self, document: Document) -> Iterator[Change]:
        weight, text_weight = weights_of(self.tag)
        values = {"file": self.file, "model_weight": weight, "text_weight": text_weight}
        end, through = Input(self.path, ENCODER), Through(ENCODER, ENCODER)
        node = Node(LOAD_LORA, values)
        passed = passed_beside(document, end, node, through, self.catalogue)
        insert = InsertOnLink(end, node, through)
        yield from insert.changes(document)
        for link in links_through(insert.path, passed):
            yield from link.changes(document)
        text = document.node(self.path).values[self.port].replace(self.tag, "", 1)
        yield from SetValue(self.path, self.port, tidied(text)).changes(document)


@dataclass(eq=False)
class SplitPrompt(GraphEdit):
    """Encode the parts of a prompt by themselves, and join them.

    Args:
        path: The node that encodes the prompt.
        port: Where its text is.
        parts: Two or more.
        joining: The type of the node that joins two.
    """

    path: str
    port: str
    parts: tuple[str, ...]
    joining: str = CONCATENATE

    @property
    def name(self) -> str:
        return "encode the parts of the prompt"

    def changes(self, document: Document) -> Iterator[Change]:
        group, name = split(self.path)
        node = document.node(self.path)
        encoder = source_of(document, Input(self.path, ENCODER))
        graph = document.group(group)
        readers = [end for end, start in graph.links.items() if start.node == name]
        yield from SetValue(self.path, self.port, self.parts[0]).changes(document)
        joined = self.path
        for part in self.parts[1:]:
            values = {**node.values, self.port: part}
            add = AddNodes([Node(node.type, values), Node(self.joining)], (), group)
            yield from add.changes(document)
            other, both = add.paths
            if encoder is not None:
                yield from Link(encoder, Input(other, ENCODER)).changes(document)
            yield from Link(Output(joined, _GIVES), Input(both, "first")).changes(document)
            yield from Link(Output(other, _GIVES), Input(both, "second")).changes(document)
            joined = both
        for end in readers:
            place = Input(join(group, end.node), end.port, end.item)
            yield from Link(Output(joined, _GIVES), place).changes(document)


_GIVES = "conditioning"


@dataclass(eq=False)
class ResolveWildcards(GraphEdit):
    """Put *Wildcards* before a prompt, with the text that stands there or is linked to it.

    Args:
        path: The node that encodes the prompt.
        port: Where its text is.
    """

    path: str
    port: str

    @property
    def name(self) -> str:
        return "resolve wildcards"

    def changes(self, document: Document) -> Iterator[Change]:
        end = Input(self.path, self.port)
        text = document.node(self.path).values.get(self.port)
        linked = source_of(document, end) is not None
        node = Node(WILDCARDS, {} if linked else {"text": text})
        yield from InsertOnLink(end, node, Through("text", "value")).changes(document)
        if not linked:
            yield from SetValue(self.path, self.port, "").changes(document)


def weights_of(tag: str) -> tuple[float, float]:
    """The weights on model and text encoder that a tag says; 1 where it says none."""
    told = _TAG.match(tag)
    numbers = [_number(each) for each in told.groups()[1:]] if told else [None, None]
    weight = 1.0 if numbers[0] is None else numbers[0]
    return weight, weight if numbers[1] is None else numbers[1]


def lora_of(scene: LintContext, tag: str) -> str | None:
    """The LoRA in the model folders that a tag names, with any folder and ending.

    None where there is none, or there are several.
    """
    told = _TAG.match(tag)
    if told is None or scene.models is None:
        return None
    models, wanted = scene.models, PurePosixPath(told[1].strip().replace("\\", "/")).name.lower()
    names = scene.once("loras in the folders", lambda: models.names("lora"))
    found = [name for name in names if wanted in _called(name)]
    return found[0] if len(found) == 1 else None


def tidied(text: str) -> str:
    """Without the commas and spaces that are left where something was taken out."""
    return re.sub(r"[ \t]{2,}", " ", _GAP.sub("", text)).strip(" ,")


def _called(name: str) -> tuple[str, str]:
    path = PurePosixPath(name.lower())
    return path.name, path.stem


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
