"""Short ways to write graphs, and random documents for Hypothesis."""

from hypothesis import strategies as st

from nodeforge.graph.document import Document, View
from nodeforge.graph.model import Graph, Input, Mode, Node, Output, Subgraph


def graph(nodes: dict[str, str | Node], *links: str) -> Graph:
    """`graph({"a": "values.integer"}, "a.value > b.a")`; a type stands for a plain node."""
    made = Graph({n: Node(v) if isinstance(v, str) else v for n, v in nodes.items()})
    for link in links:
        start, end = link.split(" > ")
        made.links[end_of(end)] = start_of(start)
    return made


def end_of(text: str) -> Input:
    node, _, port = text.partition(".")
    port, _, item = port.partition("[")
    return Input(node, port, int(item[:-1]) if item else None)


def start_of(text: str) -> Output:
    node, _, port = text.partition(".")
    return Output(node, port)


def text_to_image() -> Graph:
    """The main workflow, with the shipped one's ids."""
    return graph(
        {
            "model": Node("models.load", {"file": "nano"}),
            "prompt": Node("text.encode", {"text": "a red cube"}),
            "negative": Node("text.encode", {"text": "blurry"}),
            "noise": Node("sampling.noise", {"seed": 7, "width": 256, "height": 256}),
            "sampler": Node("sampling.sampler", {"name": "dpmpp_2m"}),
            "schedule": Node("sampling.schedule", {"name": "karras", "steps": 20}),
            "guidance": Node("sampling.guidance", {"scale": 5.0}),
            "denoise": "sampling.denoise",
            "decode": "latent.decode",
            "save": "image.save",
        },
        "model.text_encoder > prompt.text_encoder",
        "model.text_encoder > negative.text_encoder",
        "model.model > denoise.model",
        "prompt.conditioning > denoise.positive",
        "negative.conditioning > denoise.negative",
        "noise.noise > denoise.noise",
        "sampler.sampler > denoise.sampler",
        "schedule.schedule > denoise.schedule",
        "guidance.guidance > denoise.guidance",
        "model.vae > decode.vae",
        "denoise.latent > decode.latent",
        "decode.image > save.image",
    )


LEAVES = {
    "values.sum": (["a", "b"], ["value"]),
    "values.integer": (["value"], ["value"]),
    "graph.reroute": (["value"], ["value"]),
    "image.invert": (["image"], ["image"]),
    "image.grid": (["images[0]", "images[2]"], ["image"]),
    "latent.blend": (["first", "second"], ["latent"]),
    "graph.switch": (["choices[0]", "choices[1]", "choice"], ["value"]),
    "graph.note": ([], []),
    "gone.unknown": (["x"], ["y"]),
}


@st.composite
def graphs(draw, depth: int = 2, cycles: bool = False) -> Graph:
    """Random graphs: all roles, modes, subgraphs, list ports; with `cycles`, some of these."""
    made = Graph()
    for number in range(draw(st.integers(1, 6))):
        if depth and draw(st.integers(0, 4)) == 0:
            node: Node = draw(subgraphs(depth - 1, cycles))
        else:
            node = Node(draw(st.sampled_from(sorted(LEAVES))))
            if node.type in ("values.sum", "values.integer", "graph.switch", "graph.reroute"):
                port = {"values.sum": "a", "graph.switch": "choice"}.get(node.type, "value")
                node.values = draw(st.just({}) | st.just({port: draw(st.integers(0, 2))}))
        node.mode = draw(st.sampled_from([Mode.ACTIVE] * 4 + [Mode.MUTE, Mode.BYPASS]))
        node.pin = draw(st.booleans())
        made.nodes[f"n_{number}"] = node
    starts = [Output(name, p) for name, node in made.nodes.items() for p in outputs(node)]
    for name, node in made.nodes.items():
        for end in inputs(node):
            if starts and draw(st.integers(0, 3)):
                start = draw(st.sampled_from(starts))
                if start.node < name or (cycles and draw(st.integers(0, 9)) == 0):
                    made.links[end_of(f"{name}.{end}")] = start
    return made


@st.composite
def subgraphs(draw, depth: int, cycles: bool) -> Subgraph:
    """Each input inside is stood for by one port at most; ``list_*`` stand for whole lists."""
    inner = draw(graphs(depth, cycles))
    ends = [end_of(f"{n}.{p}") for n, node in inner.nodes.items() for p in inputs(node)]
    lists = {Input(end.node, end.port) for end in ends if end.item is not None}
    starts = [Output(n, p) for n, node in inner.nodes.items() for p in outputs(node)]
    made = Subgraph(graph=inner)
    for number, end in enumerate(
        draw(st.lists(st.sampled_from(ends), max_size=3, unique=True)) if ends else []
    ):
        if Input(end.node, end.port) not in lists:
            made.inputs.setdefault(f"in_{number // 2}", []).append(end)
    for number, end in enumerate(sorted(lists)):
        if draw(st.booleans()):
            made.inputs[f"list_{number}"] = [end]
    for port in (port for port in made.inputs if not port.startswith("list")):
        if draw(st.integers(0, 2)) == 0:
            made.values[port] = draw(st.integers(0, 2))
    for number in range(draw(st.integers(0, 2)) if starts else 0):
        made.outputs[f"out_{number}"] = draw(st.sampled_from(starts))
    return made


def inputs(node: Node) -> list[str]:
    if isinstance(node, Subgraph):
        return [f"{port}[1]" if port.startswith("list") else port for port in node.inputs]
    return LEAVES[node.type][0]


def outputs(node: Node) -> list[str]:
    return list(node.outputs) if isinstance(node, Subgraph) else LEAVES[node.type][1]


@st.composite
def documents(draw) -> Document:
    """A random graph with places, colours, a form and fields of a later version."""
    made = Document(draw(graphs(cycles=True)), view=View())
    for path in paths(made.graph):
        if draw(st.booleans()):
            made.view.positions[path] = [draw(st.integers(-999, 999)), 0.5]
        if draw(st.integers(0, 3)) == 0:
            made.view.colours[path] = "#aabbcc"
            made.form[f"{path}.a"] = {"label": "ä", "order": len(made.form)}
    if draw(st.booleans()):
        made.extra["later"] = {"kept": [1, {"deep": None}]}
    return made


def paths(whole: Graph, prefix: str = "") -> list[str]:
    """Every node of every level."""
    found: list[str] = []
    for name, node in whole.nodes.items():
        found.append(prefix + name)
        if isinstance(node, Subgraph):
            found += paths(node.graph, f"{prefix}{name}/")
    return found


def boxes() -> Document:
    """``first`` feeds ``box.start``, ``box.result`` feeds ``last``; ``box.more`` is free."""
    inner = graph({"one": "values.integer", "sum": "values.sum"}, "one.value > sum.a")
    box = Subgraph(
        graph=inner,
        inputs={"start": [Input("one", "value")], "more": [Input("sum", "b")]},
        outputs={"result": Output("sum", "value")},
    )
    whole = graph(
        {"first": "values.integer", "box": box, "last": "values.sum"},
        "first.value > box.start",
        "box.result > last.a",
    )
    return Document(whole)
