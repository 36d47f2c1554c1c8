"""Counts the tokens of a prompt with the model's tokenizer files.

Needs no torch: `tokenizers` reads them in a hundredth of a second.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nodeforge.errors import NodeForgeError
from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.inline import Inlined, inline
from nodeforge.graph.model import Input
from nodeforge.models import FAMILIES, TEXT_ENCODER_KINDS, Family, known_words, recognise
from nodeforge.settings import shipped
from nodeforge.spec import ModelFileWidget
from nodeforge.ui.documents.workspace import Workspace

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_KINDS = ("checkpoint", "text_encoder")
_WEIGHT = re.compile(r":\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*(?=\))")
_CHANGE = re.compile(r"\[([^\[\]]*?(?:\|[^\[\]]*|(?=:\s*[\d.]+\s*\])))(?::\s*[\d.]+\s*)?\]")
"""Prompt scheduling ``[cat:dog:0.4]`` and alternation ``[cat|dog]``."""
_BRACKET = re.compile(r"(\\[()\[\]\\])|[()\[\]]")
_END = "</w>"
_SHORTEST = 3


class PromptSource(Protocol):
    """A source of prompts: an open document or a canvas' generation form."""

    @property
    def document(self) -> Document: ...

    @property
    def granted(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class TokenCount:
    """The number of tokens of a prompt, without start and end tokens.

    Args:
        tokens: Tokens of the whole prompt.
        chunk: Tokens per chunk; longer prompts are encoded in chunks.
        cut: Longer prompts are cut there instead.
    """

    tokens: int
    chunk: int
    cut: bool = False

    def __str__(self) -> str:
        if self.cut and self.tokens > self.chunk:
            lost = self.tokens - self.chunk
            return f"{self.tokens} of {self.chunk} tokens; the last {lost} are not read"
        chunks = -(-self.tokens // self.chunk)
        if chunks <= 1:
            return f"{self.tokens} of {self.chunk} tokens"
        rest = self.tokens - (chunks - 1) * self.chunk
        return f"{self.tokens} tokens, {chunks} chunks; {rest} of {self.chunk} in the last"


class PromptTokenizer(Protocol):
    """Counts the tokens of a prompt as a model's text encoder does."""

    @property
    def vocabulary_words(self) -> list[str]:
        """Words that are a single token, the most common first."""
        ...

    def count(self, prompt: str) -> TokenCount: ...


class ChunkedTokenizer:
    """The tokenizer of a model whose CLIP reads a prompt in chunks.

    Args:
        folder: Contains ``tokenizer.json`` and ``tokenizer_config.json``.
    """

    def __init__(self, folder: Path) -> None:
        file = folder / "tokenizer.json"
        self._tokenizer = _read(file)
        config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
        self._chunk = int(config.get("model_max_length", 77)) - 2
        self.vocabulary_words = _whole_words(self._tokenizer.get_vocab(), file)
        """Words that are a single token, the most common first."""

    def count(self, prompt: str) -> TokenCount:
        """Count tokens; of alternatives the longest counts, weights and brackets are ignored."""
        plain = _without_weights(_longest(prompt))
        found = self._tokenizer.encode(plain, add_special_tokens=False)
        return TokenCount(len(found.ids), self._chunk)


class CutTokenizer:
    """The tokenizer of a family that reads as many tokens of a prompt as fit, such as T5 or Qwen.

    Args:
        file: ``tokenizer.json``, or that compressed by gzip.
        family: Its length, and the template that a prompt is set into.
        vocabulary_words: To complete words with.
    """

    def __init__(self, file: Path, family: Family, vocabulary_words: list[str]) -> None:
        self._tokenizer, self._family = _read(file), family
        self.vocabulary_words = vocabulary_words
        self._around = self._length("")

    def count(self, prompt: str) -> TokenCount:
        """Count tokens; of alternatives the longest counts."""
        plain = _longest(prompt)
        if self._family.reads_weights:
            plain = _without_weights(plain)
        tokens = self._length(plain) - self._around
        most = self._family.text_length + self._family.unread_tokens - self._around
        return TokenCount(tokens, most, cut=True)

    def _length(self, prompt: str) -> int:
        return len(self._tokenizer.encode(self._family.prompt_template.format(prompt)).ids)


def _read(file: Path) -> Tokenizer:
    from tokenizers import Tokenizer  # only where a prompt is edited

    data = file.read_bytes()
    return Tokenizer.from_buffer(gzip.decompress(data) if file.suffix == ".gz" else data)


def _longest(prompt: str) -> str:
    """The prompt with the longest of what changes while steps run."""
    return _CHANGE.sub(lambda found: max(re.split("[:|]", found[1]), key=len), prompt)


def _without_weights(prompt: str) -> str:
    return _BRACKET.sub(lambda found: (found[1] or "")[1:], _WEIGHT.sub("", prompt))


def _whole_words(vocabulary: dict[str, int], file: Path) -> list[str]:
    """Tokens that are whole words: no merge prepends something to them."""
    merges = json.loads(file.read_text("utf-8")).get("model", {}).get("merges", [])
    pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in merges)
    endings = {pair[1] for pair in pairs}
    ends = sorted((rank, token) for token, rank in vocabulary.items() if token.endswith(_END))
    words = (token.removesuffix(_END) for _, token in ends if token not in endings)
    return [word for word in words if len(word) >= _SHORTEST and word.isalpha() and word.isascii()]


def tokenizer_for(workspace: Workspace, opened: PromptSource, path: str) -> PromptTokenizer | None:
    """The tokenizer of the text encoder at a node; None if unknown."""
    try:
        where = _model_file(workspace, opened, path)
        return None if where is None else _tokenizer_at(where)
    except (NodeForgeError, OSError, ValueError):
        return None  # shown in the problems panel


def things_known(workspace: Workspace, opened: PromptSource, path: str) -> tuple[str, ...]:
    """What the model of a node's text encoder was taught to draw, where a file beside it says."""
    try:
        where = _model_file(workspace, opened, path)
    except NodeForgeError:
        return ()
    known = known_words(where) if where is not None else None
    return known.things if known is not None else ()


def _model_file(workspace: Workspace, opened: PromptSource, path: str) -> Path | None:
    model = _model(workspace, opened.document, path)
    if model is None:
        return None
    return workspace.folders.find(*model, granted=frozenset(map(Path, opened.granted)))


@lru_cache(maxsize=16)
def _tokenizer_at(model: Path) -> PromptTokenizer | None:
    found, own = recognise(model), model / "tokenizer"
    family = FAMILIES.get(found.family or next(iter(found.families), ""))
    if family is not None and family.text_length:
        return _of_cut_family(model, family)
    folder = shipped("resources") / family.config / "tokenizer" if family else own
    folder = own if own.is_dir() else folder
    return ChunkedTokenizer(folder) if (folder / "tokenizer.json").is_file() else None


def _of_cut_family(model: Path, family: Family) -> PromptTokenizer:
    """By its last text encoder, whose tokens the denoiser reads one by one."""
    part, kind = list(family.text_encoders.items())[-1]
    own = model / part.replace("text_encoder", "tokenizer") / "tokenizer.json"
    file = own if own.is_file() else TEXT_ENCODER_KINDS[kind].tokenizer_folder / f"{own.name}.gz"
    words = ChunkedTokenizer(TEXT_ENCODER_KINDS["clip_l"].tokenizer_folder).vocabulary_words
    return CutTokenizer(file, family, words)


def _model(workspace: Workspace, document: Document, path: str) -> tuple[str, str] | None:
    """Kind and name of the model whose text encoder is linked to a node."""
    try:
        document.node(path)
    except NoSuchNodeError:
        return None
    whole = inline(document.graph)
    feed, seen = whole.source(Input(path, "text_encoder")), set[str]()
    while feed is not None and feed.node in whole.nodes and feed.node not in seen:
        seen.add(feed.node)
        if found := _model_named_by(workspace, whole, feed.node):
            return found
        feed = _text_encoder_into(workspace, whole, feed.node)
    return None


def _model_named_by(workspace: Workspace, whole: Inlined, node: str) -> tuple[str, str] | None:
    spec = workspace.catalogue.get(whole.nodes[node].type)
    for port in spec.inputs if spec else ():
        name = whole.nodes[node].values.get(port.name, port.default)
        if isinstance(port.widget, ModelFileWidget) and port.widget.kind in _KINDS and name:
            return port.widget.kind, str(name)
    return None


def _text_encoder_into(workspace: Workspace, whole: Inlined, node: str):
    """The source of a node's text encoder input, such as that of Load LoRA."""
    spec = workspace.catalogue.get(whole.nodes[node].type)
    ports = (
        (port.name for port in spec.inputs if port.type in ("text_encoder", "any")) if spec else ()
    )
    feeds = (whole.source(Input(node, port)) for port in ports)
    return next((feed for feed in feeds if feed is not None), None)
