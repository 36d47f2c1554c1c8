"""Reads CLIP tokenizers: vocabulary, merges and special tokens, key by key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.checked_config import BOUNDS
from nodeforge.diffusion.weights.configs import config_root, lacks, part_config
from nodeforge.models import FAMILIES, VOCABULARY_KEY, read_config
from nodeforge.values import Weights

SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token")
MOST_BYTES = 32 * 2**20
"""Of one of a tokenizer's files."""
_LEAST_LENGTH = 3
"""Start, one token, end."""


def tokenizer_of(weights: Weights, part: str) -> Any:
    """The tokenizer of a text encoder: transformers' `CLIPTokenizer`.

    Its length is at most the number of positions that the text encoder has.

    Args:
        weights: The model's.
        part: ``text_encoder`` or ``text_encoder_2``.

    Raises:
        LoadingError: a file is missing, too large, or not what a tokenizer is made of.
    """
    from transformers import CLIPTokenizer

    name = part.replace("text_encoder", "tokenizer")
    root = config_root(weights)
    folder = root / name
    if not folder.is_dir():
        raise lacks(weights, name)
    told = read_config(folder / "tokenizer_config.json")
    source = folder
    if (shared := told.get(VOCABULARY_KEY)) and root == FAMILIES[weights.family].config_folder:
        source = (folder / shared).resolve()
    vocabulary, merges, added = _vocabulary(source)
    pairs: Any = merges  # transformers declares texts, and takes pairs
    marks = {key: _mark(told.get(key)) for key in SPECIAL}
    marks = {key: mark for key, mark in marks.items() if mark}
    for mark in marks.values():
        if mark not in vocabulary and mark not in added:
            raise _refused(folder, f"its special token '{mark[:40]}' is not in the vocabulary")
    tokenizer = CLIPTokenizer(
        vocab=vocabulary, merges=pairs, model_max_length=_length(weights, part, told), **marks
    )
    if added:
        tokenizer.add_tokens(added)
    return tokenizer


def _length(weights: Weights, part: str, told: Mapping[str, Any]) -> int:
    """Tokens of a chunk. Many files do not say it, or say 10^30 for "as many as you like"."""
    positions = part_config(weights, part).get("max_position_embeddings", 77)
    given = told.get("model_max_length")
    if not isinstance(given, int | float) or isinstance(given, bool):
        return positions
    if given < _LEAST_LENGTH:
        raise _refused(
            config_root(weights), f"its tokenizer's 'model_max_length' is {given}, which is too few"
        )
    return int(min(given, positions))


def _vocabulary(folder: Path) -> tuple[dict[str, int], list[tuple[str, str]], list[str]]:
    """Token to id, pairs to merge in order, and tokens that were added behind the vocabulary."""
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        vocabulary = _read_json(folder / "vocab.json")
        lines = _read(folder / "merges.txt").decode("utf-8", "replace").split("\n")
        merges = [line for line in lines if line and not line.startswith("#version")]
        added: Any = [
            {"content": token, "id": number}
            for token, number in _read_json(folder / "added_tokens.json", optional=True).items()
        ]
    else:
        whole = _read_json(folder / "tokenizer.json")
        model = whole.get("model")
        if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
            raise _refused(folder, "its tokenizer.json holds no BPE vocabulary")
        vocabulary, merges = model.get("vocab"), model.get("merges")
        added = whole.get("added_tokens") or []
    checked = _checked(folder, vocabulary)
    return checked, _pairs(folder, merges), _added(folder, checked, added)


def _checked(folder: Path, vocabulary: Any) -> dict[str, int]:
    if (
        not isinstance(vocabulary, dict)
        or not 0 < len(vocabulary) <= BOUNDS["vocab_size"]
        or sorted(map(str, vocabulary.values())) != sorted(map(str, range(len(vocabulary))))
    ):
        raise _refused(folder, "its vocabulary does not number its tokens from 0 on")
    return vocabulary


def _pairs(folder: Path, merges: Any) -> list[tuple[str, str]]:
    pairs = [each.split() if isinstance(each, str) else each for each in merges or ()]
    if any(
        not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(p, str) for p in pair)
        for pair in pairs
    ):
        raise _refused(folder, "its merges are no pairs of tokens")
    return [(first, second) for first, second in pairs]


def _added(folder: Path, vocabulary: Mapping[str, int], added: Any) -> list[str]:
    """Tokens behind the vocabulary, in the order of their ids, which must have no gap."""
    try:
        behind = {int(e["id"]): str(e["content"]) for e in added if e["content"] not in vocabulary}
    except (TypeError, KeyError, ValueError) as error:
        raise _refused(folder, "its added tokens cannot be read") from error
    if sorted(behind) != list(range(len(vocabulary), len(vocabulary) + len(behind))):
        raise _refused(folder, "its added tokens do not follow the vocabulary")
    return [behind[number] for number in sorted(behind)]


def _mark(given: Any) -> str:
    """A special token, which is a text or an object with the text in it."""
    content = given.get("content") if isinstance(given, dict) else given
    return content if isinstance(content, str) else ""


def _read_json(file: Path, *, optional: bool = False) -> dict[str, Any]:
    if optional and not file.is_file():
        return {}
    try:
        found = json.loads(_read(file))
    except (ValueError, RecursionError) as error:
        raise _refused(file.parent, f"its {file.name} is not JSON") from error
    if not isinstance(found, dict):
        raise _refused(file.parent, f"its {file.name} is not a JSON object")
    return found


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        fact = f"its {file.name} cannot be read: {error.strerror}"
        raise _refused(file.parent, fact) from error
    if len(data) > MOST_BYTES:
        raise _refused(file.parent, f"its {file.name} is larger than {MOST_BYTES // 2**20} MiB")
    return data


def _refused(folder: Path, fact: str) -> LoadingError:
    return LoadingError(
        f"{fact}.",
        place=str(folder),
        way_out="Take the tokenizer's folder from the model's original.",
    )
