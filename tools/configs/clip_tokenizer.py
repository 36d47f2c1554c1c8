"""CLIP's tokenizer, made from the list of merges that OpenAI published with CLIP.

The list comes with the MIT-licensed package open_clip_torch on PyPI.
"""

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from transformers import CLIPTokenizer

PACKAGE = "open_clip_torch==3.3.0"
MERGES = "open_clip/bpe_simple_vocab_16e6.txt.gz"
VOCABULARY = 49408
START, END = "<|startoftext|>", "<|endoftext|>"


def fetch(cache: Path) -> Path:
    """The package's wheel, downloaded by pip unless `cache` has it."""
    version = PACKAGE.partition("==")[2]
    wheel = cache / f"open_clip_torch-{version}-py3-none-any.whl"
    if not wheel.exists():
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        subprocess.run([*pip, "--dest", str(cache), PACKAGE], check=True)
    return wheel


def tokenizer(wheel: Path) -> CLIPTokenizer:
    """Bytes, bytes that end a word, merges in their order, and the two marks: 49,408 tokens."""
    with zipfile.ZipFile(wheel) as archive:
        lines = gzip.decompress(archive.read(MERGES)).decode().split("\n")
    symbols = byte_symbols()
    count = VOCABULARY - 2 * len(symbols) - 2
    pairs: Any = [tuple(line.split()) for line in lines[1 : count + 1]]  # its hint says str
    words = [*symbols, *(f"{symbol}</w>" for symbol in symbols), *map("".join, pairs), START, END]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=pairs, model_max_length=77)


def byte_symbols() -> list[str]:
    """A visible character for each byte: itself where it has one, else one from 256 on.

    Printable bytes come first, which the numbers of the tokens depend on.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [*map(chr, printable), *(chr(256 + i) for i in range(len(others)))]


def licence(wheel: Path) -> str:
    """The notice that MIT asks to keep beside the list."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("licenses/LICENSE"))
        notice = archive.read(name).decode()
    return f"The tokenizer's list of merges is from {PACKAGE}, file {MERGES}:\n\n{notice}"
