"""Forks windows, runners of the queue and their workers, which tests may kill, from one process.

Run as ``python fork_server.py SOCKET``. A request names what is to be forked and the home; a
worker's pipes come with it. The answer is the number of the new process.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

STEP_SECONDS = 0.02


class SocketWorker:
    """A worker that the server at ``HOME/fork-server`` has forked; `WorkerClient` owns it."""

    def __init__(self, address: Path, kind: str, home: Path) -> None:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        self.stdin: IO[bytes] | None = os.fdopen(ours_in, "wb")
        self.stdout: IO[bytes] | None = os.fdopen(ours_out, "rb")
        self.stderr: IO[bytes] | None = Path(os.devnull).open("rb")  # noqa: SIM115
        self.pid = ask(address, kind, home, (theirs_in, theirs_out))
        os.close(theirs_in)
        os.close(theirs_out)
        (home / "worker.pid").write_text(str(self.pid))

    def poll(self) -> int | None:
        return None if is_alive(self.pid) else -9

    def wait(self, timeout: float | None = None) -> int:
        end = time.monotonic() + (60 if timeout is None else timeout)
        while is_alive(self.pid):
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("worker", timeout or 60)
            time.sleep(0.005)
        return -9

    def kill(self) -> None:
        kill(self.pid)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def ask(address: Path, kind: str, home: Path, pipes: tuple[int, ...] = ()) -> int:
    """Fork `kind` for `home`; gives its process number."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(address))
        request = json.dumps([kind, str(home)]).encode()
        if pipes:
            socket.send_fds(line, [request], list(pipes))
        else:
            line.sendall(request)
        return int(line.recv(64))


def start(address: Path) -> subprocess.Popen[bytes]:
    """The server, once it takes requests."""
    process = subprocess.Popen([sys.executable, __file__, str(address)])
    end = time.monotonic() + 120
    while not address.exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    return process


def run_queue(address: Path, kind: str, home: Path) -> None:
    from nodeforge.engine.queue.job_queue import JobQueue
    from nodeforge.engine.queue.runner import QueueRunner
    from nodeforge.settings import Settings
    from support.queue_worker import Watch

    def spawn(settings: Settings, device: str) -> Any:
        return SocketWorker(address, kind, home)

    QueueRunner(JobQueue(home), Settings(home=home), Watch(), devices=["cpu"], spawn=spawn).run()


def run_window(address: Path, kind: str, home: Path) -> None:
    """The real window, offscreen, in which a person lets the jobs of before go on."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from nodeforge.settings import Settings
    from nodeforge.ui.application.app import window_store
    from nodeforge.ui.common import theme
    from nodeforge.ui.documents.workspace import Workspace
    from nodeforge.ui.window.main_window import MainWindow

    def spawn(settings: Settings, device: str) -> Any:
        return SocketWorker(address, kind, home)

    app = QApplication([])
    workspace = Workspace(Settings(home=home, device="cpu"), window_store(home))
    theme.apply(app, workspace.theme)
    window = MainWindow(workspace, spawn)
    window.show()
    kept = window.runner.kept
    go_on = QTimer(interval=50)
    go_on.timeout.connect(lambda: kept.held and kept.release_all())
    go_on.timeout.connect(
        lambda: window.runner.workers.first.is_halted and window.runner.restart_worker()
    )
    go_on.start()
    app.exec()


def serve(kind: str, home: Path, pipes: list[int]) -> None:
    from nodeforge.worker.build import build_server
    from nodeforge.worker.server import Server
    from support import queue_worker

    os.environ["NODEFORGE_HOME"] = str(home)
    requests, replies = os.fdopen(pipes[0], "rb"), os.fdopen(pipes[1], "wb")
    if kind == "worker":
        build_server("cpu", requests, replies).serve()
        return
    calls = os.open(home / "calls", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note() -> None:
        os.write(calls, b".")
        time.sleep(STEP_SECONDS)

    for step in range(1, queue_worker.STEPS + 1):
        queue_worker.HOOKS[f"step {step}"] = note
    session = queue_worker.session_on(home)
    Server(session, requests, replies, queue_worker.answers_of(session)).serve()


def main() -> None:
    import torch

    import nodeforge.engine.queue.runner
    import nodeforge.worker.build
    from nodeforge.diffusion.networks.building import import_libraries
    from support import queue_worker  # noqa: F401

    import_libraries()
    torch.set_num_threads(1)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    address = Path(sys.argv[1])
    line = socket.socket(socket.AF_UNIX)
    line.bind(f"{address}.new")
    line.listen()
    Path(f"{address}.new").rename(address)
    while True:
        client, _ = line.accept()
        try:
            request, pipes, _, _ = socket.recv_fds(client, 4096, 2)
            kind, home = json.loads(request)
        except (OSError, ValueError):
            client.close()
            continue
        if kind.startswith("window "):
            import nodeforge.ui.window.main_window  # noqa: F401 - once, for all windows

        child = os.fork()
        if child == 0:
            line.close()
            client.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                if kind.startswith("window "):
                    run_window(address, kind.removeprefix("window "), Path(home))
                elif kind.startswith("run "):
                    run_queue(address, kind.removeprefix("run "), Path(home))
                else:
                    serve(kind, Path(home), pipes)
            finally:
                os._exit(0)
        for pipe in pipes:
            os.close(pipe)
        with contextlib.suppress(OSError):  # who asked has been killed
            client.sendall(str(child).encode())
        client.close()


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    main()
