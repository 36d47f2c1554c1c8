"""The files that a job saves, each under a name that was reserved for it.

Nodes write into a folder of the attempt's own, inside the output folder. From there each file is
renamed into place as soon as it is whole, under a name that the database has reserved first. When
a job runs again after a crash, its files that are in place stay, and only missing ones are added.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from nodeforge.engine.queue import saved_files
from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.database import digest_of
from nodeforge.engine.queue.expected_files import ExpectedFiles
from nodeforge.engine.queue.job import Job
from nodeforge.errors import DiskFullError, RequestError
from nodeforge.settings.whole_file import free_name, is_disk_full, take_name

_TRIES = 100


class OutputError(RequestError):
    """What a job has saved cannot be put into place."""


class OutputFiles:
    """Puts the files of one attempt of a job into place.

    Args:
        claims: The runner's side of the queue.
        job: The job; its `outputs` are known.
    """

    def __init__(self, claims: JobClaims, job: Job) -> None:
        assert job.outputs is not None
        self._claims, self._job, self._outputs = claims, job, job.outputs
        self._home = _hidden_folder(job.outputs, job.id)
        self.folder = self._home / str(job.attempts)
        """Where the nodes of this attempt save."""
        self._count: Counter[str] = Counter()
        self._expected: frozenset[str] = frozenset()
        self.saved: set[str] = set()
        """Nodes of which an earlier attempt has made all files, and they are still there."""

    def open(self, expected: Mapping[str, ExpectedFiles]) -> list[Path]:
        """Make the folder of this attempt, reserve names, and remove what earlier ones have left.

        Args:
            expected: What each node will save.

        Returns:
            The files of earlier attempts that are there; `saved` has the nodes that made them.

        Raises:
            OutputError: the output folder cannot be written.
            LeaseLostError: another process runs the queue now.
        """
        self.close()
        there = self._claims.do(lambda base: self._begin(base, expected))
        self._expected = frozenset(expected)
        if expected and self.saved >= self._expected:
            return there
        try:
            self.folder.mkdir(parents=True)
        except OSError as error:
            raise _cannot(self._outputs, error) from error
        return there

    @property
    def is_all_saved(self) -> bool:
        """Whether all that the job saves is there, so that nothing is left to be run."""
        return bool(self._expected) and self.saved >= self._expected

    def finish(self, node: str) -> None:
        """Note that a node has saved all that it saves.

        Raises:
            LeaseLostError: another process runs the queue now.
        """
        if node in self._expected:
            self._claims.do(lambda base: saved_files.finish(base, self._job.id, node))

    def close(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)

    def place(self, node: str, written: Path) -> Path:
        """Put a file that `node` has written into place; gives where it is.

        Raises:
            OutputError: it cannot be renamed.
            LeaseLostError: another process runs the queue now.
        """
        part = self._count[node]
        self._count[node] += 1
        if not written.is_relative_to(self.folder):
            self._reserve_as_it_is(node, part, written)
            return written
        try:
            return self._placed(node, part, written)
        except OSError as error:
            raise _cannot(self._outputs, error) from error

    def _begin(self, base: sqlite3.Connection, expected: Mapping[str, ExpectedFiles]) -> list[Path]:
        job = self._job.id
        saved_files.expect(base, job, [(node, each.count) for node, each in expected.items()])
        self.saved = {node for node, done in saved_files.saved_nodes(base, job).items() if done}
        for node, each in expected.items():
            for part, name in enumerate(each.names):
                if saved_files.name_of(base, job, node, part) is None:
                    wish = self._outputs / name
                    path = free_name(wish, saved_files.names_in(base, wish.parent, job))
                    saved_files.note(base, job, node, part, path, saved_files.RESERVED)
        return saved_files.files_of(base, job).get(job, []) if self.saved else []

    def _placed(self, node: str, part: int, written: Path) -> Path:
        digest = digest_of(written)
        wish = self._outputs / written.relative_to(self.folder)
        wish.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(_TRIES):
            target, is_there = self._reserved(node, part, wish, digest)
            if is_there or take_name(written, target):
                written.unlink(missing_ok=True)
                return target
        raise OutputError(f"{_TRIES} names in a row are taken.", place=str(wish.parent))

    def _reserved(self, node: str, part: int, wish: Path, digest: str) -> tuple[Path, bool]:
        """The name of a file, and whether the file is there, from an earlier attempt."""
        job = self._job.id

        def work(base: sqlite3.Connection) -> tuple[Path, bool]:
            known = saved_files.name_of(base, job, node, part)
            if known is not None:
                path, before = known
                if not path.exists():
                    saved_files.note(base, job, node, part, path, digest)
                    return path, False
                if saved_files.is_file_of(path, {before, digest} - {""}):
                    return path, True
            path = free_name(wish, saved_files.names_in(base, wish.parent, job))
            saved_files.note(base, job, node, part, path, digest)
            return path, False

        return self._claims.do(work)

    def _reserve_as_it_is(self, node: str, part: int, path: Path) -> None:
        self._claims.do(lambda base: saved_files.note(base, self._job.id, node, part, path, ""))


def remove_leftovers(job: Job) -> None:
    """Remove what an attempt whose process was killed has left in the output folder."""
    if job.outputs is not None:
        shutil.rmtree(_hidden_folder(job.outputs, job.id), ignore_errors=True)


def _hidden_folder(outputs: Path, job_id: str) -> Path:
    return outputs / f".nodeforge-job-{job_id}"


def _cannot(folder: Path, error: OSError) -> OutputError | DiskFullError:
    if is_disk_full(error):
        return DiskFullError(
            "the disk is full.",
            place=str(folder),
            way_out="Free some space, then resume the queue: the job goes on from there.",
        )
    return OutputError(
        f"cannot be written: {error.strerror}.",
        place=str(folder),
        way_out="Choose a folder that may be written, or make it writable.",
    )
