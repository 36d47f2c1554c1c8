"""Small random models of the transformer families, as diffusers' pipelines.

>>> flux1().save_pretrained(folder)      # a diffusers folder, under a megabyte
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from diffusers import (
    AceStepConditionEncoder,
    AceStepPipeline,
    AceStepTransformer1DModel,
    AnimaTextConditioner,
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    AutoencoderKLQwenImage21,
    AutoencoderKLWan,
    AutoencoderOobleck,
    ChromaPipeline,
    ChromaTransformer2DModel,
    ClassifierFreeGuidance,
    CosineDPMSolverMultistepScheduler,
    CosmosTransformer3DModel,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinKVPipeline,
    Flux2KleinPipeline,
    Flux2Pipeline,
    Flux2Transformer2DModel,
    Flux3Transformer2DModel,
    FluxFillPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
    Krea2Pipeline,
    Krea2Transformer2DModel,
    QwenImage21Pipeline,
    QwenImage21Transformer2DModel,
    QwenImageLayeredPipeline,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
    SD3Transformer2DModel,
    StableAudioDiTModel,
    StableAudioPipeline,
    StableAudioProjectionModel,
    StableDiffusion3Pipeline,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from diffusers.models.transformers import transformer_cosmos
from diffusers.modular_pipelines.anima.modular_blocks_anima import AnimaAutoBlocks
from diffusers.modular_pipelines.flux3 import Flux3AutoBlocks, Flux3DistilledAutoBlocks
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen2VLImageProcessorPil,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLModel,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
    T5TokenizerFast,
    UMT5Config,
    UMT5EncoderModel,
)

from nodeforge.models import FAMILIES, TEXT_ENCODER_KINDS
from tools.configs.clip_tokenizer import END, START, byte_symbols

TURBO = FAMILIES["qwen_image_21"].variants["turbo"].recommended
"""Of Qwen-Image 2.1."""
SCALE = 2
"""Pixels of the picture for one cell of the latent, of `vae`."""
CHANNELS = 4
"""Of its latents."""
_CLIP_WORDS = 2 * 256 + 2


def seeded(kind: type[nn.Module], *given: Any, seed: int = 0, **more: Any) -> Any:
    """A network of random weights; those that begin at zero get small ones, so that all count."""
    torch.manual_seed(seed)
    network = kind(*given, **more).eval()
    for parameter in network.parameters():
        if parameter.abs().sum() == 0:
            nn.init.normal_(parameter, std=0.02)
    return network


def clip_tokenizer() -> CLIPTokenizer:
    """Bytes alone, without merges."""
    symbols = byte_symbols()
    words = [*symbols, *(f"{symbol}</w>" for symbol in symbols), START, END]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def clip(width: int = 32, kind: type[nn.Module] = CLIPTextModel, seed: int = 0) -> Any:
    config = CLIPTextConfig(
        vocab_size=_CLIP_WORDS,
        hidden_size=width,
        intermediate_size=2 * width,
        num_attention_heads=2,
        num_hidden_layers=3,
        max_position_embeddings=77,
        bos_token_id=_CLIP_WORDS - 2,
        eos_token_id=_CLIP_WORDS - 1,
        pad_token_id=_CLIP_WORDS - 1,
        projection_dim=width,
    )
    return seeded(kind, config, seed=seed)


def t5_tokenizer() -> T5Tokenizer:
    """Letters alone."""
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    words += [(chr(code), -3.0) for code in range(33, 127)]
    return T5Tokenizer(vocab=words, extra_ids=0, model_max_length=512)


def t5(width: int = 32, kind: str = "gated-gelu") -> T5EncoderModel:
    config = T5Config(
        vocab_size=98, d_model=width, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        feed_forward_proj=kind,
    )  # fmt: skip
    return seeded(T5EncoderModel, config)


def vae(scaling: float = 0.3611, shift: float = 0.1159, channels: int = CHANNELS) -> AutoencoderKL:
    return seeded(
        AutoencoderKL,
        block_out_channels=(4, 8),
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=1,
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        use_quant_conv=False,
        use_post_quant_conv=False,
        scaling_factor=scaling,
        shift_factor=shift,
    )


def _flux_transformer(**more: Any) -> FluxTransformer2DModel:
    given = {"in_channels": 4 * CHANNELS, "guidance_embeds": True, **more}
    return seeded(
        FluxTransformer2DModel,
        patch_size=1,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=[4, 4, 8],
        **given,
    )


def _flux_parts() -> dict[str, Any]:
    return {
        "vae": vae(),
        "text_encoder": clip(),
        "tokenizer": clip_tokenizer(),
        "text_encoder_2": t5(),
        "tokenizer_2": t5_tokenizer(),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
    }


def flux1() -> FluxPipeline:
    return FluxPipeline(transformer=_flux_transformer(), **_flux_parts())


def flux1_schnell() -> FluxPipeline:
    parts = _flux_parts() | {"scheduler": FlowMatchEulerDiscreteScheduler(shift=1.0)}
    return FluxPipeline(transformer=_flux_transformer(guidance_embeds=False), **parts)


def flux1_fill() -> FluxFillPipeline:
    reads = 4 * (2 * CHANNELS + SCALE**2)
    transformer = _flux_transformer(in_channels=reads, out_channels=4 * CHANNELS)
    return FluxFillPipeline(transformer=transformer, **_flux_parts())


def chroma() -> ChromaPipeline:
    transformer = seeded(
        ChromaTransformer2DModel,
        in_channels=4 * CHANNELS,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        axes_dims_rope=(4, 4, 8),
        approximator_num_channels=8,
        approximator_hidden_dim=32,
        approximator_layers=1,
    )
    return ChromaPipeline(
        transformer=transformer,
        vae=vae(),
        text_encoder=t5(),
        tokenizer=t5_tokenizer(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
    )


def sd3(with_t5: bool = True, **more: Any) -> StableDiffusion3Pipeline:
    """Built as 3.5 Medium, with as many channels as its pipeline for inpainting asks for."""
    channels = 16
    first = clip(32, CLIPTextModelWithProjection)
    nn.init.eye_(first.text_projection.weight)  # single files have none, and none was trained
    transformer = seeded(
        SD3Transformer2DModel,
        sample_size=32,
        in_channels=channels,
        out_channels=channels,
        num_layers=2,
        num_attention_heads=1,
        attention_head_dim=64,  # of all published ones: no shape tells it
        caption_projection_dim=64,
        joint_attention_dim=96 if with_t5 else 4096,
        pooled_projection_dim=80,
        pos_embed_max_size=32,
        **{"qk_norm": "rms_norm", "dual_attention_layers": (0,), **more},
    )
    return StableDiffusion3Pipeline(
        transformer=transformer,
        vae=vae(1.5305, 0.0609, channels),
        text_encoder=first,
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip(48, CLIPTextModelWithProjection, seed=1),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=t5(96) if with_t5 else None,
        tokenizer_3=t5_tokenizer() if with_t5 else None,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
_SEEN = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
_CHAT = (
    "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{- '<think>\n\n</think>\n\n' }}{%- endif %}{%- endif %}"
)
"""Qwen3's, for one message without tools."""


