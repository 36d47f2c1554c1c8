"""Makes a workflow of the settings in a picture: the nodes of *Text to image*, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodeforge.formats.comfyui.sampling_names import shortened
from nodeforge.formats.parameters.foreign.model_names import ModelNames
from nodeforge.formats.parameters.foreign.picture_settings import HiresPass, PictureSettings
from nodeforge.formats.parameters.foreign.report import ImportedSettings, SettingsReport
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.graph.paths import Names
from nodeforge.models import Kind
from nodeforge.spec import Catalogue, ChoiceWidget, NumberWidget, SeedWidget
from nodeforge.values.setting_names import AUTO

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders

_BOUND = (ChoiceWidget, NumberWidget, SeedWidget)
"""Inputs that take some values only."""
_SOURCE = "It was made from another picture, which is not in it: choose that in '{}'."


def workflow_of(
    settings: PictureSettings, catalogue: Catalogue, folders: ModelFolders | None = None
) -> ImportedSettings:
    """A workflow that draws with `settings`, and the report.

    Args:
        settings: As a reader gives them.
        catalogue: Our node types.
        folders: Where the models that are named may be.
    """
    made = _Workflow(settings, catalogue, ModelNames(folders))
    made.build()
    made.report.nodes = list(made.graph.nodes)
    return ImportedSettings(Document(made.graph), made.report)


class _Workflow:
    """A workflow as it grows, one node after another along the links."""

    def __init__(self, settings: PictureSettings, catalogue: Catalogue, names: ModelNames) -> None:
        self.settings, self.catalogue, self.names = settings, catalogue, names
        self.report = SettingsReport.of(settings)
        self.graph = Graph()
        self._ids = Names(self.graph.nodes)

    def build(self) -> None:
        told = self.settings
        file = self._file(Kind.CHECKPOINT, told.model, told.model_hash)
        loaded = self.add("models.load", "model", values={"file": file})
        model, encoder, vae = (Output(loaded, p) for p in ("model", "text_encoder", "vae"))
        if told.vae:
            file = self._file(Kind.VAE, told.vae)
            vae = Output(self.add("models.load_vae", "vae", values={"file": file}), "vae")
        for each in told.loras:
            weights = {"model_weight": each.model_weight, "text_weight": each.text_weight}
            file = self._file(Kind.LORA, each.name, each.hash)
            ends = {"model": model, "text_encoder": encoder}
            lora = self.add("models.load_lora", "lora", ends, {"file": file, **weights})
            model, encoder = Output(lora, "model"), Output(lora, "text_encoder")
        self.loop = {"model": model, **self._prompts(encoder)}
        self.loop |= {"sampler": self._sampler(told.sampler), "guidance": self._guidance()}
        latent = self._first_pass(vae)
        if told.hires:
            latent = self._second_pass(told.hires, latent, vae)
        decode = self.add("latent.decode", "decode", {"vae": vae, "latent": latent})
        self.add("image.save", "save", {"image": Output(decode, "image")})

    def add(
        self,
        kind: str,
        wish: str,
        links: Mapping[str, Output] | None = None,
        values: Mapping[str, Any] | None = None,
        title: str = "",
    ) -> str:
        """Add a node; a value that is None is left to it, and one that it refuses is reported."""
        name = self._ids(wish)
        spec = self.catalogue[kind]
        kept = {port: value for port, value in (values or {}).items() if value not in (None, "")}
        for port in list(kept):
            widget = spec.input[port].widget
            if isinstance(widget, _BOUND) and not widget.allows(kept[port]):
                self.report.not_understood[port] = str(kept.pop(port))
        self.graph.nodes[name] = Node(kind, kept, title)
        self.graph.links |= {Input(name, port): start for port, start in (links or {}).items()}
        return name

    def _file(self, kind: Kind, name: str, digits: str = "") -> str:
        """The name of a model here; as it is written, where it is not here."""
        found = self.names.find(kind, name, digits) if name or digits else None
        if found is None and name:
            self.report.missing.append((kind.value, name))
        return found or name.replace("\\", "/")

    def _prompts(self, encoder: Output) -> dict[str, Output]:
        skip, ends = self.settings.clip_skip, {"text_encoder": encoder}
        texts = {"positive": ("prompt", "Prompt", self.settings.prompt)}
        texts["negative"] = ("negative", "Negative prompt", self.settings.negative)
        return {
            port: Output(
                self.add("text.encode", wish, ends, {"text": text, "clip_skip": skip}, title),
                "conditioning",
            )
            for port, (wish, title, text) in texts.items()
        }

    def _sampler(self, name: str) -> Output:
        values = {"name": name, "convention": self.settings.convention}
        made = self.add("sampling.sampler", "sampler", values=values)
        return Output(made, "sampler")

    def _guidance(self, scale: float | None = None) -> Output:
        told = self.settings
        scale = told.guidance if scale is None else scale
        values = {"scale": scale, "true_scale": told.true_guidance, "rescale": told.rescale}
        return Output(self.add("sampling.guidance", "guidance", values=values), "guidance")

    def _first_pass(self, vae: Output) -> Output:
        told = self.settings
        starts = told.strength is not None
        size = {"width": told.width, "height": told.height}
        noise = {"seed": told.seed, "batch": told.batch, "item": told.item}
        noise |= {} if starts else size
        schedule = {"name": told.schedule, "steps": told.steps, "strength": told.strength}
        ends = self.loop | {
            "noise": Output(self.add("sampling.noise", "noise", values=noise), "noise"),
            "schedule": Output(
                self.add("sampling.schedule", "schedule", values=schedule), "schedule"
            ),
        }
        if starts:
            ends |= self._source(vae, size)
        return Output(self.add("sampling.denoise", "denoise", ends), "latent")

    def _source(self, vae: Output, size: dict[str, int | None]) -> dict[str, Output]:
        """The picture to start from, and the mask, which a person has to choose."""
        self.report.differences.append(_SOURCE.format("Load image"))
        picture = Output(self.add("image.load", "image"), "image")
        if all(size.values()):
            ends = {"image": picture}
            values = {"fit": "crop", **size}
            picture = Output(self.add("image.resize", "resize", ends, values), "image")
        ends = {"vae": vae, "image": picture}
        found = {"latent": Output(self.add("latent.encode", "encode", ends), "latent")}
        if self.settings.mask:
            self.report.differences.append(_SOURCE.format("Load mask").replace("picture", "mask"))
            found["mask"] = Output(self.add("mask.load", "mask"), "mask")
        return found

    def _second_pass(self, told: HiresPass, latent: Output, vae: Output) -> Output:
        """A pass over the enlarged picture: `told.steps` are run, of a longer schedule."""
        settings = self.settings
        steps, strength = told.steps or settings.steps, told.strength
        if steps and 0 < strength < 1:
            steps, strength = shortened(steps, strength)
        name = told.schedule or settings.schedule
        values = {"name": name, "steps": steps, "strength": strength}
        seed = settings.seed if told.seed is None else told.seed
        ends = self.loop | {
            "noise": Output(
                self.add("sampling.noise", "second_noise", values={"seed": seed}), "noise"
            ),
            "schedule": Output(
                self.add("sampling.schedule", "second_schedule", values=values), "schedule"
            ),
            "latent": self._enlarged(told, latent, vae),
        }
        if told.sampler and told.sampler != AUTO:
            ends["sampler"] = self._sampler(told.sampler)
        if told.guidance is not None:
            ends["guidance"] = self._guidance(told.guidance)
        return Output(self.add("sampling.denoise", "refine", ends, title="Second pass"), "latent")

    def _enlarged(self, told: HiresPass, latent: Output, vae: Output) -> Output:
        """Latents are enlarged as such where A1111's upscaler says so, else the picture."""
        factor = None if told.width else told.factor
        size = {"width": told.width, "height": told.height} if told.width else {"factor": factor}
        kind, _, method = told.upscaler.lower().partition(" (")
        if kind == "latent" or not told.upscaler:
            method = method.rstrip(")").removesuffix(" antialiased") or "bilinear"
            node = "latent.upscale" if told.width else "latent.scale_by"
            made = self.add(node, "enlarge", {"latent": latent}, {"method": method, **size})
            return Output(made, "latent")
        decoded = self.add("latent.decode", "first_picture", {"vae": vae, "latent": latent})
        ends = {"image": Output(decoded, "image")}
        plain = self.catalogue["image.resize"].input["method"].widget
        if isinstance(plain, ChoiceWidget) and plain.allows(told.upscaler.lower()):
            node = "image.resize" if told.width else "image.scale_by"
            made = self.add(node, "enlarge", ends, {"method": told.upscaler.lower(), **size})
        else:
            file = self._file(Kind.UPSCALER, told.upscaler)
            loaded = self.add("image.load_upscaler", "upscaler", values={"file": file})
            ends |= {"upscale_model": Output(loaded, "upscale_model")}
            made = self.add("image.enlarge", "enlarge", ends, size)
        ends = {"vae": vae, "image": Output(made, "image")}
        return Output(self.add("latent.encode", "encode_again", ends), "latent")
