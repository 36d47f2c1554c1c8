"""Every class of the table, between others in a whole workflow, in both forms."""

from typing import Any

import pytest

from nodeforge.formats import document_to_json, read, write
from nodeforge.formats.comfyui import Imported, convert, from_json
from nodeforge.formats.comfyui.table import ROWS
from nodeforge.graph.inline import every_node
from nodeforge.lint import lint
from nodeforge.spec import Catalogue
from support.comfyui import WorkflowBuilder, sampler_values, text_to_image
from support.problems import serious

CATALOGUE = Catalogue.shipped()

MODEL, CLIP, VAE = {"model": "MODEL"}, {"clip": "CLIP"}, {"vae": "VAE"}
PROMPT, LATENT, IMAGE = {"conditioning": "CONDITIONING"}, {"samples": "LATENT"}, {"image": "IMAGE"}
MASK, SIGMAS = {"mask": "MASK"}, {"sigmas": "SIGMAS"}
BOTH = {"positive": "CONDITIONING", "negative": "CONDITIONING"}
CONTROL = {"control_net": "CONTROL_NET", "image": "IMAGE"}
PREPARED = {**MODEL, **BOTH, "latent_image": "LATENT"}
SEED = {"noise_seed": 4, "control": "randomize"}
SDXL = {
    "width": 64,
    "height": 64,
    "crop_w": 0,
    "crop_h": 0,
    "target_width": 64,
    "target_height": 64,
}
AREA = {"width": 64, "height": 128, "x": 64, "y": 0, "strength": 1.0}
SHARES = {"width": 0.5, "height": 0.5, "x": 0.5, "y": 0.0, "strength": 1.0}
TILES = {"tile_size": 512, "overlap": 64, "temporal_size": 64, "temporal_overlap": 8}
FREEU = {"b1": 1.1, "b2": 1.2, "s1": 0.9, "s2": 0.2}
SIZE = {"width": 64, "height": 64}
SIDES = {"left": 8, "top": 0, "right": 8, "bottom": 0}
PARTLY = {"add_noise": "enable", **SEED, "steps": 8, "cfg": 5.0, "sampler_name": "euler"}
PARTLY |= {"scheduler": "karras", "start_at_step": 2, "end_at_step": 10000}
LEVELS = {"steps": 8, "sigma_max": 10.0, "sigma_min": 0.1}
BASIC = {**MODEL, **CLIP, **VAE, **BOTH}
CONTEXT = {"base_ctx": "CONTEXT", **BASIC, "latent": "LATENT", "images": "IMAGE"}
DETAILER = {"wildcard": "", "lora": "Select the LoRA", "wildcards": "Select the Wildcard"}
REFINER = {"refiner_model": "MODEL", "refiner_clip": "CLIP"}
REFINER |= {"refiner_positive": "CONDITIONING", "refiner_negative": "CONDITIONING"}
STEPS = {"steps": 8, "cfg": 5.0, "sampler_name": "euler", "scheduler": "karras"}
WHOLE = {"seed": 4, "control": "fixed", **STEPS, "denoise": 0.5}
PART = {"add_noise": True, **SEED, **STEPS, "start_at_step": 2, "end_at_step": 10000}
INSPIRE = {"batch_seed_mode": "incremental", "variation_seed": 0, "variation_strength": 0.0}
WINDOWS = {"context_length": 16, "context_stride": 1, "context_overlap": 4}
SIDES_OF = {"on_false": "IMAGE", "on_true": "IMAGE"}

AUDIO = {"audio": "AUDIO"}
VHS_RANGE = {
    "force_rate": 0,
    "custom_width": 0,
    "custom_height": 480,
    "frame_load_cap": 16,
    "skip_first_frames": 8,
    "select_every_nth": 2,
    "format": "AnimateDiff",
}

