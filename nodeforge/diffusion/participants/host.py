"""What the denoise loop needs from whoever runs it: networks, progress, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from nodeforge.values import Checkpoint, Recipe

if TYPE_CHECKING:
    import numpy as np


class Steps(Protocol):
    """Where checkpoints are kept, by step key."""

    def furthest(self, keys: Sequence[str]) -> tuple[int, Checkpoint] | None:
        """The last of `keys` that is there, as its index and the checkpoint."""
        ...

    def store(self, key: str, checkpoint: Checkpoint) -> None: ...

    def keep(self, key: str) -> None:
        """Have the checkpoint under `key` on disk: a run will go on from it."""
        ...


class Host(Protocol):
    """Runs the loop; `nodeforge.api.RunContext` is one."""

    @property
    def device(self) -> str: ...

    @property
    def numerics(self) -> Mapping[str, str]: ...

    @property
    def steps(self) -> Steps: ...

    def check(self) -> None: ...

    def progress(
        self,
        step: int,
        of: int,
        preview: Callable[[], np.ndarray] | None = None,
        part: float = 0.0,
        rate: float = 8.0,
    ) -> None: ...

    def count_model_call(self) -> None: ...

    def use(self, recipe: Recipe) -> AbstractContextManager[Any]: ...


@contextmanager
def networks_loaded(
    host: Host, recipes: Mapping[str, Recipe], networks: dict[str, Any]
) -> Iterator[None]:
    """Load networks for the block.

    Args:
        host: Loads them.
        recipes: By the fingerprint of their weights.
        networks: Where they are put, by the same; empty afterwards.
    """
    with ExitStack() as used:
        for fingerprint, recipe in recipes.items():
            networks[fingerprint] = used.enter_context(host.use(recipe))
        yield
    networks.clear()
