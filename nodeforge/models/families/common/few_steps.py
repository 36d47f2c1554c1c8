"""Variants that were distilled to draw in few steps: Turbo, Lightning, Hyper, LCM, DMD."""

from nodeforge.models.families.common.family import RecommendedSettings, Variant

STABILITY = "Stability AI's Community Licence, which is free below a turnover"


def few_steps(
    sampler: str,
    schedule: str,
    steps: int,
    most: int,
    guidance: float,
    usual: float = 1.0,
    label: str = "",
    smallest: float = 0.4,
    licence: str | None = None,
) -> Variant:
    """A variant for few steps.

    Args:
        sampler, schedule, steps: The settings to start from.
        most: The most steps that are of use.
        guidance: The highest scale that is of use.
        usual: The scale to start from; 1 is off.
        label: How people name it; empty is its name with a capital.
        smallest: The smallest picture, as a share of the family's native one's pixels.
        licence: As in `Variant`.
    """
    recommended = RecommendedSettings(
        sampler, schedule, steps, usual, steps_range=(1, most), guidance_range=(1.0, guidance)
    )
    return Variant(recommended, label, distilled=True, area_range=(smallest, 1.7), licence=licence)
