"""Forecasts grow with the sizes, frames and steps of a workflow."""

import time
from pathlib import Path

import pytest

from nodeforge.api import DeclarationError, node, node_type_of
from nodeforge.engine import events
from nodeforge.engine.planning.plan import Plan
from nodeforge.engine.planning.work import Work, works_of
from nodeforge.formats import read_any
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.settings import shipped
from support.counting import NODE_TYPES, Bench, graph, open_bench


@node("work.clip", extent=("frames",), steps=("steps",))
def clip(frames: int = 10, steps: int = 1) -> str:
    """Make a clip.

    Args:
        frames: How long it is.
        steps: How often each frame is worked on.
    """
    return "x" * frames * steps


@node("work.draw")
def draw(text: str) -> str:
    """Take a millisecond for each letter.

    Args:
        text: The letters.
    """
    time.sleep(len(text) / 1000)
    return text


def drawn(**values: int) -> Graph:
    nodes = {"clip": ("work.clip", values), "draw": ("work.draw", {})}
    return graph(nodes, {"draw.text": "clip.clip"})


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    for function in (clip, draw):
        made = node_type_of(function)
        assert made is not None
        monkeypatch.setitem(NODE_TYPES, made.spec.type, made)
    return open_bench(tmp_path)


def test_the_time_of_a_clip_is_told_from_that_of_a_shorter_one(counting: Bench):
    whole = drawn(frames=20)
    port = next(iter(counting.session.catalogue["work.clip"].output))
    whole.links[Input("draw", "text")] = Output("clip", port)
    counting.run(whole, "draw")
    (took,) = (each for each in counting.told(events.Finished) if each.node == "draw")
    whole.nodes["clip"].values |= {"frames": 80, "steps": 3}
    told = counting.session.forecast(counting.plan(whole, "draw"))["draw"]
    assert told.seconds == pytest.approx(took.seconds * 12)
    assert told.size == pytest.approx(took.size * 4, abs=1)
    counting.run(whole, "draw")
    (took,) = (each for each in counting.told(events.Finished) if each.node == "draw")
    assert told.seconds == pytest.approx(took.seconds, rel=0.5)


def work_of(plan: Plan, path: str) -> Work:
    return works_of(plan)[path]


def text_to_image(**values: object) -> Graph:
    """The shipped workflow; ``noise_width`` is the noise's."""
    made = read_any(shipped("workflows") / "text_to_image.json").graph
    for name, value in values.items():
        path, _, port = name.partition("_")
        made.nodes[path].values[port] = value
    return made


@pytest.fixture(scope="module")
def shipped_nodes(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    packs = ("models", "text", "sampling", "latent", "image", "video")
    return open_bench(tmp_path_factory.mktemp("home"), packs=packs)


def test_a_loop_has_pixels_and_steps_and_what_decodes_it_pixels_alone(shipped_nodes: Bench):
    plan = shipped_nodes.plan(
        text_to_image(noise_width=64, noise_height=32, noise_batch=3, schedule_steps=5)
    )
    assert work_of(plan, "denoise") == Work(64 * 32 * 3, 5)
    assert work_of(plan, "decode") == Work(64 * 32 * 3)
    assert work_of(plan, "prompt") == Work()


def test_what_is_left_to_the_model_is_compared_with_the_same_alone(shipped_nodes: Bench):
    left = {"noise_width": None, "noise_height": None}
    one, four = (
        work_of(shipped_nodes.plan(text_to_image(**left, noise_batch=count)), "denoise")
        for count in (1, 4)
    )
    assert four.ratio(one) == 4
    told = work_of(
        shipped_nodes.plan(text_to_image(noise_width=64, noise_height=64, noise_batch=4)), "denoise"
    )
    assert told.ratio(one) == 1


def test_a_video_is_as_long_as_its_frames(shipped_nodes: Bench):
    whole = text_to_image(schedule_steps=4)
    whole.nodes["noise"] = Node("sampling.video_noise", {"width": 64, "height": 64, "frames": 81})
    long = work_of(shipped_nodes.plan(whole, "denoise"), "denoise")
    whole.nodes["noise"].values["frames"] = 27
    whole.nodes["schedule"].values["steps"] = 2
    assert long.ratio(work_of(shipped_nodes.plan(whole, "denoise"), "denoise")) == 6


def test_only_numbers_are_an_extent():
    def make(text: str = "") -> str:
        """Make.

        Args:
            text: A text.
        """
        return text

    with pytest.raises(DeclarationError, match="'extent' names 'text', which is no port of a"):
        node("work.make", extent=("text",))(make)
