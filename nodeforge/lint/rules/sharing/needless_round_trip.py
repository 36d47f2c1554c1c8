"""A latent goes from loop to loop without the VAE."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

ENCODERS = {
    "latent.encode": ("image", "latent.decode"),
    "latent.encode_video": ("video", "latent.decode_video"),
}
"""Their ports, and what decodes for them."""

RULE = Rule(
    "NF801",
    Severity.WARNING,
    why=(
        "Each decoding and encoding loses detail, and takes time. Nothing changes the pixels "
        "between them here."
    ),
    source="diffusers documentation, image to image, which passes latents on.",
    types=tuple(ENCODERS),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(*ENCODERS):
        port, decoder = ENCODERS[scene.nodes[path].type]
        feed = scene.feed(path, port)
        if feed is None or scene.nodes[feed.node].type != decoder:
            continue
        if scene.feed(path, "vae") == scene.feed(feed.node, "vae"):
            yield scene.problem(
                path,
                f"encodes what '{scene.title(feed.node)}' has just decoded.",
                "Link the latent itself.",
                port=port,
            )
