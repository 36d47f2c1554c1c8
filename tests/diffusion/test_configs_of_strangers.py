"""Configurations in a model folder are read key by key, within bounds (reliability F10, F13)."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import CLIPTokenizer

from nodeforge.diffusion import LoadingError, describe
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.tokenizer import tokenizer_of
from nodeforge.diffusion.weights.model_facts import facts
from nodeforge.settings import shipped
from nodeforge.values import Model, TextEncoderPart, Vae, Weights

NANO = shipped("resources") / "models" / "nano"
LARGE = ("safetensors", "png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """nano's folder without its weights."""
    made = tmp_path / "evil"
    shutil.copytree(NANO, made, ignore=shutil.ignore_patterns(*(f"*.{end}" for end in LARGE)))
    return made


def change(folder: Path, name: str, **values: Any) -> None:
    file = folder / name
    raw = json.loads(file.read_text()) | values
    file.write_text(json.dumps({key: value for key, value in raw.items() if value != "absent"}))


def recipes(folder: Path) -> tuple[Model, TextEncoderPart, Vae]:
    def moved(weights: Weights) -> Weights:
        return replace(weights, path=str(folder))

    model, text_encoder, vae = describe(NANO)
    return (
        replace(model, weights=moved(model.weights)),
        replace(text_encoder.parts[0], weights=moved(text_encoder.parts[0].weights)),
        replace(vae, weights=moved(vae.weights)),
    )


UNET, VAE, TEXT = "unet/config.json", "vae/config.json", "text_encoder/config.json"


@pytest.mark.parametrize(
    ("file", "values"),
    [
        (UNET, {"layers_per_block": 10_000_000}),
        (UNET, {"layers_per_block": [10_000_000, 1]}),
        (UNET, {"transformer_layers_per_block": [[64, 64], [64, 10**6]]}),
        (UNET, {"transformer_layers_per_block": 64, "layers_per_block": 32}),
        (UNET, {"block_out_channels": [64] * 1000}),
        (UNET, {"block_out_channels": "64"}),
        (UNET, {"in_channels": "4"}),
        (UNET, {"in_channels": 2**40}),
        (UNET, {"in_channels": True}),
        (UNET, {"norm_eps": 1e300}),
        (UNET, {"down_block_types": ["os.system", "x"]}),
        (UNET, {"down_block_types": [{"a": 1}]}),
        (UNET, {"act_fn": "nobody"}),
        (UNET, {"cross_attention_dim": -7}),
        (UNET, {"norm_num_groups": 0}),
        (VAE, {"layers_per_block": 10**9}),
        (VAE, {"block_out_channels": [10**9]}),
        (VAE, {"act_fn": "a/b"}),
        (TEXT, {"num_hidden_layers": 1_000_000}),
        (TEXT, {"vocab_size": 10**12}),
        (TEXT, {"hidden_size": 10**9}),
        (TEXT, {"max_position_embeddings": 10**9}),
        (TEXT, {"hidden_act": "evil/repo"}),
        (TEXT, {"num_attention_heads": 0}),
    ],
    ids=str,
)
def test_a_configuration_out_of_bounds_is_refused_before_memory_is_taken(
    folder: Path, file: str, values: dict[str, Any]
):
    change(folder, file, **values)
    wanted = {UNET: 0, TEXT: 1, VAE: 2}[file]
    with pytest.raises(LoadingError) as error:
        build(recipes(folder)[wanted])
    assert error.value.place
    assert error.value.way_out


@pytest.mark.parametrize(
    "values",
    [
        {"num_train_timesteps": 10**9},
        {"beta_start": "0.1"},
        {"trained_betas": [0.1] * 100_000},
        {"prediction_type": 5},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_scheduler_out_of_bounds_is_refused(folder: Path, values: dict[str, Any]):
    change(folder, "scheduler/scheduler_config.json", **values)
    with pytest.raises(LoadingError, match=r"num_train|beta|predict"):
        facts(recipes(folder)[0])


def test_nothing_in_a_configuration_names_code(folder: Path):
    """Kernels, repositories and classes of others are not read; the network is the usual one."""
    named = {"attn_implementation": "evil/repo", "_attn_implementation": "evil/repo"}
    named |= {"auto_map": {"AutoModel": "evil/repo--x.Y"}, "quantization_config": {"a": "b"}}
    change(folder, TEXT, **named, architectures=["Evil"], torch_dtype="evil")
    change(folder, UNET, **named, _class_name="Evil")
    change(folder, "tokenizer/tokenizer_config.json", **named, tokenizer_class="Evil")
    model, text_encoder, _ = recipes(folder)
    built: Any = build(text_encoder)
    assert built.config._attn_implementation in ("sdpa", "eager")
    assert type(build(model)).__name__ == "UNet2DConditionModel"
    assert type(tokenizer_of(text_encoder)) is CLIPTokenizer


@pytest.mark.parametrize(
    ("given", "length"), [(10**9, 32), ("absent", 32), (10**30, 32), (20, 20), ("32", 32)]
)
def test_a_tokenizer_is_never_longer_than_its_text_encoder(folder: Path, given: Any, length: int):
    change(folder, "tokenizer/tokenizer_config.json", model_max_length=given)
    assert tokenizer_of(recipes(folder)[1]).model_max_length == length


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("tokenizer_config.json", '{"model_max_length": 2}'),
        ("tokenizer_config.json", '{"bos_token": "<|nowhere|>"}'),
        ("vocab.json", "[]"),
        ("vocab.json", '{"a": 5}'),
        ("vocab.json", '{"a": {}}'),
        ("vocab.json", "{"),
        ("merges.txt", "a b c\n"),
        ("added_tokens.json", '{"<x>": 10000000}'),
        ("added_tokens.json", '{"<x>": null}'),
    ],
)
def test_a_tokenizer_that_is_none_is_refused(folder: Path, file: str, text: str):
    (folder / "tokenizer" / file).write_text(text)
    with pytest.raises(LoadingError):
        tokenizer_of(recipes(folder)[1])


@pytest.mark.parametrize("files", ["both", "vocabulary", "tokenizer.json"])
def test_a_tokenizer_says_what_transformers_says(folder: Path, files: str):
    theirs = CLIPTokenizer.from_pretrained(str(NANO / "tokenizer"))
    gone = {"both": (), "vocabulary": ("tokenizer.json",)}
    for name in gone.get(files, ("vocab.json", "merges.txt")):
        (folder / "tokenizer" / name).unlink()
    ours = tokenizer_of(recipes(folder)[1])
    for text in ("", "a red fox, Röd (x) don't", " \n 汉字 😀 <|endoftext|> ''s 1999 ﬁ"):
        assert ours(text)["input_ids"] == theirs(text)["input_ids"]


def test_added_tokens_get_the_ids_behind_the_vocabulary(folder: Path):
    count = len(json.loads((folder / "tokenizer" / "vocab.json").read_text()))
    (folder / "tokenizer" / "added_tokens.json").write_text(json.dumps({"<mine>": count}))
    ours = tokenizer_of(recipes(folder)[1])
    assert ours.convert_tokens_to_ids("<mine>") == count
