"""Continue from here: an edit of the document, after which only the rest of the steps is run."""

import pytest
from PySide6.QtCore import Qt

from nodeforge.engine import events
from nodeforge.errors import RequestError
from nodeforge.formats import load, write
from nodeforge.formats.parameters import CHANGE
from nodeforge.graph.edits import Collapse, SetPorts, SetValue
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.paths import split
from nodeforge.lint import Severity, lint
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.graph_view.items.node_layout import DisplayState, layout_node
from nodeforge.ui.viewer.continue_from_step import ContinueFrom, steps_run
from support.problems import serious
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
    problems = serious(lint(document, Catalogue.shipped()))
    assert not [each for each in problems if each.severity is Severity.ERROR]
    return edit


def source(graph, end: str, port: str = "positive") -> str:
    return graph.links[Input(end, port)].node


def test_one_node_between_the_prompt_and_the_loop(document):
    """Window C24: ten nodes were made for another prompt."""
    before, count = write(document), len(document.graph.nodes)
    edit = continued(document, 3)
    graph = document.graph
    assert len(graph.nodes) == count + 1
    assert edit.node == source(graph, "denoise")
    assert graph.nodes[edit.node].type == CHANGE
    assert graph.nodes[edit.node].values == {"text": "a fox", "step": 3}
    assert graph.links[Input(edit.node, "conditioning")] == Output("prompt", "conditioning")
    assert graph.links[Input(edit.node, "text_encoder")] == Output("model", "text_encoder")
    assert document.history.undo_name == "continue from step 3"
    document.undo()
    assert write(document) == before


def test_the_node_stands_between_prompt_and_loop_and_covers_nothing(document):
    """Window C24: the nodes were far below, and the view jumped."""
    before = {path: tuple(place) for path, place in document.view.positions.items()}
    document.view.backdrops["backdrop:1"] = {"rect": [before["denoise"][0] - 20, 0, 260, 400]}
    edit = continued(document, 3)
    places = document.view.positions
    x, y = places[edit.node]
    assert before["prompt"][0] < x < places["denoise"][0]
    assert y == before["prompt"][1]
    for path, (left, top) in places.items():
        layout = layout_node(path, document.node(path), Catalogue.shipped(), DisplayState())
        apart = left + layout.width <= x or left >= x + 220
        assert apart or path == edit.node, (path, left, top)
    assert document.view.backdrops["backdrop:1"]["rect"][2] > 260


def test_the_step_counts_from_the_first_of_the_schedule(document):
    document.node("denoise").values["start_at"] = 2
    edit = continued(document, 3)
    assert document.node(edit.node).values["step"] == 5


@pytest.mark.parametrize("step", [2, 4])
def test_an_earlier_or_the_same_step_edits_the_node_that_is_there(document, step):
    first = continued(document, 4)
    document.perform(SetValue(first.node, "text", "a house"))
    second = continued(document, step)
    assert second.node == first.node
    assert document.node(first.node).values == {"text": "a house", "step": step}


def test_a_later_step_keeps_the_text_before_it(document):
    first = continued(document, 2)
    document.perform(SetValue(first.node, "text", "a house"))
    second = continued(document, 4)
    graph = document.graph
    assert graph.nodes[second.node].values == {"text": "a house", "step": 4}
    assert graph.links[Input(second.node, "conditioning")] == Output(first.node, "conditioning")
    assert graph.nodes[first.node].values["step"] == 2


def test_what_feeds_another_loop_too_stays_as_it_is(document):
    graph = document.graph
    graph.nodes["other"] = Node("sampling.denoise")
    graph.links[Input("other", "positive")] = graph.links[Input("denoise", "positive")]
    first = continued(document, 4)
    assert source(graph, "other") == "prompt"
    graph.links[Input("other", "positive")] = Output(first.node, "conditioning")
    second = continued(document, 2)
    assert source(graph, "other") == first.node != second.node


def test_the_text_is_that_of_the_prompt_which_acts_at_the_step(document):
    """A file of before, with ranges that are combined."""
    graph = document.graph
    graph.nodes["later"] = Node("text.encode", {"text": "a house", "clip_skip": 1})
    graph.nodes["first"] = Node("text.range", {"end": 0.5})
    graph.nodes["second"] = Node("text.range", {"start": 0.5})
    graph.nodes["both"] = Node("text.combine")
    graph.links |= {
        Input("later", "text_encoder"): Output("model", "text_encoder"),
        Input("first", "conditioning"): Output("prompt", "conditioning"),
        Input("second", "conditioning"): Output("later", "conditioning"),
        Input("both", "first"): Output("first", "conditioning"),
        Input("both", "second"): Output("second", "conditioning"),
        Input("denoise", "positive"): Output("both", "conditioning"),
    }
    assert document.node(continued(document, 2).node).values["text"] == "a fox"
    document.undo()
    values = document.node(continued(document, 4).node).values
    assert values == {"text": "a house", "step": 4, "clip_skip": 1}


def test_a_loop_without_a_text_is_refused(document):
    del document.graph.links[Input("denoise", "positive")]
    with pytest.raises(RequestError, match="no prompt that is encoded"):
        document.perform(ContinueFrom("denoise", 3, STEPS, Catalogue.shipped()))


