"""The summary of a run in saved pictures, as A1111 writes it; and that of other programs read."""

from nodeforge.formats.parameters.hashes import HASHED_FILES, LORA_KEY, PARAMETERS, with_hashes
from nodeforge.formats.parameters.loop_prompts import (
    CHANGE,
    LoopPrompt,
    loop_prompts,
    prompts_behind,
    summarised,
)
from nodeforge.formats.parameters.summary import parameters, texts_of_copies, texts_of_run

__all__ = [
    "CHANGE",
    "HASHED_FILES",
    "LORA_KEY",
    "PARAMETERS",
    "LoopPrompt",
    "loop_prompts",
    "parameters",
    "prompts_behind",
    "summarised",
    "texts_of_copies",
    "texts_of_run",
    "with_hashes",
]
