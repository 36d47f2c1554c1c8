"""Expands the name pattern of output folders: ``{date}/{workflow}``."""

from __future__ import annotations

import re

from nodeforge.errors import RequestError
from nodeforge.values.output_names import fill, listed, moment, wrong_word

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_WORDS = ("date", "time", "workflow")
PLACEHOLDERS = listed(_WORDS)


def expand_pattern(pattern: str, workflow: str, now: float | None = None) -> str:
    """Folders within the output folder, for a run that is queued `now` (seconds since 1970).

    Raises:
        RequestError: the pattern has an unknown placeholder, or leads out of the folder.
    """
    made = pattern.strip().replace("\\", "/")
    wrong = wrong_word(made, _WORDS)
    made = fill(made, moment(now) | {"workflow": workflow})
    if wrong or "{" in made or "}" in made:
        raise RequestError(
            f"the name pattern '{pattern}' has a placeholder that is not known.",
            way_out=wrong[1] if wrong else f"Use {PLACEHOLDERS}.",
        )
    parts = [part for part in made.split("/") if part not in ("", ".")]
    if ".." in parts or made.startswith(("/", "~")) or made[1:2] == ":":
        raise RequestError(
            f"the name pattern '{pattern}' leads out of the output folder.",
            way_out="Name folders within it.",
        )
    return "/".join(_FORBIDDEN.sub("_", part).strip() for part in parts)
