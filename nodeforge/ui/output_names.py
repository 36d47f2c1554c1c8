"""Where results go, by a pattern: ``{date}/{workflow}``."""

from __future__ import annotations

import re
import time

from nodeforge.errors import RequestError

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
PLACEHOLDERS = "{date}, {time}, {workflow}"


def expand(pattern: str, workflow: str, now: float | None = None) -> str:
    """Folders within the output folder, for a run that is queued `now` (seconds since 1970).

    Raises:
        RequestError: the pattern has an unknown placeholder, or leads out of the folder.
    """
    moment = time.localtime(now)
    known = {
        "date": time.strftime("%Y-%m-%d", moment),
        "time": time.strftime("%H-%M-%S", moment),
        "workflow": re.sub(r"[/\\{}]", "_", workflow),
    }
    made = pattern.strip().replace("\\", "/")
    for name, value in known.items():
        made = made.replace(f"{{{name}}}", value)
    if "{" in made or "}" in made:
        raise RequestError(
            f"the name pattern '{pattern}' has a placeholder that is not known.",
            way_out=f"Use {PLACEHOLDERS}.",
        )
    parts = [part for part in made.split("/") if part not in ("", ".")]
    if ".." in parts or made.startswith(("/", "~")) or made[1:2] == ":":
        raise RequestError(
            f"the name pattern '{pattern}' leads out of the output folder.",
            way_out="Name folders within it.",
        )
    return "/".join(_FORBIDDEN.sub("_", part).strip() for part in parts)
