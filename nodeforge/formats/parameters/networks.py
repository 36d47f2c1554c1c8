"""The model files behind a denoise loop, as A1111 names and hashes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.formats.parameters.hashes import LORA_KEY
from nodeforge.formats.sampling_settings import LoopTrace
from nodeforge.graph.model import Input
from nodeforge.models import Kind
from nodeforge.spec import ModelFileWidget
from nodeforge.values.infotext import LoraTag

LORA = "models.load_lora"
_SUFFIX = re.compile(r"\.(safetensors|sft|gguf|ckpt|pth|pt|bin)$")


def short_name(file: str) -> str:
    """A model's name without folders and suffix, as A1111 and galleries say it."""
    return _SUFFIX.sub("", re.split(r"[/\\]", file)[-1])


def loras(traced: LoopTrace, loop: str) -> list[tuple[str, LoraTag]]:
    """File and tag of the LoRAs on the loop's model, the first applied first."""
    found: list[tuple[str, LoraTag]] = []
    for path in traced.behind(loop, "model"):
        if traced.flat.nodes[path].type != LORA:
            continue
        file, weight, text = (
            traced.literal(path, port) for port in ("file", "model_weight", "text_weight")
        )
        if not file or type(weight) not in (int, float) or type(text) not in (int, float):
            continue
        encodes = Input(path, "text_encoder") in traced.flat.links
        found.append((str(file), LoraTag(short_name(str(file)), weight, text if encodes else 0.0)))
    return found[::-1]


def vae(traced: LoopTrace, loop: str, saver: str = "") -> str | None:
    """The file of a VAE of its own, which reads or shows what the loop draws; None for the
    model's."""
    ends = [end for end in traced.flat.links if end.port == "vae"]
    near = set(traced.upstream(saver)) if saver else {end.node for end in ends}
    for end in ends:
        if end.node in near and loop in traced.upstream(end.node):
            for path in traced.upstream(traced.flat.links[end].node):
                if file := _vae_of(traced, path):
                    return file
    return None


def files_to_hash(traced: LoopTrace, loop: str, saver: str = "") -> Iterator[tuple[str, str, str]]:
    """What the summary says the hash of: its key in *Hashes*, kind and name of the file."""
    if named := traced.model_named(loop):
        yield "model", *named
    if file := vae(traced, loop, saver):
        yield "vae", Kind.VAE, file
    for file, tag in loras(traced, loop):
        yield f"{LORA_KEY}{tag.name}", Kind.LORA, file


def _vae_of(traced: LoopTrace, path: str) -> str | None:
    """The VAE file that a node names."""
    spec = traced.flat.nodes[path].spec
    for port in spec.inputs if spec else ():
        if isinstance(port.widget, ModelFileWidget) and port.widget.kind == Kind.VAE:
            file = traced.literal(path, port.name)
            return str(file) if file else None
    return None
