"""Mutated projects, stores, caches, frames and model files raise errors of ours alone.

What is read in spite of a mutation is written and read again, where the program writes it. A short
form runs each time; the long one, with `make test-all`, tries 50,000 inputs, with those of
`tests/formats/test_mutated_files.py`.
"""

import io
import json
import random
import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch

from nodeforge.canvas import LayerKind, State, Tiles
from nodeforge.canvas.edits.layers import new_layer, with_new
from nodeforge.engine.cache import DiskTier, MemoryTier, ResultCache
from nodeforge.engine.protocol import Frame, read_frame
from nodeforge.errors import NodeForgeError
from nodeforge.formats import load, save
from nodeforge.formats.projects.bundle import Project, ProjectFiles
from nodeforge.graph.document import Document
from nodeforge.graph.model import Node
from nodeforge.models import Fingerprints, recognise
from nodeforge.models.folders.extra_model_paths import read_extra_paths
from nodeforge.settings import load_settings, save_settings, shipped
from nodeforge.ui.documents import recovery_files
from nodeforge.ui.gallery.results_database import ResultsDatabase
from nodeforge.values import Latent
from nodeforge.worker.codec import ValueCodec
from support.lora_files import kohya
from support.mutation import Attempt, damaged, mutated, try_many

SHORT, LONG = 40, 3_600
TIMES = (1, 2, 5)
YAML = """# folders
comfyui: &base
  base_path: models/
  is_default: true
  loras: |
    loras
    other
  checkpoints: [one, two]
a1111:
  <<: *base
  vae: ~/vae
"""
ODD_YAML = ("5", "~", "[]", "{}", "*base", "&base", "!!int", "- ", "\t", "2024-01-01", ":")


def document() -> Document:
    made = Document()
    made.graph.nodes["kept"] = Node("values.text", {"text": "precious"})
    made.assets["a.png"] = {"sha256": "0" * 64, "kind": "image"}
    return made


def project_parts(folder: Path) -> dict[str, bytes]:
    """A project's parts: canvas of two layers and a mask."""
    state = State(300, 200)
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300, 4), np.uint8)
    state = with_new(state, new_layer(state, LayerKind.PAINT, tiles=Tiles.of(pixels)))
    state = with_new(state, new_layer(state, LayerKind.MASK, tiles=Tiles.of(pixels[..., 0].copy())))
    whole = Project(document(), state, [{"workflow": {}, "pictures": []}])
    ProjectFiles(folder / "assets").save(whole, folder / "whole.nforge")
    with zipfile.ZipFile(folder / "whole.nforge") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_project_json(parts: dict[str, bytes], chance: random.Random) -> dict[str, bytes]:
    raw = mutated(json.loads(parts["project.json"]), chance, chance.choice(TIMES))
    return {**parts, "project.json": json.dumps(raw).encode()}


def projects(folder: Path) -> Attempt:
    parts, files = project_parts(folder), ProjectFiles(folder / "assets")
    whole, path = (folder / "whole.nforge").read_bytes(), folder / "m.nforge"

    def attempt(chance: random.Random) -> None:
        if chance.random() < 0.4:
            path.write_bytes(damaged(whole, chance, chance.choice((1, 5, 50))))
        else:
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in with_project_json(parts, chance).items():
                    archive.writestr(name, content)
        read = files.load(path)
        files.save(read, folder / "again.nforge")
        files.load(folder / "again.nforge")

    return attempt


def autosaves(folder: Path) -> Attempt:
    parts, files, numbers = project_parts(folder), ProjectFiles(folder / "assets"), count()
    save(document(), folder / "whole.json")
    text, kept = (folder / "whole.json").read_bytes(), folder / "autosave"

    def attempt(chance: random.Random) -> None:
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        name = kept / f"999999x{next(numbers)}-a"
        about = mutated({"path": "/a/b.json", "name": "b"}, chance, chance.choice(TIMES))
        name.with_suffix(".about").write_bytes(damaged(json.dumps(about).encode(), chance, 1))
        if chance.random() < 0.5:
            raw = json.dumps(mutated(json.loads(text), chance, chance.choice(TIMES))).encode()
            name.with_suffix(".json").write_bytes(damaged(raw, chance, chance.choice((0, 1))))
        else:
            for part, content in with_project_json(parts, chance).items():
                file = name.with_suffix(".nforge") / part
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(damaged(content, chance, 1) if chance.random() < 0.2 else content)
        session = recovery_files.AutosaveSession(kept)
        session.clean_up()
        (file,) = session.left_over((".json", ".nforge"))
        recovery_files.read_about(file)
        try:
            load(file) if file.suffix == ".json" else files.load(file)
        except NodeForgeError:
            assert recovery_files.put_aside(file).exists()
            raise

    return attempt


