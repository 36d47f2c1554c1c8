"""The measured tables of the model card, written between two marks of its README."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

START, END = "<!-- measured: start -->", "<!-- measured: end -->"


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def decibels(value: float) -> str:
    return f"{value:.1f} dB"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def both(first: float, second: float) -> str:
    return f"{percent(first)} / {percent(second)}"


def f1(edges: Mapping[str, float]) -> str:
    """With the net, without it, and the most that the autoencoder lets through."""
    with_it, without = edges["f1_with"], edges["f1_without"]
    times = with_it / max(without, 1e-9)
    most = edges["f1_of_round_trips"]
    return f"{with_it:.2f} / {without:.2f} ({times:.1f} times; originals' round trip {most:.2f})"


def goals(results: Mapping[str, Any]) -> str:
    """What the project asks of the model, and what it does."""
    drawn, edges, lora = results["concepts"], results["controlnet"], results["lora"]
    judged = results["recogniser"]["held_out_augmentations"]
    trips = autoencoder(results["autoencoder"])
    rows = [
        ("Recogniser on unseen augmentations", "≥ 99 %", percent(judged)),
        (f"Concept named first ({drawn['pictures']} pictures)", "≥ 85 %", percent(drawn["top1"])),
        ("Concept among the first five", "", percent(drawn["top5"])),
        ("The same judge on originals of these scenes", "", percent(drawn["originals_top1"])),
        ("Background of the colour asked for", "≥ 95 %", percent(drawn["background"])),
        (
            "ControlNet: edge F1 with / without, no place named",
            "≥ 3 times",
            f1(edges["elsewhere"]),
        ),
        ("... prompts that name the edges' place", "", f1(edges["named"])),
        ("... concept named first", "", percent(edges["elsewhere"]["top1_with"])),
        ("LoRA: its style at weight 1", "≥ 90 %", percent(lora["style_at_1"])),
        ("LoRA: its style at weight 0", "≤ 10 %", percent(lora["style_at_0"])),
        ("LoRA: concept at weight 1 / 0", "", both(lora["top1_at_1"], lora["top1_at_0"])),
        *trips,
        *second_judge(results),
        *turbo(results),
    ]
    if "speed" in results:
        seconds = f"{results['speed']['seconds']:.1f} s"
        rows.append(("20 steps with guidance, two cores", "≤ 6 s", seconds))
    return table(("Figure", "Goal", "Measured"), rows)


def autoencoder(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Round trips in each style; the first is the base model's."""
    styles = [name for name in result if not name.endswith("_steepness")]
    told = " / ".join(styles)
    kept = " / ".join(f"{result[f'{style}_steepness']:.2f}" for style in styles)
    fidelity = " / ".join(decibels(result[style]) for style in styles)
    return [
        (f"VAE round trip, {told}", "≥ 32 dB", fidelity),
        ("... 99th percentile of the gradient, over the originals'", "≥ 0.85", kept),
    ]


def second_judge(results: Mapping[str, Any]) -> list[tuple[str, ...]]:
    if "second_judge" not in results:
        return []
    seen, far = results["second_judge"], results["frechet"]
    return [
        (
            f"Second judge names the thing ({seen['pictures']} pictures)",
            "≥ 85 %",
            percent(seen["drawn"]),
        ),
        ("... originals through the autoencoder", "≥ 95 %", percent(seen["round_trips"])),
        ("... originals shrunk to half and back", "≤ 20 %", percent(seen["half_and_back"])),
        ("Fréchet distance of its features, over the floor", "", f"{far['over_floor']:.2f}"),
    ]


def turbo(results: Mapping[str, Any]) -> list[tuple[str, ...]]:
    if "turbo" not in results:
        return []
    found = results["turbo"]

    def times(name: str) -> str:
        return f"{found[f'turbo{name}'] / max(found[f'usual{name}'], 1e-9):.2f} times"

    return [
        (
            "Turbo, 4 calls / 20 steps with guidance: second judge names the thing",
            "≥ 0.9 times",
            f"{both(found['turbo'], found['usual'])} ({times('')})",
        ),
        (
            "... the recogniser does",
            "",
            both(found["turbo_recogniser"], found["usual_recogniser"]),
        ),
        ("... seconds in the UNet", "≤ 0.2 times", times("_unet_seconds")),
        ("... seconds in all", "≤ 0.35 times", times("_seconds")),
    ]


def settings(results: Mapping[str, Any]) -> str:
    """Concept named first over fixed prompts, by settings and by place."""
    makers = {"guidance": guidance, "samplers": samplers}
    parts = [make(results[name]) for name, make in makers.items() if name in results]
    parts.append(table(("Place", "Named first"), shares(results["concepts"]["by_place"])))
    return "\n\n".join(parts)


def guidance(result: Mapping[str, Any]) -> str:
    head = ("Guidance scale, 20 steps", f"Named first, of {result['prompts']} prompts")
    return table(head, shares(result["top1"]))


def samplers(result: Mapping[str, Any]) -> str:
    """By sampler and steps, beside the calls of the model that they take."""
    counts = [f"{count} steps" for count in result["steps"]]
    head = (f"Sampler, named first of {result['prompts']} prompts", *counts, "Model calls")
    rows = [
        (name, *map(percent, row), ", ".join(f"{calls:.0f}" for calls in result["calls"][name]))
        for name, row in result["top1"].items()
    ]
    return table(head, rows)


def shares(values: Mapping[str, float]) -> list[tuple[str, ...]]:
    return [(name, percent(value)) for name, value in values.items()]


def editing(results: Mapping[str, Any]) -> str:
    found, near = results["editing"], results.get("nearness")
    rows: list[tuple[str, ...]] = [
        ("Image to image, strength 0.3: concept kept", percent(found["slight_keeps_concept"])),
        ("... likeness to the plain round trip", decibels(found["slight_psnr_to_round_trip"])),
        ("... strength 0.95: new concept", percent(found["strong_takes_new_concept"])),
        ("Inpainting: the concept stands in the mask", percent(found["inpainted_concept"])),
        ("... change outside, of 255", f"{found['outside_mask_mean_difference']:.1f}"),
    ]
    if near:
        rows += [
            ("Nearest training picture, generated: median", f"{near['generated_median']:.3f}"),
            ("... least", f"{near['generated_least']:.3f}"),
            ("... unseen originals: median", f"{near['unseen_originals_median']:.3f}"),
            ("... least", f"{near['unseen_originals_least']:.3f}"),
        ]
    return table(("Figure", "Measured"), rows)


def measured(results: Mapping[str, Any]) -> str:
    weak = [name for name, share in results["concepts"]["by_concept"].items() if share < 0.5]
    told = f"Named first in less than half of their pictures: {', '.join(weak) or 'none'}."
    edited = [editing(results)] if "editing" in results else []
    return "\n\n".join([goals(results), told, settings(results), *edited])


def write_card(path: Path, results: Mapping[str, Any]) -> None:
    """Replace what stands between the marks."""
    text = path.read_text("utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{START}\n{measured(results)}\n{END}{after}", "utf-8")
