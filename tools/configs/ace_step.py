"""ACE-Step 1.5: the config of each of its parts, and the template of its captions.

Values are facts of the architecture (diffusers' AceStepPipeline), checked by the
parameter counts of what they make.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_oobleck import AutoencoderOobleck
from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel
from diffusers.pipelines.ace_step.modeling_ace_step import AceStepConditionEncoder

SCHEDULER: dict[str, Any] = {"num_train_timesteps": 1, "shift": 3.0}
PARAMETERS = {
    "transformer": 1_575_458_880,
    "condition_encoder": 608_369_664,
    "vae": 168_695_426,
}
TOKENIZERS: dict[str, dict[str, str]] = {}
TEMPLATE = (
    "# Instruction\nFill the audio semantic mask based on the given conditions:\n\n"
    "# Caption\n{}\n\n# Metas\n"
)
INDEX = {
    "_class_name": "AceStepPipeline",
    "condition_encoder": ["ace_step", "AceStepConditionEncoder"],
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "Qwen3Model"],
    "tokenizer": ["transformers", "Qwen2TokenizerFast"],
    "transformer": ["diffusers", "AceStepTransformer1DModel"],
    "vae": ["diffusers", "AutoencoderOobleck"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {
        "transformer": AceStepTransformer1DModel(),
        "condition_encoder": AceStepConditionEncoder(),
        "vae": AutoencoderOobleck(downsampling_ratios=[2, 4, 4, 6, 10], sampling_rate=48000),
    }
