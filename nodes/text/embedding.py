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
    """Let prompts say `embedding:name` for a textual inversion; several may be loaded.

    Args:
        text_encoder: What reads the prompts.
        file: The textual inversion.
        name: What prompts call it; nothing is the file's own name.
    """
    weights = describe_embedding(file, text_encoder.weights.family)
    return with_embedding(text_encoder, weights, name or file.stem)
