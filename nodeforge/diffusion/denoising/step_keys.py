"""Step keys: two runs share a step's key exactly when they share all that led to it.

Made from values, never from the cache keys of inputs: a prompt reached by another way is the
same prompt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.guidance.guided import Active
from nodeforge.diffusion.tensors.noise import Drawn
from nodeforge.values import Lora, Prompt

VERSION = "3"
"""Raised when a step's result changes for the same values."""


def digest(*parts: object) -> str:
    """SHA-256 of plain data, in hexadecimal."""
    told = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def tensor_digest(tensor: Tensor) -> str:
    """SHA-256 of a tensor's type, shape and bytes."""
    tensor = tensor.detach().cpu().contiguous()
    sha = hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
    if tensor.numel():
        sha.update(memoryview(tensor.reshape(-1).view(torch.uint8).numpy()))  # pyright: ignore[reportArgumentType]
    return sha.hexdigest()


def root_key(
    settled: Mapping[str, Any], drawn: Drawn, start: Tensor, fixed: Sequence[Tensor]
) -> str:
    """The key before the first step.

    Args:
        settled: Plain data: sampler, the whole schedule, family facts, model, numerics, ...
        drawn: Noise; its generators count by their states, its seeds by themselves.
        start: The noisy latent before the first step.
        fixed: Tensors that stay the same in all steps: mask, original, masked picture.
    """
    states = [tensor_digest(generator.get_state()) for generator in drawn.generators]
    tensors = [tensor_digest(tensor) for tensor in (drawn.start, start, *fixed)]
    return digest(VERSION, dict(settled), states, list(drawn.seeds), tensors)


class StepKeys:
    """The chain of step keys; the digest of a prompt's tensor is made once."""

    def __init__(self, root: str, loras: Sequence[Lora]) -> None:
        self._key = root
        self._loras = [[lora.weights.fingerprint, lora.weight, *lora.blocks] for lora in loras]
        self._digests: dict[int, str] = {}

    def chain(self, steps: Iterable[Active], empty: Tensor) -> list[str]:
        """The key after each of `steps`.

        Args:
            steps: What acts in each.
            empty: The empty chunk, which lengthens the shorter prompt.
        """
        return [self._next(what, empty) for what in steps]

    def _next(self, what: Active, empty: Tensor) -> str:
        tokens = {prompt.embedding.shape[1] for prompt in (*what.positive, *what.negative)}
        self._key = digest(
            self._key,
            [self._prompt(prompt) for prompt in what.positive],
            [self._prompt(prompt) for prompt in what.negative],
            [asdict(what.guidance), what.silent],
            self._loras,
            self._digest(empty if len(tokens) > 1 else None),
        )
        return self._key

    def _prompt(self, prompt: Prompt) -> str:
        """What a prompt and its controls say while they act; when that is, is no part of it."""
        tensors = prompt.embedding, prompt.pooled, prompt.area and prompt.area.values
        controls = [
            [c.controlnet.weights.fingerprint, c.strength, self._digest(c.hint.pixels)]
            for c in prompt.controls
        ]
        images = [
            [i.adapter.weights.fingerprint, i.strength, self._digest(i.seen)] for i in prompt.images
        ]
        said = [self._digest(tensor) for tensor in tensors]
        return digest(said, prompt.weight, controls, images, asdict(prompt.framing))

    def _digest(self, tensor: Tensor | None) -> str:
        """A tensor's digest; tensors live as long as the chain is made, so their ids do."""
        if tensor is None:
            return ""
        if id(tensor) not in self._digests:
            self._digests[id(tensor)] = tensor_digest(tensor)
        return self._digests[id(tensor)]
