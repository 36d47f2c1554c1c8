"""Assists with the prompt of one node: token count and completion words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import PurePath, PurePosixPath

from nodeforge.errors import RequestError
from nodeforge.graph.inline import inline
from nodeforge.models import Kind
from nodeforge.spec import Catalogue, FileWidget, PortSpec, TextWidget
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.token_counter import PromptSource, things_known, tokenizer_for

LOAD_EMBEDDING = "text.load_embedding"
_WORD = re.compile(r"[^\W\d_][\w'-]{2,}")


def reads_prompts(catalogue: Catalogue, node_type: str, port: PortSpec) -> bool:
    """Whether a port holds a prompt for a text encoder, or one that is resolved before."""
    spec, widget = catalogue.get(node_type), port.widget
    if spec is None or not (isinstance(widget, TextWidget) and widget.multiline):
        return False
    files = (each.widget for each in spec.inputs if isinstance(each.widget, FileWidget))
    return "text_encoder" in spec.input or any(file.kind == "wildcards" for file in files)


class PromptAssistant:
    """Provides token count and completion words for a prompt field.

    Args:
        path: The node that encodes the prompt.
        layer_tags: Gives the reference layers that the prompt may call.
    """

    def __init__(
        self,
        workspace: Workspace,
        opened: PromptSource,
        path: str,
        layer_tags: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._workspace, self._opened, self._path = workspace, opened, path
        self._layer_tags = layer_tags

    def count(self, prompt: str) -> str:
        """The token count of `prompt` as text; empty if the text encoder is unknown."""
        words = tokenizer_for(self._workspace, self._opened, self._path)
        return "" if words is None else str(words.count(prompt))

    def words(self) -> Iterable[Iterable[str]]:
        """Layers, embeddings, wildcards, what the model was taught, words of other prompts, and the
        tokenizer's.
        """
        asked = self._workspace, self._opened, self._path
        known = tokenizer_for(*asked)
        return (
            self._layer_tags(),
            self._embeddings(),
            self._wildcards,
            things_known(*asked),
            self._used(),
            known.vocabulary_words if known else (),
        )

    def _embeddings(self) -> list[str]:
        """Names of embeddings in the folder and in 'Load embedding' nodes."""
        nodes = inline(self._opened.document.graph).nodes.values()
        loaded = [node.values for node in nodes if node.type == LOAD_EMBEDDING]
        names = (
            values.get("name") or PurePath(str(values.get("file", ""))).stem for values in loaded
        )
        there = (str(PurePosixPath(name).with_suffix("")) for name in self._in_folder)
        return sorted({f"embedding:{name}" for name in (*names, *there) if name})

    @cached_property
    def _wildcards(self) -> list[str]:
        """Wildcards of the user's folder; those of text files alone where another is broken."""
        from nodeforge.graph.planned.wildcards import WildcardFolder, files_below

        folder = self._workspace.settings.wildcards
        try:
            names = WildcardFolder(folder).names()
        except RequestError:
            names = [name for name, path in files_below(folder) if path.suffix == ".txt"]
        return [f"__{name}__" for name in names]

    @cached_property
    def _in_folder(self) -> list[str]:
        return self._workspace.folders.names(Kind.EMBEDDING)

    def _used(self) -> list[str]:
        """Words of open and saved prompts, the most frequent first."""
        texts = [*self._workspace.past_prompts(), *self._open_prompts()]
        counted = Counter(word for text in texts for word in _WORD.findall(text))
        return [word for word, _ in counted.most_common()]

    def _open_prompts(self) -> Iterable[str]:
        """All other prompts of the open workflows."""
        for opened in self._workspace.documents:
            for path, node in inline(opened.document.graph).nodes.items():
                spec = self._workspace.catalogue.get(node.type)
                if opened is self._opened and path == self._path:
                    continue
                for port in spec.inputs if spec else ():
                    if isinstance(port.widget, TextWidget) and port.widget.multiline:
                        yield str(node.values.get(port.name, ""))
