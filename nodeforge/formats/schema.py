"""The published JSON schema of workflow files, from the patterns that the reader uses.

``python -m nodeforge.formats.schema`` writes it to ``resources/schema``.
"""

from __future__ import annotations

import json
from typing import Any

from nodeforge.formats.errors import FORMAT
from nodeforge.formats.graph_json import INPUT, MAX_VERSION, NODE_ID, OUTPUT, PORT
from nodeforge.graph.document import VIEW_TABLES
from nodeforge.graph.model import SUBGRAPH, Mode
from nodeforge.settings import shipped

FILE = f"schema/workflow-{FORMAT}.json"


def workflow_schema() -> dict[str, Any]:
    """The schema as JSON values. What it does not name is allowed, and kept by the reader."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"NodeForge workflow, format {FORMAT}",
        "type": "object",
        "required": ["format"],
        "properties": {
            "format": {"type": "integer", "const": FORMAT},
            "app": {"type": "string", "description": "The version of NodeForge that made it."},
            "nodes": {"$ref": "#/$defs/nodes"},
            "links": {"$ref": "#/$defs/links"},
            "form": _form(),
            "view": {"$ref": "#/$defs/view"},
            "assets": _object("Name to sha256, kind, size and origin of a file."),
            "lock": _object("Models and packs of the last run, by hash."),
            "lint": _silences(),
            "conflicts": _object("What a merge could not decide: path, port, base, ours, theirs."),
            "needs": _needs(),
        },
        "$defs": {"nodes": _nodes(), "node": _node(), "links": _links(), "view": _view()},
    }


def _object(description: str) -> dict[str, Any]:
    return {"type": "object", "description": description}


def _silences() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Rules of the linter that are silenced, by code or name, with the reason.",
        "additionalProperties": {"type": "string"},
    }


def _form() -> dict[str, Any]:
    texts = {"label": "Unlike all others, without '='.", "help": "A sentence for the tooltip."}
    entry: dict[str, Any] = {
        "port": {"type": "string", "pattern": f"^{NODE_ID}(/{NODE_ID})*\\.{PORT}$"},
        **{name: {"type": "string", "description": text} for name, text in texts.items()},
        "minimum": {"type": "number"},
        "maximum": {"type": "number"},
    }
    shown = {"type": "object", "required": ["port"], "properties": entry}
    section = {"title": {"type": "string"}, "entries": {"type": "array", "items": shown}}
    return {
        "type": "array",
        "description": "Sections of the form, each with the inputs that it shows.",
        "items": {"type": "object", "required": ["entries"], "properties": section},
    }


def _needs() -> dict[str, Any]:
    kinds = {"kind": "string", "family": "string", "size": "integer", "licence": "string"}
    return {
        "type": "array",
        "description": "Models that do not ship and that the workflow needs; sizes in bytes.",
        "items": {
            "type": "object",
            "required": list(kinds),
            "properties": {name: {"type": kind} for name, kind in kinds.items()},
        },
    }


def _nodes() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Nodes by id.",
        "propertyNames": {"pattern": f"^{NODE_ID}$"},
        "additionalProperties": {"$ref": "#/$defs/node"},
    }


def _links() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "For each linked input, the output that feeds it.",
        "propertyNames": {"pattern": f"^{INPUT}$"},
        "additionalProperties": {"type": "string", "pattern": f"^{OUTPUT}$"},
    }


def _node() -> dict[str, Any]:
    inner: dict[str, Any] = {
        "nodes": {"$ref": "#/$defs/nodes"},
        "links": {"$ref": "#/$defs/links"},
        "inputs": {
            "type": "object",
            "description": "Port to the inputs inside that it feeds.",
            "propertyNames": {"pattern": f"^{PORT}$"},
            "additionalProperties": {
                "type": "array",
                "items": {"type": "string", "pattern": f"^{INPUT}$"},
            },
        },
        "outputs": {
            "type": "object",
            "description": "Port to the output inside that it shows.",
            "propertyNames": {"pattern": f"^{PORT}$"},
            "additionalProperties": {"type": "string", "pattern": f"^{OUTPUT}$"},
        },
        "exposed": {
            "type": "object",
            "description": "Port to how the input is shown.",
            "propertyNames": {"pattern": f"^{PORT}$"},
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "order": {"type": "number", "description": "Its place; the lowest is first."},
                    "label": {"type": "string"},
                    "help": {"type": "string"},
                    "minimum": {"type": "number"},
                    "maximum": {"type": "number"},
                },
            },
        },
    }
    return {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"type": "string", "description": f"As sampling.denoise, or {SUBGRAPH}."},
            "version": {
                "description": "The version of its type that it was saved with.",
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_VERSION,
            },
            "values": _object("Port to the value of an input that nothing feeds."),
            "title": {"type": "string"},
            "mode": {"enum": [mode.value for mode in Mode]},
            "pin": {"type": "boolean", "description": "Keep its result in the cache."},
            "lint": _silences(),
        },
        "if": {"properties": {"type": {"const": SUBGRAPH}}},
        "then": {"properties": inner},
    }


def _view() -> dict[str, Any]:
    tables: dict[str, Any] = {name: {"type": "object"} for name in VIEW_TABLES}
    tables["positions"]["additionalProperties"] = {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 2,
        "maxItems": 2,
    }
    return {"type": "object", "properties": tables}


def main() -> None:
    """Write the schema where it ships."""
    file = shipped("resources") / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(workflow_schema(), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
