"""Writes what is generated from declarations: the catalogue, the nodes' page, ComfyUI's tables.

python -m tools.catalogue [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from itertools import dropwhile, groupby, takewhile
from pathlib import Path

from nodeforge.diffusion import (
    CONVENTIONS,
    SAMPLERS,
    SCHEDULES,
    UnsupportedPairError,
    table,
)
from nodeforge.diffusion.samplers.pairs import kind_for
from nodeforge.diffusion.schedules.schedule import ScheduleError
from nodeforge.models.sampler_table import Levels
from nodeforge.settings import Settings, help_picture
from nodeforge.spec import Catalogue, NodeSpec, PortSpec
from nodeforge.spec.widget import ChoiceWidget, NumberWidget
from nodeforge.values import Sampler, Schedule
from nodeforge.values.setting_names import COMFYUI
from nodeforge.worker.packs import load_packs
from tools import comfyui_page, lint_page
from tools.nano.card import END, START

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "resources" / "catalogue.json"
REFERENCE = ROOT / "docs" / "nodes.md"
PAIRS = ROOT / "resources" / "samplers.json"
CARD = ROOT / "resources" / "models" / "nano" / "README.md"


def generated() -> dict[Path, str]:
    """The files and what they should hold."""
    # A home that is nowhere: only shipped packs count.
    packs = load_packs(Settings(home=ROOT / "no-home"))
    catalogue = Catalogue(node_type.spec for node_type in packs.node_types.values())
    return {
        CATALOGUE: json.dumps(catalogue.to_json(), indent=1, ensure_ascii=False) + "\n",
        REFERENCE: "\n".join(_reference(catalogue)) + "\n",
        comfyui_page.PAGE: comfyui_page.page(),
        lint_page.PAGE: lint_page.page(),
        PAIRS: json.dumps(_pairs(), indent=1) + "\n",
    }


def _pairs() -> dict[str, dict[str, dict[str, dict[str, list[str]]]]]:
    """Which schedules each sampler walks, by convention and by the model's `Levels`:
    plain, with an eta, with a rho. The linter reads it, which cannot ask torch.
    """
    return {
        sampler: {
            convention: {
                levels.value: {
                    how: [
                        of
                        for of in SCHEDULES
                        if _walks(Sampler(sampler, eta, convention), of, how == "rho", levels)
                    ]
                    for how, eta in (("plain", None), ("eta", 0.5), ("rho", None))
                }
                for levels in Levels
            }
            for convention in CONVENTIONS
        }
        for sampler in SAMPLERS
    }


def _walks(sampler: Sampler, schedule: str, bent: bool, levels: Levels) -> bool:
    told = Schedule(schedule, 4, rho=5.0 if bent else None)
    try:
        kind_for(sampler, told, levels is Levels.FLOW, sigmas=levels is Levels.SIGMAS)
    except (UnsupportedPairError, ScheduleError):
        return False
    return True


def _reference(catalogue: Catalogue) -> Iterator[str]:
    yield "# Nodes"
    yield ""
    yield "Generated from the nodes' declarations by `python -m tools.catalogue`."
    specs = sorted(catalogue.values(), key=lambda spec: spec.type)
    for category, group in groupby(specs, key=lambda spec: spec.category):
        yield from ("", f"## {category}")
        for spec in group:
            yield from _node(spec)
        if category == "sampling":
            yield from _samplers()


def _node(spec: NodeSpec) -> Iterator[str]:
    yield from ("", f"### {spec.title} (`{spec.type}`)", "", spec.summary)
    if spec.doc:
        yield from ("", spec.doc)
    if (picture := help_picture(spec.type)).is_file():
        place = picture.relative_to(ROOT).as_posix()
        yield from ("", f"![{spec.title}: what goes in, and what comes out](../{place})")
    if spec.inputs:
        yield from ("", "| input | type | default | |", "|---|---|---|---|")
        yield from (_input(port) for port in spec.inputs)
    if spec.outputs:
        yield from ("", "| output | type | |", "|---|---|---|")
        yield from (f"| {port.name} | {_type(port)} | {port.doc} |" for port in spec.outputs)


def _input(port: PortSpec) -> str:
    default = "" if port.default is None else f"`{port.default}`"
    if port.optional and port.default is None:
        default = "optional"
    return f"| {port.name} | {_type(port)} | {default} | {port.doc} |"


def _type(port: PortSpec) -> str:
    name = f"list of {port.type}" if port.many else port.type
    match port.widget:
        case ChoiceWidget(options):
            return f"{name}: {', '.join(options)}"
        case NumberWidget(minimum, maximum) if minimum is not None and maximum is not None:
            return f"{name}, {minimum:g} to {maximum:g}"
        case _:
            return name


def _samplers() -> Iterator[str]:
    yield from ("", "#### Which sampler walks which schedule", "")
    yield "*diffusers* is diffusers' own scheduler, called as its pipelines call it; *own* is ours."
    yield from _walked(table())
    yield from ("", "With flow-matching models, which predict the noise less the picture:")
    yield from _walked(table(flow=True))
    yield from ("", *_in_comfyui_s_convention())
    yield from _accuracy()


def _in_comfyui_s_convention() -> Iterator[str]:
    """Which samplers are in one convention alone."""
    there = {name for (name, _), kind in table(convention=COMFYUI).items() if kind}
    here = {name for (name, _), kind in table().items() if kind}
    yield (
        "With the convention `comfyui`, samplers are ours and walk every schedule, with models "
        "that predict epsilon, v or the picture."
    )
    for which, names in (
        ("Only there", there - here),
        ("Not there", {name for name in SAMPLERS if name not in there}),
    ):
        listed = ", ".join(f"`{name}`" for name in SAMPLERS if name in names)
        yield f"{which}: {listed}."


def _walked(kinds: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Who walks each pair; samplers that walk none are left out."""
    yield from ("", "| | " + " | ".join(SCHEDULES) + " |", "|---" * (len(SCHEDULES) + 1) + "|")
    for sampler in SAMPLERS:
        row = [kinds[sampler, schedule] for schedule in SCHEDULES]
        if any(row):
            yield f"| {sampler} | {' | '.join(kind or '–' for kind in row)} |"


def _accuracy() -> Iterator[str]:
    """What the shipped model's card measured by sampler and steps, if it did."""
    if not (measured := card_table(CARD.read_text("utf-8"), "Sampler")):
        return
    yield from ("", "#### What the shipped model draws with them", "")
    yield (
        "How often a recogniser names the wanted thing first in nano's pictures, by sampler and "
        "number of steps, on the schedule `normal`: from its card, which says how it was measured."
    )
    yield from ("", *measured)


def card_table(card: str, head: str) -> list[str]:
    """The lines of the card's measured table whose first column's name begins with `head`.

    None where the card has no such table.
    """
    lines = card.partition(START)[2].partition(END)[0].splitlines()
    behind = dropwhile(lambda line: not line.startswith(f"| {head}, "), lines)
    return list(takewhile(lambda line: line.startswith("|"), behind))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    check = parser.parse_args().check
    stale = [f for f, text in generated().items() if not f.exists() or f.read_text("utf-8") != text]
    for file in stale:
        print(f"{file.relative_to(ROOT)} is out of date" if check else f"writing {file.name}")
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(generated()[file], "utf-8")
    sys.exit(bool(stale and check))


if __name__ == "__main__":
    main()
