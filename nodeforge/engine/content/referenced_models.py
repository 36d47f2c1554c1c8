"""Models that the texts of a node reference, as a prompt does by ``embedding:style``.

They are looked for before the run, so that their content counts in the node's key. One that
is missing is no failure yet: 'Load embedding' may bring it under that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nodeforge.engine.content.files import Files
from nodeforge.errors import RequestError
from nodeforge.models import referenced_names
from nodeforge.spec import NodeSpec, TextWidget

Named = Mapping[str, Path | RequestError]
"""Where each named model is, or why it cannot be used."""


class UnplannedModelError(RequestError):
    """A text names a model, and was not known before the run."""


class ReferencedModels(NamedTuple):
    """What the texts of a node name.

    Args:
        found: Where each is, or why it cannot be used.
        counted: What those that are there add to the node's key.
    """

    found: dict[str, Path | RequestError]
    counted: dict[str, str]


def referenced_models(spec: NodeSpec, texts: Mapping[str, Any], files: Files) -> ReferencedModels:
    """Look for the models that `texts` name.

    Args:
        spec: The node's type.
        texts: By port; what is computed while the workflow runs is not there.
        files: Finds models.
    """
    made = ReferencedModels({}, {})
    for port in spec.inputs:
        kind = port.widget.names if isinstance(port.widget, TextWidget) else ""
        text = texts.get(port.name)
        for name in referenced_names(kind, text) if kind and isinstance(text, str) else ():
            try:
                path = files.model(kind, name)
                made.counted[f"{port.name}@{name}"] = files.content_key(path)
                made.found[name] = path
            except RequestError as error:
                made.found[name] = error
    return made


def referenced_model(named: Named, name: str) -> Path:
    """Where the model `name` is.

    Raises:
        MissingModelError, ForbiddenModelError, ModelFileError: it cannot be used.
        UnplannedModelError: the text that names it was computed while the workflow ran.
    """
    found = named.get(name)
    if found is None:
        raise UnplannedModelError(
            f"the text that names '{name}' is computed while the workflow runs.",
            way_out="Write the text into this node or into a text node, or load what it names "
            "with a node of its own.",
        )
    if isinstance(found, RequestError):
        raise found
    return found
