"""SHA-256 hashes of a run's models, made beside the run for the pictures that it saves."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping
from pathlib import Path

from nodeforge.errors import NodeForgeError
from nodeforge.formats.parameters import HASHED_FILES, LORA_KEY, with_hashes
from nodeforge.models import SMALL, known_sha256, sha256, size_of

_hashing: dict[Path, threading.Thread] = {}


def begin_hashing(stamp: Mapping[str, str]) -> None:
    """Hash the models that `stamp` names and whose hashes are not known, in the background.

    Args:
        stamp: The texts of a run (`nodeforge.formats.run_stamp`).
    """
    named = (text for name, text in stamp.items() if name.split(" ")[0] == HASHED_FILES)
    for key, told in {each for text in named for each in json.loads(text).items()}:
        path, is_lora = Path(told), key.startswith(LORA_KEY)
        working = _hashing.get(path)
        if working is None or not working.is_alive():
            _hashing[path] = threading.Thread(target=_hash, args=(path, is_lora), daemon=True)
            _hashing[path].start()


def finished_stamp(stamp: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The texts for a picture that is saved now, and the models whose hashes they lack.

    Small models are hashed here if need be.
    """
    return with_hashes(stamp, _sha256)


def _hash(path: Path, is_lora: bool) -> None:
    with contextlib.suppress(NodeForgeError, OSError):  # whoever reads the model says so
        for after_header in (False, True) if is_lora else (False,):
            if known_sha256(path, after_header=after_header) is None:
                sha256(path, after_header=after_header)


def _sha256(path: Path, *, after_header: bool = False) -> str | None:
    try:
        is_small = size_of(path) <= SMALL
        return (sha256 if is_small else known_sha256)(path, after_header=after_header)
    except (NodeForgeError, OSError):
        return None
