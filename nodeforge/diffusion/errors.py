"""What may be wrong with a model's files."""

from __future__ import annotations

from nodeforge.errors import NodeForgeError


class LoadingError(NodeForgeError):
    """A model that cannot be loaded: something of it is missing or does not fit."""


class FamilyMismatchError(NodeForgeError):
    """A LoRA or a ControlNet that was made for models of another family."""
