"""What the shipped planned nodes compute: plain functions of plain values, by node type.

The nodes of the shipped packs call them in the worker; window, linter and command line, which load
no pack, call them here. Each takes a node's inputs by name and gives a NamedTuple of its outputs.
"""

from collections.abc import Mapping

from nodeforge.graph.planned.evaluate import Function
from nodeforge.graph.planned.functions import lists, numbers, plain

FUNCTIONS: Mapping[str, Function] = {
    "lists.numbers": lists.numbers,
    "lists.seeds": lists.seeds,
    "lists.texts": lists.texts,
    "lists.zip": lists.zipped,
    "values.boolean": plain.boolean,
    "values.expression": numbers.expression,
    "values.float": plain.decimal,
    "values.integer": plain.integer,
    "values.seed": plain.integer,
    "values.text": plain.text,
}
"""By node type."""
