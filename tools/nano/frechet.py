"""The Fréchet distance of two sets of features (Heusel et al. 2017), as normal distributions."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def moments(features: NDArray[np.floating]) -> tuple[Floats, Floats]:
    values = features.astype(np.float64)
    return values.mean(0), np.cov(values, rowvar=False)


def root(matrix: Floats) -> Floats:
    """The square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def frechet_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Of features (pictures, width): 0 for equal sets."""
    (mean, spread), (other_mean, other_spread) = moments(first), moments(second)
    half = root(spread)
    between = np.trace(root(half @ other_spread @ half))
    apart = np.square(mean - other_mean).sum()
    return float(apart + np.trace(spread) + np.trace(other_spread) - 2 * between)


def distance_over_floor(
    drawn: NDArray[np.floating], originals: NDArray[np.floating], rng: np.random.Generator
) -> tuple[float, float]:
    """Drawn against originals, and the floor: two halves of the originals.

    Of few pictures the distance is too large; both sides of each comparison have half as many
    as there are originals, so that the floor is so by as much.
    """
    half = len(originals) // 2
    order = rng.permutation(len(originals))
    first, second = originals[order[:half]], originals[order[half : 2 * half]]
    distances = (frechet_distance(drawn[:half], second), frechet_distance(drawn[half:], first))
    return sum(distances) / 2, frechet_distance(first, second)
