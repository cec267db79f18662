"""A file damaged anywhere gives a value or an error of ours; never anything else."""

from __future__ import annotations

from typing import Any

import pytest

import torchdicom as td
from builders import (
    CT_IMAGE,
    DEFLATED,
    IMPLICIT,
    RLE,
    ct_slice,
    default_pixels,
    element,
    sequence,
)
from builders_bad import SEQUENCE
from builders_frames import encapsulated, rle_frame
from helpers import Backend, read_header

pytestmark = pytest.mark.filterwarnings("ignore::torchdicom.DicomWarning")


def values_or_code(data: bytes, backend: Backend) -> list[float] | str:
    """What comes out, or the code of the error; any other exception passes."""
    try:
        read_header(data, backend)
        values: list[float] = td.load(data, backend=backend).data.flatten().tolist()
    except td.DicomError as error:
        return str(error.code or "")
    return values


def small_files() -> dict[str, bytes]:
    few: dict[str, Any] = {"SeriesDescription": None, "ImageType": None, "SOPClassUID": None}
    rle = encapsulated([[rle_frame(default_pixels())]], table=None)
    return {
        "explicit": ct_slice(
            extra=[sequence(SEQUENCE, [element("Rows", 9)], undefined=True)], **few
        ),
        "implicit": ct_slice(syntax=IMPLICIT, preamble=False, meta=False, **few),
        "deflated": ct_slice(syntax=DEFLATED, **few),
        "rle": ct_slice(syntax=RLE, pixel_element=rle, **few),
    }


@pytest.mark.parametrize("name", small_files())
def test_cut_at_every_offset(backend: Backend, name: str) -> None:
    whole = small_files()[name]
    values = values_or_code(whole, backend)
    for size in range(len(whole)):
        result = values_or_code(whole[:size], backend)
        assert isinstance(result, str) or result == values, size


@pytest.mark.parametrize("name", small_files())
@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_any_byte_overwritten(backend: Backend, name: str, byte: int) -> None:
    whole = small_files()[name]
    start = whole.index(CT_IMAGE.encode()) + len(CT_IMAGE) if CT_IMAGE.encode() in whole else 0
    for at in range(start, len(whole)):
        damaged = whole[:at] + bytes([byte]) + whole[at + 1 :]
        assert values_or_code(damaged, backend), at
