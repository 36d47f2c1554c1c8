"""Muon: steps of momentum made orthogonal, so that every direction of a matrix learns as fast.

Jordan et al. 2024, with the step's size matched to AdamW's (Liu et al. 2025), so that one rate
serves both. Convolutions count as matrices of (out, in * height * width).
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
# First and last layers, and those about a latent: where a step is made orthogonal, what little
# pulls at a variance weighs as much as all that the picture asks for. A ControlNet's layers
# between the edges and the UNet are first and last.
OUTER = ("conv_in", "conv_out", "controlnet_", "quant_conv")


def fast_type(device: torch.device) -> torch.dtype:
    """bfloat16 is enough for a step's direction, but slow on a CPU with AVX2 alone."""
    slow = device.type == "cpu" and torch.backends.cpu.get_cpu_capability() != "AVX512"
    return torch.float32 if slow else torch.bfloat16


def orthogonal(matrices: Tensor, rounds: int = 5) -> Tensor:
    """Newton-Schulz: about U V^T of each matrix's singular value decomposition."""
    x = matrices.to(fast_type(matrices.device))
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    x = by_gram(x, rounds) if x.dtype == torch.float32 else by_steps(x, rounds)
    return (x.mT if tall else x).to(matrices.dtype)


def by_steps(x: Tensor, rounds: int) -> Tensor:
    a, b, c = COEFFICIENTS
    for _ in range(rounds):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def by_gram(x: Tensor, rounds: int) -> Tensor:
    """The same on the small Gram matrices, in less than half the time; bfloat16 is too coarse."""
    a, b, c = COEFFICIENTS
    one = torch.eye(x.shape[-2], dtype=x.dtype, device=x.device)
    gram, factor = x @ x.mT, one
    for _ in range(rounds):
        step = a * one + b * gram + c * gram @ gram
        factor, gram = step @ factor, step @ gram @ step
    return factor @ x


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
        """Matrices of one shape go together: a card starts a tenth of the kernels."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    alike.setdefault(weight.shape, []).append(weight)
            for weights in alike.values():
                self.update(weights, group)

    def update(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        momenta = [self.momentum(weight) for weight in weights]
        get_ema_multi_avg_fn(group["momentum"])(momenta, gradients, None)
        ahead = torch.stack(gradients).lerp(torch.stack(momenta), group["momentum"])
        steps = orthogonal(ahead.flatten(2))
        size = 0.2 * max(steps.shape[1:]) ** 0.5
        for weight, step in zip(weights, steps, strict=True):
            weight.mul_(1 - group["lr"] * group["weight_decay"])
            weight.add_(step.view_as(weight), alpha=-group["lr"] * size)

    def momentum(self, weight: Tensor) -> Tensor:
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        return state["momentum"]


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
        and not any(part in name for part in OUTER)
        and not any(p is weight for weight in outer)
    ]
    embeddings = [p for p in model.parameters() if p.requires_grad and any(p is w for w in outer)]
    chosen = {id(p) for p in (*inner, *embeddings)}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in chosen]
    return inner, embeddings, rest
