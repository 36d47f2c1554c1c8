"""Generates candidates from the canvas, through the job queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal

from nodeforge.canvas import State
from nodeforge.canvas.document.layer_tags import layer_tag
from nodeforge.canvas.generation.intents import Intent
from nodeforge.canvas.generation.loras import Lora, loras_from_json
from nodeforge.canvas.generation.request import LONGEST, Generation, request
from nodeforge.engine import events
from nodeforge.engine.content.assets import keep_bytes
from nodeforge.engine.running.context import RunRequest
from nodeforge.errors import NodeForgeError
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.generation.generation_form import GenerationForm
from nodeforge.ui.canvas_view.generation.generation_run import GenerationRun
from nodeforge.ui.canvas_view.generation.generation_source import (
    generation_source,
    has_control,
    layer_box,
    reference_names,
    separation_source,
    with_mask,
)
from nodeforge.ui.canvas_view.generation.staging_area import StagingArea, Variations
from nodeforge.ui.canvas_view.rendering.qt_images import to_image
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.seeds import random_seed
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.job_queue import RUNNING, WAITING, Job, new_run_id, snapshot
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.running.workers.connection import Answer

if TYPE_CHECKING:
    from nodeforge.canvas.generation.native_size import NativeSize

_VARIATION_COUNT = 4
"""Number of candidates for "More like this"."""

_VARIATION_STRENGTH = 0.35
"""Variation strength (share of other noise): with nano the results are 0.4 times as far from the
chosen picture as those of other seeds are; below 0.2 hardly anything changes."""


class Generator(QObject):
    """Generates candidates; the document changes only when one is accepted."""

    changed = Signal()
    """A generation has started, made progress or ended."""
    refused = Signal(str)
    """The reason why a generation failed."""
    ended = Signal(object)
    """The `GenerationRun`, however it ended."""
    _request_ready = Signal(object, object)

    def __init__(
        self,
        session: CanvasSession,
        staging: StagingArea,
        form: GenerationForm,
        workspace: Workspace,
        runner: Runner,
    ) -> None:
        super().__init__()
        self._session, self._staging, self.form = session, staging, form
        self._workspace, self._runner = workspace, runner
        self._executor = ThreadPoolExecutor(1, "canvas-requests")
        self._runs: dict[str, GenerationRun] = {}
        self._preparing: list[GenerationRun] = []
        self._unused_assets: set[str] = set()
        """SHA-256 of pictures that only live generations have needed."""
        self._request_ready.connect(self._queue_run, Qt.ConnectionType.QueuedConnection)
        runner.worker.events_received.connect(self._on_events)
        runner.jobs.changed.connect(self._check_queue)
        self._end_listening = session.canvas.subscribe(lambda _: self._check_layers())
        self._reference_names: dict[str, str] = {}
        self._check_layers()
        self._closed = False

    def close(self) -> None:
        """Cancel all generations of this canvas; late results are dropped."""
        self._closed = True
        self._end_listening()
        self.cancel()
        self._runner.worker.events_received.disconnect(self._on_events)
        self._runner.jobs.changed.disconnect(self._check_queue)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _check_layers(self) -> None:
        """Steer by control layers that came, and call reference layers by their new names."""
        state = self._session.canvas.state
        self.form.set_uses_control(has_control(state))
        before, now = self._reference_names, reference_names(state)
        if now != before:
            self._reference_names = now
            renamed = {before[id]: name for id, name in now.items() if before.get(id, name) != name}
            self.form.rename_layers(renamed)

    def layer_tags(self) -> list[str]:
        """What prompts may call: the reference layers."""
        return [layer_tag(name) for name in self._reference_names.values()]

    @property
    def current_run(self) -> GenerationRun | None:
        """The running generation, or the next one."""
        return next(iter(self._runs.values()), None) or next(iter(self._preparing), None)

    @property
    def busy(self) -> bool:
        return self.current_run is not None

    def box(self) -> Box:
        """The generation box: as drawn, or computed from the masks."""
        if self._session.box is not None:
            return self._session.box
        return self.form.box_for(self._session.canvas.state)

    def generate(self) -> None:
        """Generate candidates from the canvas and the form."""
        self._session.commit()
        self.start(self.form.current_values())
        self.form.next_seed()

    def separate_layer(self, id: str) -> None:
        """Take a layer or group apart into layers, with the form's values; without a model that
        does, show the form, which says what is missing.
        """
        self._session.commit()
        self.form.choose_intent(Intent.SEPARATE)
        if self.form.lacks_model:
            self.refused.emit(self.form.explains)
            return
        self.start(self.form.current_values(), layer=id)
        self.form.next_seed()

    def more_like_this(self) -> None:
        """Generate variations of the shown candidate; if the workflow has no noise node, use the
        following seeds.
        """
        candidate = self._staging.candidate
        if candidate is None:
            return
        self.form.choose_intent(Intent(candidate.record.get("intent", self.form.intent)))
        values = {**self.form.current_values(), **candidate.record.get("values", {})}
        last = max((each.seed or 0 for each in self._staging.candidates), default=0)
        variations = (*candidate.variations, (random_seed(), _VARIATION_STRENGTH))
        item_values = self.form.item_values(int(candidate.record.get("item", 0)))
        variation_values = {} if candidate.seed is None else self.form.variation_values(variations)
        for entry in self.form.entries():
            if entry.is_seed:
                values[entry.name] = candidate.seed if variation_values else last + 1
            if entry.name.endswith(".batch") and not item_values:
                values[entry.name] = _VARIATION_COUNT
        self.start(
            values | variation_values | item_values,
            candidate.box,
            variations=variations if variation_values else (),
            layer=candidate.record.get("layer", ""),
            loras=loras_from_json(candidate.record.get("loras")),
        )

    def start(
        self,
        values: Mapping[str, Any],
        box: Box | None = None,
        *,
        live: bool = False,
        variations: Variations = (),
        loras: Sequence[Lora] | None = None,
        layer: str = "",
    ) -> GenerationRun:
        """Start a generation; the request is prepared in a background thread.

        Args:
            layer: The layer to take apart; empty for what is seen.
        """
        seeds = [entry.name for entry in self.form.entries() if entry.is_seed]
        seed = int(values[seeds[0]]) if seeds and seeds[0] in values else None
        made = GenerationRun(self.form.intent, dict(values), seed, live, variations)
        made.layer = layer
        made.loras = tuple(self.form.loras if loras is None else loras)
        made.drawn_together = self.form.draws_together
        made.item = next((v for name, v in values.items() if name.endswith(".item")), None)
        self._preparing.append(made)
        state, native = self._session.canvas.state, self.form.native
        place = box or self.box()
        work = partial(self._request, state, place, made, native)
        self._executor.submit(work).add_done_callback(partial(self._arrived, made))
        self.changed.emit()
        return made

    def _request(
        self, state: State, box: Box, made: GenerationRun, native: NativeSize
    ) -> Generation:
        if made.intent is Intent.SEPARATE:
            box = layer_box(state, made.layer) if made.layer else box
            source, selections, made.taken = separation_source(state, box, made.layer)
        else:
            source, selections = generation_source(state, box)
        workflow = self.form.workflow_with(made.loras)
        intent, values = made.intent, made.values
        model = (native.multiple, native.family, native.variant)
        generation = request(workflow, source, selections, intent, values, *model)
        for content in generation.files.values():
            keep_bytes(content, ".png", self._workspace.settings)
        return generation

    def _arrived(self, made: GenerationRun, future: Future[Generation]) -> None:
        if not self._closed:
            self._request_ready.emit(made, future)

    def _queue_run(self, made: GenerationRun, future: Future[Generation]) -> None:
        if self._closed:
            return
        self._preparing.remove(made)
        error = future.exception()
        if isinstance(error, NodeForgeError):
            self.refused.emit(str(error))
            self._end(made)
            return
        if error is not None:
            raise error
        if made.cancelled:
            self._end(made)
            return
        made.generation = generation = future.result()
        made.job = self._job(made, generation)
        self._runner.queue(made.job)
        self._runs[made.job.id] = made
        self.changed.emit()

    def _job(self, made: GenerationRun, generation: Generation) -> Job:
        graph = snapshot(generation.document.graph)
        opened, settings = self._session.opened, self._workspace.settings
        asked = RunRequest(
            run=new_run_id(),
            targets=list(generation.results),
            assets=dict(generation.document.assets),
            granted=list(opened.granted),
            lock=dict(generation.document.lock),
            outputs=settings.outputs.absolute(),
            previews=True,
        )
        made.render_arguments = {"graph": graph, **asked.meaning}
        name = f"{opened.name}, canvas" + (" (live)" if made.live else "")
        return Job(f"{opened.id}/canvas", name, graph, asked)

    def cancel(self, made: GenerationRun | None = None) -> bool:
        """Cancel one generation, or all; returns whether there was any."""
        rounds = [*self._runs.values(), *self._preparing] if made is None else [made]
        for each in rounds:
            if not each.cancelled:
                each.cancelled = True
                if each.job is not None:
                    self._runner.cancel(each.job)
        for each in [each for each in rounds if each.job is None or each.job.state != RUNNING]:
            if each.job is not None:
                self._runs.pop(each.job.id, None)
                self._end(each)
        return bool(rounds)

    def _check_queue(self) -> None:
        """End generations whose jobs were removed from the queue."""
        for made in list(self._runs.values()):
            job = made.job
            if job is not None and job.state == WAITING and job not in self._runner.jobs.waiting:
                del self._runs[job.id]
                self._end(made)

    def _on_events(self, arrived: list[events.Event]) -> None:
        for event in arrived:
            made = self._runs.get(event.run)
            if made is not None:
                self._on_event(made, event)

    def _on_event(self, made: GenerationRun, event: events.Event) -> None:
        match event:
            case events.Progress():
                made.step = event.step, event.of
                self.changed.emit()
            case events.Preview() if not made.cancelled:
                self._preview(made, event)
            case events.RunFinished() if not made.cancelled:
                self._fetch(made, 0)
            case (
                events.Failed() | events.RunCancelled() | events.WorkerDied() | events.RunFinished()
            ):
                del self._runs[event.run]
                self._end(made)

    def _preview(self, made: GenerationRun, event: events.Preview) -> None:
        assert made.generation is not None
        size = (event.frames, event.height, event.width, 3)
        first = np.frombuffer(event.pixels, np.uint8).reshape(size)[0]  # before layers, the whole
        image = to_image(with_mask(first, made.generation.mask), straight=True)
        self._staging.preview(image, made.generation.box)

    def _fetch(self, made: GenerationRun, item: int) -> None:
        """Request a candidate; one after another until there are no more."""
        assert made.generation is not None
        self._runner.worker.ask(
            "render",
            partial(self._on_candidate, made, item),
            node=made.generation.results[0],
            port="patch",
            step=0,
            item=item,
            longest=LONGEST,
            **made.render_arguments,
        )

    def _on_candidate(self, made: GenerationRun, item: int, answer: Answer) -> None:
        if self._closed or made.cancelled or made.job is None:
            return
        assert made.generation is not None, "it has run"
        apart = made.generation.takes_apart
        if isinstance(answer, dict) and answer["shape"]:
            patch = made.patch(answer)
            if apart:
                made.layers.append(patch)
            else:
                self._staging.add(made.candidate(item, patch))
            self._fetch(made, item + 1)
            return
        del self._runs[made.job.id]
        if item == 0 or (apart and isinstance(answer, NodeForgeError)):
            text = answer if isinstance(answer, NodeForgeError) else "The result is gone."
            self.refused.emit(str(text))
        elif apart:
            self._staging.add(made.separated())
        self._end(made)

    def _end(self, made: GenerationRun) -> None:
        if made.live:
            self._unused_assets |= made.pictures
            self._remove_unused_assets()
        self._staging.preview(None, Box(0, 0, 1, 1))
        self.changed.emit()
        self.ended.emit(made)

    def _remove_unused_assets(self) -> None:
        """Delete input pictures of live generations that nothing else refers to."""
        if self._runs or self._preparing:
            return
        records = [*self._session.opened.generations]
        records += [candidate.record for candidate in self._staging.candidates]
        entries = (entry for record in records for entry in record.get("pictures", {}).values())
        kept = {entry.get("sha256") for entry in entries} | self._runner.kept.pinned_assets()
        for name in self._unused_assets - kept:
            (self._workspace.settings.assets / f"{name}.png").unlink(missing_ok=True)
        self._unused_assets &= kept

    def open_workflow(self) -> OpenDocument:
        """Open the generation workflow as a document; Generate then runs that document."""
        if self.form.custom_workflow is None:
            copied = replace(self.form.workflow)
            opened = OpenDocument(copied, name=self.form.workflow_name)
            self._workspace.add(opened)
            self.form.choose_workflow(opened)
        self._workspace.show(self.form.custom_workflow)
        assert self.form.custom_workflow is not None
        return self.form.custom_workflow
