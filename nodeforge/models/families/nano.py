"""nano, the small model that ships with NodeForge: the facts."""

from nodeforge.models.families.family import Family, RecommendedSettings

NANO = Family(
    name="nano",
    label="nano",
    width=192,
    in_channels={8: "text to image"},
    latent_channels=8,
    latent_scale=16,
    scaling_factor=None,
    prediction_types=("v_prediction", "epsilon"),
    native_size=256,
    size_multiple=16,
    recommended=RecommendedSettings(sampler="dpmpp_2m", schedule="normal", steps=20, guidance=5.0),
    config="models/nano",
    unet={"text to image": "unet"},
    text_widths=(192,),
)
