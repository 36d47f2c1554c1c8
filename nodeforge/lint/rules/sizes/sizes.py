"""Width and height are what the model's family can make: divisible by its multiple."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.errors import NodeForgeError
from nodeforge.graph.model import Input
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.recipes import Origin, facts, families, label
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF501",
    Severity.ERROR,
    why=(
        "A VAE makes one latent cell of several pixels, and some denoisers fold cells "
        "together: other sizes cannot be computed."
    ),
    source="The family's configuration.",
    fix=FixGrade.SAFE,
)

ENCODE, LOAD = "latent.encode", "image.load"
_ENCODERS = {ENCODE: "image", "latent.encode_video": "video"}
"""The ports of what is encoded."""
_SIDES = ("width", "height")
_SIZING = {
    "inpaint.crop": ("multiple",),
    **dict.fromkeys(("image.resize", "image.crop", "video.load", "video.resize"), _SIDES),
}
"""Nodes that give pictures of a size which their values say."""


def check(scene: LintContext) -> Iterator[Problem]:
    sized = {
        path
        for path, node in scene.nodes.items()
        if node.spec
        and {"width", "height"} <= node.spec.input.keys()
        and any(port.type in ("noise", "latent") for port in node.spec.outputs)
    }
    seen: set[tuple[str, str]] = set()
    known = families(scene)
    for path, ports, family in [
        *((path, _SIDES, origin.family) for path in sized if (origin := known.of.get(path))),
        *((path, _SIDES, family) for path, family in _of_readers(scene, sized, known.of)),
        *_of_pictures(scene, known.of),
    ]:
        for port in ports:
            if (path, port) not in seen and (problem := _wrong(scene, path, port, family)):
                seen.add((path, port))
                yield problem
    for path, family in _encoded_files(scene, known.of):
        yield from _wrong_file(scene, path, family)


def _of_pictures(
    scene: LintContext, known: dict[str, Origin]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The nodes that give pictures of a size to a VAE, and the ports that say the size."""
    for end, start in scene.links.items():
        encodes = _needs_a_size(scene, end)
        if encodes and end.node in known and (ports := _SIZING.get(scene.nodes[start.node].type)):
            yield start.node, ports, known[end.node].family


def _needs_a_size(scene: LintContext, end: Input) -> bool:
    """Whether `end` is where a VAE takes a picture that it does not crop itself."""
    encodes = _ENCODERS.get(scene.nodes[end.node].type) == end.port
    return encodes and scene.value(end.node, "crop") is not True


def _encoded_files(scene: LintContext, known: dict[str, Origin]) -> Iterator[tuple[str, str]]:
    """The nodes whose pictures go from a file straight to a VAE, and its family."""
    for end, start in scene.links.items():
        encodes = _needs_a_size(scene, end)
        if encodes and end.node in known and scene.nodes[start.node].type == LOAD:
            yield start.node, known[end.node].family


def _wrong_file(scene: LintContext, path: str, family: str) -> Iterator[Problem]:
    name = scene.value(path, "file")
    file = scene.picture(name) if type(name) is str else None
    if file is None:
        return
    from nodeforge.imaging import picture_size  # only for pictures: it brings numpy

    try:
        width, height = picture_size(file)
    except NodeForgeError:
        return  # the node says so
    multiple = facts(family).size_multiple
    if width % multiple or height % multiple:
        yield scene.problem(
            path,
            f"the picture is {width} × {height} pixels, which {label(family)} cannot encode: "
            f"both must be divisible by {multiple}.",
            "Put 'Resize image' or 'Crop image' before the VAE, or let it 'crop'.",
            port="file",
        )


def _of_readers(scene: LintContext, sized: set[str], known: dict) -> Iterator[tuple[str, str]]:
    """The families of the nodes that noise goes to, which has none of its own."""
    for end, start in scene.links.items():
        if start.node in sized and start.node not in known and end.node in known:
            yield start.node, known[end.node].family


def _wrong(scene: LintContext, path: str, port: str, family: str) -> Problem | None:
    multiple = facts(family).size_multiple
    value = scene.value(path, port)
    if type(value) is not int or value % multiple == 0:
        return None
    nearest = max(multiple, (value + multiple // 2) // multiple * multiple)
    return scene.problem(
        path,
        f"is {value}, which {label(family)} cannot make: it must be divisible by {multiple}.",
        f"The nearest is {nearest}.",
        port=port,
        fix=scene.set_value(path, port, nearest),
    )
