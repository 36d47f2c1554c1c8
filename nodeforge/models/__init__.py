"""Model files, without torch: where they are, what they are, and which content they hold."""

from nodeforge.models.detection.info import Kind, Layout, ModelInfo
from nodeforge.models.detection.recognise import recognise
from nodeforge.models.detection.text_encoder_pairs import EncoderPair, paired
from nodeforge.models.errors import (
    CorruptModelError,
    ForbiddenModelError,
    MissingModelError,
    ModelFileError,
    PickleRefusedError,
)
from nodeforge.models.families import FAMILIES, Family, Sensible
from nodeforge.models.files.diffusers_folder import (
    VOCABULARY_KEY,
    is_whole_model,
    predicts,
    read_config,
    weight_files,
)
from nodeforge.models.files.fingerprint import (
    UNREAD,
    Fingerprints,
    fingerprint,
    fingerprints,
    locate,
    sha256,
    size_of,
    without_reading,
)
from nodeforge.models.files.header import Header, read_header
from nodeforge.models.folders.folders import ModelFolders
from nodeforge.models.folders.prompt_references import mention, mentioned

__all__ = [
    "FAMILIES",
    "UNREAD",
    "VOCABULARY_KEY",
    "CorruptModelError",
    "EncoderPair",
    "Family",
    "Fingerprints",
    "ForbiddenModelError",
    "Header",
    "Kind",
    "Layout",
    "MissingModelError",
    "ModelFileError",
    "ModelFolders",
    "ModelInfo",
    "PickleRefusedError",
    "Sensible",
    "fingerprint",
    "fingerprints",
    "is_whole_model",
    "locate",
    "mention",
    "mentioned",
    "paired",
    "predicts",
    "read_config",
    "read_header",
    "recognise",
    "sha256",
    "size_of",
    "weight_files",
    "without_reading",
]
