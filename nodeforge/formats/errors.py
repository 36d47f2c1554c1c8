"""What can be wrong with a workflow file. The place names the file and the spot in its JSON."""

from __future__ import annotations

from nodeforge.errors import RequestError
from nodeforge.values.file_kinds import LFS_POINTER, WEB_PAGE

FORMAT = 3
"""The format this version writes, and the newest it reads."""


class WorkflowError(RequestError):
    """A file does not hold a workflow that this version can read."""


class NotJsonError(WorkflowError):
    """The file is not JSON. `line` and `column` count from 1."""

    def __init__(self, why: str, line: int, column: int) -> None:
        super().__init__(
            f"is not JSON: {why}.",
            place=f"line {line}, column {column}",
            way_out="Mend it there, or open a copy from before.",
        )
        self.line = line
        self.column = column


class TruncatedError(NotJsonError):
    """The JSON stops before its end, as after a broken copy or download."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__("it ends too early", line, column)
        self.way_out = "The file was cut short: copy or download it again."


class OtherKindError(WorkflowError):
    """The file is of another kind, which its first bytes tell."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"is {kind}, not a workflow.", way_out=_WAYS_OUT.get(kind, _CHOOSE))
        self.kind = kind


_CHOOSE = "Choose a workflow file (.json), or a PNG, JPEG or WebP that NodeForge saved."
_WAYS_OUT = {
    WEB_PAGE: "Download the file again: a web page was saved in its place.",
    LFS_POINTER: "Run 'git lfs pull' in its folder, or download the file itself.",
    "a NodeForge project": "Open it in the window: nodeforge PROJECT.",
}


class DuplicateKeyError(WorkflowError):
    """One name stands twice in the same object, so that one of its values would be lost."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the name '{key}' stands twice in one object.", way_out="Delete one.")
        self.key = key


class NewerFormatError(WorkflowError):
    """The file was made by a newer NodeForge."""

    def __init__(self, made_with: int) -> None:
        super().__init__(
            f"made with format {made_with}; this version reads up to {FORMAT}.",
            way_out="Update NodeForge.",
        )
        self.made_with = made_with


class WrongShapeError(WorkflowError):
    """Something in the file is not what stands there in a workflow."""


class TooLargeError(WorkflowError):
    """The file passes a bound that protects the app."""
