"""From a judged part to the volume of it that was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from torchdicom._errors import UnsupportedError
from torchdicom._metadata import typed_metadata
from torchdicom._reference._coords import coords_of
from torchdicom._reference._fill import Task, fill
from torchdicom._reference._findings import verdict_of
from torchdicom._reference._finish import finishing_of
from torchdicom._reference._grid import (
    checked_window,
    picked,
    selected_affine,
    spacing_of,
    stated_spacing,
)
from torchdicom._reference._groups import ULTRASOUND_VOLUME
from torchdicom._reference._mapping import Mapping, mapping_of
from torchdicom._reference._pixel_format import pixel_format
from torchdicom._reference._pixels import default_dtype, output_tensor
from torchdicom._reference._suv import suv_factor
from torchdicom._reference._tags import element_name
from torchdicom._volume import SliceProvenance, Volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._finish import Finish
    from torchdicom._reference._finish import Finishing
    from torchdicom._reference._geometry import Affine
    from torchdicom._reference._grid import Region, Spacing
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._judge import Judged
    from torchdicom._reference._mapping import Output
    from torchdicom._reference._pixel_format import PixelFormat


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, as `torchdicom.load` has it."""

    output: Output
    dtype: torch.dtype | None
    out: torch.Tensor | None
    num_threads: int | None
    slices: slice | Sequence[int] | None
    times: slice | Sequence[int] | None
    region: Region | None
    mask: bool
    reduce: int
    rwvm: str | None
    finish: Finish | None
    suv: float | None = None  # what `output="suv"` multiplies by, once the series is known


def build(judged: Judged, request: Request) -> Volume:
    """Decode what was asked for.

    Raises:
        DicomError: What a file turned out to be.
        OSError: If a file cannot be read.
        IndexError: If a slice is asked for that is not there.
        ValueError: If no slice is selected, or the region or `out` does not fit.
    """
    first = judged.files[0]
    pixels = pixel_format(first)  # all are the same, or it were no part
    picks, times = _picks(judged, request.slices), _time_picks(judged, request.times)
    window = checked_window(request.region, request.reduce, pixels.rows, pixels.columns)
    check_reducible(first, pixels, request.output, request.reduce, request.finish)
    if request.output == "suv":
        request = replace(request, suv=suv_factor(judged.files))
    tasks = _tasks(judged, picks, times, pixels, request)
    _check_units(tasks)
    finishing = _finishing(judged, pixels, request)
    dtype = dtype_of(request.dtype, pixels, request.output, tasks[0].mapping, request.finish)
    size = finishing.size(window.size)
    has_times = _has_times(judged)
    lengths = {"t": len(times)} if has_times else {}
    lengths |= {"z": len(picks)} | dict(zip("yx", size, strict=True))
    has_color = finishing.channels == 3
    dims = ("t",) * has_times + ("c",) * has_color + ("z", "y", "x")
    data = output_tensor(tuple({"c": 3, **lengths}[dim] for dim in dims), dtype, request.out)
    mask = torch.empty(tuple(lengths.values()), dtype=torch.bool) if request.mask else None
    # One image a task: its planes come first in colour.
    stack = data.movedim(dims.index("z"), 1) if has_times else data.movedim(dims.index("z"), 0)
    images = [image for time in stack for image in time] if has_times else list(stack)
    shifts = fill(
        images,
        tasks,
        pixels,
        window,
        finishing,
        request.num_threads,
        masks=None if mask is None else mask.view(len(tasks), *size),
    )
    _check_shifts(tasks, shifts)
    wanted = None if request.slices is None else picks
    scales = finishing.scales(window.size)
    affine = selected_affine(judged.affine, wanted, window, shifts[0], scales)
    spacing, spacing_source = _spacing(judged, affine, request.reduce, scales)
    return Volume(
        data=data,
        dims=dims,
        affine=None if affine is None else torch.tensor(affine, dtype=torch.float64),
        space="VOLUME" if first.raw["SOPClassUID"] == ULTRASOUND_VOLUME else "LPS",
        spacing_mm=spacing,
        units=tasks[0].mapping.units if finishing.steps.keeps_units else None,
        verdict=verdict_of(judged.findings),
        provenance=tuple(map(_provenance, tasks)),
        metadata=metadata_of(first, spacing_source),
        coords=coords_of(judged, picks, times),
        valid_mask=mask,
    )


def _check_units(tasks: Sequence[Task]) -> None:
    """Refuse values of several units in one volume."""
    units = tasks[0].mapping.units
    for task in tasks:
        if task.mapping.units != units:
            msg = f"The values are in {task.mapping.units}, and in {units} in other slices"
            raise UnsupportedError(msg, code="unsupported_pixel_format", path=task.file.path)


