"""One training loop for every network: resumable, with an average of the weights and a log.

All chance comes from the step's number, so a resumed run repeats an uninterrupted one exactly
and a checkpoint needs no generator states.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from tools.nano.batches import BatchOf, Chance, in_order
from tools.nano.muon import Muon, split_parameters
from tools.nano.presets import Stage

CHECKPOINT_SECONDS, CHECKPOINT_SECONDS_ON_A_CARD = 150.0, 60.0
SHEET_SECONDS = 600.0
REPORT_STEPS = 20
AVERAGE = "average.safetensors"
LossOf = Callable[[Chance, tuple[Tensor, ...]], Tensor]


def rate_at(stage: Stage, step: int) -> float:
    """Up over the warm-up, level, then linearly down: a level rate lets a run be prolonged."""
    rise = min(1.0, (step + 1) / stage.warmup)
    fall = min(1.0, (stage.steps - step) / max(1.0, stage.steps * stage.decay))
    return stage.rate * min(rise, fall)


def optimizers_of(model: nn.Module, stage: Stage) -> tuple[torch.optim.Optimizer, ...]:
    """Inner matrices, embeddings and the rest, in this order of groups."""
    groups = [{"params": params} for params in split_parameters(model)]
    adam = {"lr": stage.rate, "betas": (0.9, 0.99), "weight_decay": 0.01}
    if not stage.muon:
        return (torch.optim.AdamW(groups, **adam),)
    inner, *others = groups
    return Muon([inner], stage.rate), torch.optim.AdamW(others, **adam)


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
    recent: list[Tensor] = field(default_factory=list)  # not read yet: reading waits for a card

    def __post_init__(self) -> None:
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizers = optimizers_of(self.model, self.stage)
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            self.load()

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def read_losses(self) -> None:
        if self.recent:
            self.losses += torch.stack(self.recent).tolist()
            self.recent.clear()

    def save(self) -> None:
        self.read_losses()
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
        save_half(self.average, self.folder / AVERAGE)

    def load(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True, map_location="cpu")
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.seconds = state["step"], state["seconds"]
        self.losses = state["losses"]

    def advance(self, loss_of: LossOf, batch: tuple[Tensor, ...]) -> None:
        """One step: loss, gradient clipped to length 1, update, average."""
        parts = tuple(part.to(self.device, non_blocking=True) for part in batch)
        loss = loss_of(Chance(self.seed, self.step), parts)
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.set_rates()
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self.recent.append(loss.detach())
        self.follow()

    def set_rates(self) -> None:
        shares = (1.0, self.stage.embedding_share, self.stage.outer_share)
        groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        for group, share in zip(groups, shares, strict=True):
            group["lr"] = rate_at(self.stage, self.step) * share

    @torch.no_grad()
    def follow(self) -> None:
        """Early on the average follows closely: it must not keep the random start."""
        decay = min(self.stage.ema, (1 + self.step) / (10 + self.step))
        means: list[Tensor] = list(self.average.parameters())
        get_ema_multi_avg_fn(decay)(means, list(self.model.parameters()), None)
        for buffer, fresh in zip(self.average.buffers(), self.model.buffers(), strict=True):
            buffer.copy_(fresh)

    def run(
        self,
        batch_of: BatchOf,
        loss_of: LossOf,
        show: Callable[[nn.Module, Path], None] | None = None,
        minutes: float | None = None,
    ) -> bool:
        """Train to the stage's last step, or for `minutes`; True when the stage is done."""
        if self.step >= self.stage.steps:
            return True
        before = saved = sheeted = time.monotonic()
        on_a_card = self.device.type == "cuda"
        often = CHECKPOINT_SECONDS_ON_A_CARD if on_a_card else CHECKPOINT_SECONDS
        ends = math.inf if minutes is None else before + minutes * 60
        steps = range(self.step, self.stage.steps)
        for batch in in_order(batch_of, self.seed, steps, self.device):
            self.advance(loss_of, batch)
            if self.step % REPORT_STEPS == 0:
                self.report()
            now = time.monotonic()
            self.seconds, before = self.seconds + now - before, now
            if now > ends:
                break
            if now - saved > often:
                self.save()
                saved = now
            if show and now - sheeted > SHEET_SECONDS:
                self.show(show)
                sheeted = before = time.monotonic()
        self.save()
        if show:
            self.show(show)
        return self.step >= self.stage.steps

    def show(self, show: Callable[[nn.Module, Path], None]) -> None:
        show(self.average, self.folder / f"step-{self.step:06d}.png")

    def report(self) -> None:
        self.read_losses()
        recent = sum(self.losses[-20:]) / len(self.losses[-20:])
        speed = self.step / max(self.seconds, 1e-9)
        left = (self.stage.steps - self.step) / speed / 60
        click.echo(
            f"{self.folder.name} {self.step}/{self.stage.steps}  loss {recent:.4f}  "
            f"{speed:.2f} steps/s  {left:.0f} min left"
        )


def save_half(model: nn.Module, path: Path) -> None:
    """The weights in float16: what goes on when the rest of a run is lost."""
    halves = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    fresh = path.with_suffix(".new")
    save_file(halves, fresh)
    fresh.replace(path)


def load_average(model: nn.Module, folder: Path) -> bool:
    """Fill the model with the averaged weights of a run, if it has a checkpoint."""
    checkpoint, half = folder / "checkpoint.pt", folder / AVERAGE
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location="cpu", mmap=True)
        model.load_state_dict(state["average"])
    elif half.exists():
        model.load_state_dict(load_file(half))
    return checkpoint.exists() or half.exists()
