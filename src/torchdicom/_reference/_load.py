"""The entries of the reference backend."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdicom._errors import DecodeError, DicomWarning, ParseError
from torchdicom._reference._build import Request, build, check_reducible, dtype_of
from torchdicom._reference._choose import choose, choose_listed
from torchdicom._reference._collect import collect
from torchdicom._reference._division import read_frames
from torchdicom._reference._fill import Task, fill
from torchdicom._reference._findings import apply_policy, dropped
from torchdicom._reference._finish import finishing_of
from torchdicom._reference._grid import checked_window
from torchdicom._reference._header import read_file
from torchdicom._reference._judge import judge
from torchdicom._reference._mapping import mapping_of
from torchdicom._reference._mend import build_repaired
from torchdicom._reference._pixel_format import pixel_format
from torchdicom._reference._pixels import output_tensor
from torchdicom._reference._repair import repair_of
from torchdicom._reference._sources import named_source
from torchdicom._reference._split import split
from torchdicom._reference._suv import suv_factor

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from torchdicom._finish import Finish
    from torchdicom._header import Header
    from torchdicom._policy import Policy
    from torchdicom._reference._findings import Finding
    from torchdicom._reference._grid import Region
    from torchdicom._reference._mapping import Output
    from torchdicom._reference._split import Part
    from torchdicom._volume import Volume

# What a file may turn out to be while a frame of it is decoded, and the policy may drop.
_DROPPED_LATE = frozenset({"codestream_mismatch", "truncated_pixels"})


def load_series(  # noqa: PLR0913 - as many as the public function has
    sources: Sequence[str | bytes],
    *,
    series: str | None,
    policy: Policy,
    output: Output,
    dtype: torch.dtype | None,
    out: torch.Tensor | None,
    num_threads: int | None,
    slices: slice | Sequence[int] | None,
    region: Region | None,
    mask: bool,
    t: slice | Sequence[int] | None = None,
    listed: str | None = None,
    missing_files: int | None = None,
    reduce: int = 0,
    rwvm: str | None = None,
    codec: str | None = None,
    finish: Finish | None = None,
) -> Volume:
    """Load one series of those that the sources hold.

    Args:
        sources: Files, folders and bytes.
        series: The key or UID of the series; None where there is only one.
        policy: What to do about each defect.
        output: ``"stored"``, ``"modality"``, ``"real_world"``, ``"suv"`` or ``"philips_fp"``.
        dtype: Of the result; None for the default of the output.
        out: The tensor to fill, or None for a new one.
        num_threads: How many slices are decoded at a time; None for one a CPU.
        slices: The positions to load, in sorted order; None for all.
        region: The pixels to load, (y0, y1, x0, x1); None for all.
        mask: Say which voxels are valid: no padding, and in the range of the real-world map.
        t: The times to load; None for all.
        listed: The key that an index has for the series, where the sources are those of it alone;
            their files may hold frames of other series too. Takes the place of `series`.
        missing_files: How many files the index says that its concatenations lack.
        reduce: How often to halve the images along y and x.
        rwvm: The label of the real-world map, where there are several.
        codec: None.
        finish: What becomes of the values after the rescale; None for nothing.

    Returns:
        The volume, slices ascending along their normal.

    Raises:
        DicomError: What was found, with its code.
        OSError: If a file cannot be read.
        IndexError: If a slice or a time is not there.
        ValueError: If `out` or `region` does not fit, `slices` or `t` is empty, the series has no
            axis t, or an option is none of those that are possible.
    """
    _check_options(codec, output, rwvm)
    files, left_out = collect(sources, policy)
    parts = split(files)
    part = choose(parts, series) if listed is None else choose_listed(parts, listed)
    request = Request(
        output, dtype, out, num_threads, slices, t, region, mask, reduce, rwvm, finish
    )
    while True:
        judged = judge(part, parts, policy, left_out, missing_files)
        messages = apply_policy(judged.findings, policy)
        try:
            repair = repair_of(judged, policy)
            if repair is None:
                volume = build(judged, request)
            else:
                volume = build_repaired(judged, repair, request, policy)
        except (DecodeError, ParseError) as error:
            part, finding = _without(part, error, policy)
            left_out.append(finding)
            continue
        for message in messages:
            warnings.warn(message, DicomWarning, stacklevel=2)
        return volume


def decode_frames(
    source: str | bytes,
    *,
    frames: Sequence[int] | None,
    output: Output,
    dtype: torch.dtype | None,
    out: torch.Tensor | None,
    num_threads: int | None,
    region: Region | None = None,
    reduce: int = 0,
    rwvm: str | None = None,
    codec: str | None = None,
    finish: Finish | None = None,
) -> torch.Tensor:
    """Decode frames of one file.

    Args:
        source: A file or bytes.
        frames: Which ones, in the order wanted; negative ones count from the end; None for all.
        output: As in `load_series`, like the rest.
        dtype: Of the result.
        out: The tensor to fill.
        num_threads: How many frames are decoded at a time.
        region: The pixels to decode.
        reduce: How often to halve the frames.
        rwvm: The label of the real-world map.
        codec: None.
        finish: What becomes of the values.

    Returns:
        Tensor of shape (frames, rows, columns), or (frames, 3, rows, columns) of three channels.

    Raises:
        DicomError: What was found, with its code.
        IndexError: If the file does not have a frame.
        OSError: If the file cannot be read.
        ValueError: If `out` or `region` does not fit, or an option is none of those that are
            possible.
    """
    _check_options(codec, output, rwvm)
    named = named_source(source)
    # Stored values are those of the file, whatever its frames are.
    headers = [read_file(named)] if output == "stored" and finish is None else read_frames(named)
    file = headers[0]
    pixels = pixel_format(file)
    window = checked_window(region, reduce, pixels.rows, pixels.columns)
    check_reducible(file, pixels, output, reduce, finish)
    suv = suv_factor(headers) if output == "suv" else None
    count = file.header.number_of_frames
    header_of = dict(enumerate(headers)) if len(headers) > 1 else dict.fromkeys(range(count), file)
    # One window for all, whichever are asked for.
    middle = header_of[count // 2]
    mapping = mapping_of(middle, pixels, output, dtype, rwvm, suv)
    chosen = []
    for frame in range(count) if frames is None else frames:
        if not -count <= frame < count:
            has = f"{count} frame{'' if count == 1 else 's'}"
            msg = f"Frame {frame} of {file.path} does not exist: the file has {has}"
            raise IndexError(msg)
        chosen.append(frame % count)
    mapping_of_frame = {
        frame: mapping
        if header_of[frame] is middle
        else mapping_of(header_of[frame], pixels, output, dtype, rwvm, suv)
        for frame in dict.fromkeys(chosen)
    }
    finishing = finishing_of(finish, middle, pixels, mapping, output)
    result = dtype_of(dtype, pixels, output, mapping, finish)
    channels = (3,) if finishing.channels == 3 else ()
    size = finishing.size(window.size)
    data = output_tensor((len(chosen), *channels, *size), result, out)
    tasks = [
        Task(header_of[frame], frame, mapping_of_frame[frame], i) for i, frame in enumerate(chosen)
    ]
    fill(list(data), tasks, pixels, window, finishing, num_threads)
    return data


def _check_options(codec: str | None, output: Output, rwvm: str | None) -> None:
    if codec is not None:
        msg = f"codec={codec!r}: the reference backend has one codec a syntax"
        raise ValueError(msg)
    if rwvm is not None and output != "real_world":
        msg = f"rwvm={rwvm!r} names a real-world map: it needs output='real_world'"
        raise ValueError(msg)


def read_header(source: str | bytes) -> Header:
    """Read the technical attributes of one file, and where its frames lie.

    Raises:
        DicomError: What was found, with its code.
        OSError: If the file cannot be read.
    """
    return read_file(named_source(source)).header


def _without(part: Part, error: DecodeError | ParseError, policy: Policy) -> tuple[Part, Finding]:
    """The part without the file that a frame failed in.

    Raises:
        DecodeError: The error itself, unless the policy drops such files and others are left.
        ParseError: The same.
    """
    rest = tuple(file for file in part.files if file.path != error.path)
    if error.code not in _DROPPED_LATE or not 0 < len(rest) < len(part.files):
        raise error
    return replace(part, files=rest), dropped(error, error.path or "", policy)
