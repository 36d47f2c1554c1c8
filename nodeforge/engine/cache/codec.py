"""The protocol by which the cache serialises values."""

from __future__ import annotations

from typing import Any, Protocol


class Codec(Protocol):
    """Turns values into bytes and back. The worker has the real one."""

    def size(self, value: Any) -> int:
        """Bytes that `value` takes in memory."""
        ...

    def digest(self, value: Any) -> str | None:
        """32 hexadecimal digits, equal for equal values; None for one that has no digest.

        What is declared uncounted in a value is left out.
        """
        ...

    def encode(self, value: Any) -> bytes | None:
        """`value` as bytes; None for one that cannot leave the process."""
        ...

    def decode(self, data: bytes) -> Any:
        """The value that `data` was made from.

        Raises:
            ValueError: `data` is not what `encode` gives.
        """
        ...
