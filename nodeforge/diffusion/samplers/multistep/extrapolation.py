"""What multistep samplers share: the polynomial through earlier slopes, integrated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

_PLACES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


def integrals(
    nodes: Sequence[float], start: float, end: float, coordinate: Callable = lambda sigma: sigma
) -> list[float]:
    """How much the value at each node counts from `start` to `end`.

    The values' polynomial runs in `coordinate`, the integral in sigma; quadrature of 12 places.

    Args:
        nodes: Sigmas at which the values are known.
        start: Sigma.
        end: Sigma.
        coordinate: Of a sigma, or of an array of them.
    """
    sigmas = (start + end) / 2 + (end - start) / 2 * _PLACES
    places, known = coordinate(sigmas), [coordinate(node) for node in nodes]
    return [
        float(np.sum(_WEIGHTS * lagrange(places, known, index)) * (end - start) / 2)
        for index in range(len(nodes))
    ]


def lagrange(places: np.ndarray, known: Sequence[float], index: int) -> np.ndarray | float:
    """The polynomial that is 1 at one known place and 0 at the others."""
    others = [place for at, place in enumerate(known) if at != index]
    return prod((places - place) / (known[index] - place) for place in others)
