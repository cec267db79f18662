"""The three entries of the reference backend."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

from torchdicom._errors import ParseError, SeriesError
from torchdicom._metadata import typed_metadata
from torchdicom._reference._header import pixel_format, read_file
from torchdicom._reference._pixels import (
    check_rescale,
    default_dtype,
    output_tensor,
    read_frame,
    rescale,
)
from torchdicom._reference._series import arrange, one_series
from torchdicom._reference._sources import expand, is_lost, named_source
from torchdicom._reference._tags import element_name
from torchdicom._volume import SliceProvenance, Volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._header import Header
    from torchdicom._reference._header import FileHeader, PixelFormat
    from torchdicom._reference._pixels import Output
    from torchdicom._reference._sources import Source


def load_series(
    sources: Sequence[str | bytes],
    *,
    output: Output,
    dtype: torch.dtype | None,
    out: torch.Tensor | None,
    num_threads: int | None,
) -> Volume:
    """Load the one series that the sources hold.

    Args:
        sources: Files, folders and bytes.
        output: ``"stored"`` or ``"modality"``.
        dtype: Of the result; None for the default of the output.
        out: The tensor to fill, or None for a new one.
        num_threads: How many slices are decoded at a time; None for one a CPU.

    Returns:
        The volume, slices ascending along their normal.

    Raises:
        DicomError: What was found, with its code.
        OSError: If a file cannot be read.
        ValueError: If `out` does not fit.
    """
    files = one_series(_read_images(sources))
    series = arrange(files, output)
    pixels = pixel_format(files[0])  # all are the same, or it were no series
    dtype = default_dtype(pixels, output) if dtype is None else dtype
    rescales = [check_rescale(file, output, dtype) for file in series.files]
    shape = (len(files), pixels.rows, pixels.columns)
    data = output_tensor(shape, dtype, out)
    tasks = [(file, 0, *pair) for file, pair in zip(series.files, rescales, strict=True)]
    _fill(data, tasks, pixels, num_threads)
    first = series.files[0]
    return Volume(
        data=data,
        dims=("z", "y", "x"),
        affine=torch.tensor(series.affine, dtype=torch.float64),
        space="LPS",
        units=series.units,
        verdict=series.verdict,
        provenance=tuple(_provenance(task) for task in tasks),
        metadata=typed_metadata(first.texts, first.path),
    )


def decode_frames(
    source: str | bytes,
    *,
    frames: Sequence[int] | None,
    output: Output,
    dtype: torch.dtype | None,
    out: torch.Tensor | None,
    num_threads: int | None,
) -> torch.Tensor:
    """Decode frames of one file.

    Args:
        source: A file or bytes.
        frames: Which ones, in the order wanted; negative ones count from the end; None for all.
        output: As in `load_series`, like the rest.
        dtype: Of the result.
        out: The tensor to fill.
        num_threads: How many frames are decoded at a time.

    Returns:
        Tensor of shape (frames, rows, columns).

    Raises:
        DicomError: What was found, with its code.
        IndexError: If the file does not have a frame.
        OSError: If the file cannot be read.
        ValueError: If `out` does not fit.
    """
    file = read_file(named_source(source))
    pixels = pixel_format(file)
    dtype = default_dtype(pixels, output) if dtype is None else dtype
    slope, intercept = check_rescale(file, output, dtype)
    count = file.header.number_of_frames
    chosen = []
    for frame in range(count) if frames is None else frames:
        if not -count <= frame < count:
            has = f"{count} frame{'' if count == 1 else 's'}"
            msg = f"Frame {frame} of {file.path} does not exist: the file has {has}"
            raise IndexError(msg)
        chosen.append(frame % count)
    data = output_tensor((len(chosen), pixels.rows, pixels.columns), dtype, out)
    _fill(data, [(file, frame, slope, intercept) for frame in chosen], pixels, num_threads)
    return data


def read_header(source: str | bytes) -> Header:
    """Read the technical attributes of one file, and where its frames lie.

    Raises:
        DicomError: What was found, with its code.
        OSError: If the file cannot be read.
    """
    return read_file(named_source(source)).header


def _read_images(sources: Sequence[str | bytes]) -> list[FileHeader]:
    """The headers of all files with pixels; a file of a folder need not be DICOM."""
    read = [_read_if_dicom(source) for source in expand(sources)]
    files = [file for file in read if file is not None]
    if not files:
        msg = "None of the files is DICOM. Name the folder that has the DICOM files in it"
        raise SeriesError(msg, code="no_dicom_files", path=_first_path(sources))
    for file in files:
        _refuse_lost_pixels(file)
    images = [file for file in files if file.pixels is not None]
    if not images:
        msg = f"None of the {len(files)} DICOM file(s) has pixels"
        raise SeriesError(msg, code="no_images", path=_first_path(sources))
    return images


def _read_if_dicom(source: Source) -> FileHeader | None:
    """One header; None for a file of a folder that is not DICOM."""
    try:
        return read_file(source)
    except ParseError as error:
        if source.is_named or error.code != "not_dicom" or is_lost(source):
            raise
        return None


def _refuse_lost_pixels(file: FileHeader) -> None:
    """A structure set has no pixels; a file that describes an image and has none was cut off."""
    header = file.header
    if file.pixels is None and header.rows is not None and header.columns is not None:
        msg = "The file describes an image and has no pixels: it is cut off"
        element = element_name("PixelData")
        raise ParseError(msg, code="no_pixel_data", path=file.path, element=element)


def _first_path(sources: Sequence[str | bytes]) -> str | None:
    return named_source(sources[0]).path if sources else None


Task = tuple["FileHeader", int, float, float]


def _fill(
    data: torch.Tensor, tasks: Sequence[Task], pixels: PixelFormat, num_threads: int | None
) -> None:
    """Decode each task into its slice; of several errors, that of the lowest slice is raised."""

    def fill_one(index: int) -> None:
        file, frame, slope, intercept = tasks[index]
        stored = read_frame(file, frame, pixels)
        data[index] = rescale(stored, slope, intercept, data.dtype, file.path, index)

    threads = num_threads or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        futures = [pool.submit(fill_one, index) for index in range(len(tasks))]
        try:
            for future in futures:
                future.result()
        finally:
            for future in futures:
                future.cancel()


def _provenance(task: Task) -> SliceProvenance:
    file, frame, slope, intercept = task
    x, y, z = file.header.image_position_patient
    uid = file.header.sop_instance_uid or ""
    return SliceProvenance(file.path, frame, uid, (x, y, z), slope, intercept)
