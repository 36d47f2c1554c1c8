import json
from pathlib import Path

from hypothesis import given, settings

from nodeforge.formats import FORMAT, write
from nodeforge.formats.schema import FILE, workflow_schema
from nodeforge.settings import shipped
from support.graphs import documents

SAVED = Path(__file__).parent / "data" / f"format_{FORMAT}.json"


def test_the_published_schema_is_up_to_date():
    """If not: python -m nodeforge.formats.schema"""
    assert json.loads((shipped("resources") / FILE).read_text("utf-8")) == workflow_schema()


def test_the_saved_file_fits_the_schema(validator):
    validator.validate(json.loads(SAVED.read_text("utf-8")))


def test_every_shipped_workflow_fits_the_schema(validator):
    for file in shipped("workflows").glob("*.json"):
        validator.validate(json.loads(file.read_text("utf-8")))


@settings(max_examples=50, deadline=None)
@given(document=documents())
def test_what_we_write_fits_the_schema(validator, document):
    validator.validate(json.loads(write(document)))
