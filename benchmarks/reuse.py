"""What is computed again after a change, on nano: nodes, model calls and seconds.

python -m benchmarks.reuse [--json]
"""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.reporting import options, tell
from nodeforge.engine import events
from nodeforge.settings import Settings, save_settings, shipped
from tests.support.processes import Watched

Graph = dict[str, Any]


def measure() -> dict[str, dict[str, Any]]:
    """For each change: the nodes computed, the model calls, the seconds of the run."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        save_settings(settings)
        first, second = (Watched(settings, fork=False) for _ in range(2))
        graph = _workflow()
        changed = another_ending(graph)
        figures = {
            "first run": _run(first, graph),
            "the same again": _run(first, graph),
            "another seed": _run(first, another_seed(graph)),
            "another prompt from step 15 of 20": _run(first, changed),
        }
        first.close()
        second.run({"nodes": {}, "links": {}})  # the worker is up
        figures["the same in a new process"] = _run(second, changed)
        second.close()
        return figures


def _workflow() -> Graph:
    raw = json.loads((shipped("workflows") / "text_to_image.json").read_text("utf-8"))
    return {"nodes": raw["nodes"], "links": raw["links"]}


def another_seed(graph: Graph) -> Graph:
    changed = copy.deepcopy(graph)
    changed["nodes"]["noise"]["values"]["seed"] += 1
    return changed


def another_ending(graph: Graph) -> Graph:
    """The graph's prompt up to step 15, another one from there on."""
    changed = copy.deepcopy(graph)
    changed["nodes"] |= {
        "until": {"type": "text.range", "values": {"end": 0.75}},
        "other": {"type": "text.encode", "values": {"text": "a red apple"}},
        "after": {"type": "text.range", "values": {"start": 0.75}},
        "both": {"type": "text.combine"},
    }
    changed["links"] |= {
        "other.text_encoder": "model.text_encoder",
        "until.conditioning": "prompt.conditioning",
        "after.conditioning": "other.conditioning",
        "both.first": "until.conditioning",
        "both.second": "after.conditioning",
        "denoise.positive": "both.conditioning",
    }
    return changed


def _run(watched: Watched, graph: Graph) -> dict[str, Any]:
    last = watched.run(graph)
    assert isinstance(last, events.RunFinished), last
    computed = sorted(event.node for event in watched.told(events.Finished))
    return {"seconds": last.seconds, "model calls": last.model_calls, "computed": computed}


def row_line(name: str, row: dict[str, Any]) -> str:
    calls, nodes = row["model calls"], ", ".join(row["computed"])
    return f"{name:<36}{row['seconds']:7.3f} s {calls:4d} calls   {nodes}"


def main() -> None:
    tell(measure(), options(__doc__).parse_args().json, row_line)


if __name__ == "__main__":
    main()
