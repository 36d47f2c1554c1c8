"""Errors of model files."""

from __future__ import annotations

from pathlib import Path

from nodeforge.errors import RequestError
from nodeforge.values.file_kinds import LFS_POINTER, WEB_PAGE

_CONVERT = (
    'python -c "import sys, torch; from safetensors.torch import save_file; '
    "d = torch.load(sys.argv[1], map_location='cpu', weights_only=True); "
    "d = d.get('state_dict', d); "
    "save_file({k: v.clone().contiguous() for k, v in d.items() "
    'if isinstance(v, torch.Tensor)}, sys.argv[2])" '
)


_WAYS_OUT = {
    WEB_PAGE: "Download the file again: a web page was saved in its place, as where one must "
    "log in or accept a licence first.",
    LFS_POINTER: "Run 'git lfs pull' in its folder, or download the file itself.",
}


class ModelFileError(RequestError):
    """A model file that cannot be used."""


class CorruptModelError(ModelFileError):
    """A model file that is not whole, or contradicts itself."""

    def __init__(self, path: Path, fact: str) -> None:
        super().__init__(
            fact, place=str(path), way_out="Download or copy the file again: it is damaged."
        )
        self.path = path


class OtherKindError(ModelFileError):
    """A file of another kind than safetensors, which its first bytes tell."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(
            f"is {kind}, not a safetensors file.",
            place=str(path),
            way_out=_WAYS_OUT.get(kind, "Get the model as .safetensors."),
        )
        self.path = path
        self.kind = kind


class PickleRefusedError(ModelFileError):
    """A model file in Python's pickle format, which can run any code while it is read.

    Args:
        path: It.
        is_part: Whether it is part of a model's folder, which only files beside it can replace.
    """

    def __init__(self, path: Path, *, is_part: bool = False) -> None:
        target = path.with_suffix(".safetensors")
        convert = f"convert it, which reads tensors only: {_CONVERT}'{path}' '{target}'"
        allow = f"let its tensors, and nothing else, be read: nodeforge models allow '{path}'"
        super().__init__(
            "is a pickle: reading one can run any code, so it is not opened.",
            place=str(path),
            way_out=f"Get the model as .safetensors, or {convert if is_part else allow}",
        )
        self.path = path


class MissingModelError(RequestError):
    """No model of this name is in any folder.

    Args:
        kind: Of the folders that were looked in.
        label: What people call a model of that kind: ``upscaler``.
        name: Its name.
        near: Names of others like it.
        places: The folders.
    """

    def __init__(
        self, kind: str, label: str, name: str, near: tuple[str, ...], places: tuple[str, ...]
    ) -> None:
        looked = f" Looked in: {', '.join(places)}." if places else ""
        hint = f"Did you mean {_either(near)}? " if near else ""
        super().__init__(
            f"there is no {label} '{name}' in the model folders.",
            way_out=f"{hint}Choose another one, or put its file into one of the folders.{looked}",
        )
        self.kind = kind
        self.name = name
        self.near = near


class ForbiddenModelError(RequestError):
    """A model name that leads out of the model folders."""


def _either(names: tuple[str, ...]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
