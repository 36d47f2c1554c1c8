"""The folder of an exploration: which candidates have estimates there, and which are finished."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.settings.whole_file import write_whole

SHEET = "estimates.html"
_STATE = "explore.json"


class OtherExplorationError(RequestError):
    """A folder that holds the estimates of something else."""

    def __init__(self, folder: Path, fact: str) -> None:
        super().__init__(
            fact,
            place=str(folder),
            way_out="Choose another --out, or run the command with what it was started with.",
        )


@dataclass
class CandidateFiles:
    """What an exploration has made so far.

    Args:
        folder: Where.
        content: The digest of what is explored.
        until: The share of the steps.
        estimates: By candidate, the names of its estimates.
        finished: By candidate, the names of what it saved.
        checkpoints: By candidate, what its last step is called within the cache of this machine.
    """

    folder: Path
    content: str
    until: float
    estimates: dict[str, list[str]] = field(default_factory=dict)
    finished: dict[str, list[str]] = field(default_factory=dict)
    checkpoints: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, content: Any, until: float) -> CandidateFiles:
        """Those of an exploration of `content`, which is JSON, in `folder`; none in a new one.

        Raises:
            OtherExplorationError: it holds those of another, or estimates of which none tells.
        """
        named = json.dumps(content, sort_keys=True).encode()
        files = cls(folder, hashlib.sha256(named).hexdigest(), until)
        path = folder / _STATE
        if not path.exists():
            if (folder / SHEET).exists() or any(folder.glob("estimate_*.png")):
                raise OtherExplorationError(folder, "holds estimates of another exploration.")
            return files
        try:
            raw = json.loads(path.read_text("utf-8"))
            known = replace(
                files,
                estimates=_names(raw["estimates"]),
                finished=_names(raw["finished"]),
                checkpoints=_names(raw.get("checkpoints", {})),
            )
            found = raw["content"], raw["until"]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            raise OtherExplorationError(folder, f"has a damaged {_STATE}.") from None
        if found[0] != files.content:
            raise OtherExplorationError(folder, "explores another workflow, or other values.")
        if found[1] != until:
            raise OtherExplorationError(folder, f"explores until {found[1]} of the steps.")
        return known

    def save(self) -> None:
        """Write down what there is.

        Raises:
            RequestError: it cannot be written.
        """
        raw = {
            "content": self.content,
            "until": self.until,
            "estimates": self.estimates,
            "finished": self.finished,
            "checkpoints": self.checkpoints,
        }
        text = json.dumps(raw, indent=1).encode()
        write_whole(self.folder / _STATE, lambda file: file.write(text))

    def of_candidate(self, table: dict[str, list[str]], number: int) -> list[Path]:
        """What `table` has of a candidate, where all of it is still there."""
        paths = [self.folder / name for name in table.get(str(number), ())]
        return paths if all(path.is_file() for path in paths) else []


def _names(raw: Any) -> dict[str, list[str]]:
    """File names by candidate.

    Raises:
        ValueError: it is something else, or leads out of the folder.
    """
    made = {str(int(number)): [str(name) for name in names] for number, names in raw.items()}
    for names in made.values():
        if any(Path(name).is_absolute() or ".." in Path(name).parts for name in names):
            raise ValueError(names)
    return made
