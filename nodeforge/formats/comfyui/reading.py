"""Reads ComfyUI workflows: JSON in UI and API form, and pictures that contain one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.formats import json_text
from nodeforge.formats.comfyui import api_form, ui_form
from nodeforge.formats.comfyui.comfy_graph import ComfyGraph
from nodeforge.formats.errors import WorkflowError
from nodeforge.formats.pictures import is_media, is_picture, texts_of_file
from nodeforge.formats.workflow import read_bytes

CHUNKS = ("workflow", "prompt")
"""Text chunks of a picture that hold a workflow; the first one has positions, too."""


class NotComfyUIError(WorkflowError):
    """A readable file that holds no ComfyUI workflow."""

    def __init__(self, fact: str, place: str = "") -> None:
        super().__init__(
            fact,
            place=place,
            way_out="Choose a workflow that ComfyUI saved or exported, or a picture it made.",
        )


def read_file(path: Path) -> ComfyGraph:
    """The workflow in the JSON file or picture at `path`.

    Raises:
        NotComfyUIError: it holds none.
        RequestError: it cannot be read, is damaged, or passes a bound.
    """
    try:
        return (
            _of_picture(path) if is_picture(path) or is_media(path) else read_text(read_bytes(path))
        )
    except RequestError as error:
        raise (error if path.name in error.place else error.at(path.name)) from None


def read_text(text: bytes | str) -> ComfyGraph:
    """The workflow in JSON `text`, which may hold NaN, as ComfyUI's may.

    Raises:
        WorkflowError: it is no workflow of ComfyUI, or damaged.
    """
    return from_json(json_text.parse(text, foreign=True))


def from_json(raw: Any) -> ComfyGraph:
    """The workflow in JSON values.

    Raises:
        NotComfyUIError: they are something else.
        TooLargeError: there are too many nodes.
    """
    if type(raw) is not dict:
        raise NotComfyUIError("is not a JSON object.")
    if type(raw.get("prompt")) is dict and "class_type" not in raw["prompt"]:
        raw = raw["prompt"]  # what is sent to ComfyUI's server wraps the API form
    if ui_form.is_ui_form(raw):
        return ui_form.read(raw)
    if api_form.is_api_form(raw):
        return api_form.read(raw)
    ours = " It is a workflow of NodeForge: open it." if type(raw.get("format")) is int else ""
    raise NotComfyUIError(f"holds no workflow of ComfyUI.{ours}")


def _of_picture(path: Path) -> ComfyGraph:
    texts = texts_of_file(path)
    found = [name for name in CHUNKS if texts.get(name, "").lstrip().startswith("{")]
    for name in found:
        try:
            return read_text(texts[name].rstrip("\0 \n"))
        except WorkflowError as error:
            if name == found[-1]:
                raise error.at(f"'{name}'") from None
    what = "video or sound" if is_media(path) else "picture"
    named = sorted(name for name in texts if not name.startswith("date:"))
    holds = f" Its metadata: {', '.join(named)}." if named else ""
    raise NotComfyUIError(f"is a {what} without a workflow of ComfyUI.{holds}")