def qwen_tokenizer(*words: str) -> Qwen2Tokenizer:
    """Bytes alone, without merges, but for these words."""
    tokenizer = Qwen2Tokenizer(
        vocab={symbol: number for number, symbol in enumerate(byte_symbols())},
        merges=[],
        unk_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=[*_SPECIAL, *_SEEN, *words],
    )
    tokenizer.chat_template = _CHAT
    return tokenizer


def qwen3(layers: int, kind: type[nn.Module] = Qwen3Model) -> Any:
    config = Qwen3Config(
        vocab_size=300, hidden_size=32, intermediate_size=48, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=2048,
        rope_theta=1e6,
    )  # fmt: skip
    return seeded(kind, config)


def qwen25_vl(tokenizer: Qwen2Tokenizer) -> Qwen2_5_VLForConditionalGeneration:
    """It sees patches of 14 by 14 pixels, four to a token."""
    start, end, image, video = tokenizer.convert_tokens_to_ids(list(_SEEN))
    text = {
        "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 2048,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2],
        },
    }  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2,
        "out_hidden_size": 32, "window_size": 56, "fullatt_block_indexes": [1],
    }  # fmt: skip
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        vision_start_token_id=start,
        vision_end_token_id=end,
        image_token_id=image,
        video_token_id=video,
    )
    return seeded(Qwen2_5_VLForConditionalGeneration, config)


