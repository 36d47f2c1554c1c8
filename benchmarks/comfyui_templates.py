"""How much of ComfyUI's workflows is mapped, in a folder of them.

    python -m benchmarks.comfyui_templates FOLDER [--missing 40] [--json]

FOLDER holds JSON files or pictures, for instance the unpacked wheel of the package
``comfyui-workflow-templates-json`` from PyPI. Files without a workflow of ComfyUI are skipped.
A file is mapped whole where all nodes that run are; nodes are counted whether they run or not.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from nodeforge.errors import NodeForgeError
from nodeforge.formats import read, write
from nodeforge.formats.comfyui import convert, read_file
from nodeforge.spec import Catalogue


def measure(folder: Path) -> dict[str, Any]:
    """Figures of every file in `folder`, at any depth."""
    catalogue = Catalogue.shipped()
    refused: list[str] = []
    counts: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    needed: Counter[str] = Counter()
    full: list[str] = []
    slowest = (0.0, "")
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".json", ".png", ".webp", ".jpg", ".jpeg"):
            continue
        start = time.perf_counter()
        try:
            made = convert(read_file(path), catalogue)
        except NodeForgeError as error:
            refused.append(f"{path.name}: {error.fact}")
            continue
        slowest = max(slowest, (time.perf_counter() - start, path.name))
        read(write(made.document))
        nodes = made.report.converted
        lost = [each.class_type for each in nodes if each.lacks]
        counts.update(files=1, nodes=len(nodes), mapped=len(nodes) - len(lost))
        missing.update(lost)
        needed.update(set(lost))
        if not made.report.missing:
            full.append(path.name)
    return {
        **counts,
        "full": len(full),
        "slowest_seconds": round(slowest[0], 3),
        "slowest_file": slowest[1],
        "refused": refused,
        "full_files": full,
        "missing": [[kind, needed[kind], count] for kind, count in missing.most_common()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--missing", type=int, default=20, metavar="COUNT")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.folder)
    share = found.get("mapped", 0) / max(found.get("nodes", 0), 1)
    print(f"{found.get('files', 0)} files opened, {len(found['refused'])} refused")
    print(f"{found.get('mapped', 0)} of {found.get('nodes', 0)} nodes mapped ({share:.1%})")
    print(f"{found['full']} files mapped whole")
    print(f"slowest import {found['slowest_seconds']} s ({found['slowest_file']})")
    for kind, files, nodes in found["missing"][: given.missing]:
        print(f"  {kind}: {nodes} nodes in {files} files")
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
