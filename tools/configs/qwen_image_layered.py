"""Qwen-Image Layered: the config of each of its parts.

Its VAE is Wan 2.1's for pictures with alpha. Its scheduler's pipeline gives the square root of how
much larger a picture is, which is the shift itself in Esser et al. 2024, section 5.3.2.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel

from tools.configs import qwen_image

SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "shift": 1.0,
    "use_dynamic_shifting": True,
    "time_shift_type": "linear",
}
PARAMETERS = {"transformer": 20_430_407_232, "vae": 126_897_716}
TOKENIZERS: dict[str, dict[str, str]] = {}
TEMPLATE = qwen_image.TEMPLATE
INDEX = {**qwen_image.INDEX, "_class_name": "QwenImageLayeredPipeline"}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {
        "transformer": QwenImageTransformer2DModel(
            use_additional_t_cond=True, use_layer3d_rope=True
        ),
        "vae": AutoencoderKLWan(in_channels=4, out_channels=4),
    }
