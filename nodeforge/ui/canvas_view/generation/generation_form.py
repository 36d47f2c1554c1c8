"""The generation form: intent, workflow and form values of a canvas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from typing import Any

from PySide6.QtCore import QObject, Signal

from nodeforge.canvas import State
from nodeforge.canvas.document.layer_tags import renamed_layers
from nodeforge.canvas.generation.intents import CONTROLLED, METHODS, Intent
from nodeforge.canvas.generation.loras import Lora, add_loras, loras_from_json
from nodeforge.canvas.generation.native_size import NativeSize, native_size
from nodeforge.canvas.generation.request import IMAGE, MASK, RESULTS
from nodeforge.canvas.generation.special_models import SPECIAL, lacking, special_intent
from nodeforge.engine.remote import is_elsewhere
from nodeforge.formats import load
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Graph, Node
from nodeforge.imaging import Box
from nodeforge.lint import Problem, lint
from nodeforge.settings import shipped
from nodeforge.spec import TextWidget
from nodeforge.ui.canvas_view.generation.form_fields import LOADER, FormEntry, fields_of, nodes_of
from nodeforge.ui.canvas_view.generation.generation_source import box_for_masks
from nodeforge.ui.canvas_view.generation.staging_area import Variations
from nodeforge.ui.documents.auto_values import auto_values
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.seeds import FIXED, MODES, RANDOMISE, next_seed
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.prompt_assistant import reads_prompts
from nodeforge.values.setting_names import COMFYUI

_SAVED = "canvas_form"
"""Field of a document's view that keeps the form."""
_NOISE = "sampling.noise"
_SAMPLER = "sampling.sampler"


