"""Model files, without torch: folders, detection, headers, content keys."""

from nodeforge.models.detection.info import Kind, Layout, ModelInfo
from nodeforge.models.detection.lora_names import LoraTensor
from nodeforge.models.detection.lora_names import other_method as other_lora_method
from nodeforge.models.detection.lora_names import parse as parse_lora_name
from nodeforge.models.detection.networks import embedding_tensors
from nodeforge.models.detection.recognise import recognise
from nodeforge.models.detection.text_encoder_pairs import EncoderPair, paired
from nodeforge.models.errors import (
    CorruptModelError,
    ForbiddenModelError,
    MissingModelError,
    ModelFileError,
    PickleRefusedError,
)
from nodeforge.models.families import FAMILIES, Family, RecommendedSettings
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
from nodeforge.models.folders.folder_layouts import folder_problems
from nodeforge.models.folders.folders import ModelFolders
from nodeforge.models.folders.prompt_references import (
    prompt_reference,
    referenced_name,
    referenced_names,
)

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
    "LoraTensor",
    "MissingModelError",
    "ModelFileError",
    "ModelFolders",
    "ModelInfo",
    "PickleRefusedError",
    "RecommendedSettings",
    "embedding_tensors",
    "fingerprint",
    "fingerprints",
    "folder_problems",
    "is_whole_model",
    "locate",
    "other_lora_method",
    "paired",
    "parse_lora_name",
    "predicts",
    "prompt_reference",
    "read_config",
    "read_header",
    "recognise",
    "referenced_name",
    "referenced_names",
    "sha256",
    "size_of",
    "weight_files",
    "without_reading",
]
