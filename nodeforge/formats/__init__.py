"""Bytes to document and back: workflow files, and workflows inside pictures."""

from nodeforge.formats.errors import (
    FORMAT,
    DuplicateKeyError,
    NewerFormatError,
    NotJsonError,
    TooLargeError,
    TruncatedError,
    WorkflowError,
    WrongShapeError,
)
from nodeforge.formats.graph_json import graph_from_json, graph_to_json
from nodeforge.formats.pictures import (
    NoWorkflowError,
    document_from_picture,
    item_of_picture,
    read_any,
    run_stamp,
    stamp,
)
from nodeforge.formats.shipped.needed_models import NeededModel, needed_models
from nodeforge.formats.workflow import (
    document_from_json,
    document_to_json,
    load,
    read,
    save,
    write,
)

__all__ = [
    "FORMAT",
    "DuplicateKeyError",
    "NeededModel",
    "NewerFormatError",
    "NoWorkflowError",
    "NotJsonError",
    "TooLargeError",
    "TruncatedError",
    "WorkflowError",
    "WrongShapeError",
    "document_from_json",
    "document_from_picture",
    "document_to_json",
    "graph_from_json",
    "graph_to_json",
    "item_of_picture",
    "load",
    "needed_models",
    "read",
    "read_any",
    "run_stamp",
    "save",
    "stamp",
    "write",
]
