"""What a drawn picture lacks of the wanted one: its pixels, its slopes, and how sharp it is."""

import torch
from torch import Tensor
from torch.nn import functional

WINDOW, STRIDE = 8, 4
FLOOR = 1e-4  # of squared slopes: a root has no gradient at nothing


def edges(pictures: Tensor) -> tuple[Tensor, Tensor]:
    return pictures.diff(dim=-1), pictures.diff(dim=-2)


def reconstruction_loss(drawn: Tensor, wanted: Tensor, squared: bool) -> Tensor:
    """Both in float32: rounded to bfloat16, small errors have no gradient."""
    if squared:
        return functional.mse_loss(drawn, wanted)
    slopes = zip(edges(drawn), edges(wanted), strict=True)
    sharpness = sum(functional.l1_loss(a, b) for a, b in slopes)
    return functional.l1_loss(drawn, wanted) + functional.mse_loss(drawn, wanted) + sharpness


def edge_energy(pictures: Tensor) -> Tensor:
    """How much of edges there is about each spot, wherever exactly they run."""
    across, down = edges(pictures)
    slopes = across[..., :-1, :].abs() + down[..., :-1].abs()
    return functional.avg_pool2d(slopes, WINDOW, STRIDE)


def edge_steepness(pictures: Tensor) -> Tensor:
    """The root mean square of slopes about each spot.

    A step blurred over three pixels has the mean slope of a sharp one, and half its mean square.
    """
    across, down = edges(pictures)
    squares = across[..., :-1, :].square() + down[..., :-1].square()
    return torch.sqrt(functional.avg_pool2d(squares, WINDOW, STRIDE) + FLOOR)


def energy_loss(drawn: Tensor, wanted: Tensor) -> Tensor:
    return functional.l1_loss(edge_energy(drawn), edge_energy(wanted))


def steepness_loss(drawn: Tensor, wanted: Tensor) -> Tensor:
    return functional.l1_loss(edge_steepness(drawn), edge_steepness(wanted))
