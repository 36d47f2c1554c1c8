"""A reference implementation of flattening: recursive, slow, for acyclic graphs."""

from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Mode, Node, Output, Subgraph
from nodeforge.graph.paths import join, split
from nodeforge.graph.ports import input_names, input_spec, output_spec
from nodeforge.spec import Role

LOST = "lost"


def naive_flatten(graph: Graph, catalogue):
    """Values by node, and links, as text."""
    return _Naive(graph, catalogue).result()


class _Naive:
    def __init__(self, graph: Graph, catalogue) -> None:
        self.document = Document(graph)
        self.catalogue = catalogue

    def result(self):
        nodes, links, lost = {}, {}, set()
        for path in self.leaves("", self.document.graph):
            if self.runs(path):
                nodes[path] = dict(self.document.node(path).values)
        for path in nodes:
            for end in self.ends(path):
                source = self.feed(path, end.port, end.item)
                if isinstance(source, Output):
                    links[path, end.port, end.item] = source
                elif isinstance(source, dict):
                    nodes[path][end.port] = source["value"]
                elif source == LOST:
                    lost.add((path, end.port))
        self.drop(nodes, links, lost)
        return nodes, self.numbered(links)

    def leaves(self, prefix, graph):
        for name, node in graph.nodes.items():
            path = join(prefix, name)
            if not isinstance(node, Subgraph):
                yield path
            elif node.mode is Mode.ACTIVE:
                yield from self.leaves(path, node.graph)

    def runs(self, path):
        node = self.document.node(path)
        return node.mode is Mode.ACTIVE and self.stays(path, self.catalogue.get(node.type))

    def stays(self, path, spec):
        """Whether it computes something, or hangs on a choice that is planned later."""
        if spec is not None and spec.role is Role.SWITCH:
            return self.link(path, "choice", None) is not None
        return spec is None or spec.role is Role.COMPUTE

    def ends(self, path):
        """The inputs of a node that anything is linked to, here or through ports around it."""
        group, name = split(path)
        graph = self.document.group(group)
        found = {end for end in graph.links if end.node == name}
        if group:
            around = self.document.node(group)
            outer = self.ends(group)
            for port, targets in around.inputs.items():
                for target in targets:
                    if target.node == name:
                        items = {end.item for end in outer if end.port == port} - {None}
                        items = items if target.item is None and items else {target.item}
                        found |= {Input(name, target.port, item) for item in items}
        return found

    def feed(self, path, port, item):
        group, name = split(path)
        start = self.document.group(group).links.get(Input(name, port, item))
        if start is not None:
            return self.out(join(group, start.node), start.port)
        if not group:
            return None
        around = self.document.node(group)
        for outer, targets in around.inputs.items():
            for place, passed in ((item, None), (None, item)):
                if Input(name, port, place) in targets:
                    source = self.feed(group, outer, passed)
                    if source in (None, LOST) and outer in around.values:
                        return {"value": around.values[outer]}
                    return source
        return None

    def out(self, path, port):
        group, name = split(path)
        node = self.document.group(group).nodes.get(name)
        if node is None:
            return None
        if node.mode is Mode.MUTE:
            return LOST
        if node.mode is Mode.BYPASS:
            return self.through(path, node, port)
        if isinstance(node, Subgraph):
            shown = node.outputs.get(port)
            return self.out(join(path, shown.node), shown.port) if shown else None
        return self.leaf_out(path, port, node)

    def leaf_out(self, path, port, node: Node):
        spec = self.catalogue.get(node.type)
        if self.stays(path, spec):
            return Output(path, port)
        if spec.role is Role.REROUTE:
            source = self.feed(path, "value", None)
            if source in (None, LOST) and "value" in node.values:
                return {"value": node.values["value"]}
            return source
        if spec.role is Role.NOTE:
            return None
        given = self.feed(path, "choice", None)
        choice = given["value"] if given else node.values.get("choice", 0)
        return self.feed(path, "choices", choice)

    def link(self, path, port, item):
        """Where the link to an input starts, here or further out."""
        group, name = split(path)
        start = self.document.group(group).links.get(Input(name, port, item))
        if start is not None:
            return Output(join(group, start.node), start.port)
        around = self.document.node(group).inputs if group else {}
        for outer, targets in around.items():
            for place, passed in ((item, None), (None, item)):
                if Input(name, port, place) in targets:
                    return self.link(group, outer, passed)
        return None

    def through(self, path, node, port):
        made = output_spec(node, port, self.catalogue)
        if made is None:
            return LOST
        for name in input_names(node, self.catalogue):
            taken = input_spec(node, name, self.catalogue)
            alike = taken is not None and taken.type == made.type
            if alike and (start := self.link(path, name, 0 if taken.many else None)):
                return self.out(*start)
        return LOST

    def drop(self, nodes, links, lost):
        while True:
            gone = {
                path
                for path, port in lost
                if path in nodes and self.needs(nodes, links, path, port)
            }
            if not gone:
                return
            for path in gone:
                del nodes[path]
            for end, start in list(links.items()):
                if start.node in gone:
                    lost.add(end[:2])
                    del links[end]
            for end in [end for end in links if end[0] in gone]:
                del links[end]

    def needs(self, nodes, links, path, port):
        spec = self.catalogue.get(self.document.node(path).type)
        if spec is None:
            return True
        declared = spec.input.get(port)
        if declared is None:
            return False
        if declared.many:
            return not declared.optional and not any(end[:2] == (path, port) for end in links)
        return declared.required and port not in nodes[path]

    def numbered(self, links):
        made = {}
        for (path, port, item), source in links.items():
            if item is not None and self.document.node(path).type != "graph.switch":
                items = sorted(i for p, q, i in links if (p, q) == (path, port) and i is not None)
                item = items.index(item)
            made[str(Input(path, port, item))] = str(source)
        return made
