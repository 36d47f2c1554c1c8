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


def static_part(spec: NodeSpec, literals: Mapping[str, Any], numerics: str) -> str:
    """What of a node's key does not come from its links.

    Args:
        spec: The node's type.
        literals: Values of its unlinked inputs; files as their digests.
        numerics: Digest of what changes numbers; counts only for nodes that run a network.
    """
    parts = [_identity(spec.type, spec.version, spec.source)]
    parts.extend(f"{port}={json.dumps(literals[port])}" for port in sorted(literals))
    if spec.runs_network:
        parts.append(numerics)
    return "\n".join(parts)


def node_key(static: str, links: Mapping[str, str]) -> str:
    """The key of a node's results.

    Args:
        static: From `static_part`.
        links: For each linked input the key and port that feed it, ``key.port``.
    """
    return digest(static + "".join(f"\n{port}<{links[port]}" for port in sorted(links)))


def value_key(static: str, inputs: Mapping[str, str]) -> str:
    """The key of a node's results by what its inputs came to.

    Args:
        static: From `static_part`.
        inputs: For each linked input the digest of its value; of a list, of each item.
    """
    return digest(static + "".join(f"\n{port}:{inputs[port]}" for port in sorted(inputs)))


@cache
def _identity(type_id: str, version: int, source: str) -> str:
    return f"{type_id} {version} {source}"
