"""Whatever a file says: flattening and linting end, in our words, and fixes can be made."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.formats import read, write
from nodeforge.formats.parameters import parameters
from nodeforge.graph.document import Document
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph, Input, Mode, Node, Output, Subgraph
from nodeforge.lint import lint
from support.small_catalogue import CATALOGUE

TYPES = st.sampled_from([*sorted(CATALOGUE), "gone.type", "sampling.denoize", "x"])
IDS = st.sampled_from(["a", "b", "c", "d", "box", "ghost"])
KNOWN = {port.name for spec in CATALOGUE.values() for port in (*spec.inputs, *spec.outputs)}
PORTS = st.sampled_from([*sorted(KNOWN), "nothing", "modl"])
VALUES = st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=3)
VALUES = VALUES | st.just([1]) | st.just({"a": 1})
ENDS = st.builds(Input, IDS, PORTS, st.none() | st.integers(0, 3))
STARTS = st.builds(Output, IDS, PORTS)
SETTINGS = {
    "values": st.dictionaries(PORTS, VALUES, max_size=3),
    "mode": st.sampled_from([Mode.ACTIVE, Mode.ACTIVE, Mode.MUTE, Mode.BYPASS]),
}


def any_graph(nodes):
    return st.builds(
        Graph, st.dictionaries(IDS, nodes, max_size=5), st.dictionaries(ENDS, STARTS, max_size=8)
    )


LEAVES = st.builds(Node, TYPES, **SETTINGS)
GRAPHS = any_graph(
    st.recursive(
        LEAVES,
        lambda nodes: st.builds(
            Subgraph,
            graph=any_graph(nodes),
            inputs=st.dictionaries(PORTS, st.lists(ENDS, max_size=2), max_size=3),
            outputs=st.dictionaries(PORTS, STARTS, max_size=3),
            **SETTINGS,
        ),
        max_leaves=8,
    )
)


def check(whole: Graph) -> None:
    flat = flatten(whole, CATALOGUE)
    assert {end.node for end in flat.links} <= flat.nodes.keys()
    assert {start.node for start in flat.links.values()} <= flat.nodes.keys()
    parameters(whole, CATALOGUE)
    document = Document(whole)
    content = write(document)
    assert read(content).graph == whole
    fixes = [problem.fix for problem in lint(document, CATALOGUE) if problem.fix]
    for fix in fixes:
        document.perform(fix)
    lint(document, CATALOGUE)
    while document.undo():
        pass
    assert write(document) == content


@settings(max_examples=50, deadline=None)
@given(GRAPHS)
def test_any_graph_is_flattened_linted_and_mended(whole):
    check(whole)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(GRAPHS)
def test_any_graph_is_flattened_linted_and_mended_at_length(whole):
    check(whole)
