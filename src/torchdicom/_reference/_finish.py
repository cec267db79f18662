"""What becomes of values after the rescale: resized, windowed, normalised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from torchdicom._finish import Finish
from torchdicom._reference._mapping import is_color
from torchdicom._reference._resample import resized, resized_mask
from torchdicom._reference._voi import Ramp, clipped, stored_range, voi_of

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._mapping import Mapping, Output
    from torchdicom._reference._pixel_format import PixelFormat
    from torchdicom._reference._voi import Voi

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Finishing:
    """The steps that are asked for, for the images of one load.

    Attributes:
        steps: What is asked for.
        channels: Of the result.
        voi: What makes values from 0 to 1, or None.
        is_inverted: Small values are shown bright.
    """

    steps: Finish
    channels: int
    voi: Voi | None
    is_inverted: bool

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the result, of images of a size."""
        return self.steps.size or size

    def scales(self, size: tuple[int, int]) -> tuple[float, float]:
        """How many rows and columns of images of a size become one."""
        rows, columns = self.size(size)
        return size[0] / rows, size[1] / columns

    def apply(self, values: Array, mask: Array | None) -> tuple[Array, Array | None]:
        """One image.

        Args:
            values (float64 of shape (rows, columns) or (3, rows, columns)): After the rescale.
            mask (bool of shape (rows, columns)): Which are valid, or None.
        """
        if self.steps.size is not None:
            values = resized(values, self.steps.size)
            mask = None if mask is None else resized_mask(mask, self.steps.size)
        if self.voi is not None:
            values = self.voi.apply(values)
            values = 1.0 - values if self.is_inverted else values
        if self.steps.clip is not None:
            values = clipped(values, *self.steps.clip)
        if self.channels == 3 and values.ndim == 2:
            values = np.stack([values] * 3)
        if self.steps.mean:
            mean, std = (np.array(one) for one in (self.steps.mean, self.steps.std))
            # One for each channel, or one for all.
            front = (-1, 1, 1) if values.ndim == 3 else (1, 1)
            with np.errstate(over="ignore", invalid="ignore"):
                values = (values - mean.reshape(front)) / std.reshape(front)
        return values, mask


def finishing_of(
    steps: Finish | None,
    file: FileHeader,
    pixels: PixelFormat,
    mapping: Mapping,
    output: Output,
) -> Finishing:
    """What is to be done after the rescale.

    Args:
        steps: What is asked for; None for nothing.
        file: Whose VOI LUT or window counts.
        pixels: The pixel format of all images.
        mapping: What makes the values of that file.
        output: What is asked for.

    Raises:
        UnsupportedError: ``no_window``.
        ParseError: What is wrong with the VOI LUT or window.
        ValueError: If there is a mean for another number of channels.
    """
    steps = steps or Finish()
    has_color = is_color(pixels, output)
    channels = steps.channels_of(3 if has_color else 1)
    voi: Voi | None = None
    if steps.window == "file":
        voi = _whole_range(pixels, mapping) if has_color else voi_of(file, pixels, mapping)
    elif steps.window is not None:
        voi = Ramp(*steps.window)
    return Finishing(steps, channels, voi, pixels.photometric == "MONOCHROME1")


def _whole_range(pixels: PixelFormat, mapping: Mapping) -> Voi:
    """Colours have no window: the least that they can be becomes 0, the most 1."""
    if mapping.palette is not None:
        return Ramp(0.0, float((1 << mapping.palette.bits) - 1))
    lowest, highest = stored_range(pixels)
    return Ramp(float(lowest), float(highest - lowest))
