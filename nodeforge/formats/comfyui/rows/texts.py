"""Texts and numbers that are made of others: they follow their sources here, too."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.formats.comfyui.link_value import InputValue, LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows.values import pack_seed
from nodeforge.graph.model import Input, Output
from nodeforge.graph.planned.functions.numbers import expression
from nodeforge.graph.planned.functions.texts import compare, format_fields, join, replace

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_COMPARED = {"Starts With": "starts with", "Ends With": "ends with", "Equal": "="}


def _text(node: NodeConversion, name: str) -> tuple[InputValue, bool]:
    """A text input, and whether its value is known without running."""
    link = node.linked.get(name)
    return node.input_value(name, ""), link is None or link.value is not None


def _known(known: bool, made: Callable[[], Any]) -> Any:
    """What a text or number comes to, for nodes that need it before a run; None if unknown."""
    try:
        return made()[0] if known else None
    except RequestError:
        return None  # the run tells


def _gives(node: NodeConversion, name: str, kind: str, port: str, value: Any) -> None:
    node.set_outputs(LinkValue(kind, Output(name, port), value=value))


def _joined(parts: tuple[str, ...], delimiter: str, default: str, skip: bool) -> Any:
    def make(node: NodeConversion) -> None:
        texts = [_text(node, name) for name in parts]
        if parts[2:]:  # of inputs that are links alone, those that are open do not count
            texts = [_text(node, name) for name in parts if name in node.linked]
        between = node.known_value(delimiter, default)
        separator = between if skip else between.replace("\\", "\\\\")
        name = node.add("text.join", separator=separator, skip_empty=skip)
        for place, (given, _) in enumerate(texts):
            source = given.output
            if source is None:
                source = Output(node.add("values.text", value=given.value), "value")
            node.links[Input(name, "parts", place)] = source
        values = [given.value for given, _ in texts]
        known = all(each for _, each in texts)
        value = _known(known, lambda: join(values, separator, skip))
        _gives(node, name, "STRING", "value", value)

    return make


def _replaced(node: NodeConversion) -> None:
    names = ("string", "find", "replace")
    _replace(node, names, lambda pattern: pattern, regular=False, ignore_case=False)


def _regular(node: NodeConversion) -> None:
    if node.known_value("count", 0):
        raise NoCounterpartError("replaces only the first matches.")
    flags = "m" * node.known_value("multiline", False) + "s" * node.known_value("dotall", False)
    given = f"(?{flags})" if flags else ""
    names = ("string", "regex_pattern", "replace")
    case = node.known_value("case_insensitive", True)
    _replace(node, names, lambda pattern: given + pattern, regular=True, ignore_case=case)


def _replace(
    node: NodeConversion,
    names: tuple[str, str, str],
    pattern: Callable[[str], str],
    *,
    regular: bool,
    ignore_case: bool,
) -> None:
    text, is_known = _text(node, names[0])
    find, other = pattern(node.known_value(names[1], "")), node.known_value(names[2], "")
    kinds = {"regular": regular, "ignore_case": ignore_case}
    name = node.add("text.replace", text=text, find=find, replacement=other, **kinds)
    value = _known(is_known, lambda: replace(text.value, find, other, **kinds))
    _gives(node, name, "STRING", "value", value)


def _length(node: NodeConversion) -> None:
    text, known = _text(node, "string")
    name = node.add("text.length", text=text)
    _gives(node, name, "INT", "length", len(text.value) if known else None)


def _compared(node: NodeConversion) -> None:
    mode = node.known_value("mode", "Starts With")
    if mode not in _COMPARED:
        raise NoCounterpartError(f"compares texts by '{mode}'.")
    (first, one), (second, other) = _text(node, "string_a"), _text(node, "string_b")
    ignore, operator = not node.known_value("case_sensitive", True), _COMPARED[mode]
    kinds = {"operator": operator, "ignore_case": ignore}
    name = node.add("text.compare", first=first, second=second, **kinds)
    value = _known(one and other, lambda: compare(first.value, second.value, operator, ignore))
    _gives(node, name, "BOOLEAN", "holds", value)


def _formatted(node: NodeConversion) -> None:
    """Fields are called by letters, as far as something is linked."""
    template = node.known_value("f_string", "")
    letters = [each for each in _LETTERS if f"values.{each}" in node.linked]
    links = [node.linked[f"values.{each}"] for each in letters]
    names = ", ".join(letters)
    name = node.add("text.format", template=template, names=names)
    for place, link in enumerate(links):
        source = node.resolve(link)
        if source is None:
            source = Output(node.add("values.text", value=str(link.value)), "value")
        node.links[Input(name, "values", place)] = source
    values = [link.value for link in links]
    value = _known(None not in values, lambda: format_fields(template, names, values))
    _gives(node, name, "STRING", "value", value)


def _calculated(widget: str, inputs: str, outputs: tuple[str, ...]) -> Any:
    """An expression of up to four numbers, named by letters."""

    def make(node: NodeConversion) -> None:
        formula = re.sub(r"\bint\(", "floor(", node.known_value(widget, ""))
        given: dict[str, InputValue] = {}
        known = True
        for letter in _LETTERS:
            name = inputs.format(letter)
            if name not in node.linked and node.source.values.get(name) is None:
                continue
            if letter > "d":
                raise NoCounterpartError("calculates with more than four numbers.")
            link = node.linked.get(name)
            known = known and (link is None or link.value is not None)
            given[letter] = node.input_value(name, 0.0)
        values = {letter: float(each.value) for letter, each in given.items()}
        numbers = {letter: values.get(letter, 0.0) for letter in "abcd"}
        try:
            found = expression(formula, **(numbers if known else dict.fromkeys("abcd", 1.0)))
        except RequestError as error:
            raise NoCounterpartError(f"calculates '{formula[:60]}': {error.fact}") from None
        name = node.add("values.expression", formula=formula, **given)
        made = {
            "FLOAT": LinkValue("FLOAT", Output(name, "number"), value=found.number),
            "INT": LinkValue("INT", Output(name, "whole"), value=found.whole),
            "BOOLEAN": LinkValue("BOOLEAN", Output(name, "holds"), value=found.holds),
        }
        if known and found.number != found.whole and "INT" in outputs:
            node.report_difference("A whole number is cut off there, and rounded here")
        none = {kind: LinkValue(kind, link.output) for kind, link in made.items()}
        node.set_outputs(*((made if known else none)[kind] for kind in outputs))

    return make


def _wildcards(node: NodeConversion) -> None:
    """A dynamic prompt; a text that was drawn before and is fixed stays as it is."""
    text = node.input_value("wildcard_text", "")
    if node.known_value("mode", "populate") not in ("populate", "True", "true"):
        drawn = node.known_value("populated_text", "")
        name = node.add("values.text", value=drawn)
        _gives(node, name, "STRING", "value", drawn)
        return
    _resolve(node, text)


def _dynamic(node: NodeConversion) -> None:
    _resolve(node, node.input_value("text", ""))


def _resolve(node: NodeConversion, text: InputValue) -> None:
    name = node.add("text.wildcards", text=text, seed=pack_seed(node))
    node.set_seed_control(f"{name}.seed")
    node.report_difference("The same seed draws other words here")
    _gives(node, name, "STRING", "value", None)


_JOIN, _CALCULATE = ("text.join", "values.text"), ("values.expression",)
_WILDCARDS = "Wildcard files go into the folder 'wildcards'."


def _join_row(
    kind: str, name: str, parts: tuple[str, ...], delimiter: str, default: str, skip: bool
) -> Row:
    widgets = (*parts, delimiter) if len(parts) == 2 else (delimiter, "clean_whitespace")
    return Row(kind, name, widgets, ("STRING",), _JOIN, _joined(parts, delimiter, default, skip))


ROWS = (
    _join_row("StringConcatenate", "Concatenate", ("string_a", "string_b"), "delimiter", "", False),
    _join_row("JoinStrings", "Join Strings", ("string1", "string2"), "delimiter", " ", False),
    _join_row(
        "Text Concatenate",
        "Text Concatenate",
        tuple(f"text_{letter}" for letter in "abcd"),
        "delimiter",
        ", ",
        True,
    ),
    Row(
        "StringReplace",
        "Replace Text",
        ("string", "find", "replace"),
        ("STRING",),
        ("text.replace",),
        _replaced,
    ),
    Row(
        "RegexReplace",
        "Replace Text (Regex)",
        (
            *("string", "regex_pattern", "replace"),
            *("case_insensitive", "multiline", "dotall", "count"),
        ),
        ("STRING",),
        ("text.replace",),
        _regular,
    ),
    Row("StringLength", "Text Length", ("string",), ("INT",), ("text.length",), _length),
    Row(
        "StringCompare",
        "Compare Text",
        ("string_a", "string_b", "mode", "case_sensitive"),
        ("BOOLEAN",),
        ("text.compare",),
        _compared,
    ),
    Row(
        "StringFormat",
        "Format Text",
        ("f_string",),
        ("STRING",),
        ("text.format", "values.text"),
        _formatted,
    ),
    Row(
        "ComfyMathExpression",
        "Math Expression",
        ("expression",),
        ("FLOAT", "INT", "BOOLEAN"),
        _CALCULATE,
        _calculated("expression", "values.{}", ("FLOAT", "INT", "BOOLEAN")),
        "Of up to four numbers.",
    ),
    Row(
        "SimpleMath+",
        "🔧 Simple Math",
        ("value",),
        ("INT", "FLOAT"),
        _CALCULATE,
        _calculated("value", "{}", ("INT", "FLOAT")),
    ),
    Row(
        "MathExpression|pysssss",
        "Math Expression 🐍",
        ("expression",),
        ("INT", "FLOAT"),
        _CALCULATE,
        _calculated("expression", "{}", ("INT", "FLOAT")),
    ),
    Row(
        "ImpactWildcardProcessor",
        "ImpactWildcardProcessor",
        ("wildcard_text", "populated_text", "mode", "seed", "Select to add Wildcard"),
        ("STRING",),
        ("text.wildcards", "values.text"),
        _wildcards,
        _WILDCARDS,
    ),
    Row(
        "DPRandomGenerator",
        "Random Prompts",
        ("text", "seed", "autorefresh"),
        ("STRING",),
        ("text.wildcards",),
        _dynamic,
        _WILDCARDS,
    ),
)
