"""What denoisers that come alone are run with, found as planning finds it, without a worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.lint.context import LintContext
from nodeforge.lint.recipes import model_info, model_path
from nodeforge.spec import Catalogue, ModelFileWidget

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders, ModelInfo


def companions(scene: LintContext) -> Iterator[tuple[str, dict[str, ModelInfo] | RequestError]]:
    """For each node that loads a denoiser alone, the files for its empty ports, or why not."""
    for path, node in scene.nodes.items():
        beside: dict[str, list[str]] = {}
        for port in node.spec.inputs if node.spec else ():
            if isinstance(port.widget, ModelFileWidget) and port.widget.goes_with:
                beside.setdefault(port.widget.goes_with, []).append(port.name)
        for of, ports in beside.items():
            try:
                found = _beside(scene, path, of, ports)
            except RequestError as error:
                yield path, error
            else:
                yield path, found


def companion_locks(
    document: Document,
    catalogue: Catalogue,
    models: ModelFolders,
    granted: Sequence[str] = (),
) -> dict[str, dict[str, dict[str, object]]]:
    """What a lock says of the files that `document` is run with beside its denoisers."""
    from nodeforge.models import locked_entry

    scene = LintContext(document.graph, catalogue, models, granted, lock=document.lock)
    return {
        path: {port: locked_entry(info) for port, info in found.items()}
        for path, found in companions(scene)
        if not isinstance(found, RequestError) and found
    }


def _beside(scene: LintContext, path: str, of: str, ports: list[str]) -> dict[str, ModelInfo]:
    from nodeforge.models import locked_of, needs_of

    denoiser = _model(scene, path, of)
    if scene.models is None or denoiser is None or not needs_of(denoiser[1]):
        return {}
    chosen = {port: found[0] for port in ports if (found := _model(scene, path, port))}
    locked = locked_of(scene.lock, path)
    found = scene.models.companions(denoiser[0], chosen, locked)
    return {port: info for port, info in found.items() if scene.feed(path, port) is None}


def _model(scene: LintContext, path: str, port: str) -> tuple[Path, ModelInfo] | None:
    """The file at a port, and what it is; None where there is none (other rules say why)."""
    name, spec = scene.value(path, port), scene.nodes[path].spec
    widget = spec.input[port].widget if spec else None
    if scene.models is None or not isinstance(widget, ModelFileWidget) or not name:
        return None
    try:
        info = model_info(scene, widget.kind, str(name))
        return (model_path(scene, scene.models, widget.kind, str(name)), info) if info else None
    except RequestError:
        return None
