"""Finds and imports packs: each folder is one, loaded by path as `nodeforge_packs.<name>`.

Shipped packs and a user's load the same way. A user's pack runs only when the settings allow
exactly its content.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from nodeforge.api import NodeType, node_type_of
from nodeforge.engine.pack_content import content_hash
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings, shipped

NAMESPACE = "nodeforge_packs"


class PackError(NodeForgeError):
    """A pack cannot be used."""


@dataclass
class Packs:
    """All node types that could be loaded, and why others could not."""

    node_types: dict[str, NodeType] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, node_types: dict[str, NodeType]) -> None:
        """Take over `node_types`.

        Raises:
            PackError: another pack has one of these ids.
        """
        for type_id, node_type in node_types.items():
            if other := self.node_types.get(type_id):
                raise PackError(
                    f"the node type '{type_id}' is already in pack '{other.spec.pack}'.",
                    place=f"pack '{node_type.spec.pack}'",
                    way_out="Rename one of the two.",
                )
        self.node_types.update(node_types)


def load_packs(settings: Settings) -> Packs:
    """Load the shipped packs, then those of the user that the settings allow.

    Raises:
        NodeForgeError: a shipped pack is wrong. A user's wrong pack is refused alone.
    """
    packs = Packs()
    for folder in _folders(shipped("nodes")):
        packs.add(load_pack(folder))
    for folder in _folders(settings.packs):
        source = content_hash(folder)
        if settings.packs_allowed.get(folder.name) != source:
            packs.refused[folder.name] = "not allowed yet: its content is new or has changed."
            continue
        try:
            packs.add(load_pack(folder, source))
        except Exception as error:  # a stranger's code: whatever it raises, others go on
            packs.refused[folder.name] = f"{type(error).__name__}: {error}"
    return packs


def load_pack(folder: Path, source: str = "") -> dict[str, NodeType]:
    """Import every module of the pack in `folder`; gives its node types by id.

    Args:
        folder: The pack; its name is the pack's.
        source: Digest of its content, empty for a shipped pack.
    """
    package = _import(f"{NAMESPACE}.{folder.name}", folder)
    modules = [package]
    for file in sorted(folder.glob("*.py")):
        if file.stem != "__init__":
            modules.append(importlib.import_module(f"{package.__name__}.{file.stem}"))
    found: dict[str, NodeType] = {}
    for module in modules:
        for thing in vars(module).values():
            node_type = node_type_of(thing)
            if node_type is not None and thing.__module__ == module.__name__:
                spec = replace(node_type.spec, pack=folder.name, source=source)
                found[spec.type] = replace(node_type, spec=spec)
    return found


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(folder for folder in root.iterdir() if (folder / "__init__.py").is_file())


def _import(name: str, folder: Path) -> ModuleType:
    if NAMESPACE not in sys.modules:
        namespace = ModuleType(NAMESPACE)
        namespace.__path__ = []
        sys.modules[NAMESPACE] = namespace
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
