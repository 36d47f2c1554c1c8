"""Muon: steps of momentum made orthogonal, so that every direction of a matrix learns as fast.

Jordan et al. 2024, with the step's size matched to AdamW's (Liu et al. 2025), so that one rate
serves both. Convolutions count as matrices of (out, in * height * width).
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """Newton-Schulz: about U V^T of the matrix's singular value decomposition."""
    a, b, c = COEFFICIENTS
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """For the inner matrices and convolutions of a network; the rest takes AdamW."""

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self.update(weight, weight.grad, group)

    def update(self, weight: nn.Parameter, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(momentum, group["momentum"]).flatten(1)
        size = 0.2 * max(ahead.shape) ** 0.5
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(orthogonal(ahead).view_as(weight), alpha=-group["lr"] * size)


def split_parameters(
    model: nn.Module,
) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """Inner matrices and convolutions; embeddings; and first and last layers, biases, norms."""
    outer = [module.weight for module in model.modules() if isinstance(module, nn.Embedding)]
    inner = [
        p
        for name, p in model.named_parameters()
        if p.requires_grad
        and p.ndim >= 2
        and "conv_in" not in name
        and "conv_out" not in name
        and not any(p is weight for weight in outer)
    ]
    embeddings = [p for p in model.parameters() if p.requires_grad and any(p is w for w in outer)]
    chosen = {id(p) for p in (*inner, *embeddings)}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in chosen]
    return inner, embeddings, rest
