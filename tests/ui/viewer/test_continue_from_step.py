"""Continue from here: an edit of the document, after which only the rest of the steps is run."""

import pytest
from PySide6.QtCore import Qt

from nodeforge.engine import events
from nodeforge.formats import load, write
from nodeforge.graph.edits import Collapse, SetPorts, SetValue
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.paths import split
from nodeforge.lint import Severity, lint
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.viewer.continue_from_step import ContinueFrom, steps_run
from support.processes import ForkedWorker

CONTROL = Qt.KeyboardModifier.ControlModifier
LONG = 240_000
STEPS = 6


@pytest.fixture
def document():
    made = load(shipped("workflows") / "text_to_image.json")
    made.node("schedule").values["steps"] = STEPS
    made.node("noise").values.update(width=64, height=64)
    return made


def continued(document, step: int) -> ContinueFrom:
    return continued_at(document, "denoise", step)


def continued_at(document, loop: str, step: int) -> ContinueFrom:
    steps = steps_run(document, loop, STEPS, Catalogue.shipped())
    edit = ContinueFrom(loop, step, steps, Catalogue.shipped())
    document.perform(edit)
    problems = lint(document, Catalogue.shipped())
    assert not [each for each in problems if each.severity is Severity.ERROR]
    return edit


def test_prompts_and_guidance_end_at_the_step_and_copies_go_on(document):
    before = write(document)
    edit = continued(document, 3)
    graph = document.graph
    both = graph.links[Input("denoise", "positive")].node
    first, second = (graph.links[Input(both, port)].node for port in ("first", "second"))
    assert graph.nodes[first].values == {"start": 0.0, "end": 0.5}
    assert graph.nodes[second].values == {"start": 0.5, "end": 1.0}
    assert graph.links[Input(first, "conditioning")] == Output("prompt", "conditioning")
    copy = graph.links[Input(second, "conditioning")].node
    assert copy == edit.copies[0]
    assert graph.nodes[copy].values == graph.nodes["prompt"].values
    assert graph.nodes[copy].title == "Prompt from step 3"
    assert graph.links[Input(copy, "text_encoder")] == Output("model", "text_encoder")
    assert graph.nodes["guidance"].values["end"] == 0.5
    assert document.history.undo_name == "continue from step 3"
    document.undo()
    assert write(document) == before


def test_continuing_again_splits_only_what_still_acts(document):
    continued(document, 2)
    count = len(document.graph.nodes)
    edit = continued(document, 4)
    new = [node.type for node in list(document.graph.nodes.values())[count:]]
    assert sorted(new) == sorted(
        ["text.encode", "text.range", "text.combine"] * 2
        + ["sampling.guidance", "sampling.combine_guidance"]
    )
    assert document.node(edit.copies[0]).title == "Prompt from step 4"
    ranges = [n.values for n in document.graph.nodes.values() if n.type == "text.range"]
    assert {"start": round(2 / 6, 4), "end": round(4 / 6, 4)} in ranges


def test_what_feeds_another_loop_too_stays_as_it_is(document):
    graph = document.graph
    graph.nodes["other"] = Node("sampling.denoise")
    for port in ("positive", "guidance"):
        graph.links[Input("other", port)] = graph.links[Input("denoise", port)]
    continued(document, 3)
    assert graph.links[Input("other", "guidance")] == Output("guidance", "guidance")
    assert "end" not in graph.nodes["guidance"].values
    both = graph.links[Input("denoise", "guidance")].node
    parts = [graph.links[Input(both, port)].node for port in ("first", "second")]
    windows = [(n.values.get("start", 0.0), n.values.get("end", 1.0))
               for n in (graph.nodes[part] for part in parts)]  # fmt: skip
    assert windows == [(0.0, 0.5), (0.5, 1.0)]


def boxed(document, *names: str) -> str:
    """Put these nodes into a subgraph; its path."""
    collapse = Collapse(list(names))
    document.perform(collapse)
    return collapse.path


def windows(document) -> dict[str, tuple]:
    """Where in the flattened graph each prompt acts: its text, and from when to when."""
    flat = flatten(document.graph, Catalogue.shipped())
    found = {}
    for path, node in flat.nodes.items():
        if node.type == "text.range":
            prompt = flat.links[Input(path, "conditioning")].node
            place = node.values.get("start", 0.0), node.values.get("end", 1.0)
            found[prompt] = (flat.nodes[prompt].values["text"], *place)
    return found


