"""Creates the field for a port's declaration."""

from __future__ import annotations

from nodeforge.spec import (
    INTEGER,
    ChoiceWidget,
    FileWidget,
    ModelFileWidget,
    NumberWidget,
    PortSpec,
    SeedWidget,
    TextWidget,
    ToggleWidget,
)
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.choice_field import ChoiceField, ToggleField
from nodeforge.ui.fields.field import Field
from nodeforge.ui.fields.file_field import FileField
from nodeforge.ui.fields.model_field import ModelField
from nodeforge.ui.fields.number_field import NumberField
from nodeforge.ui.fields.picture_field import PictureField
from nodeforge.ui.fields.seed_field import SeedField
from nodeforge.ui.fields.text_field import TextField


def make_field(port: PortSpec, workspace: Workspace, seed_mode: str = "fixed") -> Field | None:
    """The field for a port; None for a port without a value."""
    match port.widget:
        case NumberWidget() as widget:
            return NumberField(widget, whole=port.type == INTEGER, optional=port.optional)
        case SeedWidget() as widget:
            return SeedField(widget, seed_mode)
        case TextWidget(multiline=multiline):
            return TextField(multiline=multiline)
        case ToggleWidget():
            return ToggleField()
        case ChoiceWidget(options=options, labels=labels):
            return ChoiceField(options, labels)
        case FileWidget(kind="text" | "folder" | "wildcards" | "video" | "audio" as kind):
            return FileField(workspace, kind)
        case FileWidget():
            return PictureField(workspace, port)
        case ModelFileWidget(kind=kind):
            return ModelField(workspace, kind, optional=port.optional)
    return None
