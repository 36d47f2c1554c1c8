"""SEEDS: exponential steps of two or three stages in log sigma, with noise for each stage."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def seeds_2_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step over a midpoint: Gonzalez et al. 2023 (SEEDS), algorithm 2, data prediction."""
    clean = denoise(x, sigma)
    if sigma_next == 0:
        return clean
    stage = _Stages(x, sigma, sigma_next, context)
    middle = stage.level(1 / 2)
    clean_middle = denoise(stage.reached(1 / 2, -_phi_1(stage.h_eta / 2) * clean), middle)
    return stage.reached(1, -_phi_1(stage.h_eta) * clean_middle)


def seeds_3_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step over two points: Gonzalez et al. 2023 (SEEDS), algorithm 3, data prediction."""
    clean = denoise(x, sigma)
    if sigma_next == 0:
        return clean
    stage = _Stages(x, sigma, sigma_next, context)
    first, second = 1 / 3, 2 / 3
    moved = stage.reached(first, -_phi_1(first * stage.h_eta) * clean)
    clean_first = denoise(moved, stage.level(first))
    far = second / first * _phi_2(second * stage.h_eta)
    near = _phi_1(second * stage.h_eta) - far
    moved = stage.reached(second, -(near * clean + far * clean_first))
    clean_second = denoise(moved, stage.level(second))
    far = _phi_2(stage.h_eta) / second
    near = _phi_1(stage.h_eta) - far
    return stage.reached(1, -(near * clean + far * clean_second))


class _Stages:
    """The stages of a step from x at `sigma`; noise grows from one to the next.

    Args:
        x: At `sigma`.
        sigma: Where the step begins.
        sigma_next: Where it ends.
        context: Eta and noise.
    """

    def __init__(self, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext) -> None:
        self._x, self._sigma, self._context = x, sigma, context
        self._start, self._end = -sigma.log(), -sigma_next.log()
        self._sigma_next = sigma_next
        self._h = self._end - self._start
        self.h_eta = self._h * (context.eta + 1)
        self._noise: Tensor | None = None
        self._share = 0.0

    def level(self, share: float) -> Tensor:
        """The sigma after `share` of the way in log sigma."""
        return self._sigma_next if share == 1 else (-self._start.lerp(self._end, share)).exp()

    def reached(self, share: float, toward: Tensor) -> Tensor:
        """x after `share` of the way, from what the estimates add up to."""
        eta, level = self._context.eta, self.level(share)
        x = level / self._sigma * (-share * self._h * eta).exp() * self._x + toward
        if not eta:
            return x
        fall = (self._share - share) * self._h * eta
        fresh = (-(2 * fall).expm1()).sqrt() * self._context.normal()
        self._noise = fresh if self._noise is None else self._noise * fall.exp() + fresh
        self._share = share
        return x + self._noise * level


def _phi_1(h: Tensor) -> Tensor:
    """h times the first phi function of exponential integrators, at -h."""
    return (-h).expm1()


def _phi_2(h: Tensor) -> Tensor:
    """h times the second, at -h."""
    return ((-h).expm1() + h) / -h
