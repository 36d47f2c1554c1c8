"""A small catalogue of node types for tests of graph and linter."""

from nodeforge.spec import (
    Catalogue,
    ChoiceWidget,
    FileWidget,
    ModelFileWidget,
    NodeSpec,
    NumberWidget,
    PortSpec,
    Role,
    Saves,
    SeedWidget,
    TextWidget,
)

WHOLE = NumberWidget(minimum=1, step=1)


def port(name: str, type: str = "", **more) -> PortSpec:
    return PortSpec(name, type or name, **more)


def number(name: str, default: float, low=None, high=None, **more) -> PortSpec:
    return PortSpec(name, "float", widget=NumberWidget(low, high), default=default, **more)


def whole(name: str, default: int | None, low=None, high=None, **more) -> PortSpec:
    return PortSpec(name, "integer", widget=NumberWidget(low, high, 1), default=default, **more)


def text(name: str, default: str | None = None, names: str = "") -> PortSpec:
    return PortSpec(name, "text", widget=TextWidget(names=names), default=default)


def spec(type: str, inputs=(), outputs=(), **more) -> NodeSpec:
    return NodeSpec(type, 1, type, "", "", tuple(inputs), tuple(outputs), **more)


def model_file(kind: str) -> PortSpec:
    return PortSpec("file", "path", widget=ModelFileWidget(kind))


CATALOGUE = Catalogue(
    [
        spec(
            "models.load",
            [model_file("checkpoint")],
            [port("model"), port("text_encoder"), port("vae")],
        ),
        spec("models.load_vae", [model_file("vae")], [port("vae")]),
        spec(
            "models.load_text_encoder",
            [
                model_file("text_encoder"),
                PortSpec("second", "path", widget=ModelFileWidget("text_encoder"), optional=True),
            ],
            [port("text_encoder")],
        ),
        spec("control.load", [model_file("controlnet")], [port("controlnet")]),
        spec(
            "control.apply",
            [port("conditioning"), port("controlnet"), port("image")],
            [port("conditioning")],
        ),
        spec(
            "models.load_lora",
            [port("model"), model_file("lora"), port("text_encoder", optional=True)],
            [port("model"), port("text_encoder")],
        ),
        spec(
            "text.load_embedding",
            [port("text_encoder"), model_file("embedding"), text("name", "")],
            [port("text_encoder")],
        ),
        spec(
            "text.encode",
            [port("text_encoder"), text("text", "", "embedding"), whole("clip_skip", 0, 0, 11)],
            [port("conditioning")],
        ),
        spec(
            "sampling.noise",
            [
                PortSpec("seed", "integer", widget=SeedWidget(), default=0),
                whole("width", 512, 8, 8192),
                whole("height", 512, 8, 8192),
                whole("batch", 1, 1, 64),
                PortSpec("item", "integer", widget=NumberWidget(0, 63), optional=True),
            ],
            [port("noise")],
        ),
        spec(
            "sampling.sampler",
            [
                PortSpec(
                    "name",
                    "text",
                    widget=ChoiceWidget(("euler", "heun", "dpmpp_2m")),
                    default="euler",
                ),
                PortSpec("eta", "float", widget=NumberWidget(0, 1), optional=True),
                PortSpec(
                    "convention",
                    "text",
                    widget=ChoiceWidget(("diffusers", "comfyui")),
                    default="diffusers",
                ),
            ],
            [port("sampler")],
        ),
        spec(
            "sampling.schedule",
            [
                PortSpec(
                    "name", "text", widget=ChoiceWidget(("normal", "karras")), default="normal"
                ),
                whole("steps", 20, 1, 10000),
                number("strength", 1.0, 0, 1),
            ],
            [port("schedule")],
        ),
        spec(
            "sampling.guidance",
            [
                number("scale", 7.5, 0, 100),
                number("rescale", 0.0, 0, 1),
                number("start", 0.0, 0, 1),
                number("end", 1.0, 0, 1),
            ],
            [port("guidance")],
        ),
        spec(
            "sampling.denoise",
            [
                port("model"),
                port("positive", "conditioning"),
                port("negative", "conditioning", optional=True),
                port("noise", optional=True),
                port("latent", optional=True),
                port("sampler"),
                port("schedule"),
                port("guidance"),
                port("mask", optional=True),
                port("masked_image", "latent", optional=True),
                whole("start_at", 0, 0, 10000),
                whole("stop_at", None, 0, 10000, optional=True),
            ],
            [port("latent")],
        ),
        spec("latent.encode", [port("vae"), port("image")], [port("latent")]),
        spec("latent.decode", [port("vae"), port("latent")], [port("image")]),
        spec(
            "latent.blend",
            [port("first", "latent"), port("second", "latent"), number("weight", 0.5, 0, 1)],
            [port("latent")],
        ),
        spec(
            "image.load",
            [PortSpec("file", "path", widget=FileWidget("image"))],
            [port("image"), port("mask")],
        ),
        spec(
            "image.save",
            [port("image"), text("prefix", "picture")],
            [],
            effects=True,
            saves=Saves("image", {"": ".png"}, per_item=True),
        ),
        spec("image.grid", [port("images", "image", many=True)], [port("image")]),
        spec("image.invert", [port("image")], [port("image")]),
        spec("values.integer", [whole("value", 0)], [port("value", "integer")], planned=True),
        spec("values.float", [number("value", 0.0)], [port("value", "float")], planned=True),
        spec("values.text", [text("value", "")], [port("value", "text")], planned=True),
        spec("values.sum", [whole("a", 0), whole("b", 0)], [port("value", "integer")]),
        spec("graph.reroute", [port("value", "any")], [port("value", "any")], role=Role.REROUTE),
        spec(
            "graph.switch",
            [port("choices", "any", many=True), whole("choice", 0, 0, 63)],
            [port("value", "any")],
            role=Role.SWITCH,
        ),
        spec("graph.note", [text("text", "")], [], role=Role.NOTE),
    ]
)
