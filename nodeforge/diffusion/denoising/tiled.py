"""A denoiser called tile by tile (MultiDiffusion, Bar-Tal et al. 2023)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import Tensor

from nodeforge.diffusion.participants import ModelCall, Order, Participant, Predict, participant
from nodeforge.diffusion.tensors.tiles import Tile, map_placed_tiles, tile_count
from nodeforge.values import uncounted


@dataclass
class TileProgress:
    """Reports after each tile which share of the step is done.

    A step is taken to need as many tiles as the one before.

    Args:
        report: Called with the step and the share, below 1.
    """

    report: Callable[[int, float], None]
    _step: int = 0
    _done: int = 0
    _expected: int = 0

    def begin(self, step: int) -> None:
        self._step, self._expected, self._done = step, self._done, 0

    def tile_done(self, tiles: int) -> None:
        """One more is done, of `tiles` for a model call."""
        self._done += 1
        expected = self._expected or tiles
        if self._done < expected:
            self.report(self._step, self._done / expected)


@participant(order=Order.TILES)
class Tiles(Participant):
    """Calls the denoiser for overlapping tiles, and fades the predictions into each other.

    Args:
        side: Of a tile, in cells of the latent.
        overlap: Cells that neighbours share.
        progress: What is told of each tile.
    """

    side: int
    overlap: int
    progress: TileProgress = field(metadata=uncounted("only reports"))

    def wrap(self, predict: Predict, step: int) -> Predict:
        self.progress.begin(step)

        def predicted(call: ModelCall) -> Tensor:
            height, width = call.x.shape[-2:]
            count = tile_count(height, width, self.side, self.overlap)

            def work(part: Tensor, tile: Tile) -> Tensor:
                done = predict(replace(call, x=part, tile=tile))
                self.progress.tile_done(count)
                return done

            return map_placed_tiles(call.x, work, self.side, self.overlap)

        return predicted
