"""Model files, without torch: folders, detection, headers, content keys."""

from nodeforge.models.auto_settings import SamplingSettings, resolve
from nodeforge.models.detection.found import Shapes
from nodeforge.models.detection.info import Kind, Layout, ModelInfo
from nodeforge.models.detection.lora_names import LoraTensor
from nodeforge.models.detection.lora_names import other_method as other_lora_method
from nodeforge.models.detection.lora_names import parse as parse_lora_name
from nodeforge.models.detection.networks import embedding_tensors
from nodeforge.models.detection.quantisation import DROPPED as DROPPED_MARKS
from nodeforge.models.detection.quantisation import FLOAT8 as FLOAT8_FORMATS
from nodeforge.models.detection.quantisation import INT8 as INT8_FORMAT
from nodeforge.models.detection.quantisation import SCALE_NAMES, told_of_layers
from nodeforge.models.detection.recognise import recognise
from nodeforge.models.detection.text_encoder_sets import EncoderSet, encoder_set
from nodeforge.models.detection.told_by_name import told_by_name
from nodeforge.models.detection.transformers import VAE_PREFIXES, bundled_prefix
from nodeforge.models.detection.upscalers import (
    SPANDREL_COMMAND,
    UPSCALERS,
    bare_names,
    compact_layers,
    esrgan_doublings,
    esrgan_names,
    esrgan_unshuffled,
    missing_for_spandrel,
)
from nodeforge.models.errors import (
    CorruptModelError,
    ForbiddenModelError,
    MissingModelError,
    ModelFileError,
    PickleRefusedError,
)
from nodeforge.models.families import (
    BFLOAT16_FIRST,
    FAMILIES,
    FULL_FIRST,
    HALF_FIRST,
    SPACES,
    TEXT_ENCODER_KINDS,
    Family,
    GuidanceKind,
    LatentSpace,
    RecommendedSettings,
    ScheduleShift,
    Signature,
    SoundLength,
    Task,
    TextEncoderKind,
    Variant,
)
from nodeforge.models.files.allowed_pickles import converted_path, readable
from nodeforge.models.files.diffusers_folder import (
    VOCABULARY_KEY,
    is_whole_model,
    predicts,
    read_config,
    read_index,
    weight_files,
)
from nodeforge.models.files.fingerprint import (
    SMALL,
    UNREAD,
    Fingerprints,
    fingerprint,
    fingerprints,
    known_sha256,
    locate,
    sha256,
    size_of,
    without_reading,
)
from nodeforge.models.files.header import Header, is_pickle, read_header
from nodeforge.models.files.known_words import KnownWords, known_words
from nodeforge.models.folders.companion_lock import COMPANIONS, locked_entry, locked_of
from nodeforge.models.folders.companions import MissingCompanionError, companions, needs_of
from nodeforge.models.folders.folder_layouts import folder_problems
from nodeforge.models.folders.folders import ModelFolders
from nodeforge.models.folders.prompt_references import (
    prompt_reference,
    referenced_name,
    referenced_names,
)
from nodeforge.models.labels import (
    EDIT_MODELS,
    IDLE_IMAGE_GUIDANCE,
    LAYER_MODELS,
    NO_PICTURE_TO_EDIT,
    NO_PICTURE_TO_TAKE_APART,
    family_label,
    kind_label,
    kind_with_article,
    references_taken,
    too_many_references,
    upscaler_label,
    variant_label,
)
from nodeforge.models.measurements.measurement import Conditions, CurvePoint, Measurement

__all__ = [
    "BFLOAT16_FIRST",
    "COMPANIONS",
    "DROPPED_MARKS",
    "EDIT_MODELS",
    "FAMILIES",
    "FLOAT8_FORMATS",
    "FULL_FIRST",
    "HALF_FIRST",
    "IDLE_IMAGE_GUIDANCE",
    "INT8_FORMAT",
    "LAYER_MODELS",
    "NO_PICTURE_TO_EDIT",
    "NO_PICTURE_TO_TAKE_APART",
    "SCALE_NAMES",
    "SMALL",
    "SPACES",
    "SPANDREL_COMMAND",
    "TEXT_ENCODER_KINDS",
    "UNREAD",
    "UPSCALERS",
    "VAE_PREFIXES",
    "VOCABULARY_KEY",
    "Conditions",
    "CorruptModelError",
    "CurvePoint",
    "EncoderSet",
    "Family",
    "Fingerprints",
    "ForbiddenModelError",
    "GuidanceKind",
    "Header",
    "Kind",
    "KnownWords",
    "LatentSpace",
    "Layout",
    "LoraTensor",
    "Measurement",
    "MissingCompanionError",
    "MissingModelError",
    "ModelFileError",
    "ModelFolders",
    "ModelInfo",
    "PickleRefusedError",
    "RecommendedSettings",
    "SamplingSettings",
    "ScheduleShift",
    "Shapes",
    "Signature",
    "SoundLength",
    "Task",
    "TextEncoderKind",
    "Variant",
    "bare_names",
    "bundled_prefix",
    "compact_layers",
    "companions",
    "converted_path",
    "embedding_tensors",
    "encoder_set",
    "esrgan_doublings",
    "esrgan_names",
    "esrgan_unshuffled",
    "family_label",
    "fingerprint",
    "fingerprints",
    "folder_problems",
    "is_pickle",
    "is_whole_model",
    "kind_label",
    "kind_with_article",
    "known_sha256",
    "known_words",
    "locate",
    "locked_entry",
    "locked_of",
    "missing_for_spandrel",
    "needs_of",
    "other_lora_method",
    "parse_lora_name",
    "predicts",
    "prompt_reference",
    "read_config",
    "read_header",
    "read_index",
    "readable",
    "recognise",
    "referenced_name",
    "referenced_names",
    "references_taken",
    "resolve",
    "sha256",
    "size_of",
    "told_by_name",
    "told_of_layers",
    "too_many_references",
    "upscaler_label",
    "variant_label",
    "weight_files",
    "without_reading",
]
