"""Nodes of a third party, for tests and benchmarks of the worker."""

import os
import time
from typing import Annotated

import torch

from nodeforge.api import Checkpoint, Latent, Range, RunContext, node


@node("chain.start")
def start(text: str = "") -> str:
    """Begin a chain.

    Args:
        text: What is passed on.
    """
    return text


@node("chain.link")
def link(text: str, tag: str = "") -> str:
    """Pass on at once.

    Args:
        text: What is passed on.
        tag: Only part of the key, so that equal values do not make equal nodes.
    """
    return text


@node("chain.slow")
def slow(text: str, seconds: Annotated[float, Range(0, 60)] = 0.03) -> str:
    """Take long enough to be worth a file.

    Args:
        text: What is passed on.
        seconds: How long.
    """
    time.sleep(seconds)
    return text + "."


@node("chain.steps")
def steps(run: RunContext, text: str, count: int = 20, seconds: float = 0.02) -> Latent:
    """Make steps, each kept as a checkpoint.

    Args:
        text: Names the walk.
        count: How many steps.
        seconds: How long each takes.
    """
    keys = [f"{text}{step:x}".encode().hex().rjust(32, "0")[-32:] for step in range(count)]
    done = run.steps.furthest(keys)
    first, value = (done[0] + 1, done[1].latent.samples) if done else (0, torch.zeros(1, 4, 2, 2))
    for step in range(first, count):
        time.sleep(seconds)
        run.count_model_call()
        value = value + step
        run.steps.store(keys[step], Checkpoint(Latent(value, "sd", 8), step + 1, step + 1))
        run.progress(step + 1, count)
    return Latent(value, "sd", 8)


@node("chain.deaf")
def deaf(text: str, seconds: Annotated[float, Range(0, 60)] = 30.0) -> str:
    """Hear no Stop.

    Args:
        text: What is passed on.
        seconds: How long.
    """
    time.sleep(seconds)
    return text


@node("chain.crash")
def crash(text: str, code: int = 7) -> str:
    """End the whole process, as a crashing driver does.

    Args:
        text: Never passed on.
        code: The exit code.
    """
    os._exit(code)


@node("chain.print")
def print_a_lot(text: str) -> str:
    """Print to stdout, as libraries do.

    Args:
        text: What is printed and passed on.
    """
    for _ in range(1000):
        print(text)
    return text


@node("chain.save", effects=True)
def save(run: RunContext, text: str) -> None:
    """Save a text.

    Args:
        text: What is saved.
    """
    path = run.outputs / f"{len(text)}.txt"
    path.write_text(text)
    run.saved(path)
