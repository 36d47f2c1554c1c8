"""One training loop for every network: resumable, with an average of the weights and a log.

All chance comes from the step's number, so a resumed run repeats an uninterrupted one exactly
and a checkpoint needs no generator states.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor, nn

from tools.nano.muon import Muon, split_parameters
from tools.nano.presets import Stage

CHECKPOINT_SECONDS = 150.0
SHEET_SECONDS = 600.0
LossOf = Callable[["Chance"], Tensor]


class Chance:
    """The random numbers of one step."""

    def __init__(self, seed: int, step: int) -> None:
        self.step = step
        self.numpy = np.random.default_rng((seed, step))
        self.torch = torch.Generator().manual_seed(seed * 1_000_003 + step)

    def normal(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.torch).to(like.device)


def rate_at(stage: Stage, step: int) -> float:
    """Up over the warm-up, level, then linearly down: a level rate lets a run be prolonged."""
    rise = min(1.0, (step + 1) / stage.warmup)
    fall = min(1.0, (stage.steps - step) / max(1.0, stage.steps * stage.decay))
    return stage.rate * min(rise, fall)


@dataclass
class Trainer:
    """Trains `model` by `loss_of`; `average` is what gets shipped."""

    model: nn.Module
    stage: Stage
    folder: Path
    seed: int = 0
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        shares = (1.0, self.stage.embedding_share, 0.5)
        groups = zip(split_parameters(self.model), shares, strict=True)
        inner, *others = [{"params": params, "share": share} for params, share in groups]
        self.optimizers: tuple[torch.optim.Optimizer, ...] = (
            Muon([inner], self.stage.rate),
            torch.optim.AdamW(others, self.stage.rate, betas=(0.9, 0.99), weight_decay=0.01),
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            self.load()

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
        }
        fresh = self.checkpoint.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self.checkpoint)

    def load(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True, map_location="cpu")
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.seconds = state["step"], state["seconds"]
        self.losses = state["losses"]

    def advance(self, loss_of: LossOf) -> None:
        """One step: loss, gradient clipped to length 1, update, average."""
        loss = loss_of(Chance(self.seed, self.step))
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(self.stage, self.step) * group["share"]
            optimizer.step()
        self.step += 1
        self.losses.append(float(loss.detach()))
        self.follow()

    @torch.no_grad()
    def follow(self) -> None:
        """Early on the average follows closely: it must not keep the random start."""
        decay = min(self.stage.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.average.parameters(), self.model.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for mean, now in zip(self.average.buffers(), self.model.buffers(), strict=True):
            mean.copy_(now)

    def run(
        self,
        loss_of: LossOf,
        show: Callable[[nn.Module, Path], None] | None = None,
        minutes: float | None = None,
    ) -> bool:
        """Train to the stage's last step, or for `minutes`; True when the stage is done."""
        started = saved = sheeted = time.monotonic()
        while self.step < self.stage.steps:
            before = time.monotonic()
            self.advance(loss_of)
            now = time.monotonic()
            self.seconds += now - before
            if self.step % 20 == 0:
                self.report()
            if now - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = now
            if show and now - sheeted > SHEET_SECONDS:
                show(self.average, self.folder / f"step-{self.step:06d}.png")
                sheeted = time.monotonic()
            if minutes is not None and now - started > minutes * 60:
                break
        self.save()
        if show:
            show(self.average, self.folder / f"step-{self.step:06d}.png")
        return self.step >= self.stage.steps

    def report(self) -> None:
        recent = sum(self.losses[-20:]) / len(self.losses[-20:])
        speed = self.step / max(self.seconds, 1e-9)
        left = (self.stage.steps - self.step) / speed / 60
        click.echo(
            f"{self.folder.name} {self.step}/{self.stage.steps}  loss {recent:.4f}  "
            f"{speed:.2f} steps/s  {left:.0f} min left"
        )


def load_average(model: nn.Module, folder: Path) -> bool:
    """Fill the model with the averaged weights of a run, if it has a checkpoint."""
    checkpoint = folder / "checkpoint.pt"
    if not checkpoint.exists():
        return False
    state = torch.load(checkpoint, weights_only=True, map_location="cpu", mmap=True)
    model.load_state_dict(state["average"])
    return True
