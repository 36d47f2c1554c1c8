"""Motion modules: AnimateDiff-Evolved's nodes, whose pictures of a batch are frames of a video."""

from __future__ import annotations

from dataclasses import replace

from nodeforge.formats.comfyui.link_value import InputValue, LinkValue, MotionInputs
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows.loaders import file_name
from nodeforge.graph.model import Input, Output

_MOTION_MODEL, _M_MODELS, _LORA, _CONTEXT = (
    "MOTION_MODEL_ADE",
    "M_MODELS",
    "MOTION_LORA",
    "CONTEXT_OPTIONS",
)
_MOST = 32
"""Frames that published motion modules relate at most; without context options all are."""
_USUAL_BETAS = ("autoselect", "sqrt_linear (AnimateDiff)", "linear (AnimateDiff-SDXL)")


def _load_module(node: NodeConversion) -> None:
    file = file_name(node.known_value("model_name", ""))
    node.set_outputs(LinkValue(_MOTION_MODEL, motion_inputs=MotionInputs(file)))


def _load_lora(node: NodeConversion) -> None:
    before = node.link_value("prev_motion_lora")
    said = (before and before.motion_inputs) or MotionInputs()
    lora = file_name(node.known_value("name", "")), node.known_value("strength", 1.0)
    made = replace(said, loras=(*said.loras, lora))
    node.set_outputs(LinkValue(_LORA, motion_inputs=made))


def _apply(node: NodeConversion) -> None:
    module = node.link_value("motion_model", needed="so there is no motion module")
    assert module is not None
    loras = node.link_value("motion_lora")
    for port, what in (
        ("scale_multival", "a scale"),
        ("effect_multival", "an effect"),
        ("prev_m_models", "a second motion module"),
    ):
        if node.link_value(port) is not None:
            node.report_difference(f"The motion module has {what} there that is not set here")
    _tell_range(node)
    said = module.motion_inputs or MotionInputs()
    given = loras.motion_inputs.loras if loras and loras.motion_inputs else ()
    node.set_outputs(LinkValue(_M_MODELS, motion_inputs=replace(said, loras=given)))


def _tell_range(node: NodeConversion) -> None:
    start, end = node.known_value("start_percent", 0.0), node.known_value("end_percent", 1.0)
    if (start, end) != (0.0, 1.0):
        node.report_difference("The motion module acts in all steps here")


def _windows(node: NodeConversion) -> None:
    length, overlap = node.known_value("context_length", 16), node.known_value("context_overlap", 4)
    if node.known_value("context_stride", 1) != 1:
        node.report_difference("Windows of the motion module take neighbouring frames here")
    if "Looped" in node.source.class_type:
        node.report_difference("The last window does not close the loop to the first frame here")
    made = MotionInputs(context=length, overlap=min(overlap, max(length - 1, 0)))
    node.set_outputs(LinkValue(_CONTEXT, motion_inputs=made))


def _use(node: NodeConversion) -> None:
    """ADE_UseEvolvedSampling: the module of *Apply AnimateDiff model* on the model."""
    models = node.link_value("m_models")
    if models is None or models.motion_inputs is None:
        node.set_outputs(node.link_value("model", needed="so there is no model") or LinkValue(""))
        return
    _on_model(node, models.motion_inputs)


def _load_and_use(node: NodeConversion) -> None:
    """The loaders of the first generation, which do all at once."""
    loras = node.link_value("motion_lora")
    given = loras.motion_inputs.loras if loras and loras.motion_inputs else ()
    _tell_range(node)
    _on_model(node, MotionInputs(file_name(node.known_value("model_name", "")), given))


def _on_model(node: NodeConversion, said: MotionInputs) -> None:
    model = node.link_value("model", needed="so there is no model")
    assert model is not None
    if not said.file:
        raise NoCounterpartError("nothing names its motion module.")
    if node.known_value("beta_schedule", "autoselect") not in _USUAL_BETAS:
        node.report_difference("The noise levels are those that motion modules were trained on")
    windows = node.link_value("context_options")
    context = windows.motion_inputs if windows else None
    name = node.add(
        "models.load_motion_module",
        model=model,
        file=said.file,
        context=context.context if context else None,
        overlap=context.overlap if context else None,
    )
    output = Output(name, "model")
    for file, strength in said.loras:
        lora = node.add("models.load_lora", model=output, file=file, model_weight=strength)
        output = Output(lora, "model")
    node.set_outputs(replace(node.updated("MODEL", output, "model"), motion=name))


