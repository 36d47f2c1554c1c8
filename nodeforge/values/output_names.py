"""Names of saved files: words in braces, as ``{seed}``, and what they stand for in a run."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Collection, Mapping

from nodeforge.values import infotext

_FACTS = {
    "seed": "Seed",
    "model": "Model",
    "sampler": "Sampler",
    "schedule": "Schedule type",
    "steps": "Steps",
    "scale": "CFG scale",
}
"""Words, and how the summary of a run calls them."""
WORDS = ("date", "time", "prompt", *_FACTS, "width", "height")
"""What the name of a picture may hold."""
_WORD = re.compile(r"\{(\w+)\}")
_SEED = re.compile(r"((?:^|, )Seed: )(\d+)(?=,|$)")
_LONGEST = 60

CONVENTION, BATCH_SIZE, BATCH_POS = "Convention", "Batch size", "Batch pos"
"""Facts of a summary: whose numbers the loop followed, if not diffusers'; pictures of the batch
drawn; the place of one in it, as A1111 writes them."""
FRAMES = "Frames"
"""A fact of a summary: how many the video has."""


def told(parameters: str) -> tuple[str, dict[str, str]]:
    """Prompt, without its LoRAs, and facts in the summary of a run that A1111 writes, and we."""
    read = infotext.read(parameters)
    return infotext.without_loras(read.prompt)[0], read.facts


def parameters_of(parameters: str, index: int) -> str:
    """The summary of a run as it is for one picture of its batch.

    Item b is seeded seed + b. In ComfyUI's convention it is item b of one draw, with the seed of
    all: its place stands beside the seed.

    Args:
        parameters: The summary of the run, which is the first picture's.
        index: The picture's place in the batch.
    """
    *lines, last = parameters.split("\n")
    item = _drawn_item(infotext.read_facts(last), index)
    if item is None:
        own = _SEED.sub(lambda found: f"{found[1]}{int(found[2]) + index}", last, count=1)
    elif f"{BATCH_POS}: " in last:
        own = last
    else:
        own = _SEED.sub(lambda found: f"{found[0]}, {BATCH_POS}: {item}", last, count=1)
    return "\n".join([*lines, own])


def _drawn_item(facts: Mapping[str, str], index: int) -> int | None:
    """The place of a picture in a batch that was drawn at once; None where each has its seed."""
    if CONVENTION not in facts:
        return None
    if facts.get(BATCH_POS, "").isdigit():
        return int(facts[BATCH_POS])
    return index if index or facts.get(BATCH_SIZE, "1") != "1" else None


def moment(now: float | None = None) -> dict[str, str]:
    """``date`` and ``time`` of `now`, in seconds since 1970."""
    local = time.localtime(now)
    return {"date": time.strftime("%Y-%m-%d", local), "time": time.strftime("%H-%M-%S", local)}


def words_of(parameters: str, size: tuple[int, int], index: int = 0) -> dict[str, str]:
    """What the words stand for; ``none`` where the run has no such thing.

    Args:
        parameters: The summary of the run.
        size: Width and height of the picture.
        index: Its place in the batch, by which its seed is greater; of a batch that was drawn at
            once, it follows the seed: ``7_2``.
    """
    prompt, facts = told(parameters)
    words = {word: facts.get(name, "") for word, name in _FACTS.items()}
    words["model"] = re.sub(r"^.*[/\\]|\.(safetensors|sft|ckpt|pt|bin)$", "", words["model"])
    if words["seed"].isdigit():
        item = _drawn_item(facts, index)
        seed = int(words["seed"])
        words["seed"] = str(seed + index) if item is None else f"{seed}_{item}"
    words |= {"prompt": " ".join(prompt.split()), "width": str(size[0]), "height": str(size[1])}
    return moment() | {word: told or "none" for word, told in words.items()}


def fill(pattern: str, words: Mapping[str, str]) -> str:
    """`pattern` with what its words stand for, none of which begins a folder; others stay."""

    def one(found: re.Match[str]) -> str:
        said = words.get(found[1])
        if said is None:
            return found[0]
        name = re.sub(r"[/\\{}]", "_", said)[:_LONGEST].strip()
        return re.sub(r"^[.~]+", "_", name)

    return _WORD.sub(one, pattern)


def wrong_word(pattern: str, known: Collection[str] = WORDS) -> tuple[str, str] | None:
    """The fact and the way out where `pattern` has a word that stands for nothing."""
    unknown = next((word for word in _WORD.findall(pattern) if word not in known), None)
    if unknown is None:
        return None
    near = difflib.get_close_matches(unknown.lower(), list(known), n=1)
    hint = f"Did you mean {{{near[0]}}}? " if near else ""
    return f"{{{unknown}}} stands for nothing.", f"{hint}Use {listed(known)}."


def wrong_place(prefix: str) -> tuple[str, str] | None:
    """The fact and the way out where a name would lead out of the folder for results."""
    first, *inner = prefix.replace("\\", "/").split("/")
    climbs = ".." in (first, *inner)
    drive = len(first) == 2 and first[1] == ":" and bool(inner)
    home = first.startswith("~") and (bool(inner) or first == "~")
    if not (climbs or drive or home or (inner and not first)):
        return None
    return (
        f"the name '{prefix[:80]}' leads out of the folder for results.",
        "Give a name, or a folder within that folder and a name.",
    )


def listed(known: Collection[str] = WORDS) -> str:
    """The words, as they are written."""
    return ", ".join(f"{{{word}}}" for word in known)
