"""From what a song should be to what a denoiser reads."""

from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import Choice, Conditioning, Multiline, Range, RunContext, TextEncoder, node


@node("text.encode_song", title="Encode song")
def encode_song(
    run: RunContext,
    text_encoder: TextEncoder,
    caption: Annotated[str, Multiline()] = "",
    lyrics: Annotated[str, Multiline()] = "",
    language: str = "en",
    bpm: Annotated[int | None, Range(10, 400)] = None,
    key: str = "",
    time_signature: Annotated[str, Choice("", "2", "3", "4", "6", labels={"": "Any"})] = "",
    seconds: Annotated[float | None, Range(1.0, 600.0, step=1.0, auto=True)] = None,
) -> Conditioning:
    """Encode the style and the lyrics of a song, for ACE-Step 1.5.

    Lines in brackets say what comes: [verse], [chorus], [bridge], [instrumental], [outro].

    Args:
        text_encoder: The model's own.
        caption: Style, instruments, voices, mood; or tags with commas.
        lyrics: The words. Write [Instrumental] for music without a voice.
        language: Of the lyrics, in two letters: en, de, fr, ja, zh and others.
        bpm: Beats a minute; empty leaves it to the model.
        key: As C major or F# minor; empty leaves it to the model.
        time_signature: Beats in a bar.
        seconds: Length of the song, as in 'Audio noise'; empty is the model's usual.
    """
    song = diffusion.Song(caption, lyrics, language, bpm, key, time_signature, seconds)
    diffusion.check_lyrics(text_encoder.family)
    with run.use(text_encoder) as encoder:
        return diffusion.behaviour(encoder.family).encode_song(encoder, song, run.check)
