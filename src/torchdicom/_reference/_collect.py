"""The headers of what was named, and what becomes of files that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from torchdicom._errors import LimitError, ParseError, SeriesError
from torchdicom._reference._division import read_slices
from torchdicom._reference._findings import dropped
from torchdicom._reference._sources import expand, is_lost
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdicom._policy import Policy
    from torchdicom._reference._findings import Finding
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._sources import Source

Unreadable: TypeAlias = ParseError | LimitError | SeriesError


def collect(
    sources: Sequence[str | bytes], policy: Policy
) -> tuple[list[FileHeader], list[Finding]]:
    """The headers of all slices, or files, with pixels, and the files that the policy leaves out.

    Raises:
        ParseError: The first file that is malformed, unless the policy drops it.
        LimitError: The same.
        OSError: If a file cannot be read.
        SeriesError: ``empty_folder``, ``no_dicom_files``, ``no_images``.
    """
    expanded = expand(sources)
    files: list[FileHeader] = []
    unreadable: list[tuple[Source, Unreadable]] = []
    for source in expanded:
        read = read_image(source)
        if not isinstance(read, Exception):
            files += read
        elif not is_other_file(source, read):
            unreadable.append((source, read))
    left_out = [dropped(error, source.path, policy) for source, error in unreadable]
    first_path = expanded[0].path if expanded else None
    if not files:
        aside = f", and {len(left_out)} cannot be read" if left_out else ""
        msg = f"None of the files is DICOM{aside}. Name the folder that has the DICOM files in it"
        raise SeriesError(msg, code="no_dicom_files", path=first_path)
    images = [file for file in files if file.pixels is not None]
    if not images:
        msg = f"None of the {len(files)} DICOM file(s) has pixels"
        raise SeriesError(msg, code="no_images", path=files[0].path)
    return images, left_out


def read_image(
    source: Source, extra: Mapping[str, int] | None = None
) -> list[FileHeader] | Unreadable:
    """The headers of the slices of a file, or what is wrong with it.

    A structure set has no pixels; a file that describes an image and has none was cut off.

    Raises:
        OSError: If the file cannot be read.
    """
    try:
        slices = read_slices(source, extra)
    except (ParseError, LimitError, SeriesError) as error:
        return error
    file = slices[0]
    header = file.header
    if file.pixels is None and header.rows is not None and header.columns is not None:
        msg = "The file describes an image and has no pixels: it is cut off"
        element = element_name("PixelData")
        return ParseError(msg, code="no_pixel_data", path=file.path, element=element)
    return slices


def is_other_file(source: Source, error: Unreadable) -> bool:
    """Whether a file of a folder is not DICOM, and never was."""
    return not source.is_named and error.code == "not_dicom" and not is_lost(source)