EMPTY_LAYERS = {"width": 64, "height": 64, "layers": 2, "batch_size": 1}
CASES: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "CheckpointLoaderSimple": ({}, {"ckpt_name": "sd\\a.safetensors"}),
    "EmptyHunyuanLatentVideo": ({}, {"width": 64, "height": 64, "length": 9, "batch_size": 1}),
    "Wan22ImageToVideoLatent": (VAE, {"width": 64, "height": 64, "length": 9, "batch_size": 1}),
    "EmptyQwenImageLayeredLatentImage": ({}, EMPTY_LAYERS),
    "LatentCut": ({"samples": "LAYERS"}, {"dim": "t", "index": 1, "amount": 16384}),
    "LatentCutToBatch": ({"samples": "LAYERS"}, {"dim": "t", "slice_size": 1}),
    "ADE_LoadAnimateDiffModel": ({}, {"model_name": "mm.st"}),
    "ADE_AnimateDiffLoRALoader": ({}, {"name": "pan.st", "strength": 0.8}),
    "ADE_ApplyAnimateDiffModelSimple": (
        {"motion_model": "MOTION_MODEL_ADE", "motion_lora": "MOTION_LORA"},
        {},
    ),
    "ADE_ApplyAnimateDiffModel": (
        {"motion_model": "MOTION_MODEL_ADE"},
        {"start_percent": 0.0, "end_percent": 1.0},
    ),
    "ADE_StandardUniformContextOptions": ({}, WINDOWS),
    "ADE_LoopedUniformContextOptions": ({}, WINDOWS),
    "ADE_UseEvolvedSampling": (
        {**MODEL, "m_models": "M_MODELS", "context_options": "CONTEXT_OPTIONS"},
        {"beta_schedule": "autoselect"},
    ),
    "ADE_AnimateDiffLoaderGen1": (MODEL, {"model_name": "mm.st", "beta_schedule": "autoselect"}),
    "ADE_AnimateDiffLoaderWithContext": (
        {**MODEL, "context_options": "CONTEXT_OPTIONS"},
        {"model_name": "mm.st", "beta_schedule": "autoselect"},
    ),
    "CheckpointLoader": ({}, {"config_name": "v1.yaml", "ckpt_name": "a.safetensors"}),
    "UNETLoader": ({}, {"unet_name": "u.safetensors", "weight_dtype": "default"}),
    "CLIPLoader": ({}, {"clip_name": "c.safetensors", "type": "stable_diffusion"}),
    "DualCLIPLoader": ({}, {"clip_name1": "l.safetensors", "clip_name2": "g.st", "type": "sdxl"}),
    "TripleCLIPLoader": (
        {},
        {"clip_name1": "l.safetensors", "clip_name2": "g.safetensors", "clip_name3": "t5.st"},
    ),
    "CLIPTextEncodeSD3": (
        CLIP,
        {"clip_l": "a", "clip_g": "a", "t5xxl": "a", "empty_padding": "none"},
    ),
    "VAELoader": ({}, {"vae_name": "v.safetensors"}),
    "LoraLoader": (
        {**MODEL, **CLIP},
        {"lora_name": "l.st", "strength_model": 0.5, "strength_clip": 0.6},
    ),
    "LoraLoaderModelOnly": (MODEL, {"lora_name": "l.st", "strength_model": 0.5}),
    "CLIPSetLastLayer": (CLIP, {"stop_at_clip_layer": -2}),
    "FreeU": (MODEL, FREEU),
    "FreeU_V2": (MODEL, FREEU),
    "ApplyFBCacheOnModel": (
        MODEL,
        {
            "object_to_patch": "diffusion_model",
            "residual_diff_threshold": 0.1,
            "start": 0.0,
            "end": 1.0,
            "max_consecutive_cache_hits": -1,
        },
    ),
    "FluxKVCache": (MODEL, {}),
    "EasyCache": (
        MODEL,
        {
            "reuse_threshold": 0.2,
            "start_percent": 0.15,
            "end_percent": 0.95,
            "verbose": False,
        },
    ),
    "LazyCache": (
        MODEL,
        {
            "reuse_threshold": 0.2,
            "start_percent": 0.15,
            "end_percent": 0.95,
            "verbose": False,
        },
    ),
    "TeaCache": (
        MODEL,
        {
            "model_type": "flux",
            "rel_l1_thresh": 0.4,
            "start_percent": 0.0,
            "end_percent": 1.0,
            "cache_device": "cuda",
        },
    ),
    "RescaleCFG": (MODEL, {"multiplier": 0.7}),
    "PerturbedAttentionGuidance": (MODEL, {"scale": 2.0}),
    "CFGNorm": (MODEL, {"strength": 1.0}),
    "TextEncodeQwenImageEdit": ({**CLIP, "vae": "VAE", "image": "IMAGE"}, {"prompt": "night"}),
    "TextEncodeQwenImage21": (
        {**CLIP, "vae": "VAE", "images.image_1": "IMAGE", "images.image_2": "IMAGE"},
        {"prompt": "night", "negative_prompt": "", "resolution": 1024},
    ),
    "TextEncodeQwenImageEditPlus": (
        {**CLIP, "vae": "VAE", "image1": "IMAGE", "image2": "IMAGE"},
        {"prompt": "night"},
    ),
    "ModelSamplingDiscrete": (MODEL, {"sampling": "v_prediction", "zsnr": True}),
    "ModelSamplingSD3": (MODEL, {"shift": 3.0}),
    "ModelSamplingAuraFlow": (MODEL, {"shift": 1.73}),
    "ModelSamplingFlux": (MODEL, {"max_shift": 1.15, "base_shift": 0.5, **SIZE}),
    "ControlNetLoader": ({}, {"control_net_name": "c.safetensors"}),
    "DiffControlNetLoader": (MODEL, {"control_net_name": "c.safetensors"}),
    "CLIPVisionLoader": ({}, {"clip_name": "v.safetensors"}),
    "IPAdapterModelLoader": ({}, {"ipadapter_file": "plus.safetensors"}),
    "IPAdapterAdvanced": (
        {**MODEL, "ipadapter": "IPADAPTER", **IMAGE, "clip_vision": "CLIP_VISION"},
        {
            "weight": 0.6,
            "weight_type": "linear",
            "combine_embeds": "concat",
            "start_at": 0.0,
            "end_at": 1.0,
            "embeds_scaling": "V only",
        },
    ),
    "CLIPTextEncode": (CLIP, {"text": "a [fox] (red:1.2)"}),
    "CLIPTextEncodeSDXL": (CLIP, {**SDXL, "text_g": "a", "text_l": "b"}),
    "CLIPTextEncodeSDXLRefiner": (CLIP, {"ascore": 6.0, **SIZE, "text": "a"}),
    "ConditioningCombine": (
        {"conditioning_1": "CONDITIONING", "conditioning_2": "CONDITIONING"},
        {},
    ),
    "ConditioningConcat": (
        {"conditioning_to": "CONDITIONING", "conditioning_from": "CONDITIONING"},
        {},
    ),
    "ConditioningAverage": (
        {"conditioning_to": "CONDITIONING", "conditioning_from": "CONDITIONING"},
        {"conditioning_to_strength": 0.3},
    ),
    "ConditioningSetArea": (PROMPT, AREA),
    "ConditioningSetAreaPercentage": (PROMPT, SHARES),
    "ConditioningSetMask": ({**PROMPT, **MASK}, {"strength": 1.0, "set_cond_area": "default"}),
    "ConditioningSetTimestepRange": (PROMPT, {"start": 0.0, "end": 0.5}),
    "ConditioningZeroOut": (PROMPT, {}),
    "FluxGuidance": (PROMPT, {"guidance": 3.5}),
    "ReferenceLatent": ({**PROMPT, "latent": "REAL"}, {}),
    "ReferenceMultiLatent": (
        {**BOTH, **VAE, "images.image0": "IMAGE", "images.image1": "IMAGE"},
        {"resolution": "resize", "resolution.megapixels": 0.5},
    ),
    "InstructPixToPixConditioning": ({**BOTH, **VAE, "pixels": "IMAGE"}, {}),
    "FluxKontextMultiReferenceLatentMethod": (PROMPT, {"reference_latents_method": "index"}),
    "ControlNetApply": ({**PROMPT, **CONTROL}, {"strength": 0.8}),
    "ControlNetApplyAdvanced": (
        {**BOTH, **CONTROL},
        {"strength": 0.8, "start_percent": 0.0, "end_percent": 0.6},
    ),
    "EmptyLatentImage": ({}, {**SIZE, "batch_size": 2}),
    "EmptySD3LatentImage": ({}, {**SIZE, "batch_size": 1}),
    "EmptyFlux2LatentImage": ({}, {**SIZE, "batch_size": 1}),
    "VAEDecode": ({**LATENT, **VAE}, {}),
    "VAEDecodeTiled": ({**LATENT, **VAE}, TILES),
    "VAEEncode": ({"pixels": "IMAGE", **VAE}, {}),
    "VAEEncodeTiled": ({"pixels": "IMAGE", **VAE}, TILES),
    "VAEEncodeForInpaint": ({"pixels": "IMAGE", **VAE, **MASK}, {"grow_mask_by": 6}),
    "SetLatentNoiseMask": ({"samples": "REAL", **MASK}, {}),
    "InpaintModelConditioning": (
        {**BOTH, **VAE, "pixels": "IMAGE", **MASK},
        {"noise_mask": True},
    ),
    "LatentUpscale": (LATENT, {"upscale_method": "bislerp", **SIZE, "crop": "disabled"}),
    "LatentUpscaleBy": (LATENT, {"upscale_method": "nearest-exact", "scale_by": 1.5}),
    "RepeatLatentBatch": ({"samples": "REAL"}, {"amount": 2}),
    "LatentFromBatch": (LATENT, {"batch_index": 0, "length": 1}),
    "LatentBlend": ({"samples1": "REAL", "samples2": "REAL"}, {"blend_factor": 0.3}),
    "KSampler": (PREPARED, sampler_values(seed=2**64 - 1, denoise=0.5)),
    "KSamplerAdvanced": (PREPARED, {**PARTLY, "return_with_leftover_noise": "disable"}),
    "SamplerCustom": (
        {**MODEL, **BOTH, "sampler": "SAMPLER", **SIGMAS, "latent_image": "LATENT"},
        {"add_noise": True, **SEED, "cfg": 5.0},
    ),
    "SamplerCustomAdvanced": (
        {
            "noise": "NOISE",
            "guider": "GUIDER",
            "sampler": "SAMPLER",
            **SIGMAS,
            "latent_image": "LATENT",
        },
        {},
    ),
    "RandomNoise": ({}, SEED),
    "DisableNoise": ({}, {}),
    "CFGGuider": ({**MODEL, **BOTH}, {"cfg": 4.0}),
    "DualCFGGuider": (
        {**MODEL, "cond1": "CONDITIONING", "cond2": "CONDITIONING", "negative": "CONDITIONING"},
        {"cfg_conds": 7.0, "cfg_cond2_negative": 1.5, "style": "regular"},
    ),
    "BasicGuider": ({**MODEL, **PROMPT}, {}),
    "KSamplerSelect": ({}, {"sampler_name": "uni_pc"}),
    "SamplerEulerAncestral": ({}, {"eta": 0.5, "s_noise": 1.0}),
    "SamplerDPMPP_2S_Ancestral": ({}, {"eta": 0.5, "s_noise": 1.0}),
    "SamplerDPMPP_2M_SDE": (
        {},
        {"solver_type": "midpoint", "eta": 1.0, "s_noise": 1.0, "noise_device": "gpu"},
    ),
    "SamplerDPMPP_3M_SDE": ({}, {"eta": 1.0, "s_noise": 1.0, "noise_device": "gpu"}),
    "BasicScheduler": (MODEL, {"scheduler": "karras", "steps": 8, "denoise": 0.6}),
    "Flux2Scheduler": ({}, {"steps": 4, "width": 1024, "height": 1024}),
    "ManualSigmas": ({}, {"sigmas": "1., 0.85; .5 0.2,0.0"}),
    "KarrasScheduler": ({}, {**LEVELS, "rho": 7.0}),
    "ExponentialScheduler": ({}, LEVELS),
    "PolyexponentialScheduler": ({}, {**LEVELS, "rho": 1.5}),
    "AlignYourStepsScheduler": ({}, {"model_type": "SD1", "steps": 10, "denoise": 1.0}),
    "SDTurboScheduler": (MODEL, {"steps": 1, "denoise": 1.0}),
    "SamplerDPMPP_SDE": ({}, {"eta": 0.7, "s_noise": 1.0, "r": 0.5, "noise_device": "cpu"}),
    "SamplerEulerAncestralCFGPP": ({}, {"eta": 0.7, "s_noise": 1.0}),
    "SamplerLMS": ({}, {"order": 4}),
    "BetaSamplingScheduler": (MODEL, {"steps": 8, "alpha": 0.6, "beta": 0.6}),
    "SplitSigmas": (SIGMAS, {"step": 3}),
    "LoadImage": ({}, {"image": "fox.png [input]", "upload": "image"}),
    "LoadImageMask": ({}, {"image": "fox.png", "channel": "red", "upload": "image"}),
    "SaveImage": ({"images": "IMAGE"}, {"filename_prefix": "a/%date:yy%_%KSampler.seed%"}),
    "PreviewImage": ({"images": "IMAGE"}, {}),
    "ImageScale": (IMAGE, {"upscale_method": "nearest-exact", **SIZE, "crop": "center"}),
    "ImageScaleBy": (IMAGE, {"upscale_method": "lanczos", "scale_by": 2.0}),
    "UpscaleModelLoader": ({}, {"model_name": "4x.pth"}),
    "ImageUpscaleWithModel": ({"upscale_model": "UPSCALE_MODEL", **IMAGE}, {}),
    "ImageCrop": (IMAGE, {**SIZE, "x": 8, "y": 8}),
    "ImageBlend": (
        {"image1": "IMAGE", "image2": "IMAGE"},
        {"blend_factor": 0.4, "blend_mode": "soft_light"},
    ),
    "ImageInvert": (IMAGE, {}),
    "ImageBlur": (IMAGE, {"blur_radius": 3, "sigma": 1.0}),
    "Canny": (IMAGE, {"low_threshold": 0.4, "high_threshold": 0.8}),
    "ImagePadForOutpaint": (IMAGE, {**SIDES, "feathering": 40}),
    "ImageCompositeMasked": (
        {"destination": "IMAGE", "source": "IMAGE", **MASK},
        {"x": 0, "y": 0, "resize_source": False},
    ),
    "InvertMask": (MASK, {}),
    "GrowMask": (MASK, {"expand": 4, "tapered_corners": True}),
    "SolidMask": ({}, {"value": 1.0, **SIZE}),
    "MaskComposite": (
        {"destination": "MASK", "source": "MASK"},
        {"x": 0, "y": 0, "operation": "subtract"},
    ),
    "ImageToMask": (IMAGE, {"channel": "red"}),
    "JoinImageWithAlpha": ({**IMAGE, "alpha": "MASK"}, {}),
    "ImageCropV2": (IMAGE, {"crop_region": {"x": 8, "y": 0, "width": 64, "height": 32}}),
    "GetImageSize": (IMAGE, {}),
    "GetImageSize+": (IMAGE, {}),
    "GetImageSizeAndCount": (IMAGE, {}),
    "ImageScaleToTotalPixels": (
        IMAGE,
        {"upscale_method": "nearest-exact", "megapixels": 1.0, "resolution_steps": 16},
    ),
    "ImageScaleToMaxDimension": (IMAGE, {"upscale_method": "area", "largest_size": 512}),
    "ResizeImageMaskNode": (
        {"input": "IMAGE"},
        {
            "resize_type": "scale dimensions",
            "resize_type.width": 64,
            "resize_type.height": 32,
            "resize_type.crop": "center",
            "scale_method": "area",
        },
    ),
    "ResizeAndPadImage": (
        IMAGE,
        {
            "target_width": 64,
            "target_height": 32,
            "padding_color": "white",
            "interpolation": "area",
        },
    ),
    "ImageBatch": ({"image1": "IMAGE", "image2": "IMAGE"}, {}),
    "BatchImagesNode": ({"images.image0": "IMAGE", "images.image1": "IMAGE"}, {}),
    "ImageBatchMulti": ({"image_1": "IMAGE", "image_2": "IMAGE"}, {"inputcount": 2}),
    "ImageFromBatch": (IMAGE, {"batch_index": 1, "length": 2}),
    "ImageFromBatch+": (IMAGE, {"start": 1, "length": -1}),
    "RepeatImageBatch": (IMAGE, {"amount": 3}),
    "RebatchImages": ({"images": "IMAGE"}, {"batch_size": 1}),
    "EmptyImage": ({}, {**SIZE, "batch_size": 1, "color": 0xFF8000}),
    "ImageStitch": (
        {"image1": "IMAGE", "image2": "IMAGE"},
        {
            "direction": "down",
            "match_image_size": True,
            "spacing_width": 8,
            "spacing_color": "white",
        },
    ),
    "ImageConcanate": (
        {"image1": "IMAGE", "image2": "IMAGE"},
        {"direction": "left", "match_image_size": False},
    ),
    "ImageColorToMask": (IMAGE, {"color": 0x00FF7F}),
    "Reroute": ({"": "IMAGE"}, {}),
    "PrimitiveNode": ({}, {"value": 7, "control": "increment"}),
    "ResolutionSelector": (
        {},
        {"aspect_ratio": "16:9 (Widescreen)", "megapixels": 1.0, "multiple": 16},
    ),
    "PrimitiveInt": ({}, {"value": 7}),
    "PrimitiveFloat": ({}, {"value": 7.5}),
    "PrimitiveString": ({}, {"value": "a fox"}),
    "PrimitiveStringMultiline": ({}, {"value": "a fox"}),
    "PrimitiveBoolean": ({}, {"value": True}),
    "DifferentialDiffusion": (MODEL, {"strength": 1.0}),
    "QwenImage21Cache": (MODEL, {"device": "auto", "dtype": "default"}),
    "ModelAttentionBackend": (MODEL, {"backend": "sage"}),
    "TorchCompileModel": (MODEL, {"backend": "inductor"}),
    "SDXL Empty Latent Image": ({}, {"resolution": "1024 x 768 (1.33)", "batch_size": 1}),
    "SDXL Empty Latent Image (rgthree)": (
        {},
        {"dimensions": "1024 x 768  (landscape)", "clip_scale": 2.0, "batch_size": 1},
    ),
    "Latent Upscale by Factor (WAS)": (
        LATENT,
        {"mode": "bicubic", "factor": 1.5, "align": "true"},
    ),
    "LoadImageOutput": ({}, {"image": "fox.png [output]"}),
    "SaveImageAdvanced": (
        {"images": "IMAGE"},
        {"filename_prefix": "a", "format": "png", "format.bit_depth": "8-bit"},
    ),
    "ImageCompare": ({"image_a": "IMAGE", "image_b": "IMAGE"}, {}),
    "Image Comparer (rgthree)": ({"image_a": "IMAGE", "image_b": "IMAGE"}, {}),
    "MaskPreview": (MASK, {}),
    "MaskPreview+": (MASK, {}),
    "MaskToImage": (MASK, {}),
    "SplitImageWithAlpha": (IMAGE, {}),
    "HEDPreprocessor": (IMAGE, {"safe": "enable", "resolution": 512}),
    "PiDiNetPreprocessor": (IMAGE, {"safe": "enable", "resolution": 512}),
    "LineArtPreprocessor": (IMAGE, {"coarse": "disable", "resolution": 512}),
    "AnimeLineArtPreprocessor": (IMAGE, {"resolution": 512}),
    "LineartStandardPreprocessor": (
        IMAGE,
        {"guassian_sigma": 6.0, "intensity_threshold": 8, "resolution": 512},
    ),
    "ScribblePreprocessor": (IMAGE, {"resolution": 512}),
    "FakeScribblePreprocessor": (IMAGE, {"safe": "enable", "resolution": 512}),
    "Scribble_XDoG_Preprocessor": (IMAGE, {"threshold": 32, "resolution": 512}),
    "ColorPreprocessor": (IMAGE, {"resolution": 512}),
    "CannyEdgePreprocessor": (
        IMAGE,
        {"low_threshold": 100, "high_threshold": 200, "resolution": 512},
    ),
    "SetNode": ({"IMAGE": "IMAGE"}, {"name": "a"}),
    "GetNode": ({"value": "IMAGE"}, {"name": "a"}),
    "Reroute (rgthree)": ({"": "IMAGE"}, {}),
    "Seed (rgthree)": ({}, {"seed": 7, "a": "", "b": "", "c": ""}),
    "easy seed": ({}, {"seed": 7, "control": "fixed", "d": ""}),
    "CR Seed": ({}, {"seed": 7, "control": "randomize"}),
    "Text Multiline": ({}, {"text": "a fox"}),
    "Text box": ({}, {"Text": "a fox"}),
    "CR Text": ({}, {"text": "a fox"}),
    "CR Prompt Text": ({}, {"prompt": "a fox"}),
    "ttN text": ({}, {"text": "a fox"}),
    "StringConcatenate": ({}, {"string_a": "a", "string_b": "fox", "delimiter": " "}),
    "JoinStrings": ({}, {"string1": "a", "string2": "fox", "delimiter": " "}),
    "Text Concatenate": (
        {"text_a": "STRING", "text_c": "STRING"},
        {"delimiter": ", ", "clean_whitespace": "true"},
    ),
    "RegexReplace": (
        {"string": "STRING"},
        {
            "string": "",
            "regex_pattern": r"\s+",
            "replace": " ",
            "case_insensitive": True,
            "multiline": True,
            "dotall": False,
            "count": 0,
        },
    ),
    "StringLength": ({"string": "STRING"}, {"string": ""}),
    "StringCompare": (
        {"string_a": "STRING"},
        {"string_a": "", "string_b": "fox", "mode": "Ends With", "case_sensitive": False},
    ),
    "StringFormat": ({"values.a": "STRING"}, {"f_string": "a {a}"}),
    "ComfyMathExpression": ({"values.a": "INT"}, {"expression": "max(a, 2) / 2"}),
    "SimpleMath+": ({"a": "INT", "b": "INT"}, {"value": "a * b"}),
    "MathExpression|pysssss": ({"a": "INT"}, {"expression": "a + 1"}),
    "ImpactWildcardProcessor": (
        {},
        {
            "wildcard_text": "a {red|blue} fox",
            "populated_text": "a red fox",
            "mode": "populate",
            "seed": 3,
            "Select to add Wildcard": "Select",
        },
    ),
    "DPRandomGenerator": ({}, {"text": "a __colour__ fox", "seed": 3, "autorefresh": "No"}),
    "StringReplace": ({"string": "STRING"}, {"string": "", "find": "fox", "replace": "cat"}),
    "CustomCombo": ({}, {"choice": "b", "index": 1, "option1": "a", "option2": "b"}),
    "PreviewAny": ({"source": "STRING"}, {}),
    "ShowText|pysssss": ({"text": "STRING"}, {}),
    "Text to Console": ({"text": "STRING"}, {"label": "Text"}),
    "ComfySwitchNode": (SIDES_OF, {"switch": True}),
    "Switch any [Crystools]": (SIDES_OF, {"boolean": True}),
    "easy ifElse": (SIDES_OF, {"boolean": False}),
    "ImpactConditionalBranch": ({"tt_value": "IMAGE", "ff_value": "IMAGE"}, {"cond": True}),
    "ImpactSwitch": ({"input1": "IMAGE", "input2": "IMAGE"}, {"select": 2, "sel_mode": False}),
    "CR Image Input Switch": ({"image1": "IMAGE", "image2": "IMAGE"}, {"Input": 2}),
    "CR Latent Input Switch": ({"latent1": "REAL", "latent2": "REAL"}, {"Input": 1}),
    "CR Conditioning Input Switch": (
        {"conditioning1": "CONDITIONING", "conditioning2": "CONDITIONING"},
        {"Input": 1},
    ),
    "CR Model Input Switch": ({"model1": "MODEL", "model2": "MODEL"}, {"Input": 1}),
    "CR VAE Input Switch": ({"VAE1": "VAE", "VAE2": "VAE"}, {"Input": 1}),
    "CR Text Input Switch": ({"text1": "STRING", "text2": "STRING"}, {"Input": 2}),
    "Any Switch (rgthree)": ({"any_01": "IMAGE", "any_03": "IMAGE"}, {}),
    "ToBasicPipe": (BASIC, {}),
    "FromBasicPipe": ({"basic_pipe": "BASIC_PIPE"}, {}),
    "FromBasicPipe_v2": ({"basic_pipe": "BASIC_PIPE"}, {}),
    "EditBasicPipe": ({"basic_pipe": "BASIC_PIPE", **CLIP}, {}),
    "ToDetailerPipe": (BASIC, DETAILER),
    "ToDetailerPipeSDXL": ({**BASIC, **REFINER}, DETAILER),
    "FromDetailerPipe": ({"detailer_pipe": "DETAILER_PIPE"}, {}),
    "FromDetailerPipe_v2": ({"detailer_pipe": "DETAILER_PIPE"}, {}),
    "FromDetailerPipe_SDXL": ({"detailer_pipe": "SDXL_PIPE"}, {}),
    "EditDetailerPipe": ({"detailer_pipe": "DETAILER_PIPE", **MODEL}, DETAILER),
    "BasicPipeToDetailerPipe": ({"basic_pipe": "BASIC_PIPE"}, DETAILER),
    "Context (rgthree)": (CONTEXT, {}),
    "Context Big (rgthree)": (CONTEXT, {}),
    "Context Switch (rgthree)": ({"ctx_01": "CONTEXT", "ctx_02": "CONTEXT"}, {}),
    "Context Switch Big (rgthree)": ({"ctx_01": "CONTEXT", "ctx_02": "CONTEXT"}, {}),
    "Context Merge (rgthree)": ({"ctx_01": "CONTEXT", "ctx_02": "CONTEXT"}, {}),
    "Context Merge Big (rgthree)": ({"ctx_01": "CONTEXT", "ctx_02": "CONTEXT"}, {}),
    "Efficient Loader": (
        {},
        {
            "ckpt_name": "a.safetensors",
            "vae_name": "v.safetensors",
            "clip_skip": -2,
            "lora_name": "l.st",
            "lora_model_strength": 0.5,
            "lora_clip_strength": 0.6,
            "positive": "a fox",
            "negative": "blurry",
            "token_normalization": "none",
            "weight_interpretation": "A1111",
            "empty_latent_width": 64,
            "empty_latent_height": 64,
            "batch_size": 1,
        },
    ),
    "KSampler (Efficient)": (
        {**PREPARED, "optional_vae": "VAE"},
        {**WHOLE, "preview_method": "auto", "vae_decode": "true"},
    ),
    "ImpactKSamplerBasicPipe": ({"basic_pipe": "BASIC_PIPE", "latent_image": "LATENT"}, WHOLE),
    "ImpactKSamplerAdvancedBasicPipe": (
        {"basic_pipe": "BASIC_PIPE", "latent_image": "LATENT"},
        {**PART, "return_with_leftover_noise": False},
    ),
    "KSampler //Inspire": (PREPARED, {**WHOLE, "noise_mode": "GPU(=A1111)", **INSPIRE}),
    "KSamplerAdvanced //Inspire": (
        PREPARED,
        {**PART, "noise_mode": "CPU", "return_with_leftover_noise": False, **INSPIRE},
    ),
    "LoadVideo": ({}, {"file": "clip.mp4", "upload": "image"}),
    "SaveVideo": (
        {"video": "VIDEO"},
        {"filename_prefix": "video/ComfyUI", "format": "auto", "codec": "auto"},
    ),
    "CreateVideo": ({"images": "IMAGE", "audio": "AUDIO"}, {"fps": 16.0}),
    "GetVideoComponents": ({"video": "VIDEO"}, {}),
    "Video Slice": (
        {"video": "VIDEO"},
        {"start_time": 0.5, "duration": 1.0, "strict_duration": False},
    ),
    "SaveWEBM": (
        {"images": "IMAGE"},
        {"filename_prefix": "ComfyUI", "codec": "vp9", "fps": 24.0, "crf": 32.0},
    ),
    "SaveAnimatedWEBP": (
        {"images": "IMAGE"},
        {"filename_prefix": "a", "fps": 6.0, "lossless": False, "quality": 80, "method": "default"},
    ),
    "SaveAnimatedPNG": (
        {"images": "IMAGE"},
        {"filename_prefix": "ComfyUI", "fps": 6.0, "compress_level": 4},
    ),
    "VHS_LoadVideo": ({}, {"video": "clip.mp4", **VHS_RANGE}),
    "VHS_LoadVideoPath": ({}, {"video": "clips/clip.mp4", **VHS_RANGE}),
    "VHS_VideoCombine": (
        {"images": "IMAGE", "audio": "AUDIO"},
        {
            "frame_rate": 8,
            "loop_count": 0,
            "filename_prefix": "AnimateDiff",
            "format": "video/h264-mp4",
            "pingpong": True,
            "save_output": True,
            "pix_fmt": "yuv420p",
            "crf": 19,
            "save_metadata": True,
            "trim_to_audio": False,
        },
    ),
    "VHS_VideoInfoLoaded": ({"video_info": "VHS_VIDEOINFO"}, {}),
    "LoadAudio": ({}, {"audio": "song.flac", "audioUI": "", "upload": ""}),
    "VHS_LoadAudio": ({}, {"audio_file": "song.mp3", "seek_seconds": 1.0, "duration": 2.0}),
    "VHS_LoadAudioUpload": ({}, {"audio": "song.mp3", "start_time": 0.0, "duration": 0.0}),
    "SaveAudio": (AUDIO, {"filename_prefix": "audio/ComfyUI", "audioUI": ""}),
    "SaveAudioOpus": (AUDIO, {"filename_prefix": "a", "quality": "96k", "audioUI": ""}),
    "SaveAudioMP3": (AUDIO, {"filename_prefix": "a", "quality": "V0", "audioUI": ""}),
    "SaveAudioAdvanced": (
        AUDIO,
        {"filename_prefix": "a", "format": "opus", "format.quality": "96k"},
    ),
    "PreviewAudio": (AUDIO, {"audioUI": ""}),
    "EmptyAudio": ({}, {"duration": 2.0, "sample_rate": 44100, "channels": 2}),
    "TrimAudioDuration": (AUDIO, {"start_index": 0.5, "duration": 1.0}),
    "AudioConcat": ({"audio1": "AUDIO", "audio2": "AUDIO"}, {"direction": "before"}),
    "AudioMerge": ({"audio1": "AUDIO", "audio2": "AUDIO"}, {"merge_method": "mean"}),
    "AudioAdjustVolume": (AUDIO, {"volume": -6}),
    **dict.fromkeys(
        ("EmptyAceStepLatentAudio", "EmptyAceStep1.5LatentAudio"),
        ({}, {"seconds": 20.0, "batch_size": 1}),
    ),
    "EmptyLatentAudio": ({}, {"seconds": 47.6, "batch_size": 1}),
    "ConditioningStableAudio": (
        {"positive": "CONDITIONING", "negative": "CONDITIONING"},
        {"seconds_start": 0.0, "seconds_total": 30.0},
    ),
    "VAEDecodeAudio": ({"samples": "SOUND", "vae": "VAE"}, {}),
    "VAEDecodeAudioTiled": (
        {"samples": "SOUND", "vae": "VAE"},
        {"tile_size": 512, "overlap": 64},
    ),
    "VAEEncodeAudio": ({"audio": "AUDIO", "vae": "VAE"}, {}),
    "TextEncodeAceStepAudio": (
        CLIP,
        {"tags": "folk", "lyrics": "la", "lyrics_strength": 1.0},
    ),
    "TextEncodeAceStepAudio1.5": (
        CLIP,
        {
            "tags": "folk",
            "lyrics": "la",
            "seed": 3,
            "control": "fixed",
            "bpm": 90,
            "duration": 20.0,
            "timesignature": "3",
            "language": "de",
            "keyscale": "E minor",
            "generate_audio_codes": False,
            "cfg_scale": 2.0,
            "temperature": 0.85,
            "top_p": 0.9,
            "top_k": 0,
            "min_p": 0.0,
        },
    ),
}

