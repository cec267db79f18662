"""From files to slices: a file of many becomes one header for each of them.

Everything later sees headers of one slice each, as of classic files.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdicom._reference._checks import check_frames, check_times
from torchdicom._reference._concatenations import Concatenation
from torchdicom._reference._dose import dose_headers
from torchdicom._reference._groups import frame_header, has_groups, read_groups
from torchdicom._reference._header import read_with_values
from torchdicom._reference._kinds import OTHER_CLASSES
from torchdicom._reference._mosaic import is_mosaic, mosaic_headers
from torchdicom._reference._nuclear import is_nuclear, nuclear_headers
from torchdicom._reference._private import csa_texts
from torchdicom._reference._syntaxes import ENCAPSULATED, NATIVE
from torchdicom._reference._times import times_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._sources import Source
    from torchdicom._reference._values import Values


def read_slices(source: Source, extra: Mapping[str, int] | None = None) -> list[FileHeader]:
    """The headers of the slices of a file; of a classic one that is one.

    Args:
        source: The file or bytes.
        extra: The tags of more texts to keep, by name.

    Raises:
        ParseError: The bytes or the values are malformed, or do not tell the frames apart.
        SeriesError: The planes of a dose cannot be placed.
        LimitError: ``limit_rows`` and others.
        OSError: If the file cannot be read.
    """
    file, values = read_with_values(source, extra)
    check_times(values)
    if file.raw["SOPClassUID"] not in OTHER_CLASSES:
        check_frames(values)
    if file.raw["SOPClassUID"] in OTHER_CLASSES or not _has_frames(file):
        return [file]
    csa = csa_texts(values) if is_mosaic(file) else {}
    file = replace(file, times=times_of(values, csa), concatenation=_concatenation(values))
    if not has_groups(values) and is_mosaic(file):
        return mosaic_headers(file, values, csa)
    return _frames(file, values)


def read_frames(source: Source) -> list[FileHeader]:
    """The headers of the frames of a file, whatever they show; of one that is not divided one.

    Raises:
        ParseError: As above.
        LimitError: ``limit_rows`` and others.
        OSError: If the file cannot be read.
    """
    file, values = read_with_values(source)
    check_times(values)
    check_frames(values)
    return _frames(file, values) if _has_frames(file) else [file]


def _has_frames(file: FileHeader) -> bool:
    """Whether it is known where they lie."""
    return file.pixels is not None and file.header.transfer_syntax_uid in NATIVE | ENCAPSULATED


def _frames(file: FileHeader, values: Values) -> list[FileHeader]:
    count = file.header.number_of_frames
    if has_groups(values):
        groups = read_groups(values, count)
        return [frame_header(file, groups, frame) for frame in range(count)]
    if file.raw["Modality"] == "RTDOSE":
        return dose_headers(file, values)
    if is_nuclear(file, values):
        return nuclear_headers(file, values)
    return [file]


def _concatenation(values: Values) -> Concatenation | None:
    uid = values.raw("ConcatenationUID")
    if not uid:
        return None
    return Concatenation(uid, values.short("InConcatenationTotalNumber") or 0)