def _finishing(judged: Judged, pixels: PixelFormat, request: Request) -> Finishing:
    """What the middle slice of the first time says about all that are loaded."""
    is_cine = judged.part.kind == "cine"
    middle = judged.files[0 if is_cine else len(judged.files) // judged.num_times // 2]
    mapping = Mapping()
    if request.finish is not None and request.finish.window == "file":
        mapping = mapping_of(middle, pixels, request.output, request.dtype, request.rwvm)
    return finishing_of(request.finish, middle, pixels, mapping, request.output)


def dtype_of(
    dtype: torch.dtype | None,
    pixels: PixelFormat,
    output: Output,
    mapping: Mapping,
    finish: Finish | None,
) -> torch.dtype:
    """The dtype of the result: that which is asked for, or the default."""
    if dtype is not None:
        return dtype
    return default_dtype(pixels, output, mapping) if finish is None else torch.float32


def check_reducible(
    file: FileHeader, pixels: PixelFormat, output: Output, reduce: int, finish: Finish | None
) -> None:
    """Refuse the mean of indices, which is none of a colour.

    Raises:
        UnsupportedError: ``unsupported_pixel_format``.
    """
    is_mean = reduce > 0 or (finish is not None and finish.size is not None)
    if is_mean and pixels.is_palette and output == "stored":
        msg = "The stored values are indices of a palette, which have no mean; ask for the colours"
        code, element = "unsupported_pixel_format", element_name("PhotometricInterpretation")
        raise UnsupportedError(msg, code=code, path=file.path, element=element)


def _check_shifts(tasks: Sequence[Task], shifts: Sequence[float]) -> None:
    """Refuse slices whose codecs make them smaller in ways that move them apart."""
    for task, shift in zip(tasks, shifts, strict=True):
        if shift != shifts[0]:
            msg = (
                f"The codecs of {tasks[0].file.path} and of this file reduce an image in different "
                f"ways: its pixels move by {shifts[0]} and {shift}. Load them with reduce=0"
            )
            code = "unsupported_pixel_format"
            raise UnsupportedError(msg, code=code, path=task.file.path)


def metadata_of(first: FileHeader, spacing_source: str) -> dict[str, object]:
    """The allow-listed attributes of a series' first file, and what gives its pixel spacing."""
    metadata = typed_metadata(first.texts, first.path)
    if spacing_source:
        metadata["spacing_source"] = spacing_source
    return metadata


def _has_times(judged: Judged) -> bool:
    return judged.part.kind == "cine" or judged.num_times > 1


def _picks(judged: Judged, wanted: slice | Sequence[int] | None) -> list[int]:
    """The positions along z; a cine loop has one."""
    if judged.part.kind != "cine":
        return picked(wanted, len(judged.files) // judged.num_times)
    picks = picked(wanted, 1)
    if picks != [0]:
        msg = f"slices selects {picks}, and a cine loop has one slice: its frames lie along t"
        raise IndexError(msg)
    return picks


def _time_picks(judged: Judged, wanted: slice | Sequence[int] | None) -> list[int]:
    """The positions along t; 0 where there is no such axis."""
    if not _has_times(judged):
        if wanted is not None:
            msg = "the series has no axis t"
            raise ValueError(msg)
        return [0]
    if judged.part.kind == "cine":
        return picked(wanted, sum(file.frames for file in judged.files), "Time")
    return picked(wanted, judged.num_times, "Time")


def _tasks(
    judged: Judged,
    picks: Sequence[int],
    times: Sequence[int],
    pixels: PixelFormat,
    request: Request,
) -> list[Task]:
    """The frames to decode, one time after the other."""
    wanted = request.output, request.dtype, request.rwvm, request.suv
    files = judged.files
    if judged.part.kind == "cine" and files[0].frame is None:
        mapping = mapping_of(files[0], pixels, *wanted)
        return [Task(files[0], time, mapping, time) for time in times]
    count = 1 if judged.part.kind == "cine" else len(files) // judged.num_times
    places = [time * count + pick for time in times for pick in picks]
    return [
        Task(
            files[place], files[place].frame or 0, mapping_of(files[place], pixels, *wanted), place
        )
        for place in places
    ]


def _spacing(
    judged: Judged, affine: Affine | None, reduce: int, scales: tuple[float, float]
) -> tuple[Spacing, str]:
    if affine is not None:
        return spacing_of(affine), ""
    if judged.affine is None:
        (_, y, x), source = stated_spacing(judged)
    else:
        (_, y, x), source = spacing_of(judged.affine), ""
    return (math.nan, y * 2**reduce * scales[0], x * 2**reduce * scales[1]), source


def _provenance(task: Task) -> SliceProvenance:
    header = task.file.header
    x, y, z = header.image_position_patient or (math.nan,) * 3
    uid = header.sop_instance_uid or ""
    mapping = task.mapping
    slope, intercept = (1.0, 0.0) if mapping.table else (mapping.slope, mapping.intercept)
    return SliceProvenance(task.file.path, task.frame, uid, (x, y, z), slope, intercept)