class GenerationForm(QObject):
    """The form of one canvas. Values are kept for workflows with the same inputs.

    Args:
        opened: The document; what was saved with it, else its last generation, gives the initial
            values.
    """

    form_changed = Signal()
    """Another workflow was chosen; the fields have changed."""
    value_changed = Signal(str)

    def __init__(self, opened: OpenDocument, workspace: Workspace) -> None:
        super().__init__()
        self._opened, self._workspace = opened, workspace
        self.intent = Intent.FILL
        self.values: dict[str, Any] = {}
        self.loras: list[Lora] = []
        """LoRAs over the models of the shipped workflows."""
        self.item: int | None = None
        """The only picture to make of a batch that is drawn at once."""
        self.seed_mode = RANDOMISE
        self.uses_control = False
        """Whether to use the shipped workflow with ControlNet."""
        self.custom_workflow: OpenDocument | None = None
        """A document to run instead of the shipped workflows."""
        self._shipped: dict[str, tuple[tuple[Lora, ...], Document]] = {}
        """Shipped workflows by name, each with the LoRAs that were added to it."""
        self._native: dict[str, NativeSize] = {}
        """By workflow and models."""
        self._intent_chosen = False
        workspace.closed.connect(self._closed)
        saved = opened.document.view.extra.get(_SAVED)
        if isinstance(saved, dict):
            self._take(saved)
            mode = str(saved.get("seed_mode"))
            self.seed_mode = mode if mode in MODES else RANDOMISE
        elif opened.generations:
            self._take(opened.generations[-1])
        self._kept = self._state()
        """What was last kept with the document."""
        self.form_changed.connect(self._keep)
        self.value_changed.connect(lambda _: self._keep())

    def choose_seed_mode(self, mode: str) -> None:
        """Change how the seed changes with each generation: a key of `MODES`."""
        self.seed_mode = mode
        self._keep()

    def _keep(self) -> None:
        """Keep intent, values and seed mode with the document, as they are saved with it.

        A seed that was drawn for a run does not make the document count as modified.
        """
        now, before = self._state(), self._kept
        self._kept = now
        drawn = self.seed_mode != FIXED
        unsaved = _without_seeds(now) != _without_seeds(before) if drawn else now != before
        self._opened.set_view_setting(_SAVED, now, unsaved=unsaved)

    def _state(self) -> dict[str, Any]:
        return {
            "intent": self.intent.value,
            "values": dict(self.values),
            "loras": self.loras_as_json(),
            "seed_mode": self.seed_mode,
        }

    def loras_as_json(self) -> list[dict[str, Any]]:
        return [asdict(lora) for lora in self.loras]

    def set_loras(self, loras: Sequence[Lora]) -> None:
        self.loras = list(loras)
        self.value_changed.emit("loras")

    @property
    def document(self) -> Document:
        """The workflow with the form's values."""
        document = Document(graph=deepcopy(self.workflow.graph))
        for name, value in self.current_values().items():
            path, _, port = name.rpartition(".")
            document.node(path).values[port] = value
        return document

    @property
    def granted(self) -> list[str]:
        """Files that the user allows models to be read from."""
        return (self.custom_workflow or self._opened).granted

    def auto_values(self) -> dict[str, dict[str, str]]:
        """What values that are left to the model stand for, by node and port."""
        recognised = self._workspace.recognised(self.granted)
        return auto_values(self.document, self._workspace.catalogue, recognised)

    def problems(self) -> dict[str, list[Problem]]:
        """What the linter says of the fields, by their names, the worst first.

        What it says of other ports is left out: a generation brings the pictures and masks.
        """
        return self._problems(self.document)

    def prompt_problems(self, text: str) -> list[Problem]:
        """What the linter would say of a text, were it the first prompt; those of masks are."""
        prompt = next((each for each in self.entries() if self.reads_prompts(each)), None)
        if prompt is None:
            return []
        document = self.document
        document.node(prompt.path).values[prompt.name.rpartition(".")[2]] = text
        return self._problems(document).get(prompt.name, [])

    def _problems(self, document: Document) -> dict[str, list[Problem]]:
        workspace = self._workspace
        found = lint(
            document,
            workspace.catalogue,
            workspace.folders,
            granted=self.granted,
            elsewhere=is_elsewhere(workspace.settings),
        )
        told: dict[str, list[Problem]] = {entry.name: [] for entry in self.entries()}
        for problem in sorted(found, key=lambda each: each.severity.rank):
            told.get(f"{problem.node}.{problem.port}", []).append(problem)
        return {name: problems for name, problems in told.items() if problems}

    def reads_prompts(self, entry: FormEntry) -> bool:
        node_type = self.workflow.node(entry.path).type
        return reads_prompts(self._workspace.catalogue, node_type, entry.port)

    @property
    def workflow(self) -> Document:
        """The workflow that Generate runs."""
        return self.workflow_with(self.loras)

    def workflow_with(self, loras: Sequence[Lora]) -> Document:
        """The workflow with other LoRAs; one of the person's own keeps its own."""
        if self.custom_workflow is not None:
            return self.custom_workflow.document
        name, key = self.workflow_name, tuple(loras)
        made = self._shipped.get(name)
        if made is None or made[0] != key:
            document = load(shipped("workflows") / f"{name}.json")
            add_loras(document, loras)
            made = self._shipped[name] = key, document
        return made[1]

    @property
    def workflow_name(self) -> str:
        if self.custom_workflow is not None:
            return self.custom_workflow.name
        method = METHODS[self.intent]
        return CONTROLLED if self.uses_control and method.steered else method.workflow

    @property
    def intents(self) -> list[Intent]:
        """All, first the one that the model is made for."""
        return sorted(Intent, key=lambda each: each is not special_intent(self.native))

    @property
    def lacks_model(self) -> bool:
        """Whether the intent wants a model of another kind than is chosen."""
        return bool(lacking(self.intent, self.native))

    @property
    def explains(self) -> str:
        """What the intent does, or the model that it lacks."""
        return lacking(self.intent, self.native) or METHODS[self.intent].explains

    def choose_intent(self, intent: Intent) -> None:
        """Change the intent, which sets its default strength and workflow."""
        self._intent_chosen = True
        if intent is self.intent:
            return
        if intent is special_intent(self.native):
            model = next((e for e in self.entries() if e.is_model), None)
            if model is not None:
                self.values.setdefault(SPECIAL[intent].field, self.value(model))
        self.intent = intent
        for entry in self._strengths():
            self.values[entry.name] = METHODS[intent].strength
        self.form_changed.emit()

    def choose_workflow(self, own: OpenDocument | None) -> None:
        if own is not self.custom_workflow:
            self.custom_workflow = own
            self.form_changed.emit()

    def set_uses_control(self, on: bool) -> None:
        if on != self.uses_control:
            self.uses_control = on
            self.form_changed.emit()

    def entries(self) -> list[FormEntry]:
        """The fields: the workflow's form and its models."""
        return fields_of(self.workflow, self._workspace.catalogue)

    def value(self, entry: FormEntry) -> Any:
        if entry.name in self.values:
            return self.values[entry.name]
        if self.custom_workflow is None and isinstance(entry.port.widget, TextWidget):
            return ""  # the prompt of a shipped workflow is an example
        path, _, port = entry.name.rpartition(".")
        return self.workflow.node(path).values.get(port, entry.port.default)

    def set(self, name: str, value: Any) -> None:
        if name.endswith((".seed", ".batch")):
            self.item = None  # another draw: all pictures of it
        self.values[name] = value
        self.value_changed.emit(name)
        offers = name.endswith(".file") and not self._intent_chosen
        if offers and (special := special_intent(self.native)):
            self.choose_intent(special)

    def rename_layers(self, names: Mapping[str, str]) -> None:
        """Let all texts call reference layers by their new names, old to new."""
        for name, value in list(self.values.items()):
            if isinstance(value, str) and (text := renamed_layers(value, names)) != value:
                self.set(name, text)

    def offer_prompt(self, text: str) -> None:
        """Use `text` as the prompt where there is none."""
        for entry in self.entries():
            if entry.name == _PROMPT and not self.value(entry):
                self.set(entry.name, text)

    def current_values(self) -> dict[str, Any]:
        """All values of the form, by ``node.port``."""
        values = {entry.name: self.value(entry) for entry in self.entries()}
        return values if self.item is None else values | self.item_values(self.item)

    @property
    def strength(self) -> float:
        """Denoise strength, 0..1."""
        for entry in self._strengths():
            return float(self.value(entry))
        return METHODS[self.intent].strength

    def _strengths(self) -> Iterator[FormEntry]:
        """Fields for denoise strength; other nodes have a ``strength``, too."""
        for entry in self.entries():
            path, _, port = entry.name.rpartition(".")
            if port == "strength" and self.workflow.node(path).type == "sampling.schedule":
                yield entry

    @property
    def native(self) -> NativeSize:
        """The native size of the workflow's model."""
        models = [str(self.values.get(e.name, "")) for e in self.entries() if e.is_model]
        key = f"{self.workflow_name} {models}"
        if key not in self._native:
            document = _with_values(Document(graph=self.workflow.graph), self.current_values())
            self._native = {key: native_size(document, self._workspace.folders, self.granted)}
        return self._native[key]

    def box_for(self, state: State) -> Box:
        """The automatic generation box."""
        context = METHODS[self.intent].blends_in
        return box_for_masks(state, self.strength, self.native, context=context)

    def variation_values(self, variations: Variations) -> dict[str, Any]:
        """Values that blend noise of other seeds in; empty if there is no noise node."""
        text = ", ".join(f"{seed}:{share:g}" for seed, share in variations)
        return {f"{path}.variations": text for path in nodes_of(self.workflow.graph, _NOISE)}

    def item_values(self, item: int) -> dict[str, Any]:
        """Values that make one picture of a batch alone; empty where each has its own seed."""
        if not self.draws_together:
            return {}
        return {f"{path}.item": item for path in nodes_of(self.workflow.graph, _NOISE)}

    @property
    def draws_together(self) -> bool:
        """Whether a batch is one draw of noise: the convention of ComfyUI."""
        graph = self.workflow.graph
        samplers = (Document(graph=graph).node(path) for path in nodes_of(graph, _SAMPLER))
        return any(node.values.get("convention") == COMFYUI for node in samplers)

    def next_seed(self) -> None:
        """Change the seed by the form's seed mode."""
        for entry in self.entries():
            if entry.is_seed and self.seed_mode != FIXED:
                self.set(entry.name, next_seed(self.seed_mode, int(self.value(entry))))

    def supports(self, opened: OpenDocument) -> bool:
        """Whether a workflow has the canvas input and output nodes."""
        there = {node.type for node in every_node(opened.document.graph).values()}
        return all(not there.isdisjoint(types) for types in ((IMAGE,), (MASK,), RESULTS))

    def _closed(self, opened: OpenDocument) -> None:
        if opened is self.custom_workflow:
            self.choose_workflow(None)

    def restore(self, generation: Mapping[str, Any]) -> None:
        """Restore the values of an earlier generation, with its seed fixed."""
        self._take(generation)
        item = generation.get("item")
        self.item = item if type(item) is int else None
        self.seed_mode = FIXED
        self.form_changed.emit()

    def _take(self, generation: Mapping[str, Any]) -> None:
        intent, values = generation.get("intent"), generation.get("values")
        if isinstance(intent, str) and intent in {each.value for each in Intent}:
            self.intent = Intent(intent)
        if isinstance(values, dict):
            self.values = dict(values)
        self.loras = loras_from_json(generation.get("loras"))


def _without_seeds(state: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in state["values"].items() if not _is_seed(name)}
    return {**state, "values": values}


def _is_seed(name: str) -> bool:
    return name.endswith(".seed")


def _with_values(document: Document, values: dict[str, Any]) -> Document:
    """A workflow of only the model loaders, with the form's values."""
    nodes: dict[str, Node] = {}
    for path in nodes_of(document.graph, LOADER):
        node = document.node(path)
        file = values.get(f"{path}.file", node.values.get("file", ""))
        nodes[path.replace("/", "_")] = Node(LOADER, {"file": file})
    return Document(graph=Graph(nodes))


_PROMPT = "prompt.text"
