"""Upscalers of architectures that the package spandrel has.

Its requirements name torchvision, and a torchvision that does not fit torch breaks transformers
and diffusers. Only two of its architectures, which are refused here, use it. So spandrel is
installed without its requirements, and imported with stand-ins for what those two import.
"""

from __future__ import annotations

import importlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.weights_file import StoredTensor
from nodeforge.models import SPANDREL_COMMAND, UPSCALERS, missing_for_spandrel
from nodeforge.values import Weights

_STAND_INS: Mapping[str, tuple[str, ...]] = {
    "torchvision": (),
    "torchvision.transforms": (),
    "torchvision.transforms.functional": ("InterpolationMode", "normalize", "rotate"),
}
"""Modules of torchvision, and the names that spandrel takes from them."""
_REFUSED = ("LaMa", "RestoreFormer")
"""Architectures that would call the stand-ins."""
_UNFIT = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError,
          ValueError)  # fmt: skip
_importing = threading.Lock()


class SpandrelNetwork(nn.Module):
    """One of spandrel's networks: (batch, channels, height, width), 0..1, enlarged by `scale`."""

    folded = 1
    reach = sys.maxsize  # attention sees all of its windows, layer by layer

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.network = descriptor.model
        self.scale: int = descriptor.scale
        self.channels: int = descriptor.input_channels
        self._call: Callable[[Tensor], Tensor] = descriptor  # pads what its windows do not divide

    def forward(self, x: Tensor) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the package's own code
            return self._call(x)


def check_spandrel(architecture: str, place: str) -> None:
    """Refuse an architecture that needs spandrel where that is not installed.

    Raises:
        LoadingError: a package is missing.
    """
    if missing := missing_for_spandrel():
        raise LoadingError(
            f"{UPSCALERS[architecture].label} needs {' and '.join(missing)}, not installed here.",
            place=place,
            way_out=f"Run '{SPANDREL_COMMAND}'. Without '--no-deps' it brings a torchvision that "
            "may not fit torch. ESRGAN and Real-ESRGAN compact files need nothing.",
        )


def load_spandrel(
    weights: Weights,
    architecture: str,
    stored: Mapping[str, StoredTensor],
    device: torch.device,
    dtype: torch.dtype,
    check: Callable[[], None],
) -> SpandrelNetwork:
    """Build a network from its tensors.

    Args:
        weights: Which file, for messages.
        architecture: What its header says it is.
        stored: The tensors of the file.
        device: Where it is to compute.
        dtype: What it computes in.
        check: Called between tensors; what it raises stops the loading.

    Raises:
        LoadingError: a package is missing, or the file is not of an architecture that is run.
        ModelFileError: the file is damaged.
    """
    check_spandrel(architecture, weights.path)
    state: dict[str, Tensor] = {}
    for name, entry in stored.items():
        check()
        state[name] = entry.read(torch.float32)
    spandrel = imported_spandrel()
    label = UPSCALERS[architecture].label
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = spandrel.ModelLoader(torch.device("cpu")).load_from_state_dict(state)
    except spandrel.UnsupportedModelError as error:
        raise _refused(weights, f"is no {label} that is known here.") from error
    except _UNFIT as error:
        raise _refused(weights, f"is no whole {label} model: {str(error)[:160]}") from error
    if not isinstance(made, spandrel.ImageModelDescriptor) or made.architecture.id in _REFUSED:
        raise _refused(weights, f"is of {made.architecture.name}, which enlarges nothing.")
    if made.input_channels not in (1, 3) or made.output_channels != made.input_channels:
        raise _refused(weights, f"reads {made.input_channels} channels, not colours.")
    network = SpandrelNetwork(made).to(device, dtype)
    return network.requires_grad_(False).eval()


def _refused(weights: Weights, fact: str) -> LoadingError:
    return LoadingError(fact, place=weights.path, way_out="Choose another upscaler.")


def imported_spandrel() -> Any:
    """spandrel, imported beside the stand-ins where it was not yet."""
    with _importing:
        if "spandrel" not in sys.modules:
            _settle_transformers()
            with _standing_in():
                importlib.import_module("spandrel")
        return sys.modules["spandrel"]


def _settle_transformers() -> None:
    """Have transformers look for the real torchvision before there are stand-ins."""
    from transformers.utils.import_utils import is_torchvision_available

    is_torchvision_available()


@contextmanager
def _standing_in() -> Iterator[None]:
    """Stand-ins in the place of torchvision; afterwards all is as it was."""
    before = {name: sys.modules.get(name) for name in _STAND_INS}
    for name, names in _STAND_INS.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        for each in names:
            setattr(module, each, None)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
