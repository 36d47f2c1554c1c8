"""Where nodes stand in a workflow file."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:]|\n')


def node_lines(text: str) -> dict[str, int]:
    """The line that each node begins at, counted from 1, by the node's path.

    Args:
        text: A workflow file. What is no JSON gives what could be read of it.
    """
    found: dict[str, int] = {}
    keys: list[str] = []
    line, key, waiting = 1, "", ""
    for token in _TOKEN.findall(text):
        if token == "\n":
            line += 1
        elif token == ":":
            key = waiting
        elif token in "{[":
            keys.append(key)
            if token == "{" and (path := _node(keys)):
                found.setdefault(path, line)
            key = ""
        elif token in "}]":
            keys[-1:] = []
        else:
            waiting = token[1:-1]
    return found


def _node(keys: list[str]) -> str:
    """The path of the node whose object has these keys around it; empty for anything else."""
    tables, names = keys[1::2], keys[2::2]
    if not names or len(tables) != len(names) or set(tables) != {"nodes"}:
        return ""
    return "/".join(names)
