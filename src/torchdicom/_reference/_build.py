"""From a judged part to the volume of it that was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import torch

from torchdicom._metadata import typed_metadata
from torchdicom._reference._fill import Task, fill
from torchdicom._reference._findings import verdict_of
from torchdicom._reference._grid import (
    checked_region,
    picked,
    selected_affine,
    spacing_of,
    stated_spacing,
)
from torchdicom._reference._kinds import units
from torchdicom._reference._pixel_format import pixel_format
from torchdicom._reference._pixels import check_rescale, default_dtype, output_tensor
from torchdicom._volume import SliceProvenance, Volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._fill import Region
    from torchdicom._reference._geometry import Affine
    from torchdicom._reference._grid import Spacing
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._judge import Judged
    from torchdicom._reference._pixels import Output


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, as `torchdicom.load` has it."""

    output: Output
    dtype: torch.dtype | None
    out: torch.Tensor | None
    num_threads: int | None
    slices: slice | Sequence[int] | None
    region: Region | None
    mask: bool


def build(judged: Judged, request: Request) -> Volume:
    """Decode what was asked for.

    Raises:
        DicomError: What a file turned out to be.
        OSError: If a file cannot be read.
        IndexError: If a slice is asked for that is not there.
        ValueError: If no slice is selected, or the region or `out` does not fit.
    """
    pixels = pixel_format(judged.files[0])  # all are the same, or it were no part
    picks = _picks(judged, request.slices)
    region = checked_region(request.region, pixels.rows, pixels.columns)
    top, bottom, left, right = region or (0, pixels.rows, 0, pixels.columns)
    dtype = default_dtype(pixels, request.output) if request.dtype is None else request.dtype
    tasks = _tasks(judged, picks, request.output, dtype)
    images = len(tasks), bottom - top, right - left
    is_cine = judged.part.kind == "cine"
    shape: tuple[int, ...] = (len(tasks), 1, *images[1:]) if is_cine else images
    data = output_tensor(shape, dtype, request.out)
    mask = torch.empty(shape, dtype=torch.bool) if request.mask else None
    flat_mask = None if mask is None else mask.view(images)
    fill(data.view(images), tasks, pixels, request.num_threads, region=region, mask=flat_mask)
    affine = selected_affine(judged.affine, None if request.slices is None else picks, region)
    spacing, spacing_source = _spacing(judged, affine)
    first = judged.files[0]
    return Volume(
        data=data,
        dims=("t", "z", "y", "x") if is_cine else ("z", "y", "x"),
        affine=None if affine is None else torch.tensor(affine, dtype=torch.float64),
        space="LPS",
        spacing_mm=spacing,
        units=None if request.output == "stored" else units(first),
        verdict=verdict_of(judged.findings),
        provenance=tuple(map(_provenance, tasks)),
        metadata=metadata_of(first, spacing_source),
        coords={"t": _times(first)} if is_cine else {},
        valid_mask=mask,
    )


def metadata_of(first: FileHeader, spacing_source: str) -> dict[str, object]:
    """The allow-listed attributes of a series' first file, and what gives its pixel spacing."""
    metadata = typed_metadata(first.texts, first.path)
    if spacing_source:
        metadata["spacing_source"] = spacing_source
    return metadata


def _picks(judged: Judged, wanted: slice | Sequence[int] | None) -> list[int]:
    """The positions along z; a cine loop has one."""
    if judged.part.kind != "cine":
        return picked(wanted, len(judged.files))
    picks = picked(wanted, 1)
    if picks != [0]:
        msg = f"slices selects {picks}, and a cine loop has one slice: its frames lie along t"
        raise IndexError(msg)
    return picks


def _tasks(judged: Judged, picks: Sequence[int], output: Output, dtype: torch.dtype) -> list[Task]:
    """The frames to decode: one a slice, or all of a cine loop."""
    if judged.part.kind == "cine":
        (file,) = judged.files
        slope, intercept = check_rescale(file, output, dtype)
        count = file.header.number_of_frames
        return [Task(file, frame, slope, intercept, frame) for frame in range(count)]
    files = [judged.files[pick] for pick in picks]
    rescales = [check_rescale(file, output, dtype) for file in files]
    return [
        Task(file, 0, *pair, pick) for file, pair, pick in zip(files, rescales, picks, strict=True)
    ]


def _spacing(judged: Judged, affine: Affine | None) -> tuple[Spacing, str]:
    if judged.affine is None:
        return stated_spacing(judged)
    if affine is not None:
        return spacing_of(affine), ""
    _, y, x = spacing_of(judged.affine)
    return (math.nan, y, x), ""


def _times(file: FileHeader) -> dict[str, torch.Tensor]:
    """When each frame was taken, in milliseconds after the first (PS3.3 C.7.6.5)."""
    count, steps = file.header.number_of_frames, file.frame_time_vector
    if len(steps) == count:
        times = list(accumulate((0.0, *steps[1:])))
    elif file.frame_time is not None:
        times = [frame * file.frame_time for frame in range(count)]
    else:
        return {}
    return {"FrameTime": torch.tensor(times, dtype=torch.float64)}


def _provenance(task: Task) -> SliceProvenance:
    header = task.file.header
    x, y, z = header.image_position_patient or (math.nan,) * 3
    uid = header.sop_instance_uid or ""
    return SliceProvenance(task.file.path, task.frame, uid, (x, y, z), task.slope, task.intercept)
