"""What the linter says of other people's good workflows, to be looked at one by one.

    python -m benchmarks.lint_false_alarms FOLDER [--hints] [--json FILE]

FOLDER holds workflows of ComfyUI, for instance the unpacked wheel of the package
``comfyui-workflow-templates-json`` from PyPI. The models that they name are replaced by files of
the same names with real headers and no numbers, as far as their families are known here. What
only says that a model or a node is missing is left out. A warning or an error is right where an
expert would change the file; the share of those that are not is each rule's rate of false alarms.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from nodeforge.errors import NodeForgeError
from nodeforge.formats.comfyui import Imported, import_file
from nodeforge.graph.inline import every_node
from nodeforge.lint import Problem, Severity, lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue, ModelFileWidget
from tests.lint.example_models import NAMES, safetensors, whole_sdxl

ABSENCES = {"missing_models", "unknown_nodes", "unknown_ports", "missing_inputs", "companions"}
ABSENCES |= {"named_models", "model_files", "nothing_to_run", "families"}
"""Rules that speak of what was not imported, or of stand-ins."""

_UNKNOWN = re.compile(r"(?i)wan|ace_?step|hunyuan|ltx|qwen|audio|video|_pid|lotus|hidream")
_SHAPES = (
    (r"refiner", "sdxl_refiner_unet_ldm"),
    (r"(?i)xl|pony|illustrious|animagine|juggernaut", "sdxl"),
    (r"(?i)flux-?3.*klein", "flux3_klein_original"),
    (r"(?i)flux-?2[-_]dev", "flux2_dev_original"),
    (r"(?i)klein.*4b", "flux2_klein_4b_original"),
    (r"(?i)klein.*9b", "flux2_klein_9b_original"),
    (r"(?i)chroma", "chroma_original"),
    (r"(?i)flux.*(?:fill)", "flux1_fill"),
    (r"(?i)flux.*schnell", "flux1_schnell"),
    (r"(?i)flux1|flux_1|flux\.1|flux-?dev|kontext", "flux1_original"),
    (r"(?i)z[_-]?image", "z_image_original"),
    (r"(?i)inpaint", "sd15_inpainting"),
    (r"(?i)v1-5|sd15|sd_?1|dreamshaper|realistic|anything|revanimated|counterfeit", "sd15_ldm"),
)


def stand_ins(home: Path, workflows: list[Imported], catalogue: Catalogue) -> ModelFolders:
    """A folder of models with the names that `workflows` use."""
    names = json.loads(gzip.decompress(NAMES.read_bytes()))
    names["sdxl"] = whole_sdxl(names)
    flux = names["flux1_original"]
    names["flux1_schnell"] = {k: s for k, s in flux.items() if not k.startswith("guidance_in.")}
    names["flux1_fill"] = {**flux, "img_in.weight": (3072, 384)}
    inputs = "model.diffusion_model.input_blocks.0.0.weight"
    names["sd15_inpainting"] = {**names["sd15_ldm"], inputs: (320, 9, 3, 3)}
    for kind, name in {each for made in workflows for each in _denoisers(made, catalogue)}:
        shapes = next((of for pattern, of in _SHAPES if re.search(pattern, name)), None)
        if shapes and not _UNKNOWN.search(name):
            folder = "unets" if kind == "unet" else "checkpoints"
            safetensors(home / "models" / folder / name, names[shapes])
    return ModelFolders(Settings(home=home))


def _denoisers(made: Imported, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    for node in every_node(made.document.graph).values():
        spec = catalogue.get(node.type)
        port = spec.input.get("file") if spec else None
        name = node.values.get("file")
        widget = port.widget if port else None
        if not isinstance(widget, ModelFileWidget):
            continue
        if widget.kind in ("checkpoint", "unet") and str(name).endswith(".safetensors"):
            yield widget.kind, str(name)


def measure(folder: Path, hints: bool) -> dict[str, list[tuple[str, Problem]]]:
    """The problems of every workflow in `folder`, by the rule's code."""
    catalogue = Catalogue.shipped()
    made: dict[str, Imported] = {}
    for file in sorted(folder.rglob("*.json")):
        try:
            made[file.name] = import_file(file, catalogue)
        except NodeForgeError:
            continue
    found: dict[str, list[tuple[str, Problem]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as home:
        models = stand_ins(Path(home), list(made.values()), catalogue)
        for name, each in made.items():
            for problem in lint(each.document, catalogue, models):
                said = hints or problem.severity is not Severity.HINT
                if said and problem.rule not in ABSENCES and not problem.idle:
                    found[problem.code].append((name, problem))
    found["files"] = [(name, Problem("", Severity.HINT, "", "")) for name in made]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hints", action="store_true", help="Also hints.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write all of it.")
    given = parser.parse_args()
    found = measure(given.folder, given.hints)
    files = found.pop("files")
    print(f"{len(files)} workflows")
    for code, problems in sorted(found.items()):
        spoken = Counter(name for name, _ in problems)
        print(f"\n{code} {problems[0][1].rule}: {len(spoken)} files")
        for name, problem in problems:
            print(f"  {name}: {problem.severity} {str(problem).splitlines()[0]}")
    if given.json:
        told = {code: [[n, p.to_json()] for n, p in each] for code, each in found.items()}
        given.json.write_text(json.dumps(told, indent=2), "utf-8")


if __name__ == "__main__":
    main()
