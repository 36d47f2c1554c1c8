"""Which model files a workflow loads, and the family of what comes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nodeforge.errors import RequestError
from nodeforge.lint.context import LintContext
from nodeforge.spec import RECIPES_OF_NETWORKS, ModelFileWidget

if TYPE_CHECKING:
    from nodeforge.models import Family, ModelFolders, ModelInfo

CARRIES = RECIPES_OF_NETWORKS | {"latent", "conditioning"}
"""Types whose values belong to one family."""


class Origin(NamedTuple):
    """A family, the node whose file it comes from, and all families that it may be of."""

    family: str
    node: str
    families: tuple[str, ...] = ()

    @property
    def latents(self) -> set[str]:
        """The latent spaces that go with it."""
        return {facts(family).space for family in (self.family, *self.families)}


@dataclass
class Families:
    """For each node, the family of what it gives, and what meets in it, by port."""

    of: dict[str, Origin] = field(default_factory=dict)
    met: dict[str, dict[str, Origin]] = field(default_factory=dict)


def model_ports(scene: LintContext) -> list[tuple[str, str, str, str]]:
    """Path, port, kind and name of every model file that the workflow names."""
    return scene.once("model ports", lambda: list(_model_ports(scene)))


def _model_ports(scene: LintContext) -> Iterator[tuple[str, str, str, str]]:
    for path, node in scene.nodes.items():
        for port in node.spec.inputs if node.spec else ():
            if isinstance(port.widget, ModelFileWidget):
                name = scene.value(path, port.name)
                if type(name) is str and name:
                    yield path, port.name, port.widget.kind, name


def model_path(scene: LintContext, models: ModelFolders, kind: str, name: str) -> Path:
    """Where a model is; looked up once, as naming what is like a missing one takes time.

    Raises:
        RequestError: no folder has it, or the name leads out of them.
    """
    known = scene.looked_up.get((kind, name))
    if known is None:
        try:
            known = models.find(kind, name, scene.granted)
        except RequestError as error:
            known = error
        scene.looked_up[kind, name] = known
    if isinstance(known, RequestError):
        raise known
    return known


def model_info(scene: LintContext, kind: str, name: str) -> ModelInfo | None:
    """What a model is by its header; None where it is not found (`missing_models` says so).

    Raises:
        RequestError: the file cannot be used.
    """
    if scene.models is None:
        return None
    try:
        path = model_path(scene, scene.models, kind, name)
    except RequestError:
        return None
    known = scene.looked_at.get(path)
    if known is None:
        known = scene.looked_at[path] = _look_at(path)
    if isinstance(known, RequestError):
        raise known
    return known


def _look_at(path: Path) -> ModelInfo | RequestError:
    from nodeforge.models import recognise

    try:
        return recognise(path)
    except RequestError as error:
        return error


def families(scene: LintContext) -> Families:
    """The family of everything, followed from the files along the links."""
    return scene.once("families", lambda: _families(scene))


def _families(scene: LintContext) -> Families:
    loaded = _loaded(scene)
    known = Families()
    for path in scene.order if loaded else ():
        met = _met(scene, path, known.of)
        if path in loaded:
            port, origin = loaded[path]
            met[port] = origin
        if met:
            known.met[path] = met
            known.of[path] = next(iter(met.values()))
    return known


def facts(family: str) -> Family:
    """What is true of all models of a family."""
    from nodeforge.models import FAMILIES

    return FAMILIES[family]


def alike(first: Origin, second: Origin, by_latents: bool) -> bool:
    """Whether what comes of the two goes together; a refiner has the latents of its base, and a
    VAE or an image encoder alone may be for several families.

    Args:
        first, second: Where they come from.
        by_latents: Whether one of them is a latent or a VAE.
    """
    if by_latents:
        return bool(first.latents & second.latents)
    return not {first.family, *first.families}.isdisjoint({second.family, *second.families})


def label(family: str) -> str:
    """How people name a family."""
    return facts(family).label


def _loaded(scene: LintContext) -> dict[str, tuple[str, Origin]]:
    found: dict[str, tuple[str, Origin]] = {}
    infos: dict[str, list[ModelInfo]] = {}
    for path, port, kind, name in model_ports(scene):
        if _goes_with_another(scene, path, port):
            continue  # the denoiser's family counts
        try:
            info = model_info(scene, kind, name)
        except RequestError:
            continue
        if info is not None and info.family is not None:
            infos.setdefault(path, []).append(info)
            found[path] = (port, _origin(path, infos[path], _meant(scene, path)))
    return found


def _goes_with_another(scene: LintContext, path: str, port: str) -> bool:
    spec = scene.nodes[path].spec
    widget = spec.input[port].widget if spec else None
    return isinstance(widget, ModelFileWidget) and bool(widget.goes_with)


def _meant(scene: LintContext, path: str) -> str:
    """The family that a node's values name; empty where they name none."""
    from nodeforge.models import FAMILIES

    spec = scene.nodes[path].spec
    told = scene.value(path, "family") if spec and "family" in spec.input else None
    return told if isinstance(told, str) and told in FAMILIES else ""


def _origin(path: str, infos: list[ModelInfo], family: str) -> Origin:
    """Where the files of one node come from; two text encoders together are another family's."""
    from nodeforge.models import encoder_set

    if len(infos) > 1 and (found := encoder_set(infos, family)):
        return Origin(found.family.name, path)
    return Origin(infos[-1].family or "", path, infos[-1].families)


def _met(scene: LintContext, path: str, known: dict[str, Origin]) -> dict[str, Origin]:
    """The families that come in, by port, in the order of the ports."""
    spec = scene.nodes[path].spec
    linked = scene.inputs.get(path)
    if spec is None or not linked:
        return {}
    return {
        port.name: known[start.node]
        for port in spec.inputs
        if port.type in CARRIES
        for start in linked.get(port.name, ())
        if start.node in known and _gives(scene, start.node, start.port)
    }


def _gives(scene: LintContext, path: str, port: str) -> bool:
    spec = scene.nodes[path].spec
    return spec is not None and port in spec.output and spec.output[port].type in CARRIES