def frames_for_motion(
    node: NodeConversion, model: LinkValue, latent: LinkValue | None
) -> LinkValue | None:
    """A batch of pictures as the frames of a video, as a model with a motion module draws them."""
    if latent is None or latent.video:
        return latent
    if latent.output is not None:
        return _encoded_frames(node, latent)
    if latent.empty is None:
        return latent
    frames = latent.empty.batch
    module = node.workflow.document.graph.nodes[model.motion]
    if "context" not in module.values and frames.output is None:
        context = min(frames.value, _MOST)
        module.values |= {"context": context, "overlap": min(4, context // 4)}
    size = replace(latent.empty, frames=frames, batch=InputValue(1), item=None)
    return replace(latent, empty=size, video=True)


def _encoded_frames(node: NodeConversion, latent: LinkValue) -> LinkValue:
    """The latent of encoded pictures as that of a video."""
    assert latent.output is not None
    graph = node.workflow.document.graph
    links, encoded = graph.links, graph.nodes.get(latent.output.node)
    if encoded is None or encoded.type != "latent.encode":
        raise NoCounterpartError("its latent is of pictures, and no node of ours makes it a video.")
    pictures, vae = (links.get(Input(latent.output.node, port)) for port in ("image", "vae"))
    if pictures is not None and graph.nodes[pictures.node].type == "video.to_images":
        video = links.get(Input(pictures.node, "video"))
    else:
        video = Output(node.add("video.from_images", images=pictures), "video")
    name = node.add("latent.encode_video", vae=vae, video=video)
    return replace(latent, output=Output(name, "latent"), video=True)


_APPLIED = ("models.load_motion_module", "models.load_lora")
_WINDOW = ("context_length", "context_stride", "context_overlap")
_WIDGETS = ("model_name", "beta_schedule")
_REMARK = "Of the pack ComfyUI-AnimateDiff-Evolved."

ROWS = (
    Row(
        "ADE_LoadAnimateDiffModel",
        "Load AnimateDiff Model 🎭🅐🅓②",
        ("model_name",),
        (_MOTION_MODEL,),
        (),
        _load_module,
        _REMARK,
        virtual=True,
    ),
    Row(
        "ADE_AnimateDiffLoRALoader",
        "Load AnimateDiff LoRA 🎭🅐🅓",
        ("name", "strength"),
        (_LORA,),
        (),
        _load_lora,
        _REMARK,
        virtual=True,
    ),
    Row(
        "ADE_ApplyAnimateDiffModelSimple",
        "Apply AnimateDiff Model 🎭🅐🅓②",
        (),
        (_M_MODELS,),
        (),
        _apply,
        _REMARK,
        virtual=True,
    ),
    Row(
        "ADE_ApplyAnimateDiffModel",
        "Apply AnimateDiff Model (Adv.) 🎭🅐🅓②",
        ("start_percent", "end_percent"),
        (_M_MODELS,),
        (),
        _apply,
        _REMARK,
        virtual=True,
    ),
    *(
        Row(kind, name, _WINDOW, (_CONTEXT,), (), _windows, _REMARK, virtual=True)
        for kind, name in (
            ("ADE_StandardUniformContextOptions", "Context Options◆Standard Uniform 🎭🅐🅓"),
            ("ADE_LoopedUniformContextOptions", "Context Options◆Looped Uniform 🎭🅐🅓"),
        )
    ),
    Row(
        "ADE_UseEvolvedSampling",
        "Use Evolved Sampling 🎭🅐🅓②",
        ("beta_schedule",),
        ("MODEL",),
        _APPLIED,
        _use,
        _REMARK,
    ),
    *(
        Row(
            kind,
            name,
            _WIDGETS,
            ("MODEL",),
            _APPLIED,
            _load_and_use,
            _REMARK,
        )
        for kind, name in (
            ("ADE_AnimateDiffLoaderGen1", "AnimateDiff Loader 🎭🅐🅓①"),
            ("ADE_AnimateDiffLoaderWithContext", "AnimateDiff Loader [Legacy] 🎭🅐🅓①"),
        )
    ),
)
