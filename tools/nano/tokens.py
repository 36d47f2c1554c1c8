"""The model's own vocabulary: every word of its captions is one token, any other text is spelled.

Built in CLIP's layout (bytes, bytes that end a word, merges, two marks), so that it loads as
`CLIPTokenizer` and nothing is ever unknown.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import CLIPTokenizer

from tools.nano.concepts import Concept
from tools.nano.data import read_concepts
from tools.nano.meanings import Meanings
from tools.nano.pictures import STYLES
from tools.nano.shapes import TEXT_LENGTH

START, END = "<|startoftext|>", "<|endoftext|>"
END_OF_WORD = "</w>"
LEAST_TOKENS, TOKENS_PER_CONCEPT = 1600, 4
MOST_CAPTIONS = 60_000


def sample_captions(concepts: list[Concept], count: int) -> list[str]:
    """Every word a text may hold, in about the shares in which training shows them."""
    rng = np.random.default_rng(1)
    meanings = Meanings(concepts, STYLES)
    names = [name for concept in concepts for name in concept.names]
    return [*(meanings.sample(rng)[0] for _ in range(count)), *names, *names]


def learn_merges(texts: Iterable[str], size: int) -> list[tuple[str, str]]:
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix=END_OF_WORD))
    tokenizer.pre_tokenizer = CLIPTokenizer().backend_tokenizer.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        end_of_word_suffix=END_OF_WORD,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((text.lower() for text in texts), trainer)
    return [(first, second) for first, second in json.loads(tokenizer.to_str())["model"]["merges"]]


def build_tokenizer(concepts: list[Concept]) -> CLIPTokenizer:
    texts = sample_captions(concepts, min(200 * len(concepts), MOST_CAPTIONS))
    merges: Any = learn_merges(texts, max(LEAST_TOKENS, TOKENS_PER_CONCEPT * len(concepts)))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *(char + END_OF_WORD for char in alphabet)]
    tokens += ["".join(pair) for pair in merges]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys([*tokens, START, END]))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=TEXT_LENGTH)


def tokenizer_of(folder: Path) -> CLIPTokenizer:
    """The preset's tokenizer, made on the first call."""
    path = folder / "tokenizer"
    if not path.exists():
        build_tokenizer(read_concepts(folder / "data")).save_pretrained(path)
    return CLIPTokenizer.from_pretrained(path)


@dataclass(frozen=True)
class Words:
    """Captions to token ids, some of them empty so that guidance has something to compare with."""

    tokenizer: CLIPTokenizer

    def __call__(self, captions: list[str]) -> Tensor:
        batch = self.tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
        return batch.input_ids
