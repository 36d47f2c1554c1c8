import json
import subprocess
import sys
from pathlib import Path

WORKFLOWS = Path(__file__).parents[2] / "workflows"

ANSWERS = """
import io, json, sys
from pathlib import Path
from nodeforge.engine.protocol import Frame
from nodeforge.formats import graph_to_json, load
from nodeforge.worker.build import build_server

server = build_server("cpu", io.BytesIO(), io.BytesIO())
answers = [server._answer({"request": "catalogue", "id": "catalogue"}).header]
for path in sorted(Path(sys.argv[1]).glob("*.json")):
    document = load(path)
    for node in document.graph.nodes.values():
        if node.type == "models.load":  # some are for a model that the person has
            node.values.setdefault("file", "nano")
    if any(node.type == "image.load_upscaler" for node in document.graph.nodes.values()):
        continue  # none ships
    graph = graph_to_json(document.graph)
    ask = {"request": "plan", "id": path.name, "graph": graph, "assets": document.assets}
    answers.append(server._answer(ask).header)
libraries = {"diffusers", "transformers", "torchsde", "peft"}
imported = libraries & set(sys.modules)
server._prepare()
assert "diffusers.models.unets.unet_2d_condition" in sys.modules
assert "transformers.models.clip.modeling_clip" in sys.modules
print(json.dumps([answers, sorted(imported)]))
"""


def test_catalogue_and_plan_are_answered_before_diffusers_is_imported():
    """Importing diffusers takes seconds, which only a run has to wait for."""
    command = [sys.executable, "-c", ANSWERS, str(WORKFLOWS)]
    ended = subprocess.run(command, capture_output=True, check=True, text=True)
    (catalogue, *plans), imported = json.loads(ended.stdout)
    assert "sampling.sampler" in json.dumps(catalogue)
    assert plans
    assert all(plan.get("nodes") for plan in plans), plans
    assert imported == []