def qwen3_vl(tokenizer: Qwen2Tokenizer, layers: int, kind: type[nn.Module] = Qwen3VLModel) -> Any:
    """It sees patches of 16 by 16 pixels, four to a token."""
    start, end, image, video = tokenizer.convert_tokens_to_ids(list(_SEEN))
    text = {
        "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": layers,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
        "max_position_embeddings": 2048,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 5e6, "mrope_section": [2, 1, 1],
        },
    }  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2,
        "out_hidden_size": 32, "num_position_embeddings": 64, "deepstack_visual_indexes": [0],
    }  # fmt: skip
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        vision_start_token_id=start,
        vision_end_token_id=end,
        image_token_id=image,
        video_token_id=video,
    )
    return seeded(kind, config)


def _qwen_vae(
    colours: int = 3, channels: int = CHANNELS, halvings: int = 1
) -> AutoencoderKLQwenImage:
    return seeded(
        AutoencoderKLQwenImage,
        input_channels=colours,
        base_dim=4,
        z_dim=channels,
        dim_mult=[1] * (halvings + 1),
        num_res_blocks=1,
        temperal_downsample=[False] * halvings,
        latents_mean=[0.1, -0.2, 0.3, 0.0] * (channels // 4),
        latents_std=[1.5, 2.0, 0.7, 1.0] * (channels // 4),
    )


def _qwen_image_parts(channels: int = CHANNELS, **more: Any) -> dict[str, Any]:
    tokenizer = qwen_tokenizer()
    return {
        "transformer": seeded(
            QwenImageTransformer2DModel,
            in_channels=4 * channels,
            out_channels=channels,
            num_layers=2,
            num_attention_heads=1,
            attention_head_dim=128,  # of all published ones: no shape tells it
            joint_attention_dim=32,
            **more,
        ),
        "vae": _qwen_vae(),
        "text_encoder": qwen25_vl(tokenizer),
        "tokenizer": tokenizer,
        "scheduler": FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True,
            max_shift=0.9,
            max_image_seq_len=8192,
            shift_terminal=0.02,
        ),
    }


def qwen_image() -> QwenImagePipeline:
    return QwenImagePipeline(**_qwen_image_parts())


def qwen_image_edit() -> QwenImagePipeline:
    """The parts of Qwen-Image Edit 2511; its own pipeline wants a processor of pictures."""
    return QwenImagePipeline(**_qwen_image_parts(zero_cond_t=True))


def krea2(distilled: bool = False) -> Krea2Pipeline:
    tokenizer = qwen_tokenizer("assistant")  # five tokens after the prompt, as Qwen's has
    transformer = seeded(
        Krea2Transformer2DModel,
        in_channels=4 * CHANNELS,
        num_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        attention_head_dim=128,  # of all published ones: no shape tells it
        intermediate_size=32,
        timestep_embed_dim=16,
        text_hidden_dim=32,
        text_num_attention_heads=2,
        text_num_key_value_heads=2,
        text_intermediate_size=32,
        num_layerwise_text_blocks=1,
        num_refiner_text_blocks=1,
    )
    return Krea2Pipeline(
        transformer=transformer,
        vae=_qwen_vae(),
        text_encoder=qwen3_vl(tokenizer, 36),
        tokenizer=tokenizer,
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, max_shift=1.15, max_image_seq_len=6400
        ),
        is_distilled=distilled,
    )


