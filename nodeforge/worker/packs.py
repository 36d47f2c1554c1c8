"""Finds and imports packs: each folder is one, loaded by path as `nodeforge_packs.<name>`.

A user's pack runs only when the settings allow exactly its content, and from a private copy of
exactly that content.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from nodeforge.api import NodeType, node_type_of
from nodeforge.engine.content.pack_content import PackContent, private_copy, remove_other_copies
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings, shipped
from nodeforge.worker.pack_import import NAMESPACE, ImportablePack, pack_finder


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
    remove_other_copies(settings.pack_copies, settings.packs_allowed)
    for folder in _folders(settings.packs):
        try:
            copied = _private_copy(folder, settings)
            if copied is None:
                packs.refused[folder.name] = "not allowed yet: its content is new or has changed."
            else:
                packs.add(load_pack(*copied))
        except NodeForgeError as error:
            packs.refused[folder.name] = error.fact
        except Exception as error:  # a stranger's code: whatever it raises, others go on
            packs.refused[folder.name] = f"{type(error).__name__}: {error}"
    return packs


def _private_copy(folder: Path, settings: Settings) -> tuple[Path, PackContent] | None:
    allowed = settings.packs_allowed.get(folder.name)
    if allowed is None:
        return None
    if folder.is_symlink():
        raise PackError("is a link; copy the folder that it leads to.", place=folder.name)
    return private_copy(folder, settings.pack_copies, allowed)


def load_pack(folder: Path, content: PackContent | None = None) -> dict[str, NodeType]:
    """Import every module of the pack in `folder`; gives its node types by id.

    Args:
        folder: The pack; its name is the pack's.
        content: The allowed files of a user's pack; None for a shipped one.
    """
    files = content.files if content else None
    pack_finder().packs[folder.name] = ImportablePack(folder, files)
    package = importlib.import_module(f"{NAMESPACE}.{folder.name}")
    modules = [package]
    for file in sorted(folder.glob("*.py")):
        if file.stem != "__init__":
            modules.append(importlib.import_module(f"{package.__name__}.{file.stem}"))
    source = content.digest if content else ""
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