WRAPPING = {
    "control.apply",
    "control.apply_ip_adapter",
    "sampling.perturbed_attention",
}
"""What a sampler may get around its prompts and its guidance."""

_SINKS = {
    "MODEL": ("model",),
    "CONDITIONING": ("positive", "negative"),
    "LATENT": ("latent_image",),
}


def sources(workflow: WorkflowBuilder) -> dict[str, tuple[int, int]]:
    """Something of every type that an input may want; made when it is asked for."""
    picture = workflow.add("LoadImage", {"image": "fox.png", "upload": "image"})
    encoded = workflow.add("VAEEncode", pixels=(picture, 0), vae=(1, 2))
    levels = workflow.add(
        "BasicScheduler", {"scheduler": "normal", "steps": 8, "denoise": 1.0}, model=(1, 0)
    )
    guide = {"model": (1, 0), "positive": (2, 0), "negative": (3, 0)}
    basic = {**guide, "clip": (1, 1), "vae": (1, 2)}
    refiner = {f"refiner_{name}": link for name, link in basic.items() if name != "vae"}
    clip = workflow.add("LoadVideo", {"file": "clip.mp4", "upload": "image"})
    loaded = workflow.add("VHS_LoadVideo", {"video": "clip.mp4", **VHS_RANGE})
    module = workflow.add("ADE_LoadAnimateDiffModel", {"model_name": "mm.st"})
    applied = workflow.add("ADE_ApplyAnimateDiffModelSimple", motion_model=(module, 0))
    pan = workflow.add("ADE_AnimateDiffLoRALoader", {"name": "pan.st", "strength": 0.8})
    windows = workflow.add("ADE_StandardUniformContextOptions", WINDOWS)
    sound = workflow.add("LoadAudio", {"audio": "song.flac", "audioUI": "", "upload": ""})
    return {
        "VIDEO": (clip, 0),
        "VHS_VIDEOINFO": (loaded, 3),
        "AUDIO": (sound, 0),
        "SOUND": (workflow.add("VAEEncodeAudio", audio=(sound, 0), vae=(1, 2)), 0),
        "MOTION_MODEL_ADE": (module, 0),
        "M_MODELS": (applied, 0),
        "MOTION_LORA": (pan, 0),
        "CONTEXT_OPTIONS": (windows, 0),
        "MODEL": (1, 0),
        "CLIP": (1, 1),
        "VAE": (1, 2),
        "CONDITIONING": (2, 0),
        "LATENT": (4, 0),
        "REAL": (encoded, 0),
        "LAYERS": (workflow.add("EmptyQwenImageLayeredLatentImage", EMPTY_LAYERS), 0),
        "IMAGE": (picture, 0),
        "MASK": (picture, 1),
        "CONTROL_NET": (workflow.add("ControlNetLoader", {"control_net_name": "canny.st"}), 0),
        "IPADAPTER": (workflow.add("IPAdapterModelLoader", {"ipadapter_file": "a.st"}), 0),
        "UPSCALE_MODEL": (workflow.add("UpscaleModelLoader", {"model_name": "4x.pth"}), 0),
        "CLIP_VISION": (workflow.add("CLIPVisionLoader", {"clip_name": "v.st"}), 0),
        "SIGMAS": (levels, 0),
        "SAMPLER": (workflow.add("KSamplerSelect", {"sampler_name": "euler"}), 0),
        "NOISE": (workflow.add("RandomNoise", {"noise_seed": 1, "control": "fixed"}), 0),
        "GUIDER": (workflow.add("CFGGuider", {"cfg": 5.0}, **guide), 0),
        "STRING": (workflow.add("PrimitiveString", {"value": "a fox"}), 0),
        "INT": (workflow.add("PrimitiveInt", {"value": 3}), 0),
        "BASIC_PIPE": (workflow.add("ToBasicPipe", **basic), 0),
        "DETAILER_PIPE": (workflow.add("ToDetailerPipe", DETAILER, **basic), 0),
        "SDXL_PIPE": (workflow.add("ToDetailerPipeSDXL", DETAILER, **basic, **refiner), 0),
        "CONTEXT": (
            workflow.add("Context Big (rgthree)", **basic, latent=(4, 0), images=(picture, 0)),
            0,
        ),
    }


