"""Imports packs as `nodeforge_packs.<name>`, and nothing else under that name.

Of a user's pack only files run whose bytes were allowed; no bytecode is read or written.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    ExtensionFileLoader,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

NAMESPACE = "nodeforge_packs"


@dataclass(frozen=True)
class ImportablePack:
    """A pack that may be imported.

    Args:
        folder: Where it is.
        files: Of a user's pack: path within it to the BLAKE2b of the allowed bytes. None for a
            shipped pack, whose files are NodeForge's own.
    """

    folder: Path
    files: Mapping[str, str] | None = None

    def checked(self, path: Path) -> bytes:
        """The bytes of a file of a user's pack.

        Raises:
            ImportError: they are not those that were allowed.
        """
        name = path.relative_to(self.folder).as_posix()
        data = path.read_bytes()
        if self.files is None or self.files.get(name) != blake2b(data, digest_size=16).hexdigest():
            raise ImportError(f"'{name}' is not the file that was allowed", path=str(path))
        return data


class PackFinder(MetaPathFinder):
    """Finds the modules of packs. It is the only finder that is asked for their names."""

    def __init__(self) -> None:
        self.packs: dict[str, ImportablePack] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        namespace, _, rest = fullname.partition(".")
        if namespace != NAMESPACE or not rest:
            return None
        name, *parts = rest.split(".")
        pack = self.packs.get(name)
        spec = pack and _spec(fullname, pack, pack.folder.joinpath(*parts))
        if spec is None:
            raise ModuleNotFoundError(f"no module named '{fullname}' is allowed", name=fullname)
        return spec


class _SourceLoader(SourceFileLoader):
    """Compiles the allowed source each time."""

    def __init__(self, fullname: str, path: str, pack: ImportablePack) -> None:
        super().__init__(fullname, path)
        self._pack = pack

    def get_data(self, path: str) -> bytes:
        return self._pack.checked(Path(path))

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write no bytecode."""


def _spec(fullname: str, pack: ImportablePack, base: Path) -> ModuleSpec | None:
    if pack.files is None:
        return PathFinder.find_spec(fullname, [str(base.parent)])
    if (package := base / "__init__.py").is_file():
        loader: Loader = _SourceLoader(fullname, str(package), pack)
        return spec_from_file_location(
            fullname, package, loader=loader, submodule_search_locations=[str(base)]
        )
    if (module := base.with_name(f"{base.name}.py")).is_file():
        loader = _SourceLoader(fullname, str(module), pack)
        return spec_from_file_location(fullname, module, loader=loader)
    for suffix in EXTENSION_SUFFIXES:
        if (extension := base.with_name(base.name + suffix)).is_file():
            pack.checked(extension)
            loader = ExtensionFileLoader(fullname, str(extension))
            return spec_from_file_location(fullname, extension, loader=loader)
    if base.is_dir():
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(base)]
        return spec
    return None


def pack_finder() -> PackFinder:
    """The finder of this process, before all others."""
    for finder in sys.meta_path:
        if isinstance(finder, PackFinder):
            return finder
    finder = PackFinder()
    sys.meta_path.insert(0, finder)
    namespace = ModuleType(NAMESPACE)
    namespace.__path__ = []
    sys.modules[NAMESPACE] = namespace
    return finder
