"""Text encoders that several families share: configurations and tokenizers.

Values are facts of the architectures, checked by the parameter counts of what they make. The
tokenizers come with InvokeAI (Apache-2.0) and stable-diffusion.cpp (MIT) on PyPI; their lists of
tokens are Google's T5 and umT5, Alibaba's Qwen3 and Mistral's, all Apache-2.0.
"""

import gzip
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import (
    MistralConfig,
    MistralModel,
    Qwen2_5_VLConfig,
    Qwen2_5_VLModel,
    Qwen3Config,
    Qwen3Model,
    Qwen3VLConfig,
    Qwen3VLModel,
    T5Config,
    T5EncoderModel,
    UMT5Config,
    UMT5EncoderModel,
)

PACKAGE = "invokeai==6.14.2"
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\b\d+\b")
SDIST = "stable-diffusion-cpp-python==0.4.7"
_LICENCE = "invokeai-6.14.2.dist-info/licenses/LICENSE"
_T5: dict[str, Any] = {
    "vocab_size": 32128,
    "d_model": 4096,
    "d_kv": 64,
    "d_ff": 10240,
    "num_layers": 24,
    "num_heads": 64,
    "feed_forward_proj": "gated-gelu",
    "layer_norm_epsilon": 1e-6,
    "relative_attention_num_buckets": 32,
    "relative_attention_max_distance": 128,
}
_QWEN3_4B: dict[str, Any] = {
    "vocab_size": 151936,
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "rope_theta": 1_000_000,
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 40960,
}

_QWEN3_06B = {
    **_QWEN3_4B,
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
}


_T5_BASE = {
    **_T5,
    "d_model": 768,
    "d_ff": 3072,
    "num_layers": 12,
    "num_heads": 12,
    "feed_forward_proj": "relu",
}
_UMT5 = {**_T5, "vocab_size": 256384}


_QWEN25_VL_7B: dict[str, Any] = {
    "text_config": {
        "vocab_size": 152064,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 128000,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 1_000_000.0,
            "mrope_section": [16, 24, 24],
        },
    },
    "vision_config": {
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "num_heads": 16,
        "out_hidden_size": 3584,
        "patch_size": 14,
        "window_size": 112,
        "fullatt_block_indexes": [7, 15, 23, 31],
    },
}


_QWEN3_VL_4B: dict[str, Any] = {
    "text_config": {
        **{name: value for name, value in _QWEN3_4B.items() if name != "rope_theta"},
        "max_position_embeddings": 262144,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 5_000_000.0,
            "mrope_section": [24, 20, 20],
        },
    },
    "vision_config": {
        "depth": 24,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_heads": 16,
        "out_hidden_size": 2560,
        "patch_size": 16,
        "num_position_embeddings": 2304,
        "deepstack_visual_indexes": [5, 11, 17],
    },
}


_QWEN3_VL_8B: dict[str, Any] = {
    "text_config": {
        **_QWEN3_VL_4B["text_config"],
        "hidden_size": 4096,
        "intermediate_size": 12288,
    },
    "vision_config": {
        **_QWEN3_VL_4B["vision_config"],
        "depth": 27,
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "out_hidden_size": 4096,
        "deepstack_visual_indexes": [8, 16, 24],
    },
}


_MISTRAL_SMALL: dict[str, Any] = {
    "vocab_size": 131072,
    "hidden_size": 5120,
    "intermediate_size": 32768,
    "num_hidden_layers": 40,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "rope_theta": 1_000_000_000,
    "rms_norm_eps": 1e-5,
    "max_position_embeddings": 131072,
}
_WORDS = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Mistral's tokenizer cuts a text before it merges bytes."""
_SPECIAL = 1000
"""So many tokens of it are marks, the first ones."""


class Source(NamedTuple):
    """One text encoder; `tokenizer` is where the package has its own, and whose data it is."""

    network: type[torch.nn.Module]
    config: type[Any]
    values: Mapping[str, Any]
    parameters: int
    tokenizer: str = ""
    pad: str = ""
    data: str = ""


