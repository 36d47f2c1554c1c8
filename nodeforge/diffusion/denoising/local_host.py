"""A host for using this library without NodeForge's engine: scripts, tests, benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodeforge.diffusion.memory.residency import Residency
from nodeforge.diffusion.text.textual_inversion import UnknownEmbeddingError
from nodeforge.values import Checkpoint, Recipe

if TYPE_CHECKING:
    import numpy as np


class Checkpoints:
    """Checkpoints in memory, without bound."""

    def __init__(self) -> None:
        self.kept: dict[str, Checkpoint] = {}

    def furthest(self, keys: Sequence[str]) -> tuple[int, Checkpoint] | None:
        for index in range(len(keys) - 1, -1, -1):
            if keys[index] in self.kept:
                return index, self.kept[keys[index]]
        return None

    def store(self, key: str, checkpoint: Checkpoint) -> None:
        self.kept[key] = checkpoint

    def keep(self, key: str) -> None:
        """All are kept."""


class LocalHost:
    """Runs loops on one device, keeping checkpoints in memory.

    >>> host = LocalHost(Residency("cpu"))
    >>> latent = denoise(host, task)

    Args:
        residency: Where networks come from.
        on_progress: Called after each step with the steps done and their number.
    """

    def __init__(
        self, residency: Residency, on_progress: Callable[[int, int], None] = lambda _, __: None
    ) -> None:
        self.residency = residency
        self.steps = Checkpoints()
        self.model_calls = 0
        self._on_progress = on_progress

    @property
    def device(self) -> str:
        return str(self.residency.device)

    @property
    def numerics(self) -> Mapping[str, str]:
        return self.residency.numerics()

    def check(self) -> None:
        """Nobody stops a local run."""

    def progress(
        self,
        step: int,
        of: int,
        preview: Callable[[], np.ndarray] | None = None,
        part: float = 0.0,
        rate: float = 8.0,
    ) -> None:
        if not part:
            self._on_progress(step, of)

    def named(self, name: str) -> Path:
        """There are no folders of models here.

        Raises:
            UnknownEmbeddingError: always.
        """
        raise UnknownEmbeddingError(
            f"the prompt names an embedding '{name}', which is not there.",
            way_out="Give the text encoder's recipe the file by 'with_embedding'.",
        )

    def count_model_call(self) -> None:
        self.model_calls += 1

    @contextmanager
    def use(self, recipe: Recipe) -> Iterator[Any]:
        with self.residency.use(recipe) as loaded:
            yield loaded
