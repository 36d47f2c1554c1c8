"""What the linter costs: by the number of nodes, and on workflows that are not as they should be.

    python -m benchmarks.lint_speed [--mutated 10000] [--json]

Goals: 300 nodes within 50 ms of an edit, 1,000 nodes within 150 ms; of mutated workflows no crash,
and none over a second.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from nodeforge.formats.workflow import load
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Output
from nodeforge.lint import all_rules, lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue
from tests.lint.example_models import make_models
from tests.lint.test_fixes import mutated

_TIMES = 9


def of_nodes(count: int) -> Graph:
    """Copies of image to image beside each other, `count` nodes or a few more."""
    one, made, copies = load(shipped("workflows") / "image_to_image.json").graph, Graph(), 0
    while len(made.nodes) < count:
        for name, node in one.nodes.items():
            made.nodes[f"{name}_{copies}"] = copy.deepcopy(node)
        for end, start in one.links.items():
            target = Input(f"{end.node}_{copies}", end.port, end.item)
            made.links[target] = Output(f"{start.node}_{copies}", start.port)
        made.nodes[f"noise_{copies}"].values["seed"] = 10 * copies
        copies += 1
    return made


def best(graph: Graph, catalogue: Catalogue, models: ModelFolders) -> float:
    """Milliseconds of the fastest of several times."""
    times = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        lint(graph, catalogue, models)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def mutants(count: int, catalogue: Catalogue, models: ModelFolders) -> tuple[float, Counter[str]]:
    """The slowest lint of `count` mutated workflows in seconds, and in how many each rule spoke."""
    files = [*shipped("workflows").glob("*.json"), *shipped("resources").glob("lint/*/*.json")]
    originals = [load(file) for file in sorted(files)]
    slowest, spoken = 0.0, Counter[str]()
    for seed in range(count):
        draw = random.Random(seed)
        original = draw.choice(originals)
        document = mutated(Document(copy.deepcopy(original.graph)), draw)
        start = time.perf_counter()
        problems = lint(document, catalogue, models)
        slowest = max(slowest, time.perf_counter() - start)
        spoken.update({problem.code for problem in problems})
    return slowest, spoken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutated", type=int, default=10_000, metavar="COUNT")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    catalogue, shipped_models = Catalogue.shipped(), ModelFolders(Settings())
    found: dict[str, float] = {"rules": len(all_rules())}
    for count in (12, 300, 1000):
        found[f"{count} nodes, ms"] = round(best(of_nodes(count), catalogue, shipped_models), 1)
    with tempfile.TemporaryDirectory() as home:
        slowest, spoken = mutants(given.mutated, catalogue, make_models(Path(home)))
    found |= {"mutated": given.mutated, "slowest of them, s": round(slowest, 3)}
    found["rules that spoke"] = len(spoken)
    for name, value in found.items():
        print(f"{name}: {value}")
    silent = sorted(rule.code for rule in all_rules() if rule.code not in spoken)
    print("silent:", ", ".join(silent))
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
