"""InstructPix2Pix, a kind of model that families with Stable Diffusion's UNet share."""

from nodeforge.models.families.common.family import RecommendedSettings, Task, Variant


def instruct_pix2pix(steps: int, guidance: float) -> Variant:
    """The variant of a family, with the settings to start from (Brooks et al. 2023)."""
    return Variant(
        RecommendedSettings("euler_a", "normal", steps, guidance, image_guidance=1.5),
        "InstructPix2Pix",
        ("instruct", "ip2p", "pix2pix"),
        task=Task.EDIT,
        references=1,
    )