SOURCES = {
    "t5_xxl": Source(
        T5EncoderModel, T5Config, _T5, 4_762_310_656,
        "invokeai/backend/t5/tokenizer/tokenizer.json", "<pad>", "google/t5-v1_1-xxl (Apache-2.0)",
    ),
    "t5_base": Source(T5EncoderModel, T5Config, _T5_BASE, 109_628_544),
    "umt5_xxl": Source(
        UMT5EncoderModel, UMT5Config, _UMT5, 5_680_910_336,
        "vendor/stable-diffusion.cpp/src/tokenizers/vocab/umt5.hpp", "<pad>",
        "google/umt5-xxl (Apache-2.0)",
    ),
    "qwen3_06b": Source(Qwen3Model, Qwen3Config, _QWEN3_06B, 596_049_920),
    "qwen3_4b": Source(
        Qwen3Model, Qwen3Config, _QWEN3_4B, 4_022_468_096,
        "invokeai/backend/qwen3/tokenizer/tokenizer.json.gz", "<|endoftext|>",
        "Qwen/Qwen3-4B (Apache-2.0)",
    ),
    "qwen3_8b": Source(
        Qwen3Model, Qwen3Config,
        {**_QWEN3_4B, "hidden_size": 4096, "intermediate_size": 12288}, 7_568_405_504,
    ),
    "qwen25_vl_7b": Source(Qwen2_5_VLModel, Qwen2_5_VLConfig, _QWEN25_VL_7B, 7_747_169_280),
    "qwen3_vl_4b": Source(Qwen3VLModel, Qwen3VLConfig, _QWEN3_VL_4B, 4_437_815_808),
    "mistral_small": Source(
        MistralModel, MistralConfig, _MISTRAL_SMALL, 22_901_314_560,
        "vendor/stable-diffusion.cpp/src/tokenizers/vocab/mistral.hpp", "<pad>",
        "mistralai/Mistral-Small-3.2-24B-Instruct-2506 (Apache-2.0)",
    ),
    "qwen3_vl_8b": Source(Qwen3VLModel, Qwen3VLConfig, _QWEN3_VL_8B, 8_144_793_840),
}  # fmt: skip


class Packages(NamedTuple):
    """Where tokenizers are read: a wheel, and a source archive for those in C++ headers."""

    wheel: Path
    sdist: Path


def fetch(cache: Path) -> Packages:
    """The packages, downloaded by pip unless `cache` has them."""
    wheel = cache / f"{PACKAGE.replace('==', '-')}-py3-none-any.whl"
    sdist = cache / f"{SDIST.replace('-', '_').replace('==', '-')}.tar.gz"
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(cache)]
    if not wheel.exists():
        subprocess.run([*pip, PACKAGE], check=True)
    if not sdist.exists():
        subprocess.run([*pip, "--no-binary", ":all:", SDIST], check=True)
    return Packages(wheel, sdist)


def write(folder: Path, source: Source, packages: Packages) -> None:
    """The configuration, and where it has one of its own the zipped tokenizer with its notice."""
    with torch.device("meta"):
        network = source.network(source.config(**source.values))
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == source.parameters, f"{folder.name} has {count} parameters"
    folder.mkdir(exist_ok=True)
    _write_json(folder / "config.json", source.values)
    if not source.tokenizer:
        return
    with zipfile.ZipFile(packages.wheel) as archive:
        apache = archive.read(_LICENCE).decode()
        if in_header := source.tokenizer.endswith(".hpp"):
            arrays = _arrays(packages.sdist, source.tokenizer)
            data = arrays[0] if len(arrays) == 1 else _byte_pairs(*arrays)
        else:
            data = _compact(archive.read(source.tokenizer), source.tokenizer.endswith(".gz"))
    (folder / "tokenizer.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    _write_json(folder / "tokenizer_config.json", {"pad_token": source.pad})
    package = SDIST if in_header else PACKAGE
    notice = f"The tokenizer is that of {source.data}, from {package}, {source.tokenizer}:\n\n"
    (folder / "LICENSE").write_text(notice + apache, "utf-8")


def _compact(data: bytes, zipped: bool) -> bytes:
    told = json.loads(gzip.decompress(data) if zipped else data)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _arrays(sdist: Path, name: str) -> list[bytes]:
    """The bytes of each array in a C++ header; of JSON as it is, which written again would
    double."""
    with tarfile.open(sdist) as archive:
        member = archive.extractfile(f"{sdist.name.removesuffix('.tar.gz')}/{name}")
        assert member is not None, name
        _, *inside = member.read().decode().split("{")
    numbers = (_NUMBER.findall(each.partition("}")[0]) for each in inside)
    return [bytes(int(each, 0) for each in found).rstrip(b"\0") for found in numbers]


def _byte_pairs(merges: bytes, words: bytes) -> bytes:
    """A tokenizer of byte pairs, of its merges a line each and its tokens as JSON."""
    vocabulary = json.loads(words)
    lines = (line.split(" ") for line in merges.decode().split("\n") if line)
    pairs = [(first, second) for first, second in lines]
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs, ignore_merges=True))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.add_special_tokens([word for word, number in vocabulary.items() if number < _SPECIAL])
    return made.to_str().encode()


def _write_json(file: Path, values: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", "utf-8")