def boxed(document, *names: str) -> str:
    """Put these nodes into a subgraph; its path."""
    collapse = Collapse(list(names))
    document.perform(collapse)
    return collapse.path


def flat_source(document, path: str, port: str) -> Output:
    return flatten(document.graph, Catalogue.shipped()).links[Input(path, port)]


def test_a_prompt_outside_of_the_loops_subgraph_is_changed_there(document):
    before = write(document)
    box = boxed(document, "denoise", "sampler", "schedule")
    edit = continued_at(document, f"{box}/denoise", 3)
    assert split(edit.node)[0] == ""
    assert flat_source(document, f"{box}/denoise", "positive").node == edit.node
    document.undo()
    document.undo()
    assert write(document) == before


@pytest.mark.parametrize(
    "inside",
    [("denoise", "prompt"), ("prompt",), ("model", "prompt"), ("model", "prompt", "denoise")],
)
def test_the_text_encoder_is_found_through_subgraphs(document, inside):
    box = boxed(document, *inside)
    within = lambda name: f"{box}/{name}" if name in inside else name  # noqa: E731
    edit = continued_at(document, within("denoise"), 3)
    encoder = flat_source(document, edit.node, "text_encoder")
    assert encoder == Output(within("model"), "text_encoder")
    assert flat_source(document, within("denoise"), "positive").node == edit.node


def test_a_text_on_a_port_becomes_the_nodes_own(document):
    box = boxed(document, "denoise", "prompt")
    group = document.node(box)
    inputs = {**group.inputs, "words": [Input("prompt", "text")]}
    document.perform(SetPorts(box, inputs, group.outputs))
    document.perform(SetValue(box, "words", "an owl"))
    edit = continued_at(document, f"{box}/denoise", 3)
    assert document.node(edit.node).values["text"] == "an owl"
    assert document.node(box).inputs["words"] == [Input("prompt", "text")]


def test_a_port_that_feeds_two_loops_is_changed_for_one(document):
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
    edit = continued_at(document, f"{outer}/{inner}/denoise", 3)
    other = flat_source(document, f"{outer}/{inner}/other", "positive")
    assert other == Output("prompt", "conditioning")
    assert flat_source(document, f"{outer}/{inner}/denoise", "positive").node == edit.node


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
    window.area.view.select(["save"])  # the loop is upstream of it
    slider, shown = window.viewer.slider, window.viewer.picture_view
    qtbot.waitUntil(lambda: slider.maximum() == STEPS and slider.isVisible(), timeout=LONG)
    whole = shown.image.copy()
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    opened.step_pictures.clear()  # as after a start: the steps come from their checkpoints
    noisy = shown.image.copy()
    assert noisy != whole
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: shown.image != noisy, timeout=LONG)
    assert slider.value() == STEPS - 3
    slider.setValue(STEPS)
    qtbot.waitUntil(lambda: shown.image == whole, timeout=LONG)
    slider.setValue(STEPS - 3)
    qtbot.mouseClick(window.viewer.continue_button, Qt.MouseButton.LeftButton)
    (changed,) = window.area.view.selection()
    editor = window.inspector.row("text").field.editor()
    assert editor.toPlainText() == editor.textCursor().selectedText() == "a fox"
    run()
    opened.perform(SetValue(changed, "text", "a red house"))
    run()
    assert calls == [STEPS, 0, 3]
    assert not window.viewer.hint.isVisible()


def test_a_saved_picture_of_the_run_has_its_steps(qtbot, open_window, document):
    """Window C23: nothing but Denoise itself offered the steps."""
    window = open_window(ForkedWorker)
    window.workspace.add(OpenDocument(document, name="mine"))
    with qtbot.waitSignal(window.runner.finished, timeout=LONG):
        qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)
    viewer = window.viewer
    (file,) = window.workspace.current.saved_files["save"]
    viewer.show_file(Picture.of_file(file))
    qtbot.waitUntil(lambda: viewer.slider.maximum() == STEPS, timeout=LONG)
    assert viewer.hint.isVisibleTo(viewer)
    window.area.view.select(["decode"])
    qtbot.waitUntil(lambda: viewer.slider.maximum() == STEPS, timeout=LONG)
    window.area.view.select(["model"])
    viewer.show_file(Picture.of_file(file.with_name("other.png")))
    assert not viewer.slider.isVisible()


def test_a_stopped_run_offers_the_steps_that_were_computed(qtbot, open_window, document):
    """Window B13: 150 steps, stopped at about 100, offered 150, and Continue from here there."""
    window = open_window(ForkedWorker)
    many = 400
    document.node("schedule").values["steps"] = many
    window.workspace.add(OpenDocument(document, name="mine"))
    seen: list[int] = []
    window.runner.stepped.connect(lambda *told: seen.append(1))
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: len(seen) > 3, timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=LONG)
    window.area.view.select(["denoise"])
    slider = window.viewer.slider
    qtbot.waitUntil(slider.isVisible, timeout=LONG)
    assert 0 < slider.maximum() < many
    slider.setValue(slider.maximum())
    assert f"{many}/{many}" not in window.viewer._step.text()
