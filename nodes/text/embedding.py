"""Textual inversions for prompts."""

from pathlib import Path
from typing import Annotated

from nodeforge.api import ModelFile, TextEncoder, node
from nodeforge.diffusion import describe_embedding, with_embedding


@node("text.load_embedding", title="Load embedding")
def load_embedding(
    text_encoder: TextEncoder,
    file: Annotated[Path, ModelFile("embedding")],
    name: str = "",
) -> TextEncoder:
    """Load a textual inversion, used in prompts as `embedding:name`; several may be loaded.

    Args:
        text_encoder: The text encoder.
        file: The textual inversion.
        name: Its name in prompts; empty is the file's name.
    """
    weights = describe_embedding(file, text_encoder.family)
    return with_embedding(text_encoder, weights, name or file.stem)
