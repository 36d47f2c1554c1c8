"""What helps to write a prompt of one node: its length in tokens, and words to go on with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from pathlib import PurePath, PurePosixPath

from nodeforge.graph.inline import inline
from nodeforge.models import Kind
from nodeforge.spec import Catalogue, PortSpec, TextWidget
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.token_counter import PromptSource, tokenizer_for

LOAD_EMBEDDING = "text.load_embedding"
_WORD = re.compile(r"[^\W\d_][\w'-]{2,}")


def reads_prompts(catalogue: Catalogue, node_type: str, port: PortSpec) -> bool:
    """Whether what is typed into a port is read by a text encoder."""
    spec, widget = catalogue.get(node_type), port.widget
    is_prompt = isinstance(widget, TextWidget) and widget.multiline
    return is_prompt and spec is not None and "text_encoder" in spec.input


class PromptAssistant:
    """Asked while a prompt is typed.

    Args:
        path: The node that encodes the prompt.
    """

    def __init__(self, workspace: Workspace, opened: PromptSource, path: str) -> None:
        self._workspace, self._opened, self._path = workspace, opened, path

    def count(self, prompt: str) -> str:
        """How long `prompt` is; empty where no text encoder is known."""
        words = tokenizer_for(self._workspace, self._opened, self._path)
        return "" if words is None else str(words.count(prompt))

    def words(self) -> Iterable[Iterable[str]]:
        """Names of embeddings, words of other prompts, words the model knows."""
        known = tokenizer_for(self._workspace, self._opened, self._path)
        return self._embeddings(), self._used(), known.vocabulary_words if known else ()

    def _embeddings(self) -> list[str]:
        """What prompts may call: from the folder, and what 'Load embedding' nodes have read."""
        nodes = inline(self._opened.document.graph).nodes.values()
        loaded = [node.values for node in nodes if node.type == LOAD_EMBEDDING]
        names = (
            values.get("name") or PurePath(str(values.get("file", ""))).stem for values in loaded
        )
        there = (str(PurePosixPath(name).with_suffix("")) for name in self._in_folder)
        return sorted({f"embedding:{name}" for name in (*names, *there) if name})

    @cached_property
    def _in_folder(self) -> list[str]:
        return self._workspace.folders.names(Kind.EMBEDDING)

    def _used(self) -> list[str]:
        """Words of the prompts that are open or in the gallery, the most used first."""
        texts = [*self._workspace.past_prompts(), *self._open_prompts()]
        counted = Counter(word for text in texts for word in _WORD.findall(text))
        return [word for word, _ in counted.most_common()]

    def _open_prompts(self) -> Iterable[str]:
        """The texts of all open workflows but the one that is typed."""
        for opened in self._workspace.documents:
            for path, node in inline(opened.document.graph).nodes.items():
                spec = self._workspace.catalogue.get(node.type)
                if opened is self._opened and path == self._path:
                    continue
                for port in spec.inputs if spec else ():
                    if isinstance(port.widget, TextWidget) and port.widget.multiline:
                        yield str(node.values.get(port.name, ""))
