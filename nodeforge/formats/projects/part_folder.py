"""Parts of a project as files of a folder, which is how it is autosaved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.formats.errors import TooLargeError
from nodeforge.formats.projects.archive import DamagedArchiveError, Parts
from nodeforge.settings.whole_file import write_whole

_FOLDERS = ("tiles", "assets")


class FolderShelf:
    """Parts in a folder; one that is there is not written again.

    Raises:
        RequestError: a part cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: set[Path] = set()
        try:
            for name in _FOLDERS:
                (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot(folder, error) from error

    def keep(self, name: str, make: Callable[[], bytes]) -> None:
        path = self._folder / name
        if path in self._used:
            return
        self._used.add(path)
        if path.exists():
            return
        write_whole(path, lambda file: file.write(make()))

    def tidy(self) -> None:
        """Remove the parts that were not kept."""
        for name in _FOLDERS:
            for path in (self._folder / name).iterdir():
                if path not in self._used:
                    path.unlink(missing_ok=True)


def _cannot(path: Path, error: OSError) -> RequestError:
    return RequestError(
        f"cannot be saved: {error.strerror}.", place=str(path), way_out="Make room there."
    )


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> Iterator[str]:
        for name in _FOLDERS:
            if (self._folder / name).is_dir():
                yield from (f"{name}/{path.name}" for path in (self._folder / name).iterdir())

    def read(self, name: str, most: int) -> bytes:
        path = self._folder / name
        if path.is_symlink() or (path.parent != self._folder and path.parent.is_symlink()):
            raise DamagedArchiveError("is a link, which is not followed.", place=name)
        try:
            with path.open("rb") as file:
                content = file.read(most + 1)
        except OSError as error:
            raise DamagedArchiveError("lacks this part.", place=name) from error
        if len(content) > most:
            raise TooLargeError(f"is larger than {most} bytes.", place=name)
        return content


@contextmanager
def opened_folder(folder: Path) -> Iterator[Parts]:
    """The parts in a folder; errors from within name it."""
    try:
        yield _Folder(folder)
    except NodeForgeError as error:
        raise error.at(folder.name) from None