class VisionProcessor:
    """What pipelines ask of a `Qwen3VLProcessor`, which wants torchvision.

    Args:
        tokenizer: Its own.
        chat: Whether messages are put into the tokenizer's template, as Flux.3's are.
    """

    def __init__(self, tokenizer: Qwen2Tokenizer, chat: bool = False) -> None:
        self.tokenizer, self._chat = tokenizer, chat
        half = [0.5] * 3
        self.image_processor = Qwen2VLImageProcessorPil(
            patch_size=16, image_mean=half, image_std=half, min_pixels=32 * 32
        )

    def __call__(self, text: list[str], images: Any = None, **more: Any) -> Any:
        (words,), more = text, {"return_tensors": "pt"}
        if images is None:
            return self.tokenizer([words], **more)
        seen = dict(self.image_processor(images, **more))
        for grid in seen["image_grid_thw"]:
            words = words.replace(_SEEN[2], "\0" * (int(grid.prod()) // 4), 1)
        told = self.tokenizer([words.replace("\0", _SEEN[2])], **more)
        image = self.tokenizer.convert_tokens_to_ids(_SEEN[2])
        told.update({**seen, "mm_token_type_ids": (told["input_ids"] == image).int()})
        return told

    def apply_chat_template(self, messages: Any, **more: Any) -> Any:
        if self._chat:
            return self.tokenizer.apply_chat_template(messages, **more)
        (message,) = messages
        words = f"<|im_start|>{message['role']}\n{message['content'][0]['text']}<|im_end|>\n"
        return [self.tokenizer(words)["input_ids"]]


def _save_parts(folder: Path, parts: dict[str, Any], pipeline: str, **told: Any) -> None:
    """A diffusers folder."""
    index: dict[str, Any] = {"_class_name": pipeline, **told}
    for name, part in parts.items():
        part.save_pretrained(folder / name)
        index[name] = [type(part).__module__.partition(".")[0], type(part).__name__]
    (folder / "model_index.json").write_text(json.dumps(index), "utf-8")


class QwenImageLayered(QwenImageLayeredPipeline):
    """It is written without its processor, which describes pictures for empty prompts."""

    def save_pretrained(self, folder: Any, **more: Any) -> None:
        parts = {n: part for n, part in self.components.items() if part is not None}
        _save_parts(Path(folder), parts, "QwenImageLayeredPipeline")


def qwen_image_layered(halvings: int = 1) -> QwenImageLayered:
    """Its pipeline takes pictures of as many channels as its latents have for latents.

    Args:
        halvings: How often its VAE halves the sides of a picture; of the published one 3.
    """
    channels = 2 * CHANNELS
    more = {"use_additional_t_cond": True, "use_layer3d_rope": True}
    told: dict[str, Any] = {
        **_qwen_image_parts(channels, **more),
        "vae": _qwen_vae(4, channels, halvings),
        "scheduler": FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, time_shift_type="linear"
        ),
    }
    made = QwenImageLayered.__new__(QwenImageLayered)
    QwenImageLayered.__init__(made, **told, processor=None)
    return made


class QwenImage21(QwenImage21Pipeline):
    """It is written without its processor, of which the tokenizer is all that is read."""

    def save_pretrained(self, folder: Any, **more: Any) -> None:
        parts = {n: getattr(part, "tokenizer", part) for n, part in self.components.items()}
        sigmas = self.config.sample_sigmas
        _save_parts(Path(folder), parts, "QwenImage21Pipeline", sample_sigmas=sigmas)


def qwen_image_21(sigmas: list[float] | None = None) -> QwenImage21:
    """Its system prompt has 14 tokens, as Qwen's tokenizer cuts it."""
    system = ("system", "Comprehen", " and", " analyze", " the", " provide", " prompt")
    tokenizer = qwen_tokenizer(*system)
    transformer = seeded(
        QwenImage21Transformer2DModel,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_layers=2,
        num_attention_heads=1,
        attention_head_dim=128,  # of all published ones: no shape tells it
        context_in_dim=32,
    )
    vae = seeded(
        AutoencoderKLQwenImage21,
        base_dim=4,
        decoder_base_dim=4,
        z_dim=CHANNELS,
        num_res_blocks=1,
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[1.5, 2.0, 0.7, 1.0],
    )
    return QwenImage21(
        transformer=transformer,
        vae=vae,
        text_encoder=qwen3_vl(tokenizer, 3, Qwen3VLForConditionalGeneration),
        processor=VisionProcessor(tokenizer),
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=sigmas is None,
            max_shift=0.9,
            max_image_seq_len=8192,
            shift_terminal=0.02 if sigmas is None else None,
        ),
        sample_sigmas=sigmas,
    )


