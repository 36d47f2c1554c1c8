"""Which program made a result, and where: another one may compute other numbers."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from nodeforge import __version__
from nodeforge.settings import in_checkout, shipped

_LIBRARIES = ("torch", "diffusers", "transformers")
_OTHERS = ("numpy", "scipy", "torchsde", "opencv-python-headless", "pillow", "av")
_OTHERS = (*_OTHERS, "triton", "flash-attn", "sageattention")
"""Libraries that may change numbers, too, but seldom do."""


def environment(device: torch.device) -> Mapping[str, str]:
    """All that results may hang on and that is in no key: versions, processor, threads."""
    code = _code_digest()
    found = {
        "NodeForge": f"{__version__}+{code}" if code else __version__,
        "python": platform.python_version(),
        **{name: there for name in (*_LIBRARIES, *_OTHERS) if (there := _version(name))},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }
    if device.type == "cuda":
        found["card"] = torch.cuda.get_device_name(device)
        found["CUDA"] = str(torch.version.cuda or torch.version.hip)
        found["cuDNN"] = str(torch.backends.cudnn.version())
    return found


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def cache_version() -> str:
    """A folder name for this set of versions; in a checkout, of this state of the code."""
    told = [__version__, *(f"{library} {version(library)}" for library in _LIBRARIES)]
    told.append(_code_digest())
    return f"{__version__}-{blake2b(' '.join(told).encode(), digest_size=8).hexdigest()}"


@cache
def _code_digest() -> str:
    """A name for the code that computes, in a checkout; empty for an installed version."""
    if not in_checkout():
        return ""
    package = Path(__file__).parent.parent
    rooms = ("diffusion", "models", "imaging", "values")
    code = [*(package / room for room in rooms), shipped("nodes")]
    files = [file for folder in code for file in sorted(folder.rglob("*.py"))]
    configs = shipped("resources") / "configs"
    digest = blake2b(digest_size=8)
    for file in (*files, *(each for each in sorted(configs.rglob("*")) if each.is_file())):
        digest.update(file.read_bytes())
    return digest.hexdigest()
