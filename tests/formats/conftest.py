import json

import jsonschema
import pytest

from nodeforge.formats.schema import FILE
from nodeforge.settings import shipped


@pytest.fixture(scope="session")
def validator():
    """The published schema, ready to check values with."""
    schema = json.loads((shipped("resources") / FILE).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)