def z_image() -> ZImagePipeline:
    transformer = seeded(
        ZImageTransformer2DModel,
        in_channels=CHANNELS,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=32,
        axes_dims=[8, 4, 4],
        axes_lens=[1024, 32, 32],
    )
    return ZImagePipeline(
        transformer=transformer,
        vae=vae(),
        text_encoder=qwen3(4),
        tokenizer=qwen_tokenizer(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def _padding_mask(mask: torch.Tensor, size: list[int], interpolation: Any) -> torch.Tensor:
    """What torchvision's resize makes of zeros; diffusers' Cosmos asks for it."""
    del interpolation
    return mask.new_zeros(*mask.shape[:2], *size)


class Anima:
    """AnimaAutoBlocks, called and written as pipelines are."""

    def __init__(self, **components: Any) -> None:
        self.components = components
        self.made = AnimaAutoBlocks().init_pipeline()
        self.made.update_components(**components)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.made, name)

    def __call__(self, guidance_scale: float = 4.0, output_type: str = "np", **asked: Any) -> Any:
        functional = SimpleNamespace(resize=_padding_mask)
        nearest = SimpleNamespace(NEAREST=None)
        guider = ClassifierFreeGuidance(guidance_scale=guidance_scale)
        self.made.update_components(guider=guider)
        shim = SimpleNamespace(functional=functional, InterpolationMode=nearest)
        with patch.object(transformer_cosmos, "transforms", shim, create=True):
            state = self.made(**asked, output_type="np")
        latent = output_type == "latent"
        return SimpleNamespace(images=state.values["latents" if latent else "images"])

    def save_pretrained(self, folder: Any) -> None:
        folder, index = Path(folder), {"_class_name": "AnimaModularPipeline"}
        for name, part in self.components.items():
            part.save_pretrained(folder / name)
            index[name] = [type(part).__module__.partition(".")[0], type(part).__name__, {}]
        (folder / "modular_model_index.json").write_text(json.dumps(index), "utf-8")


def anima() -> Anima:
    """T5's tokenizer is the real one, which ours is as well."""
    with gzip.open(TEXT_ENCODER_KINDS["t5_xxl"].tokenizer_folder / "tokenizer.json.gz") as file:
        words = Tokenizer.from_buffer(file.read())
    transformer = seeded(
        CosmosTransformer3DModel,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_attention_heads=1,
        attention_head_dim=128,  # of all published ones: no shape tells it
        num_layers=2,
        text_embed_dim=32,
        adaln_lora_dim=8,
        max_size=(4, 64, 64),
        rope_scale=(1.0, 4.0, 4.0),
        extra_pos_embed_type=None,
    )
    conditioner = seeded(
        AnimaTextConditioner,
        source_dim=32,
        target_dim=32,
        model_dim=32,
        num_layers=1,
        num_attention_heads=2,
        min_sequence_length=64,
    )
    return Anima(
        transformer=transformer,
        text_conditioner=conditioner,
        vae=_qwen_vae(),
        text_encoder=qwen3(3),
        tokenizer=qwen_tokenizer(),
        t5_tokenizer=T5TokenizerFast(
            tokenizer_object=words, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def flux2_vae(decoder: tuple[int, ...] | None = None) -> AutoencoderKLFlux2:
    """`decoder`: channels of its decoder's levels, where they are others than the encoder's."""
    made = seeded(
        AutoencoderKLFlux2,
        block_out_channels=(4, 8),
        decoder_block_out_channels=decoder,
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=1,
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
    )
    made.bn.running_mean.copy_(torch.linspace(-0.5, 0.5, 4 * CHANNELS))
    made.bn.running_var.copy_(torch.linspace(0.5, 2, 4 * CHANNELS))
    return made


def _flux2_transformer(guidance_embeds: bool) -> Flux2Transformer2DModel:
    return seeded(
        Flux2Transformer2DModel,
        in_channels=4 * CHANNELS,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=96,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=guidance_embeds,
    )


def flux2_klein(distilled: bool = True, kind: Any = Flux2KleinPipeline) -> Any:
    return kind(
        transformer=_flux2_transformer(guidance_embeds=False),
        vae=flux2_vae(),
        text_encoder=qwen3(28, Qwen3ForCausalLM),
        tokenizer=qwen_tokenizer(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        is_distilled=distilled,
    )


_MISTRAL = (
    "{{- '<s>' }}{%- for m in messages %}"
    "{%- set words = m.content | map(attribute='text') | join %}"
    "{%- if m.role == 'system' %}{{- '[SYSTEM_PROMPT]' + words + '[/SYSTEM_PROMPT]' }}"
    "{%- else %}{{- '[INST]' + words + '[/INST]' }}{%- endif %}{%- endfor %}"
)
"""Mistral's, for messages of words alone."""


def mistral_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes alone, without merges, padded before the text."""
    marks = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "<pad>"]
    marks += ["[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]
    words = {word: number for number, word in enumerate([*marks, *byte_symbols()])}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.add_special_tokens(marks)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        pad_token="<pad>", padding_side="left",
    )  # fmt: skip
    tokenizer.chat_template = _MISTRAL
    return tokenizer


def mistral3(layers: int = 32) -> Mistral3ForConditionalGeneration:
    text = {
        "model_type": "mistral", "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": layers, "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 8, "max_position_embeddings": 2048, "sliding_window": None,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e9},
    }  # fmt: skip
    vision = {
        "model_type": "pixtral", "hidden_size": 16, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2, "head_dim": 8,
    }  # fmt: skip
    return seeded(
        Mistral3ForConditionalGeneration, Mistral3Config(text_config=text, vision_config=vision)
    )


class Flux2(Flux2Pipeline):
    """It is written with its tokenizer alone; its processor wants torchvision."""

    def save_pretrained(self, folder: Any, **more: Any) -> None:
        _save_parts(Path(folder), self.components, "Flux2Pipeline")


def flux2_dev() -> Flux2:
    return Flux2(
        transformer=_flux2_transformer(guidance_embeds=True),
        vae=flux2_vae(),
        text_encoder=mistral3(),
        tokenizer=mistral_tokenizer(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
    )


class Flux3:
    """Its modular blocks, asked as pipelines are.

    Args:
        parts: Its networks, its tokenizer and its scheduler, by the names of a folder.
    """

    def __init__(self, parts: dict[str, Any]) -> None:
        distilled = parts["transformer"].config.flow_map
        blocks = (Flux3DistilledAutoBlocks if distilled else Flux3AutoBlocks)()
        blocks.sub_blocks.pop("prompt_upsampler")
        self._made = blocks.init_pipeline()
        self._made.update_components(
            **{**parts, "tokenizer": VisionProcessor(parts["tokenizer"], chat=True)}
        )
        self._distilled, self.components = distilled, parts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    def __call__(
        self, output_type: str = "np", guidance_scale: float = 1.0, **asked: Any
    ) -> SimpleNamespace:
        if not self._distilled:
            guider = ClassifierFreeGuidance(guidance_scale=guidance_scale)
            self._made.update_components(guider=guider)
        told = self._made(output_type="np", **asked).values
        return SimpleNamespace(images=told["latents" if output_type == "latent" else "images"])

    def save_pretrained(self, folder: Any, **more: Any) -> None:
        _save_parts(Path(folder), self.components, type(self._made).__name__)


def flux3(distilled: bool = True) -> Flux3:
    tokenizer = qwen_tokenizer()
    transformer = seeded(
        Flux3Transformer2DModel,
        in_channels=4 * CHANNELS,
        cond_in_channels=4 * CHANNELS,
        num_layers=1,
        num_single_layers=2,
        num_attention_heads=1,
        attention_head_dim=128,  # of all published ones: no shape tells it
        joint_attention_dim=8 * 32,
        timestep_channels=16,
        mlp_ratio=0.5,
        flow_map=distilled,
    )
    parts = {
        "transformer": transformer,
        "vae": flux2_vae(),
        "text_encoder": qwen3_vl(tokenizer, 34, Qwen3VLForConditionalGeneration),
        "tokenizer": tokenizer,
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=6.93),
    }
    return Flux3(parts)


def umt5(width: int = 32) -> UMT5EncoderModel:
    config = UMT5Config(
        vocab_size=98, d_model=width, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    return seeded(UMT5EncoderModel, config)


def wan_vae(**more: Any) -> AutoencoderKLWan:
    given: dict[str, Any] = {
        "base_dim": 4,
        "z_dim": CHANNELS,
        "dim_mult": [1, 1, 1, 1],
        "num_res_blocks": 1,
        "temperal_downsample": [False, True, True],
        "latents_mean": [0.1, -0.2, 0.3, 0.0],
        "latents_std": [1.5, 2.0, 0.7, 1.0],
    }
    return seeded(AutoencoderKLWan, **{**given, **more})


def wan_transformer(seed: int = 0) -> WanTransformer3DModel:
    return seeded(
        WanTransformer3DModel,
        patch_size=(1, 2, 2),
        num_attention_heads=1,
        attention_head_dim=128,  # of all published ones: no shape tells it
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        text_dim=32,
        freq_dim=16,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
        seed=seed,
    )


def wan(**more: Any) -> WanPipeline:
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    return WanPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=umt5(),
        vae=wan_vae(),
        scheduler=scheduler,
        transformer=wan_transformer(),
        **more,
    )


def oobleck(rate: int = 8) -> AutoencoderOobleck:
    """A cell is 4 samples, of `rate` a second."""
    return seeded(
        AutoencoderOobleck,
        encoder_hidden_size=2 * CHANNELS,
        downsampling_ratios=[2, 2],
        channel_multiples=[1, 2],
        decoder_channels=3,
        decoder_input_channels=CHANNELS,
        audio_channels=2,
        sampling_rate=rate,
    )


def stable_audio(width: int = 32, cells: int = 16, rate: int = 8) -> StableAudioPipeline:
    """Sounds of up to 8 seconds; `width` is that of the text as the denoiser reads it."""
    tokenizer = t5_tokenizer()
    tokenizer.model_max_length = 128
    transformer = seeded(
        StableAudioDiTModel,
        sample_size=cells,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        num_key_value_attention_heads=2,
        cross_attention_dim=16,
        cross_attention_input_dim=width,
        global_states_input_dim=2 * width,
        time_proj_dim=8,
    )
    projection = seeded(
        StableAudioProjectionModel,
        text_encoder_dim=32,
        conditioning_dim=width,
        min_value=0,
        max_value=32,
    )
    return StableAudioPipeline(
        vae=oobleck(rate),
        text_encoder=t5(kind="relu"),
        projection_model=projection,
        tokenizer=tokenizer,
        transformer=transformer,
        scheduler=CosineDPMSolverMultistepScheduler(sigma_schedule="exponential"),
    )


def ace_step(turbo: bool = True, rate: int = 100) -> AceStepPipeline:
    """Songs; at 100 samples a second they have 25 cells a second, as the published model's."""
    transformer = seeded(
        AceStepTransformer1DModel,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=128,  # of all published ones: no shape tells it
        in_channels=3 * CHANNELS,
        audio_acoustic_hidden_dim=CHANNELS,
        sliding_window=16,
        is_turbo=turbo,
    )
    encoder = seeded(
        AceStepConditionEncoder,
        hidden_size=32,
        intermediate_size=48,
        text_hidden_dim=32,
        timbre_hidden_dim=CHANNELS,
        num_lyric_encoder_hidden_layers=2,
        num_timbre_encoder_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=16,
    )
    encoder.silence_latent.copy_(0.1 * torch.randn(encoder.silence_latent.shape))
    return AceStepPipeline(
        vae=oobleck(rate),
        text_encoder=qwen3(2),
        tokenizer=qwen_tokenizer(),
        transformer=transformer,
        condition_encoder=encoder,
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
    )


PIPELINES: dict[str, Callable[[], Any]] = {
    "flux1": flux1,
    "flux1_schnell": flux1_schnell,
    "flux1_fill": flux1_fill,
    "chroma": chroma,
    "sd3": sd3,
    "anima": anima,
    "sd3_medium": lambda: sd3(qk_norm=None, dual_attention_layers=()),
    "sd3_without_t5": lambda: sd3(with_t5=False),
    "z_image": z_image,
    "flux2_klein": flux2_klein,
    "flux2_klein_base": lambda: flux2_klein(distilled=False),
    "flux2_klein_kv": lambda: flux2_klein(kind=Flux2KleinKVPipeline),
    "qwen_image": qwen_image,
    "qwen_image_edit": qwen_image_edit,
    "qwen_image_layered": qwen_image_layered,
    "qwen_image_21": qwen_image_21,
    "qwen_image_21_turbo": lambda: qwen_image_21([*TURBO.sigmas[:-1]]),
    "krea2": krea2,
    "flux2_dev": flux2_dev,
    "flux3": flux3,
    "flux3_base": lambda: flux3(distilled=False),
    "krea2_turbo": lambda: krea2(distilled=True),
    "wan": wan,
    "stable_audio": stable_audio,
    "ace_step": ace_step,
    "ace_step_base": lambda: ace_step(turbo=False),
}
"""By family and variant."""
