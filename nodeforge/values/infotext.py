"""The summary of a run that A1111 writes into pictures, its *infotext*: read and written.

``prompt``, ``Negative prompt: ...``, then facts on one line: ``Steps: 20, Sampler: DPM++ 2M``. A
value that could be mistaken for more facts stands in quotes, as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

NEGATIVE = "Negative prompt:"
_GAP = r"[ \t]{0,4}"
_FACT = re.compile(
    rf"(?:^|,{_GAP})(\w[\w \-/]*):{_GAP}"
    rf'("(?:\\.|[^"\\])*"(?={_GAP}(?:,|$))|\{{[^{{}}]*\}}(?={_GAP}(?:,|$))|.*?)'
    rf"(?=,{_GAP}\w[\w \-/]*:\s|,?{_GAP}$)"
)
_FEWEST = 3
"""Facts that a line needs to be taken for one, as in A1111, unless it begins with the steps: a
prompt may hold a colon, too."""
_LORA = re.compile(r"<lora:([^<>:]+)((?::[^<>:]*)*)>")


class Infotext(NamedTuple):
    """A summary, taken apart.

    Args:
        prompt: As it is written, with what it says of LoRAs.
        negative: The negative prompt.
        facts: By name, in their order.
        rest: Lines after the facts.
    """

    prompt: str
    negative: str
    facts: dict[str, str]
    rest: str = ""


class LoraTag(NamedTuple):
    """``<lora:name:text weight:model weight>`` in a prompt; a single weight is both."""

    name: str
    model_weight: float
    text_weight: float


def read(text: str) -> Infotext:
    """The parts of a summary; without facts where no line looks like them."""
    lines = text.strip().split("\n")
    place = next((n for n in reversed(range(len(lines))) if _is_facts(lines[n])), len(lines))
    told = "\n".join(lines[:place])
    prompt, _, negative = f"\n{told}".partition(f"\n{NEGATIVE}")
    facts = read_facts(lines[place]) if place < len(lines) else {}
    return Infotext(prompt.strip(), negative.strip(), facts, "\n".join(lines[place + 1 :]).strip())


def read_facts(line: str) -> dict[str, str]:
    """The facts of one line, by name, without the quotes of their values."""
    return {name.strip(): _unquoted(value.strip()) for name, value in _FACT.findall(line)}


def write_facts(facts: Mapping[str, Any]) -> str:
    """Facts as one line; those that are None are left out."""
    return ", ".join(f"{n}: {_quoted(str(v))}" for n, v in facts.items() if v is not None)


def lora_tag(name: str, model_weight: float, text_weight: float) -> str:
    """What a prompt says of a LoRA in A1111."""
    weights = dict.fromkeys((f"{text_weight:g}", f"{model_weight:g}"))
    return f"<lora:{name}:{':'.join(weights)}>"


def without_loras(prompt: str) -> tuple[str, list[LoraTag]]:
    """A prompt without its tags of LoRAs, and these. A weight that is no number counts as 1."""
    tags: list[LoraTag] = []
    for name, rest in _LORA.findall(prompt):
        weights = [_number(each) for each in rest.split(":")[1:3]] or [1.0]
        tags.append(LoraTag(name.strip(), weights[-1], weights[0]))
    bare = re.sub(rf"{_GAP}{_LORA.pattern}", "", prompt)
    return bare.strip() if tags else prompt, tags


def _is_facts(line: str) -> bool:
    return line.startswith("Steps: ") or len(_FACT.findall(line)) >= _FEWEST


def _number(text: str) -> float:
    try:
        return float(text.partition("=")[2] or text)  # te=0.5, unet=0.5
    except ValueError:
        return 1.0


def _quoted(value: str) -> str:
    plain = not re.search(r'[,:\n"]', value) or (value.startswith("{") and value.endswith("}"))
    return value if plain else json.dumps(value, ensure_ascii=False)


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
