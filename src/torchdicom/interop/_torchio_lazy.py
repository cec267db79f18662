"""What TorchIO 2 asks of a lazy reader: an image that is read part by part."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import torch

from torchdicom.interop._ras import (
    channels_xyz,
    contiguous_xyz,
    placed,
    ras_of_zyx,
    warn_of_shear,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from torchdicom._series import Series
    from torchdicom._volume import Volume

# With these the series' own shape and affine are not those of what is loaded.
_CHANGING: Final = frozenset({"slices", "t", "region", "reduce", "policy", "backend"})


class SeriesBackend:
    """A series as TorchIO's ``ImageDataBackend``, of which no more is read than is asked for.

    Where options choose or repair parts of the series, it is loaded whole, once.
    """

    def __init__(self, series: Series, options: dict[str, Any]) -> None:
        """Nothing is read yet.

        Args:
            series: The series.
            options: Of a load.
        """
        self._series = series
        self._options = options
        self._is_plain = not (_CHANGING & options.keys()) and series.affine is not None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Channels, x, y and z."""
        if not self._is_plain:
            first = channels_xyz(self._first)
            return (first.shape[0], first.shape[1], first.shape[2], first.shape[3])
        z, y, x = self._series.shape[-3:]
        times = self._series.shape[0] if len(self._series.shape) == 4 else 1
        colours = 3 if "c" in self._first.dims else 1
        return (times * colours, x, y, z)

    @property
    def affine(self) -> torch.Tensor:
        """Float64 tensor of shape (4, 4), index ``(x, y, z, 1)`` to RAS."""
        if self._is_plain and self._series.affine is not None:
            affine = ras_of_zyx(self._series.affine)
            warn_of_shear(affine, f"series {self._series.key}")
            return torch.from_numpy(affine)
        return torch.from_numpy(affine_of(self._first))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values that are read."""
        made: np.dtype[Any] = torch.empty(0, dtype=self._first.data.dtype).numpy().dtype
        return made

    def __getitem__(self, item: Any) -> torch.Tensor:
        """A part, of four dims; of a whole number the dim stays, with length 1."""
        wanted = _ranges(item, self.shape)
        if not all(map(len, wanted)):
            return torch.empty([len(one) for one in wanted], dtype=self._first.data.dtype)
        if not self._is_plain:
            where = tuple(slice(one.start, one.stop, one.step) for one in wanted)
            return contiguous_xyz(channels_xyz(self._first)[where])
        c, x, y, z = wanted
        region = (y[0], y[-1] + 1, x[0], x[-1] + 1)
        volume = self._series.load(slices=list(z), region=region, **self._options)
        return contiguous_xyz(channels_xyz(volume)[list(c), :: x.step, :: y.step])

    def to_tensor(self) -> torch.Tensor:
        """All of it."""
        whole = self._series.load(**self._options) if self._is_plain else self._first
        return contiguous_xyz(channels_xyz(whole))

    @cached_property
    def _first(self) -> Volume:
        """One voxel, which has the dtype and the colours of all; or the whole."""
        if self._is_plain:
            return self._series.load(slices=0, region=(0, 1, 0, 1), **self._options)
        from torchdicom._load import load  # noqa: PLC0415 - it may be of another backend

        return load(self._series, **self._options)


def affine_of(volume: Volume) -> NDArray[np.float64]:
    """The affine of the image that TorchIO has of a volume, with a warning where it may lose it."""
    affine = placed(volume).affine
    warn_of_shear(affine, f"series {volume.metadata.get('SeriesInstanceUID', 'without UID')}")
    return affine


def _ranges(item: Any, shape: tuple[int, ...]) -> list[range]:
    """What an index of TorchIO selects along each dim."""
    items = list(item) if isinstance(item, tuple) else [item]
    if Ellipsis in items:
        at = items.index(Ellipsis)
        items[at : at + 1] = [slice(None)] * (len(shape) - len(items) + 1)
    if len(items) > len(shape):
        msg = f"too many indices: there are {len(shape)} dims, channels, x, y and z"
        raise IndexError(msg)
    items += [slice(None)] * (len(shape) - len(items))
    return [_range(one, length) for one, length in zip(items, shape, strict=True)]


def _range(one: Any, length: int) -> range:
    if not isinstance(one, slice):
        if not -length <= one < length:
            msg = f"index {one} is not there: the dim has length {length}"
            raise IndexError(msg)
        return range(one % length, one % length + 1)
    if one.step is not None and one.step < 1:
        msg = f"the step of an index must be positive, not {one.step}"
        raise ValueError(msg)
    return range(*one.indices(length))
