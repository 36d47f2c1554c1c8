"""What a node may ask of the run it is part of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    from nodeforge.values import Checkpoint, Recipe


class StepStore(Protocol):
    """Checkpoints of long nodes, by step key."""

    def furthest(self, keys: Sequence[str]) -> tuple[int, Checkpoint] | None:
        """The last of `keys` that is stored, as its index and the checkpoint."""
        ...

    def store(self, key: str, checkpoint: Checkpoint) -> None:
        """Keep `checkpoint` under `key`, in memory and as far as worthwhile on disk."""
        ...

    def keep(self, key: str) -> None:
        """Have the checkpoint under `key` on disk, whatever its size: a run will go on from it."""
        ...


class RunContext(Protocol):
    """The run a node is part of. As the first parameter `run` of a node it is no port."""

    @property
    def stamp(self) -> Mapping[str, str]:
        """Text chunks for saved pictures: ``nodeforge`` (the workflow), ``parameters``."""
        ...

    @property
    def outputs(self) -> Path:
        """The one folder a node may write into."""
        ...

    @property
    def device(self) -> str:
        """Where networks compute, as torch names it: ``cuda:1``, ``cpu``."""
        ...

    @property
    def numerics(self) -> Mapping[str, str]:
        """Device kind, precision, attention, tiling: all that changes numbers."""
        ...

    @property
    def steps(self) -> StepStore: ...

    def check(self) -> None:
        """Raise `Cancelled` if the person stopped the run. Call it between pieces of work."""
        ...

    def progress(
        self,
        step: int,
        of: int,
        preview: Callable[[], np.ndarray] | None = None,
        part: float = 0.0,
        rate: float = 8.0,
    ) -> None:
        """Say how far the node is, and raise `Cancelled` if the person stopped the run.

        Args:
            step: Pieces of work done.
            of: Pieces of work in all.
            preview: Gives a picture, uint8 (height, width, 3), or those of a video,
                (frames, height, width, 3); called only if wanted.
            part: About how much of the piece after these is done, in [0, 1).
            rate: Pictures of a video's preview to show a second.
        """
        ...

    def count_model_call(self) -> None:
        """Say that a denoising network has been evaluated once more."""
        ...

    def fell_back(self, fact: str) -> None:
        """Say that the result was got another way than asked (tiled, say); it is not cached."""
        ...

    def notice(self, fact: str) -> None:
        """Tell the person something that the result does not depend on."""
        ...

    def use(self, recipe: Recipe) -> AbstractContextManager[Any]:
        """The loaded network for `recipe`, on the run's device, for the `with` block."""
        ...

    def named(self, name: str) -> Path:
        """Where the model is that a text of the node names (`Multiline`).

        Raises:
            RequestError: there is none, it may not be read, or the text was not known before
                the run.
        """
        ...

    def saved(self, path: Path) -> None:
        """Say that the node has written `path`, a result the person asked for."""
        ...
