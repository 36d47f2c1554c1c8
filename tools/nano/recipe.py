"""The whole recipe after `data`, stage by stage: each call goes on where the last one stopped.

`python -m tools.nano.recipe --preset gpu --minutes 9` works for nine minutes at most; call it
until it says that all is done. A stage that is done leaves a mark in the run's folder `done`.
"""

import time
from pathlib import Path

import click

from tools.nano import (
    evaluate,
    export,
    latents,
    recogniser,
    second_judge,
    train_controlnet,
    train_decoder,
    train_edit,
    train_lora,
    train_motion,
    train_text,
    train_turbo,
    train_unet,
    train_upscaler,
    train_vae,
)
from tools.nano.runs import from_option, preset_option, runs_option

STAGES = {
    "vae": train_vae.main,
    "latents": latents.main,
    "text": train_text.main,
    "unet": train_unet.main,
    "decoder": train_decoder.main,
    "controlnet": train_controlnet.main,
    "lora": train_lora.main,
    "turbo": train_turbo.main,
    "edit": train_edit.main,
    "motion": train_motion.main,
    "upscaler": train_upscaler.main,
    "upscaler-x4": train_upscaler.main,
    "recogniser": recogniser.main,
    "second-judge": second_judge.main,
    "export": export.main,
    "evaluate": evaluate.main,
}
OWN_VALUES: dict[str, dict[str, object]] = {"upscaler-x4": {"scale": 4}}
LEAST_MINUTES = 1.0  # less is not worth a start: compiling takes as long


def arguments(command: click.Command, values: dict[str, object]) -> list[str]:
    """Those of the values that the command has an option for."""
    options = [option for option in command.params if values.get(option.name or "") is not None]
    return [part for o in options for part in (o.opts[0], str(values[o.name or ""]))]


def go_on(
    preset: str,
    runs: Path,
    minutes: float | None,
    only: int | None = None,
    start: Path | None = None,
) -> bool:
    """Run what is not done yet, as far as the minutes reach; True when all is done."""
    began = time.monotonic()
    marks = runs / preset / "done"
    marks.mkdir(parents=True, exist_ok=True)
    model = runs / preset / "model"
    for name, command in STAGES.items():
        if (marks / name).exists():
            continue
        started = time.monotonic()
        left = None if minutes is None else minutes - (started - began) / 60
        if left is not None and left < LEAST_MINUTES:
            return False
        click.echo(f"== {name}")
        given = {"preset": preset, "runs": runs, "minutes": left, "only": only, "start": start}
        given |= {"out": model, "model": model, **OWN_VALUES.get(name, {})}
        line = arguments(command, given)
        if not command.main(line, standalone_mode=False):
            return False
        (marks / name).write_text(f"{time.monotonic() - started:.0f}\n", "utf-8")
    return True


@click.command()
@preset_option
@runs_option
@from_option
@click.option("--minutes", type=float, help="Stop after about this long, resumable.")
@click.option("--only", type=int, help="Measure the first so many scenes alone.")
def main(
    preset: str, runs: Path, start: Path | None, minutes: float | None, only: int | None
) -> None:
    """Go on with a preset's recipe."""
    done = go_on(preset, runs, minutes, only, start)
    click.echo("all is done" if done else "not done: call it again")


if __name__ == "__main__":
    main()
