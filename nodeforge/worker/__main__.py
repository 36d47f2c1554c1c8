"""Starts the worker: `python -m nodeforge.worker --device auto`, frames on stdin and stdout."""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
import threading
from dataclasses import asdict
from typing import Any, BinaryIO


def main() -> None:
    arguments = _arguments()
    requests, replies = _take_over_streams()
    # Imported after the streams are ours: libraries print.
    from nodeforge.engine.events import ErrorReport
    from nodeforge.engine.protocol import REFUSED, Frame, write_frames
    from nodeforge.errors import NodeForgeError
    from nodeforge.worker.build import build_server

    try:
        server = build_server(
            arguments.device,
            requests,
            replies,
            spare_core=arguments.spare_core,
            threads=arguments.threads,
            shares_work=arguments.shares_work,
            left=lambda: _end_within(arguments.patience),
        )
    except NodeForgeError as error:  # as of a device that is not there
        write_frames(replies, [Frame({REFUSED: asdict(ErrorReport.of(error))})])
        sys.exit(f"{type(error).__name__}: {error}")
    server.serve()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nodeforge.worker")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--spare-core", action="store_true", help="leave a core to the window")
    parser.add_argument("--threads", type=int, default=0, help="of the processor; 0: as torch does")
    parser.add_argument("--shares-work", action="store_true", help="with workers beside it")
    parser.add_argument(
        "--patience", type=float, default=30.0, help="seconds to end in, once the client has gone"
    )
    return parser.parse_args()


def _end_within(seconds: float) -> None:
    """End this process even if a node does not: its client may have died, and nobody would."""
    watch = threading.Timer(seconds, os._exit, (1,))
    watch.daemon = True
    watch.start()


def _take_over_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipe to the client; what libraries print goes to stderr instead."""
    faulthandler.enable()
    requests: Any = os.fdopen(os.dup(0), "rb")
    replies: Any = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115 - lives as long as the process
    return requests, replies


if __name__ == "__main__":
    main()
