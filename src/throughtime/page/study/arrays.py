"""Numbers on their way into a page: float32, little-endian, each array once, decoded when it is needed."""

from __future__ import annotations

import base64

import numpy as np
from torch import Tensor


class Arrays:
    """Arrays of one page, by a short id.

    Attributes:
        bytes: Each array's numbers, by id.
    """

    def __init__(self) -> None:
        self.bytes: dict[str, bytes] = {}

    def add(self, array: Tensor) -> dict[str, object]:
        """Keep an array; return what the page needs to read it: its id and shape.

        Raises:
            ValueError: a number in it is not finite in float32.
        """
        numbers = array.detach().cpu().float().contiguous().numpy().astype("<f4", copy=False)
        if not np.isfinite(numbers).all():
            raise ValueError(
                "Study: the recording holds numbers that are not finite; there is nothing to draw."
            )
        key = f"a{len(self.bytes)}"
        self.bytes[key] = numbers.tobytes()
        return {"id": key, "shape": list(array.shape)}

    @property
    def size(self) -> int:
        """Bytes in all, before they are written as text."""
        return sum(map(len, self.bytes.values()))

    def as_elements(self) -> str:
        """Script elements that no browser runs, one for each array, in base64."""
        return "\n".join(_element(key, data) for key, data in self.bytes.items())


def _element(key: str, data: bytes) -> str:
    text = base64.b64encode(data).decode("ascii")
    return f'<script type="application/octet-stream" data-array="{key}">{text}</script>'
