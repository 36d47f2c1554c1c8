"""SHA-256 hashes in the summary of a run, by which galleries find its models.

*Model hash*, *VAE hash* and *Hashes* have the first ten digits of a whole file's, as Civitai's
AutoV2; *Lora hashes* the first twelve of what follows its header, as A1111 and AutoV3, which an
edit of the metadata does not change. They are put in once they are known: hashing 24 GB takes a
while.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from nodeforge.values import infotext

PARAMETERS = "parameters"
HASHED_FILES = "nodeforge_hashed_files"
"""A text of a run, and of no picture: the paths of files to hash, by their key in *Hashes*."""
LORA_KEY = "lora:"
_LONG, _SHORT = 12, 10


class Sha256(Protocol):
    """The SHA-256 of a model, or of what follows its header; None where it is not known."""

    def __call__(self, path: Path, *, after_header: bool = False) -> str | None: ...


def with_hashes(texts: Mapping[str, str], sha256: Sha256) -> tuple[dict[str, str], list[str]]:
    """Texts for a picture with the hashes that are known, and the keys of those that are not.

    Args:
        texts: Of a run, with `HASHED_FILES`; without it nothing is added.
        sha256: Tells the hashes that are known.
    """
    made = {name: text for name, text in texts.items() if name != HASHED_FILES}
    told: dict[str, str] = json.loads(texts.get(HASHED_FILES, "{}"))
    files = {key: Path(path) for key, path in told.items()}
    if not files or PARAMETERS not in texts:
        return made, []
    whole = {key: sha256(path) for key, path in files.items()}
    loras = {
        key: sha256(path, after_header=True)
        for key, path in files.items()
        if key.startswith(LORA_KEY)
    }
    *lines, last = texts[PARAMETERS].split("\n")
    facts = _placed(infotext.read_facts(last), whole, loras)
    made[PARAMETERS] = "\n".join([*lines, infotext.write_facts(facts)])
    unknown = {key for found in (whole, loras) for key, digits in found.items() if digits is None}
    return made, sorted(unknown)


def _placed(
    facts: Mapping[str, str], whole: Mapping[str, str | None], loras: Mapping[str, str | None]
) -> dict[str, str]:
    """`facts` with the hashes where A1111 has them."""
    known = {key: digits[:_SHORT] for key, digits in whole.items() if digits}
    made: dict[str, str] = {}
    for name, value in facts.items():
        key = name.lower()
        if name in ("Model", "VAE") and key in known:
            made[f"{name} hash"] = known[key]
        if name == "Version":
            made |= _of_loras(loras)
        made[name] = value
    if known:
        made["Hashes"] = json.dumps(known, ensure_ascii=False)
    return made


def _of_loras(loras: Mapping[str, str | None]) -> dict[str, str]:
    told = [f"{key.partition(':')[2]}: {d[:_LONG]}" for key, d in loras.items() if d]
    return {"Lora hashes": ", ".join(told)} if told else {}
