"""Asks one question in a worker of its own, which ends with the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodeforge.engine.worker_client.client import WorkerClient
from nodeforge.settings import Settings

_POLL = 0.1
"""Seconds between two looks at whether it was stopped."""


def ask_worker(
    settings: Settings, question: str, check: Callable[[], object], **told: Any
) -> dict[str, Any]:
    """The answer to a question.

    Args:
        settings: Folders and limits.
        question: What the worker answers, as its ``build`` names it.
        check: Called again and again; what it raises ends the worker.
        told: What belongs to the question.

    Raises:
        NodeForgeError: the worker could not answer.
    """
    client = WorkerClient(settings, lambda _: None)
    try:
        answer = client.ask(question, **told)
        while True:
            try:
                return answer.result(_POLL)
            except TimeoutError:
                check()
    finally:
        client.close(0.0)  # it has nothing to finish
