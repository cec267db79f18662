"""From modality values to values from 0 to 1, as a file says to show them (PS3.3 C.11.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from torchdicom._errors import UnsupportedError
from torchdicom._reference._groups import FrameValues, frame_values
from torchdicom._reference._tables import values_of, voi_lut
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._mapping import Mapping
    from torchdicom._reference._pixel_format import PixelFormat
    from torchdicom._reference._tables import Table

Array = np.ndarray[Any, np.dtype[Any]]

_FUNCTIONS: Final = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


class Voi(Protocol):
    """What turns values into values from 0 to 1; NaN stays."""

    def apply(self, values: Array) -> Array:
        """The same of an array of doubles."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """``(x - start) / length + offset``, cut to 0 and 1."""

    start: float
    length: float
    offset: float = 0.0

    def apply(self, values: Array) -> Array:
        """Each operation is rounded to double."""
        with np.errstate(over="ignore", invalid="ignore"):
            ramp = (values - self.start) / self.length
            ramp = ramp + self.offset if self.offset else ramp
        return clipped(ramp, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Step:
    """0 up to a value, 1 above."""

    last: float

    def apply(self, values: Array) -> Array:
        """A ramp of no length."""
        return np.where(np.isnan(values), values, np.where(values <= self.last, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """``1 / (1 + exp(-4 (x - center) / width))`` (C.11.2.1.3.1)."""

    center: float
    width: float

    def apply(self, values: Array) -> Array:
        """By the C library's `exp`: NumPy's own may differ in the last bit."""
        different, where = np.unique(values, return_inverse=True)
        with np.errstate(over="ignore", invalid="ignore"):
            exponents = (-4.0 * (different - self.center)) / self.width
        shown = np.array([1.0 / (1.0 + _exp(one)) for one in exponents.tolist()], dtype=np.float64)
        return shown[where].reshape(values.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Lut:
    """The entries of a table, in parts of the most that its bits hold (C.11.2.1.1)."""

    table: Table
    bits: int

    def apply(self, values: Array) -> Array:
        """Values between integers are rounded down."""
        is_nan = np.isnan(values)
        last = len(self.table.values) - 1
        index = np.clip(np.floor(values) - self.table.first, 0, last)
        entries = self.table.values[np.where(is_nan, 0, index).astype(np.int64)]
        return np.where(is_nan, values, entries / float((1 << self.bits) - 1))


def clipped(values: Array, low: float, high: float) -> Array:
    """Values cut to a range; NaN and -0.0 stay."""
    return np.where(values < low, low, np.where(values > high, high, values))


def voi_of(file: FileHeader, pixels: PixelFormat, mapping: Mapping) -> Voi:
    """The first VOI LUT of a file, else its first window.

    Args:
        file: The file.
        pixels: Its pixel format, in gray.
        mapping: What makes its modality values.

    Raises:
        UnsupportedError: ``no_window``.
        ParseError: ``invalid_decimal_string``, ``invalid_value``, and what is wrong with a table.
    """
    values = values_of(file)
    found = voi_lut(values, is_signed=_can_be_negative(pixels, mapping))
    if found is not None:
        return Lut(*found)
    frame = frame_values(file) if file.form == "enhanced" else FrameValues(values, ())
    center, width = (
        frame.of(keyword).first_decimal(keyword) for keyword in ("WindowCenter", "WindowWidth")
    )
    if center is None or width is None:
        msg = "The file has no window and no VOI LUT; give one: output=torchdicom.Window(...)"
        code, element = "no_window", element_name("WindowCenter")
        raise UnsupportedError(msg, code=code, path=file.path, element=element)
    return _window(frame, center, width)


def _window(frame: FrameValues, center: float, width: float) -> Voi:
    values = frame.of("VOILUTFunction")
    function = values.text("VOILUTFunction") or "LINEAR"
    if function not in _FUNCTIONS:
        msg = f"VOILUTFunction is {function!r}, and possible are {', '.join(_FUNCTIONS)}"
        raise values.error(msg, "invalid_value", "VOILUTFunction")
    is_linear = function == "LINEAR"
    if width < 1.0 if is_linear else width <= 0.0:
        least = "1 or more" if is_linear else "above 0"
        msg = f"WindowWidth is {width}, and that of a window that is {function} is {least}"
        raise frame.of("WindowWidth").error(msg, "invalid_value", "WindowWidth")
    if function == "SIGMOID":
        return Sigmoid(center, width)
    if not is_linear:
        return Ramp(center, width, 0.5)  # C.11.2.1.3.2
    # C.11.2.1.2.1: of 256 values the middle is 127.5, and the first and last lie 255 apart.
    return Step(center - 0.5) if width == 1.0 else Ramp(center - 0.5, width - 1.0, 0.5)


def _can_be_negative(pixels: PixelFormat, mapping: Mapping) -> bool:
    """Whether modality values have a sign (C.11.1.1), which a VOI LUT's first value has too."""
    if mapping.table is not None:
        return bool((mapping.table.values < 0).any())
    if pixels.is_float:
        return True
    lowest, highest = stored_range(pixels)
    ends = (end * mapping.slope + mapping.intercept for end in (lowest, highest))
    return min(ends) < 0


def stored_range(pixels: PixelFormat) -> tuple[int, int]:
    """The lowest and the highest integer that the stored bits hold."""
    lowest = -(1 << (pixels.bits_stored - 1)) if pixels.is_signed else 0
    return lowest, lowest + (1 << pixels.bits_stored) - 1


def _exp(exponent: float) -> float:
    try:
        return math.exp(exponent)
    except OverflowError:
        return math.inf
