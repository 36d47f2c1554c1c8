"""Stable Audio Open 1.0: the config of each of its parts.

Values are facts of the architecture (Evans et al. 2024), checked by the parameter counts of what
they make.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_oobleck import AutoencoderOobleck
from diffusers.models.transformers.stable_audio_transformer import StableAudioDiTModel
from diffusers.pipelines.stable_audio.modeling_stable_audio import StableAudioProjectionModel

SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "sigma_data": 1.0,
    "sigma_max": 500,
    "sigma_min": 0.3,
    "sigma_schedule": "exponential",
    "solver_order": 2,
    "solver_type": "midpoint",
}
PARAMETERS = {
    "transformer": 1_056_939_136,
    "projection_model": 396_544,
    "vae": 156_112_514,
}
TOKENIZERS: dict[str, dict[str, str]] = {}
INDEX = {
    "_class_name": "StableAudioPipeline",
    "projection_model": ["stable_audio", "StableAudioProjectionModel"],
    "scheduler": ["diffusers", "CosineDPMSolverMultistepScheduler"],
    "text_encoder": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "StableAudioDiTModel"],
    "vae": ["diffusers", "AutoencoderOobleck"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {
        "transformer": StableAudioDiTModel(),
        "projection_model": StableAudioProjectionModel(
            text_encoder_dim=768, conditioning_dim=768, min_value=0, max_value=512
        ),
        "vae": AutoencoderOobleck(),
    }
