"""From the slices of the files to those of a repaired stack."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from torchdicom._errors import LimitError, UnsupportedError
from torchdicom._reference._build import built, dtype_of, time_picks
from torchdicom._reference._grid import checked_window, picked, selected_affine, spacing_of
from torchdicom._reference._mapping import INTEGERS, Mapping, mapping_of
from torchdicom._reference._pixel_format import pixel_format
from torchdicom._reference._pixels import converted, output_tensor
from torchdicom._reference._repair import affine_of, canvas_of, offset_of
from torchdicom._reference._suv import suv_factor
from torchdicom._reference._tags import element_name
from torchdicom._volume import SliceProvenance, Volume

if TYPE_CHECKING:
    from collections.abc import Mapping as Lookup
    from collections.abc import Sequence

    from torchdicom._policy import Policy
    from torchdicom._reference._build import Request
    from torchdicom._reference._geometry import Affine
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._judge import Judged
    from torchdicom._reference._pixel_format import PixelFormat
    from torchdicom._reference._pixels import Window
    from torchdicom._reference._repair import Canvas, Repair, Slice

Array = np.ndarray[Any, np.dtype[Any]]

_AIR: Final = -1024.0  # HU


def build_repaired(judged: Judged, repair: Repair, request: Request, policy: Policy) -> Volume:
    """Decode what the wanted part of a repaired stack is made of, and make it.

    Args:
        judged: The part.
        repair: What is to be done.
        request: What is asked for; its slices and region are of the repaired stack.
        policy: For its `fill_value`.

    Raises:
        DicomError: As `build`; ``unsupported_pixel_format`` for colours that would be interpolated.
        IndexError: As `build`.
        ValueError: As `build`; for an integer dtype of interpolated values; for a fill value that
            the dtype does not hold.
    """
    first = judged.files[0]
    pixels = pixel_format(first)
    _check(first, pixels, repair, request)
    if request.output == "suv":
        request = replace(request, suv=suv_factor(judged.files))
    picks = picked(request.slices, len(repair.slices))
    wanted = [repair.slices[pick] for pick in picks]
    after = (one.before + 1 for one in wanted if one.weight is not None)
    sources = sorted({*(one.before for one in wanted), *after})
    own = replace(
        request,
        slices=sources,
        out=None,
        mask=True,
        region=None if repair.is_straight else request.region,
        dtype=torch.float64 if repair.interpolates else request.dtype,
    )
    volume, shift = built(judged, own)
    canvas = canvas_of(repair, (volume.data.shape[-2], volume.data.shape[-1]), request.reduce)
    window = _window(request, pixels, canvas, volume)
    dtype = _dtype(request, pixels) if repair.interpolates else volume.data.dtype
    lengths = dict(zip(volume.dims, volume.data.shape, strict=True))
    lengths |= {"z": len(picks), "y": window.size[0], "x": window.size[1]}
    data = output_tensor(tuple(lengths.values()), dtype, request.out)
    mask = torch.zeros([n for dim, n in lengths.items() if dim != "c"], dtype=torch.bool)
    times = time_picks(judged, request.times)
    slices_each = len(judged.files) // judged.num_times
    provenance: list[SliceProvenance] = []
    stacks = zip(
        _stacks(volume.data, volume.dims),
        _masks(volume).view(len(times), len(sources), *volume.data.shape[-2:]),
        _stacks(data, volume.dims),
        mask.view(len(times), len(picks), *window.size),
        strict=True,
    )
    for t, (images, masks, placed, valid) in enumerate(stacks):
        files = {source: judged.files[times[t] * slices_each + source] for source in sources}
        known = dict(zip(sources, zip(images, masks, strict=True), strict=True))
        for i, one in enumerate(wanted):
            fills = _fills(files[one.before], pixels, request, policy, images.shape[1])
            drawn = _Drawn(one, repair, canvas, window, request.reduce)
            for channel, fill in enumerate(fills):
                drawn.put(known, channel, fill, placed[i, channel], valid[i], picks[i])
            at = t * len(sources) + sources.index(one.before)
            provenance.append(_made(one) if one.is_made else volume.provenance[at])
    whole = affine_of(repair, canvas, request.reduce)
    selection = None if request.slices is None else picks
    affine = selected_affine(whole, selection, window, shift, (1.0, 1.0))
    return replace(
        volume,
        data=data,
        affine=None if affine is None else torch.tensor(affine, dtype=torch.float64),
        spacing_mm=_spacing(affine, whole, request.reduce),
        provenance=tuple(provenance),
        # A slice that no file has has no time of its own.
        coords={dim: values for dim, values in volume.coords.items() if dim != "z"},
        valid_mask=mask,
    )


def _window(request: Request, pixels: PixelFormat, canvas: Canvas, volume: Volume) -> Window:
    """The region, in pixels of the canvas before they are halved."""
    sizes = zip((pixels.rows, pixels.columns), canvas.size, volume.data.shape[-2:], strict=True)
    rows, columns = (n + ((new - old) << request.reduce) for n, new, old in sizes)
    return checked_window(request.region, request.reduce, rows, columns)


def _stacks(data: torch.Tensor, dims: Sequence[str]) -> torch.Tensor:
    """A view of shape (times, slices, channels, rows, columns), whichever of these there are."""
    names = list(dims)
    for dim in ("c", "t"):
        if dim not in names:
            data, names = data.unsqueeze(0), [dim, *names]
    return data.permute([names.index(dim) for dim in ("t", "z", "c", "y", "x")])


@dataclass(frozen=True, slots=True)
class _Drawn:
    """How one slice of the result is made of those of the files."""

    one: Slice
    repair: Repair
    canvas: Canvas
    window: Window
    halvings: int

    def put(
        self,
        known: Lookup[int, tuple[torch.Tensor, torch.Tensor]],
        channel: int,
        fill: float,
        image: torch.Tensor,
        mask: torch.Tensor,
        place: int,
    ) -> None:
        """Fill one channel of its image, and its mask, which is False so far."""
        one = self.one
        if one.is_filled:
            image.copy_(_as_fill(fill, image.dtype))
            return
        if not self.repair.interpolates:
            image.copy_(known[one.before][0][channel])
            mask.copy_(known[one.before][1])
            return
        values, valid = _mixed(one, channel, known)
        if self.repair.is_straight:
            values, valid = _shifted(values, valid, one, self.canvas, self.halvings, fill)
            part = self.window.slices(self.halvings)
            values, valid = values[part], valid[part]
        image.copy_(converted(np.ascontiguousarray(values), image.dtype, place))
        mask.copy_(torch.from_numpy(np.ascontiguousarray(valid)))


def _check(first: FileHeader, pixels: PixelFormat, repair: Repair, request: Request) -> None:
    if request.finish is not None and request.finish.size is not None:
        msg = "A series that the policy repairs is not resized as well"
        raise ValueError(msg)
    if not repair.interpolates:
        return
    action = "uneven_spacing='resample'" if repair.is_even else "gantry_tilt='resample'"
    if pixels.samples > 1 or pixels.is_palette:
        msg = f"Colours and indices of a palette cannot be interpolated, as {action} would have it"
        code, element = "unsupported_pixel_format", element_name("PhotometricInterpretation")
        raise UnsupportedError(msg, code=code, path=first.path, element=element)
    dtype = _dtype(request, pixels)
    if dtype in INTEGERS:
        name = str(dtype).removeprefix("torch.")
        msg = f"{action} makes values that are not whole, and dtype is {name}: ask for a float one"
        raise ValueError(msg)


def _dtype(request: Request, pixels: PixelFormat) -> torch.dtype:
    """Of gray images, whatever makes their values."""
    return dtype_of(request.dtype, pixels, request.output, Mapping(), request.finish)


def _masks(volume: Volume) -> torch.Tensor:
    if volume.valid_mask is None:
        msg = "a mask was asked for"
        raise RuntimeError(msg)
    return volume.valid_mask


def _fills(
    file: FileHeader, pixels: PixelFormat, request: Request, policy: Policy, channels: int
) -> list[float]:
    """What voxels have that no file has, behind a slice, in each channel."""
    value = policy.fill_value
    if value is None:
        value = _value_of(file, pixels, request)
    finish = request.finish
    if finish is not None and finish.clip is not None:
        low, high = finish.clip
        value = min(max(value, low), high)
    if finish is None or not finish.mean:
        return [value] * channels
    means, stds = (one * channels if len(one) == 1 else one for one in (finish.mean, finish.std))
    return [(value - mean) / std for mean, std in zip(means, stds, strict=True)]


def _value_of(file: FileHeader, pixels: PixelFormat, request: Request) -> float:
    """Where the policy says nothing."""
    is_window = request.finish is not None and request.finish.window is not None
    if is_window or pixels.samples > 1 or pixels.is_palette:
        return 0.0
    mapping = mapping_of(file, pixels, request.output, request.dtype, request.rwvm, request.suv)
    padding, _ = file.padding
    if padding is not None and not pixels.is_float:
        stored = padding - 0x1_0000 if pixels.is_signed and padding >= 0x8000 else padding
        if mapping.table is not None:
            return float(mapping.table.look_up(np.array(stored)))
        return stored * mapping.slope + mapping.intercept
    return _AIR if mapping.units == "HU" else 0.0


def _as_fill(value: float, dtype: torch.dtype) -> torch.Tensor:
    try:
        return converted(np.array([value]), dtype, 0)[0]
    except LimitError as error:
        name = str(dtype).removeprefix("torch.")
        msg = f"fill_value: {value:.17g} does not fit {name}; name one that does in the policy"
        raise ValueError(msg) from error


def _mixed(
    one: Slice, channel: int, known: Lookup[int, tuple[torch.Tensor, torch.Tensor]]
) -> tuple[Array, Array]:
    """A slice in double, and which of it is valid."""
    image, mask = known[one.before]
    values, valid = image[channel].numpy(), mask.numpy()
    if one.weight is None:
        return values, valid
    behind, valid_behind = known[one.before + 1]
    return _between(values, behind[channel].numpy(), one.weight), valid & valid_behind.numpy()


def _between(a: Array, b: Array, w: float) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        mixed: Array = a * (1 - w) + b * w
    return mixed


def _shifted(
    values: Array, valid: Array, one: Slice, canvas: Canvas, halvings: int, fill: float
) -> tuple[Array, Array]:
    """A slice on the canvas: between rows first, then between columns."""
    down, right = offset_of(one, halvings)
    for axis, place in ((0, canvas.top + down), (1, canvas.left + right)):
        whole = math.floor(place)
        fraction = place - whole
        count = values.shape[axis]
        if fraction > 0:
            lower = [np.take(part, range(count - 1), axis) for part in (values, valid)]
            upper = [np.take(part, range(1, count), axis) for part in (values, valid)]
            values = _between(lower[0], upper[0], 1 - fraction)
            valid = lower[1] & upper[1]
            whole, count = whole + 1, count - 1
        around = [(0, 0), (0, 0)]
        around[axis] = (whole, canvas.size[axis] - whole - count)
        values = np.pad(values, around, constant_values=fill)
        valid = np.pad(valid, around, constant_values=False)
    return values, valid


def _made(one: Slice) -> SliceProvenance:
    return SliceProvenance("", -1, "", one.place, math.nan, math.nan)


def _spacing(affine: Affine | None, whole: Affine, reduce: int) -> tuple[float, float, float]:
    if affine is not None:
        return spacing_of(affine)
    _, y, x = spacing_of(whole)
    return math.nan, y * 2**reduce, x * 2**reduce