def galleries(folder: Path) -> Attempt:
    results = ResultsDatabase(folder / "whole.sqlite")
    for number in range(60):
        texts = {"parameters": f"prompt {number}\nSteps: 1, Seed: {number}"}
        results.add(Path(f"/made/{number}.png"), "mine", texts, b"t" * 200)
    results.close()
    whole, numbers = (folder / "whole.sqlite").read_bytes(), count()

    def attempt(chance: random.Random) -> None:
        file = folder / f"{next(numbers)}.sqlite"
        data = damaged(whole, chance, chance.choice((1, 4, 30, 400)))
        if chance.random() < 0.2:
            page = chance.randrange(len(whole) // 4096) * 4096
            data = data[:page] + bytes([chance.choice((0, 255))]) * 4096 + data[page + 4096 :]
        file.write_bytes(data)
        try:
            base = ResultsDatabase(file)
            try:
                base.find("prompt")
                base.newest()
                base.prompts()
                base.add(Path("/made/new.png"), "mine", {}, b"")
                base.find()
            finally:
                base.close()
        finally:
            for made in folder.glob(f"{file.stem}.*"):
                made.unlink()

    return attempt


def cache_entries(folder: Path) -> Attempt:
    """Entries with a right checksum, whatever is in them, are values or misses."""
    codec, key = ValueCodec(), "ab" * 16
    disk = DiskTier(folder / "results", "v", 2**30)
    latent = Latent(torch.zeros(1, 4, 2, 2), "sd", 8)
    encoded = codec.encode({"a": [1, latent, ("x", None)], "b": torch.arange(5)})
    assert encoded is not None
    (length,) = struct.unpack_from("<Q", encoded)
    header, weights = json.loads(encoded[8 : 8 + length]), encoded[8 + length :]

    def attempt(chance: random.Random) -> None:
        raw = json.loads(header["__metadata__"]["value"])
        value = json.dumps(mutated(raw, chance, chance.choice(TIMES)))
        made = {**header, "__metadata__": {"value": value}}
        if chance.random() < 0.3:
            made = mutated(made, chance, 1)
        text = json.dumps(made).encode()
        data = struct.pack("<Q", len(text)) + text + weights
        disk.put(key, damaged(data, chance, 1) if chance.random() < 0.2 else data)
        ResultCache(MemoryTier(2**20), disk, codec).get(key)

    return attempt


def frames(_: Path) -> Attempt:
    whole = Frame({"event": "plan", "graph": {"nodes": {"a": [1, None]}}}, b"pixels" * 20)

    def attempt(chance: random.Random) -> None:
        raw = mutated(whole.header, chance, chance.choice(TIMES))
        data = Frame(raw, whole.payload).to_bytes()
        stream = io.BytesIO(damaged(data * 2, chance, chance.choice((0, 1, 5)), 60))
        while read_frame(stream) is not None:
            pass

    return attempt


def settings(folder: Path) -> Attempt:
    whole = {
        "model_folders": [{"path": "/a", "layout": "comfyui"}, {"path": "/b"}],
        "extra_model_paths": ["/a.yaml"],
        "output_folder": "/out",
        "device": "cpu",
        "memory_mode": "low",
        "fp8_weights": True,
        "disk_cache_bytes": 5,
        "packs_allowed": {"mine": "abc"},
        "later": {"a": 1},
    }

    def attempt(chance: random.Random) -> None:
        raw = json.dumps(mutated(whole, chance, chance.choice(TIMES))).encode()
        times = chance.choice((0, 0, 1))
        (folder / "settings.json").write_bytes(damaged(raw, chance, times) if times else raw)
        read = load_settings(folder)
        save_settings(replace(read, compiled=True))
        assert load_settings(folder) == replace(read, compiled=True)
        save_settings(read)

    return attempt


def extra_model_paths(folder: Path) -> Attempt:
    file, words = folder / "extra.yaml", YAML.split(" ")

    def attempt(chance: random.Random) -> None:
        parts: list[str] = [*words]
        for _ in range(chance.choice(TIMES)):
            odd = (
                *("5", "~", "[]", "{}", "*base", "&base", "!!int", "- ", "\t", "2024-01-01"),
                ":",
            )
            parts[chance.randrange(len(parts))] = chance.choice(odd)
        file.write_bytes(damaged(" ".join(parts).encode(), chance, chance.choice((0, 1, 3))))
        read_extra_paths(file)

    return attempt


def model_files(folder: Path, header: dict, name: str) -> Attempt:
    """A file of one safetensors header, with as many bytes behind it as it says."""
    file, names = folder / f"{name}.safetensors", Fingerprints(folder / "cache")
    size = max((e["data_offsets"][1] for k, e in header.items() if k != "__metadata__"), default=0)

    def attempt(chance: random.Random) -> None:
        text = json.dumps(mutated(header, chance, chance.choice(TIMES))).encode()
        start = struct.pack("<Q", len(text) + (chance.random() < 0.1))
        file.write_bytes(damaged(start + text + bytes(size), chance, chance.choice((0, 0, 3)), 400))
        recognise(file)
        names.of(file)
        names.quick(file)

    return attempt


def header_of(tensors: dict[str, list[int]], metadata: dict[str, str]) -> dict:
    made: dict = {"__metadata__": metadata}
    place = 0
    for name, shape in tensors.items():
        size = 2 * int(np.prod(shape))
        made[name] = {"dtype": "F16", "shape": shape, "data_offsets": [place, place + size]}
        place += size
    return made


def models(folder: Path) -> Attempt:
    shapes = {
        "model.diffusion_model.input_blocks.0.0.weight": [32, 4, 3, 3],
        "model.diffusion_model.out.2.weight": [4, 32, 3, 3],
        "first_stage_model.decoder.conv_in.weight": [8, 4, 3, 3],
        "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight": [77, 8],
    }
    return model_files(folder, header_of(shapes, {"modelspec.architecture": "sd"}), "model")


def loras(folder: Path) -> Attempt:
    key = kohya("down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k")[0]
    shapes = {
        f"{key}.lora_down.weight": [4, 32],
        f"{key}.lora_up.weight": [32, 4],
        f"{key}.alpha": [],
    }
    facts = {"ss_network_module": "networks.lora", "ss_base_model_version": "sd_v1"}
    return model_files(folder, header_of(shapes, facts), "lora")


def diffusers_folders(folder: Path) -> Attempt:
    """The JSON files of a model folder; its weights are links to the shipped model's."""
    source, target = shipped("resources") / "models" / "nano", folder / "nano"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.safetensors"))
    for weights in source.rglob("*.safetensors"):
        (target / weights.relative_to(source)).symlink_to(weights)
    texts = {file: file.read_bytes() for file in sorted(target.rglob("*.json"))}
    small = {file: text for file, text in texts.items() if len(text) < 20_000}
    names = Fingerprints(folder / "cache")

    def attempt(chance: random.Random) -> None:
        file = chance.choice(list(small))
        raw = json.dumps(mutated(json.loads(small[file]), chance, chance.choice(TIMES))).encode()
        file.write_bytes(damaged(raw, chance, chance.choice((0, 0, 3))))
        try:
            recognise(target)
            names.quick(target)
        finally:
            file.write_bytes(small[file])

    return attempt


KINDS = (
    *(projects, autosaves, galleries, cache_entries, frames, settings, extra_model_paths),
    *(models, loras, diffusers_folders),
)
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
Kind = Callable[[Path], Attempt]


@EACH
def test_mutated_stores_raise_errors_of_ours_alone(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))
    try_many(kind(tmp_path), SHORT)


@pytest.mark.slow
@EACH
def test_many_mutated_stores_raise_errors_of_ours_alone(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))
    try_many(kind(tmp_path), LONG)
