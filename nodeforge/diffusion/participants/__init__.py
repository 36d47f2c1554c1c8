"""Participants of the denoise loop: what takes part in a step, and so in the step's key."""

from nodeforge.diffusion.participants.host import Host, Steps, networks_loaded
from nodeforge.diffusion.participants.model_call import (
    ImagePromptBatch,
    ModelCall,
    Predict,
    PromptBatch,
    Residuals,
)
from nodeforge.diffusion.participants.participant import (
    BY_STEP,
    Order,
    Participant,
    ParticipantError,
    participant,
    registered,
)

__all__ = [
    "BY_STEP",
    "Host",
    "ImagePromptBatch",
    "ModelCall",
    "Order",
    "Participant",
    "ParticipantError",
    "Predict",
    "PromptBatch",
    "Residuals",
    "Steps",
    "networks_loaded",
    "participant",
    "registered",
]