def workflow_with(kind: str, **own: Any) -> WorkflowBuilder:
    """Text to image, and a node of `kind` between it: fed, and read where something can."""
    inputs, values = CASES[kind]
    workflow = text_to_image()
    found = sources(workflow)
    links = {name: found[wanted] for name, wanted in inputs.items()}
    node = workflow.add(kind, values, **links, **own)
    sampler = workflow.nodes[4]
    for slot, given in enumerate(ROWS[kind].outputs):
        ports = _SINKS.get(given, ())
        if kind != "EmptyLatentImage" and len(ports) > 1 and len(ROWS[kind].outputs) > 1:
            ports = ports[slot : slot + 1]
        if given == "LATENT" and slot == 0 and "sampl" in kind.lower():
            workflow.nodes[5].links["samples"] = (node, 0)
            continue
        for port in ports:
            sampler.links[port] = (node, slot)
        if given == "IMAGE":
            workflow.add("PreviewImage", images=(node, slot))
        if given == "AUDIO":
            workflow.add("PreviewAudio", {"audioUI": ""}, audio=(node, slot))
        if given == "VIDEO":
            workflow.add("GetVideoComponents", video=(node, slot))
        if given == "MASK":
            workflow.add("SetLatentNoiseMask", samples=found["REAL"], mask=(node, slot))
    return workflow


