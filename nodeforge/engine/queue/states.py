"""States of a job, and which may follow which."""

from __future__ import annotations

from enum import StrEnum

from nodeforge.errors import RequestError


class State(StrEnum):
    """What becomes of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.RUNNING, State.PAUSED, State.CANCELLED}),
    # waiting again: its runner has ended, or was asked to end
    State.RUNNING: frozenset(State) - {State.RUNNING},
    State.PAUSED: frozenset({State.WAITING, State.CANCELLED}),
    State.DONE: frozenset(),
    State.FAILED: frozenset({State.WAITING}),
    State.CANCELLED: frozenset({State.WAITING}),
}
"""The states that may follow each."""

PENDING = frozenset({State.WAITING, State.RUNNING, State.PAUSED})
"""States of jobs that have not ended."""
ENDED = frozenset(State) - PENDING


class TransitionError(RequestError):
    """A job cannot go from its state to the one that was asked for."""


def check_transition(job: str, now: State, then: State) -> None:
    """Refuse what is not in `TRANSITIONS`.

    Args:
        job: The job's id, for the error.

    Raises:
        TransitionError: `then` may not follow `now`.
    """
    if then not in TRANSITIONS[now]:
        raise TransitionError(f"is {now}, so it cannot become {then}.", place=f"job {job}")
