"""`Finish`: what becomes of values after the rescale, in either backend."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, SupportsIndex

from torchdicom._window import finite, number

# Rows and columns of an image have this limit too.
_LONGEST = 32_768
_COLORS = 3


@dataclass(frozen=True, slots=True)
class Finish:
    """The steps between values and results, in this order; every one may be left out.

    All of it is computed in double, value by value, and rounded once, to the dtype.

    Attributes:
        size: Rows and columns of the result: a bilinear resize with antialiasing, as that of
            torchvision, after ``region`` and ``reduce``.
        window: ``(low, width)``: a value x becomes ``clip((x - low) / width, 0, 1)``. Or
            ``"file"``: the VOI LUT or window of the file (PS3.3 C.11.2), of a volume that of its
            middle slice. MONOCHROME1 becomes 1 minus that, with either.
        clip: The range that values are cut to, without being scaled.
        mean: One number, or one a channel, that is subtracted.
        std: The same, to divide by.
        channels: 3 to repeat gray images; colours are three channels already.

    Raises:
        TypeError: If a part is of another type than it may be.
        ValueError: If its value is none of the allowed ones.
    """

    size: tuple[int, int] | None = None
    window: tuple[float, float] | Literal["file"] | None = None
    clip: tuple[float, float] | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    channels: int | None = None

    def __post_init__(self) -> None:
        """Check every part, and that they go together."""
        object.__setattr__(self, "size", _size(self.size))
        object.__setattr__(self, "window", _window(self.window))
        object.__setattr__(self, "clip", _clip(self.clip))
        object.__setattr__(self, "mean", _numbers("mean", self.mean))
        object.__setattr__(self, "std", _numbers("std", self.std))
        if self.window is not None and self.clip is not None:
            msg = "window and clip both cut the values off: give one of them"
            raise ValueError(msg)
        if len(self.mean) != len(self.std) or len(self.mean) not in {0, 1, _COLORS}:
            msg = (
                f"mean and std must both have one number, or one a channel, or none, not "
                f"{len(self.mean)} and {len(self.std)}"
            )
            raise ValueError(msg)
        for value in self.std:
            if value <= 0:
                msg = f"std must be above 0, not {value}"
                raise ValueError(msg)
        if self.channels not in {None, _COLORS}:
            msg = f"channels must be None or {_COLORS}, not {self.channels!r}"
            raise ValueError(msg)

    def channels_of(self, channels: int) -> int:
        """How many channels the result has.

        Args:
            channels: Those of the image: 1, or 3 in colour.

        Raises:
            ValueError: If `mean` and `std` are for another number of channels.
        """
        made = self.channels or channels
        if len(self.mean) not in {0, 1, made}:
            msg = f"mean and std have {len(self.mean)} values, and the image has {made} channel"
            raise ValueError(msg)
        return made

    @property
    def keeps_units(self) -> bool:
        """Whether the values are still in the unit they were in."""
        return self.window is None and not self.mean


def _size(size: object) -> tuple[int, int] | None:
    if size is None:
        return None
    wanted = "size must be two integers, (rows, columns)"
    if isinstance(size, (str, bytes)) or not isinstance(size, Iterable):
        msg = f"{wanted}, not {type(size).__name__}"
        raise TypeError(msg)
    lengths = []
    for length in size:
        if isinstance(length, bool) or not isinstance(length, SupportsIndex):
            msg = f"{wanted}, not {type(length).__name__}"
            raise TypeError(msg)
        lengths.append(operator.index(length))
    if len(lengths) != 2:
        msg = f"{wanted}, not {len(lengths)} values"
        raise ValueError(msg)
    for length in lengths:
        if not 1 <= length <= _LONGEST:
            msg = f"size must be 1 to {_LONGEST} along each axis, not {length}"
            raise ValueError(msg)
    return lengths[0], lengths[1]


def _window(window: object) -> tuple[float, float] | Literal["file"] | None:
    if window is None:
        return None
    if isinstance(window, str) and window == "file":
        return "file"
    low, width = _pair("window", "(low, width)", window)
    low, width = finite("low of the window", low), finite("width of the window", width)
    if width <= 0:
        msg = f"width of the window must be above 0, not {width}"
        raise ValueError(msg)
    return low, width


def _clip(clip: object) -> tuple[float, float] | None:
    if clip is None:
        return None
    low, high = _pair("clip", "(low, high)", clip)
    if not low < high:
        msg = f"clip must be (low, high), the low one first, not {(low, high)}"
        raise ValueError(msg)
    return low, high


def _pair(name: str, form: str, value: object) -> tuple[float, float]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        msg = f"{name} must be two numbers, {form}, not {value!r}"
        raise TypeError(msg)
    numbers = [number(name, one) for one in value]
    if len(numbers) != 2:
        msg = f"{name} must be two numbers, {form}, not {len(numbers)}"
        raise ValueError(msg)
    return numbers[0], numbers[1]


def _numbers(name: str, value: object) -> tuple[float, ...]:
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)):
        value = (value,)
    return tuple(finite(name, one) for one in value)
