"""What the shipped planned nodes compute: plain functions of plain values, by node type.

The nodes of the shipped packs call them in the worker; window, linter and command line, which load
no pack, call them here. Each takes a node's inputs by name and gives a NamedTuple of its outputs.
"""

from collections.abc import Mapping

from nodeforge.graph.planned.evaluate import Function
from nodeforge.graph.planned.functions import (
    dynamic,
    files,
    list_changes,
    lists,
    numbers,
    plain,
    texts,
)

FUNCTIONS: Mapping[str, Function] = {
    "lists.combinations": dynamic.all_combinations,
    "lists.count": lists.count,
    "lists.item": list_changes.choose,
    "lists.length": list_changes.length,
    "lists.lines": files.lines,
    "lists.numbers": lists.numbers,
    "lists.pictures": files.pictures,
    "lists.prompts": files.prompts,
    "lists.repeat": list_changes.repeat,
    "lists.seeds": lists.seeds,
    "lists.shuffle": list_changes.shuffle,
    "lists.slice": list_changes.part,
    "lists.split": lists.split,
    "lists.texts": lists.texts,
    "lists.zip": lists.zipped,
    "text.compare": texts.compare,
    "text.format": texts.format_fields,
    "text.join": texts.join,
    "text.length": texts.length,
    "text.replace": texts.replace,
    "text.wildcards": dynamic.wildcards,
    "values.boolean": plain.boolean,
    "values.choose": list_changes.choose,
    "values.compare": numbers.compare,
    "values.expression": numbers.expression,
    "values.float": plain.decimal,
    "values.integer": plain.integer,
    "values.picture_size": numbers.picture_size,
    "values.random": numbers.random,
    "values.seed": plain.integer,
    "values.text": plain.text,
    "values.video_facts": numbers.video_facts,
}
"""By node type."""
