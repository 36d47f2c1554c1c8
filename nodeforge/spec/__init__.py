"""What a node declares, as plain data: ports, types and the catalogue of all node types."""

from nodeforge.spec.catalogue import Catalogue, UnknownNodeTypeError
from nodeforge.spec.node import NodeSpec, PortSpec, Role
from nodeforge.spec.saves import Saves
from nodeforge.spec.types import (
    ANY,
    BOOLEAN,
    FLOAT,
    INTEGER,
    PATH,
    PLAIN,
    RECIPES_OF_NETWORKS,
    TEXT,
    TYPES,
    fits,
    type_name,
)
from nodeforge.spec.upgrade import Upgrade
from nodeforge.spec.widget import (
    ChoiceWidget,
    FileWidget,
    ModelFileWidget,
    NumberWidget,
    SeedWidget,
    TextWidget,
    ToggleWidget,
    Widget,
    unset_text,
)

__all__ = [
    "ANY",
    "BOOLEAN",
    "FLOAT",
    "INTEGER",
    "PATH",
    "PLAIN",
    "RECIPES_OF_NETWORKS",
    "TEXT",
    "TYPES",
    "Catalogue",
    "ChoiceWidget",
    "FileWidget",
    "ModelFileWidget",
    "NodeSpec",
    "NumberWidget",
    "PortSpec",
    "Role",
    "Saves",
    "SeedWidget",
    "TextWidget",
    "ToggleWidget",
    "UnknownNodeTypeError",
    "Upgrade",
    "Widget",
    "fits",
    "type_name",
    "unset_text",
]
