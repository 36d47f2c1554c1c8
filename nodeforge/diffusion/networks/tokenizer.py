"""Reads tokenizers: CLIP's key by key, those of other text encoders as one bounded JSON file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.subword_tokenizer import SubwordTokenizer
from nodeforge.diffusion.weights.checked_config import BOUNDS
from nodeforge.diffusion.weights.configs import lacks, text_encoder_config
from nodeforge.models import TEXT_ENCODER_KINDS, VOCABULARY_KEY, is_whole_model, read_config
from nodeforge.settings import shipped
from nodeforge.values import TextEncoderPart

SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token")
MOST_BYTES = 32 * 2**20
"""Of one of a tokenizer's files."""
_LEAST_LENGTH = 3
"""Start, one token, end."""
_PROCESSOR = "processor"
"""The folder of a tokenizer that has what prepares pictures beside it."""
_WHOLE, _ZIPPED = "tokenizer.json", "tokenizer.json.gz"


def tokenizer_of(part: TextEncoderPart) -> Any:
    """The tokenizer of a text encoder: transformers' `CLIPTokenizer`, or a `SubwordTokenizer`.

    CLIP's length is at most the number of positions that the text encoder has.

    Raises:
        LoadingError: a file is missing, too large, or not what a tokenizer is made of.
    """
    kind = TEXT_ENCODER_KINDS[part.kind]
    folder = _folder(part)
    if kind.network.startswith("CLIP"):
        return _clip_tokenizer(part, folder)
    if not any((folder / name).is_file() for name in (_WHOLE, _ZIPPED)):
        folder = kind.tokenizer_folder  # older folders have a SentencePiece model alone
    return _subword_tokenizer(folder, kind.pads_left)


@cache
def shipped_tokenizer(kind: str) -> SubwordTokenizer:
    """The tokenizer of a kind of text encoders, for what is read without one of these.

    Raises:
        LoadingError: a file is missing, too large, or not what a tokenizer is made of.
    """
    made = TEXT_ENCODER_KINDS[kind]
    return _subword_tokenizer(made.tokenizer_folder, made.pads_left)


def _folder(part: TextEncoderPart) -> Path:
    """A whole model's own, or its kind's."""
    path = Path(part.weights.path)
    if not is_whole_model(path):
        return TEXT_ENCODER_KINDS[part.kind].tokenizer_folder
    folder = path / part.weights.part.replace("text_encoder", "tokenizer")
    found = next((each for each in (folder, path / _PROCESSOR) if each.is_dir()), None)
    if found is None:
        raise lacks(part.weights, folder.name)
    return found


def _subword_tokenizer(folder: Path, pads_left: bool) -> SubwordTokenizer:
    from tokenizers import Tokenizer

    zipped = not (folder / _WHOLE).is_file()
    text = _unzipped(folder / _ZIPPED) if zipped else _read(folder / _WHOLE)
    try:
        tokenizer = Tokenizer.from_buffer(text)
    except Exception as error:  # the library raises nothing more special
        raise _refused(folder, "its tokenizer.json cannot be read") from error
    told = read_config(folder / "tokenizer_config.json")
    pad = _mark(told.get("pad_token"))
    number = tokenizer.token_to_id(pad) if pad else None
    if number is None:
        raise _refused(folder, f"its padding token '{pad[:40]}' is not in the vocabulary")
    return SubwordTokenizer(tokenizer, number, pads_left)


def _unzipped(file: Path) -> bytes:
    with gzip.open(file, "rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise _refused(file.parent, f"its {file.name} is larger than {MOST_BYTES // 2**20} MiB")
    return data


def _clip_tokenizer(part: TextEncoderPart, folder: Path) -> Any:
    from transformers import CLIPTokenizer

    told = read_config(folder / "tokenizer_config.json")
    source = folder
    ours = folder.is_relative_to(shipped("resources"))
    if ours and (shared := told.get(VOCABULARY_KEY)):
        source = (folder / shared).resolve()
    vocabulary, merges, added = _vocabulary(source)
    pairs: Any = merges  # transformers declares texts, and takes pairs
    marks = {key: _mark(told.get(key)) for key in SPECIAL}
    marks = {key: mark for key, mark in marks.items() if mark}
    for mark in marks.values():
        if mark not in vocabulary and mark not in added:
            raise _refused(folder, f"its special token '{mark[:40]}' is not in the vocabulary")
    tokenizer = CLIPTokenizer(
        vocab=vocabulary, merges=pairs, model_max_length=_length(part, folder, told), **marks
    )
    if added:
        tokenizer.add_tokens(added)
    return tokenizer


def _length(part: TextEncoderPart, folder: Path, told: Mapping[str, Any]) -> int:
    """Tokens of a chunk. Many files do not say it, or say 10^30 for "as many as you like"."""
    positions = text_encoder_config(part).get("max_position_embeddings", 77)
    given = told.get("model_max_length")
    if not isinstance(given, int | float) or isinstance(given, bool):
        return positions
    if given < _LEAST_LENGTH:
        raise _refused(folder, f"its tokenizer's 'model_max_length' is {given}, which is too few")
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
