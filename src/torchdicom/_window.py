"""`Window`: which values become 0, which 1, and what lies between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import SupportsFloat


@dataclass(frozen=True, slots=True)
class Window:
    """A range of values that becomes 0 to 1: an ``output`` of `load` and `decode`.

    A modality value x becomes ``clip((x - (center - width / 2)) / width, 0, 1)``, and where small
    values are shown bright, in MONOCHROME1, 1 minus that. This is LINEAR_EXACT of PS3.3
    C.11.2.1.3.2; the window that a file brings along is ``output="window"``.

    Attributes:
        center: The value that becomes 0.5.
        width: How far the values that become 0 and 1 lie apart, above 0.

    Raises:
        TypeError: If one is no number.
        ValueError: If one is not finite, or the width is not above 0.

    Example:
        >>> import torchdicom as td
        >>> soft = td.load("tests/data/sts_002/ct", output=td.Window(center=40, width=400))
        >>> soft.data.min().item(), soft.data.max().item(), soft.units
        (0.0, 1.0, None)
        >>> Window(40, 0)
        Traceback (most recent call last):
            ...
        ValueError: width must be above 0, not 0.0
    """

    center: float
    width: float

    def __post_init__(self) -> None:
        """Check both numbers."""
        object.__setattr__(self, "center", finite("center", self.center))
        object.__setattr__(self, "width", finite("width", self.width))
        if self.width <= 0:
            msg = f"width must be above 0, not {self.width}"
            raise ValueError(msg)

    @property
    def low(self) -> float:
        """The largest value that becomes 0."""
        return self.center - self.width / 2


def number(name: str, value: object) -> float:
    """A number as a float.

    Raises:
        TypeError: If it is none.
        ValueError: If it is NaN.
    """
    if isinstance(value, (str, bytes, bool)) or not isinstance(value, SupportsFloat):
        msg = f"{name} must be a number, not {type(value).__name__}"
        raise TypeError(msg)
    found = float(value)
    if math.isnan(found):
        msg = f"{name} must be a number, not {found}"
        raise ValueError(msg)
    return found


def finite(name: str, value: object) -> float:
    """The same of a number that is finite.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is not finite.
    """
    found = number(name, value)
    if math.isinf(found):
        msg = f"{name} must be finite, not {found}"
        raise ValueError(msg)
    return found
