"""What rules read of a workflow: the flattened graph, values and links, computed once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nodeforge.errors import RequestError
from nodeforge.graph.edits import GraphEdit, SetValue
from nodeforge.graph.flatten import FlatNode, flatten
from nodeforge.graph.inline import inline
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.graph.paths import split
from nodeforge.graph.planned import Resolve, Survey, survey
from nodeforge.graph.ports import title_of
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.lint.silences import Silences
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders, ModelInfo

_Kept = TypeVar("_Kept")


class LintContext:
    """A workflow under the eyes of the linter.

    Args:
        graph: The root.
        catalogue: All node types that are known.
        models: Where models are looked for; None asks nothing about files.
        granted: Absolute paths that the person gave.
        pictures: Where a picture is that a value names, if it is there; None asks nothing about
            pictures.
        resolve: The file that a value means; None leaves what stands in files unknown.
        lock: What the workflow was last run with, as in its file.
    """

    def __init__(
        self,
        graph: Graph,
        catalogue: Catalogue,
        models: ModelFolders | None = None,
        granted: Iterable[str | Path] = (),
        pictures: Callable[[str], Path | None] | None = None,
        lock: Mapping[str, Any] | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._resolve = resolve
        self.lock = lock or {}
        self._pictures = pictures
        self.graph = graph
        self.catalogue = catalogue
        self.models = models
        self.granted = frozenset(Path(path) for path in granted)
        self.whole = inline(graph, active=True)
        flat = flatten(graph, catalogue)
        self._flat = flat
        self.nodes: dict[str, FlatNode] = flat.nodes
        self.links: dict[Input, Output] = flat.links
        self.inputs: dict[str, dict[str, list[Output]]] = defaultdict(lambda: defaultdict(list))
        for end, start in self.links.items():
            self.inputs[end.node][end.port].append(start)
        self._given: dict[tuple[str, str], tuple[str, str] | None] = {}
        self.rule = Rule("", Severity.ERROR, why="", source="")
        """The rule that is being asked."""
        self.rules: Mapping[str, Rule] = {}
        """All rules by code and by name."""
        self.silences: Silences = {}
        self.conflicts: Mapping[str, Any] = {}
        """What a merge could not decide (`Document.conflicts`)."""
        self.form: Mapping[str, Any] = {}
        """What the form shows (`Document.form`)."""
        self._kept: dict[str, Any] = {}
        self.looked_up: dict[tuple[str, str], Path | RequestError] = {}
        self.looked_at: dict[Path, ModelInfo | RequestError] = {}

    def problem(
        self,
        node: str,
        fact: str,
        way_out: str = "",
        *,
        port: str = "",
        fix: GraphEdit | None = None,
        severity: Severity | None = None,
        grade: FixGrade | None = None,
        words: str = "",
    ) -> Problem:
        """A problem of `node` that the rule being asked has found.

        Args:
            node: Its path; empty for the workflow as a whole.
            fact, way_out, port, fix, words: As in `Problem`.
            severity: None: the rule's level where a run needs the node, one lower elsewhere.
            grade: Of `fix`; None: as the rule says.
        """
        rule, idle = self.rule, not self.is_needed(node)
        if severity is None:
            severity = rule.level.milder if idle else rule.level
        return Problem(
            rule.name,
            severity,
            node,
            fact,
            way_out,
            port,
            fix,
            title=self.title(node) if node else "",
            code=rule.code,
            grade=(grade or rule.fix) if fix else None,
            words=words,
            idle=idle,
        )

    def once(self, name: str, made: Callable[[], _Kept]) -> _Kept:
        """What `made` returns, made once: several rules ask for it by this name."""
        if name not in self._kept:
            self._kept[name] = made()
        return self._kept[name]

    def of_type(self, *types: str) -> Iterator[str]:
        """The nodes of these types that take part in a run."""
        return chain.from_iterable(self._by_type.get(each, ()) for each in types)

    @cached_property
    def _by_type(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path, node in self.nodes.items():
            found[node.type].append(path)
        return found

    @cached_property
    def types(self) -> frozenset[str]:
        """The types of all nodes, also of those that a switch leaves out."""
        return frozenset(node.type for node in self.whole.nodes.values())

    def picture(self, value: str) -> Path | None:
        """The picture that a value names; None where it is not there, or not asked for."""
        return self._pictures(value) if self._pictures else None

    def title(self, path: str) -> str:
        """What the window calls the node at `path`; where several are called so, with its path."""
        title = self.titles.get(path, path)
        return f"{title} ({path})" if self._count[title] > 1 else title

    def port_title(self, output: Output) -> str:
        """What the window calls an output: ``Load model · text encoder``."""
        return f"{self.title(output.node)} · {output.port.replace('_', ' ')}"

    @cached_property
    def titles(self) -> dict[str, str]:
        nodes: dict[str, Node] = {**self.whole.nodes, **self.whole.groups}
        return {
            path: title_of(node, split(path)[1], self.catalogue) for path, node in nodes.items()
        }

    @cached_property
    def _count(self) -> Counter[str]:
        return Counter(self.titles.values())

    def is_needed(self, path: str) -> bool:
        """Whether a run of the whole workflow needs the node, or it passes something on."""
        return path not in self.nodes or path in self.needed

    @cached_property
    def needed(self) -> set[str]:
        """The nodes that what is saved or shown depends on; all where nothing is."""
        waiting = [path for path, node in self.nodes.items() if node.spec and node.spec.wanted]
        if not waiting:
            return set(self.nodes)
        found = set(waiting)
        while waiting:
            for starts in self.inputs[waiting.pop()].values():
                for start in starts:
                    if start.node not in found:
                        found.add(start.node)
                        waiting.append(start.node)
        return found

    @cached_property
    def order(self) -> list[str]:
        """The nodes, each after those that feed it; those on or behind a ring are left out."""
        missing = {
            path: sum(map(len, self.inputs[path].values())) if path in self.inputs else 0
            for path in self.nodes
        }
        ready = [path for path, count in missing.items() if not count]
        for path in ready:
            for reader in self.readers(path):
                missing[reader] -= 1
                if not missing[reader]:
                    ready.append(reader)
        return ready

    def readers(self, path: str) -> list[str]:
        """The nodes that something of `path` goes to."""
        return self._readers.get(path, [])

    @cached_property
    def _readers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for end, start in self.links.items():
            found[start.node].append(end.node)
        return found

    def feed(self, path: str, port: str) -> Output | None:
        """What feeds an input that is no list."""
        return self.links.get(Input(path, port))

    def value(self, path: str, port: str) -> Any:
        """The literal that counts at an input, or its default, as far as an input can hold it.

        None where only a run can tell, and for lists and objects, which the rule `ranges` names.
        """
        value = self.written(path, port)
        return None if isinstance(value, list | dict) else value

    def written(self, path: str, port: str) -> Any:
        """The literal that counts at an input, whatever it is, or the input's default.

        Where a planned node feeds it, what that gives; None for the values of a list.
        """
        place = self.given(path, port)
        if place is None:
            feed = self.feed(path, port)
            known = self.planned.values.get(feed, ()) if feed else ()
            return known[0] if len(known) == 1 else None
        node = self.nodes[place[0]]
        declared = node.spec.input.get(place[1]) if node.spec else None
        return node.values.get(place[1], declared.default if declared else None)

    def given(self, path: str, port: str) -> tuple[str, str] | None:
        """The node and input where the literal for an input stands: itself, or a value node."""
        known, trail = self._given, []
        place = (path, port)
        while place not in known:
            known[place] = None  # in a ring nothing is given
            trail.append(place)
            feed = self.feed(*place)
            if feed is None:
                known[place] = place
            elif self._is_value_node(feed.node):
                place = (feed.node, "value")
        for passed in trail:
            known[passed] = known[place]
        return known[place]

    def is_computed(self, path: str, port: str) -> bool:
        """Whether only a run can tell what an input gets."""
        return self.given(path, port) is None and self.written(path, port) is None

    @cached_property
    def planned(self) -> Survey:
        """What is known of the planned values; of those in files where these may be read."""
        return survey(self._flat, self.catalogue, self._resolve)

    def _is_value_node(self, path: str) -> bool:
        spec = self.nodes[path].spec
        return spec is not None and spec.holds_value

    def owner(self, path: str, port: str) -> tuple[str, str]:
        """The node and the port whose value counts at an input: perhaps a subgraph's around it."""
        end: Input | None = Input(path, port)
        found = (path, port)
        while (end := self.whole.ports.get(end)) is not None:
            if end.port in self.whole.groups[end.node].values:
                found = (end.node, end.port)
        return found

    def set_value(self, path: str, port: str, value: Any) -> SetValue:
        """An edit after which `value` counts at an input."""
        return SetValue(*self.owner(*(self.given(path, port) or (path, port))), value)