def imported(raw: dict[str, Any]) -> Imported:
    return convert(from_json(raw), CATALOGUE)


def test_every_class_of_the_table_has_a_case():
    assert set(CASES) == set(ROWS)


@pytest.mark.parametrize("form", ["ui", "api"])
@pytest.mark.parametrize("kind", CASES)
def test_a_workflow_with_the_class_lints_clean(kind: str, form: str):
    made = imported(getattr(workflow_with(kind), form)())
    assert made.report.missing == []
    assert made.report.problems == []
    assert [str(problem) for problem in serious(lint(made.document, CATALOGUE))] == []


@pytest.mark.parametrize("kind", CASES)
def test_both_forms_say_the_same(kind: str):
    workflow = workflow_with(kind)
    window, api = imported(workflow.ui()), imported(workflow.api())
    assert window.document.graph == api.document.graph


@pytest.mark.parametrize("kind", CASES)
def test_what_a_class_becomes_is_what_the_table_says(kind: str):
    made = imported(workflow_with(kind).ui())
    node = next(each for each in reversed(made.report.converted) if each.class_type == kind)
    types = {made.document.graph.nodes[name].type for name in node.nodes}
    assert types <= {*ROWS[kind].becomes, *WRAPPING}
    assert types or not ROWS[kind].becomes or ROWS[kind].virtual


@pytest.mark.parametrize("mode", [2, 4])
@pytest.mark.parametrize("kind", CASES)
def test_muted_and_bypassed_nodes_make_a_document_that_is_read_back(kind: str, mode: int):
    made = imported(workflow_with(kind, mode=mode).ui())
    again = read(write(made.document))
    assert document_to_json(again) == document_to_json(made.document)
    assert all(node.type in CATALOGUE for node in every_node(made.document.graph).values())


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.class_type)
def test_the_table_names_node_types_that_there_are(row):
    assert set(row.becomes) <= set(CATALOGUE)
