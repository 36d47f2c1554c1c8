"""Values as bytes: one safetensors blob, with the rest as JSON in its header. No pickle.

Only the classes of `nodeforge.values` can come back.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

import safetensors.torch
import torch
from blake3 import blake3
from safetensors import SafetensorError

from nodeforge import values

_CLASSES = {
    name: cls
    for name in values.__all__
    if isinstance(cls := getattr(values, name), type) and is_dataclass(cls)
}
_HEADER = struct.Struct("<Q")
_DIGEST = 16
_UNREADABLE = (struct.error, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
_UNREADABLE = (*_UNREADABLE, RecursionError, RuntimeError, SafetensorError)
"""What reading an entry raises that is damaged although its checksum is right."""
_OVERHEAD = 64
"""Bytes counted for anything that is not a tensor."""


class ValueCodec:
    """The engine's `Codec` for the values of `nodeforge.values` and plain Python data."""

    def size(self, value: Any) -> int:
        if type(value) is str:
            return _OVERHEAD + len(value)
        if isinstance(value, torch.Tensor):
            return value.nbytes + _OVERHEAD
        if isinstance(value, Mapping):
            return _OVERHEAD + sum(self.size(item) for item in value.values())
        if isinstance(value, list | tuple):
            return _OVERHEAD + sum(self.size(item) for item in value)
        if type(value).__name__ in _CLASSES:
            return _OVERHEAD + sum(self.size(getattr(value, f.name)) for f in fields(value))
        return _OVERHEAD + (len(value) if isinstance(value, str | bytes) else 0)

    def digest(self, value: Any) -> str | None:
        if type(value) is str:  # most of what cheap nodes pass on
            return _hash(b"s", value.encode(errors="surrogatepass"))
        hasher = blake3()
        try:
            text = json.dumps(_counted(value, hasher), sort_keys=True)
        except TypeError:
            return None
        hasher.update(text.encode())
        return hasher.hexdigest(_DIGEST)

    def encode(self, value: Any) -> bytes | None:
        tensors: dict[str, torch.Tensor] = {}
        try:
            raw = _to_json(value, tensors)
        except TypeError:
            return None
        return safetensors.torch.save(tensors, {"value": json.dumps(raw)})

    def decode(self, data: bytes) -> Any:
        try:
            (length,) = _HEADER.unpack_from(data)
            header = json.loads(data[_HEADER.size : _HEADER.size + length])
            tensors = safetensors.torch.load(data)
            return _from_json(json.loads(header["__metadata__"]["value"]), tensors)
        except _UNREADABLE as error:
            raise ValueError(f"not an encoded value: {error}") from error


def _hash(*parts: bytes) -> str:
    return blake2b(b"".join(parts), digest_size=_DIGEST).hexdigest()


def _counted(value: Any, hasher: blake3) -> Any:
    """`value` as JSON without what is uncounted; its tensors' bytes go into `hasher`.

    Raises:
        TypeError: it is, or holds, what has no digest.
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, torch.Tensor):
        tensor = value.detach().cpu().contiguous()
        if tensor.numel():
            hasher.update(memoryview(tensor.reshape(-1).view(torch.uint8).numpy()))  # pyright: ignore[reportArgumentType]
        return ["tensor", str(tensor.dtype), list(tensor.shape)]
    if isinstance(value, list | tuple):
        return [type(value).__name__, [_counted(item, hasher) for item in value]]
    if isinstance(value, Mapping):
        return {str(key): _counted(item, hasher) for key, item in value.items()}
    name = type(value).__name__
    if _CLASSES.get(name) is type(value):
        counted = values.counted_fields(value)
        return [name, {each: _counted(getattr(value, each), hasher) for each in counted}]
    raise TypeError(name)


def _to_json(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        # safetensors refuses tensors that share memory, as views of one another do.
        tensors[name] = value.detach().clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(value, list):
        return {"list": [_to_json(item, tensors) for item in value]}
    if isinstance(value, tuple):
        return {"tuple": [_to_json(item, tensors) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": {str(key): _to_json(item, tensors) for key, item in value.items()}}
    name = type(value).__name__
    if _CLASSES.get(name) is type(value):
        parts = {f.name: _to_json(getattr(value, f.name), tensors) for f in fields(value)}
        return {"class": name, "fields": parts}
    raise TypeError(name)


def _from_json(raw: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    match raw:
        case {"tensor": name}:
            return tensors[name]
        case {"list": items}:
            return [_from_json(item, tensors) for item in items]
        case {"tuple": items}:
            return tuple(_from_json(item, tensors) for item in items)
        case {"dict": items}:
            return {key: _from_json(item, tensors) for key, item in items.items()}
        case {"class": name, "fields": parts}:
            return _CLASSES[name](**{key: _from_json(v, tensors) for key, v in parts.items()})
        case _:
            return raw
