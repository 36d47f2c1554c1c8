"""Says what differs between two pictures, in words."""

from __future__ import annotations

from nodeforge.engine.replay.differences import Difference, Differs, Finding
from nodeforge.engine.replay.lock import PictureLock
from nodeforge.graph.planned import number_of, original
from nodeforge.models.labels import kind_label
from nodeforge.spec import Catalogue, FileWidget, ModelFileWidget

_LONGEST = 80
_EDITED = "the workflow in the picture was edited since"


class Words:
    """Says what differs, in words.

    Args:
        then: The lock of the picture that was made first.
        catalogue: Names nodes and files.
    """

    def __init__(self, then: PictureLock, catalogue: Catalogue) -> None:
        self._then, self._catalogue = then, catalogue

    def where(self, finding: Finding) -> str:
        """Node and step, as ``Sampler (sampler), then Denoise (denoise), step 1 of 20``."""
        told = self._named(finding.node)
        if not finding.step:
            return told
        loop = "" if finding.loop == finding.node else f", then {self._named(finding.loop)}"
        return f"{told}{loop}, step {finding.step} of {finding.steps}"

    def of(self, each: Difference, node: str) -> str:
        told = self._then.type_of(node)
        then, now = _shortly(each.then) or "none", _shortly(each.now) or "none"
        name = _shortly(each.name).replace("_", " ")
        match each.what:
            case Differs.GONE:
                return f"{_EDITED}: this node is gone"
            case Differs.TYPE:
                return f"{_EDITED}: this node was '{self._title(each.then)}'"
            case Differs.LINK:
                return f"{_EDITED}: '{name}' is linked to something else"
            case Differs.VALUE:
                return f"{_EDITED}: '{name}' has another value"
            case Differs.VERSION:
                return f"the node type is version {now} now, {then} then: it computes otherwise"
            case Differs.PACK:
                return f"the pack '{name}' has other content"
            case Differs.CONTENT:
                return f"{self._file(told, each.name)} '{then}' has other content"
            case Differs.FILE:
                return f"{self._file(told, each.name)} was '{then}', now it is '{now}'"
            case Differs.NUMERICS | Differs.ENVIRONMENT:
                return f"{name}: {then} then, {now} now"
            case Differs.MEMORY:
                return "memory ran out once, and it was made another way than asked for"
            case Differs.SAVED:
                return "all results are as they were: the file was changed after it was saved"
            case Differs.UNKNOWN:
                return (
                    "nothing that the lock knows: the node gives other numbers each time, or the "
                    "machine is another one of the same kind"
                )

    def _named(self, node: str) -> str:
        number, of = number_of(node)
        copy = f", {number} of {of}" if of > 1 else ""
        return f"{self._title(self._then.type_of(node))} ({_shortly(original(node))}{copy})"

    def _title(self, type_id: str) -> str:
        there = type_id in self._catalogue
        return self._catalogue[type_id].title if there else _shortly(type_id)

    def _file(self, type_id: str, port: str) -> str:
        """What kind of file an input takes: ``the LoRA``."""
        name, mark, _ = port.partition("@")
        ports = self._catalogue[type_id].input if type_id in self._catalogue else {}
        widget = ports[name].widget if name in ports else None
        match widget:
            case ModelFileWidget():
                return f"the {kind_label(widget.kind)}"
            case FileWidget():
                return f"the {widget.kind if widget.kind != 'any' else 'file'}"
            case _:
                return "the model" if mark else "the file"


def _shortly(text: str) -> str:
    """What a lock says, which anyone may have written, in a line of its own.

    A list of equal things is one: ``bfloat16,bfloat16`` is bfloat16.
    """
    told = ", ".join(dict.fromkeys(text.split(",")))
    plain = "".join(letter if letter.isprintable() else " " for letter in told)
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
