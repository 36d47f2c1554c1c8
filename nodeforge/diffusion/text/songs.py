"""What a song is told to be, in the words that ACE-Step was trained with."""

from __future__ import annotations

from dataclasses import dataclass

from nodeforge.diffusion.text.clip import PromptError
from nodeforge.models import FAMILIES

_UNTOLD = "N/A"


@dataclass(frozen=True)
class Song:
    """What is told of a song.

    Args:
        caption: Its style, voices and instruments.
        lyrics: Its words, with marks as ``[verse]`` and ``[chorus]``.
        language: Of the lyrics, as ISO 639-1 has it.
        bpm: Beats a minute; None is not told.
        key: As ``C major``; empty is not told.
        time_signature: Beats in a bar; empty is not told.
        seconds: How long it is; None is the model's usual.
    """

    caption: str = ""
    lyrics: str = ""
    language: str = "en"
    bpm: int | None = None
    key: str = ""
    time_signature: str = ""
    seconds: float | None = None

    def facts(self, usual_seconds: float) -> str:
        """What stands after the caption: a line for each number, and the end."""
        seconds = usual_seconds if self.seconds is None else self.seconds
        return (
            f"- bpm: {self.bpm or _UNTOLD}\n"
            f"- timesignature: {self.time_signature.strip() or _UNTOLD}\n"
            f"- keyscale: {self.key.strip() or _UNTOLD}\n"
            f"- duration: {int(seconds)} seconds\n<|endoftext|>\n"
        )

    @property
    def sung(self) -> str:
        """The lyrics and their language."""
        return f"# Languages\n{self.language}\n\n# Lyric\n{self.lyrics}<|endoftext|>"


def check_lyrics(family: str) -> None:
    """Raise `PromptError` unless models of `family` read lyrics."""
    if FAMILIES[family].lyrics_length:
        return
    able = ", ".join(each.label for each in FAMILIES.values() if each.lyrics_length)
    raise PromptError(
        f"{FAMILIES[family].label} reads no lyrics.",
        place="port 'text_encoder'",
        way_out=f"Choose a model of {able}, or encode the prompt with 'Encode prompt'.",
    )