def test_a_prompt_outside_of_the_loops_subgraph_is_split_there(document):
    before = write(document)
    box = boxed(document, "denoise", "sampler", "schedule")
    edit = continued_at(document, f"{box}/denoise", 3)
    assert [split(path)[0] for path in edit.copies] == ["", ""]
    assert sorted(windows(document).values()) == [
        ("", 0.0, 0.5), ("", 0.5, 1.0), ("a fox", 0.0, 0.5), ("a fox", 0.5, 1.0)
    ]  # fmt: skip
    assert document.node("guidance").values["end"] == 0.5
    document.undo()
    document.undo()
    assert write(document) == before


def test_a_prompt_beside_the_loop_in_a_subgraph_keeps_what_the_subgraphs_ports_feed(document):
    box = boxed(document, "denoise", "prompt", "negative", "guidance", "schedule")
    edit = continued_at(document, f"{box}/denoise", 3)
    assert [split(path)[0] for path in edit.copies] == [box, box]
    flat = flatten(document.graph, Catalogue.shipped())
    for copy in edit.copies:
        assert flat.links[Input(copy, "text_encoder")] == Output("model", "text_encoder")
    assert len(windows(document)) == 4


def test_a_text_on_a_port_becomes_the_copys_own(document):
    box = boxed(document, "denoise", "prompt")
    group = document.node(box)
    inputs = {**group.inputs, "words": [Input("prompt", "text")]}
    document.perform(SetPorts(box, inputs, group.outputs))
    document.perform(SetValue(box, "words", "an owl"))
    edit = continued_at(document, f"{box}/denoise", 3)
    assert document.node(edit.copies[0]).values["text"] == "an owl"
    assert document.node(box).inputs["words"] == [Input("prompt", "text")]


def test_a_port_that_feeds_two_loops_is_split_for_one(document):
    graph = document.graph
    graph.nodes["other"] = Node("sampling.denoise")
    for end, start in list(graph.links.items()):
        if end.node == "denoise":
            graph.links[Input("other", end.port)] = start
    graph.nodes["second"] = Node("latent.decode")
    graph.links[Input("second", "latent")] = Output("other", "latent")
    graph.links[Input("second", "vae")] = Output("model", "vae")
    inner = boxed(document, "denoise", "other")
    outer = boxed(document, inner)
    loop = f"{outer}/{inner}/denoise"
    continued_at(document, loop, 3)
    flat = flatten(document.graph, Catalogue.shipped())
    other = f"{outer}/{inner}/other"
    assert flat.links[Input(other, "positive")] == Output("prompt", "conditioning")
    assert flat.links[Input(other, "guidance")] == Output("guidance", "guidance")
    assert "end" not in document.node("guidance").values
    assert flat.nodes[flat.links[Input(loop, "positive")].node].type == "text.combine"
    assert len(windows(document)) == 4


def test_steps_are_counted_by_a_schedule_behind_a_port(document):
    document.node("denoise").values["stop_at"] = 3
    box = boxed(document, "denoise")
    assert steps_run(document, f"{box}/denoise", 3, Catalogue.shipped()) == STEPS


def test_only_the_steps_after_it_are_run(qtbot, open_window, document):
    window = open_window(ForkedWorker)
    opened = OpenDocument(document, name="mine")
    window.workspace.add(opened)
    calls: list[int] = []
    window.runner.worker.events_received.connect(
        lambda told: calls.extend(e.model_calls for e in told if isinstance(e, events.RunFinished))
    )

    def run() -> None:
        count = len(calls)
        qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)
        qtbot.waitUntil(lambda: len(calls) > count, timeout=LONG)

    run()
    window.area.view.select(["denoise"])
    slider = window.viewer.slider
    qtbot.waitUntil(lambda: slider.maximum() == STEPS and slider.isVisible(), timeout=LONG)
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    opened.step_pictures.clear()  # as after a start: the steps come from their checkpoints
    noisy = window.viewer.picture_view.image.copy()
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: window.viewer.picture_view.image != noisy, timeout=LONG)
    assert slider.value() == STEPS - 3
    qtbot.mouseClick(window.viewer.continue_button, Qt.MouseButton.LeftButton)
    (copy,) = window.area.view.selection()
    assert window.inspector.row("text").field.editor().toPlainText() == "a fox"
    opened.perform(SetValue(copy, "text", "a red house"))
    run()
    assert calls == [STEPS, 3]
