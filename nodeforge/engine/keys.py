"""Cache keys, computed without running anything.

A key covers the node's version but not its source: authors raise the version when results
change. Packs that are not shipped count with their source. Ids, titles and positions never do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Any

from nodeforge.spec import NodeSpec


def digest(text: str) -> str:
    """A name for `text`, 32 hexadecimal digits."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def numerics_digest(numerics: Mapping[str, str]) -> str:
    """A name for what changes numbers: device kind, precision, attention, tiling."""
    return digest(json.dumps(dict(numerics), sort_keys=True))


def node_key(
    spec: NodeSpec, literals: Mapping[str, Any], links: Mapping[str, str], numerics: str
) -> str:
    """The key of a node's results.

    Args:
        spec: The node's type.
        literals: Values of its unlinked inputs; files as their digests.
        links: For each linked input the key and port that feed it, ``key.port``.
        numerics: Digest of what changes numbers; counts only for nodes that run a network.
    """
    parts = [_identity(spec.type, spec.version, spec.source)]
    parts.extend(f"{port}={json.dumps(literals[port])}" for port in sorted(literals))
    parts.extend(f"{port}<{links[port]}" for port in sorted(links))
    if spec.runs_network:
        parts.append(numerics)
    return digest("\n".join(parts))


@cache
def _identity(type_id: str, version: int, source: str) -> str:
    return f"{type_id} {version} {source}"
