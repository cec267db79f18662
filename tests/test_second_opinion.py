"""Our decoders beside GDCM's: the same files through `codec="gdcm"`.

With the reference backend each decoder has two opinions that do not know of it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import JPEG, JPEG_2000, JPEG_LOSSLESS, JPEG_LS, Syntax
from builders_encoded import (
    JPEG_2000_ANY,
    JPEG_EXTENDED,
    JPEG_LOSSLESS_ANY,
    JPEG_LS_NEAR,
    JPEG_PROGRESSIVE,
    JPEG_SPECTRAL,
    LOSSLESS,
    colour_picture,
    encoded_file,
    jpeg,
    jpegls,
    lossless,
    picture,
)
from compare import OFF_FLAT_COLOUR, OFF_THE_ORIGINAL, assert_within, tolerance
from helpers import expect_error, read_header, syntax_id
from real_files import SOURCES, assert_only, files_of, of_source, outcome

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::torchdicom.DicomWarning")

# What `codec="gdcm"` reads. GDCM was written before HTJ2K, JPEG XL and deflated frames; RLE it
# reads in files alone, and there pydicom's decoder is the other opinion (test_real_pixels.py).
READ_BY_GDCM = [
    *(JPEG, JPEG_EXTENDED, JPEG_SPECTRAL, JPEG_PROGRESSIVE),
    *(JPEG_LOSSLESS_ANY, JPEG_LOSSLESS, JPEG_LS, JPEG_LS_NEAR, JPEG_2000, JPEG_2000_ANY),
]
_UIDS = {one.uid for one in READ_BY_GDCM}

# Where GDCM is wrong or refuses: what is found, and why.
_SIGN = "GDCM takes no JPEG 2000 whose sign is not PixelRepresentation's"
NOT_AS_GDCM: dict[str, tuple[str, str]] = {
    "pydicom/src/pydicom/data/test_files/J2K_pixelrep_mismatch.dcm": (
        "^unsupported_transfer_syntax$",
        _SIGN,
    ),
    "pylibjpeg-data/ljdata/ds/JPEG2000Lossless/TOSHIBA_J2K_SIZ1_PixRep0.dcm": (
        "^unsupported_transfer_syntax$",
        _SIGN,
    ),
}


def difference(path: Path, ours: torch.Tensor) -> str | None:
    header = read_header(path, "native")
    theirs = outcome(lambda: td.decode(path, codec="gdcm"))
    if isinstance(theirs, str):
        return theirs
    try:
        within = tolerance(header.transfer_syntax_uid, header.samples_per_pixel)
        assert_within(theirs, ours, within)
    except AssertionError as error:
        return str(error).splitlines()[0]
    return None


def syntax_of(path: Path) -> str:
    return read_header(path, "native").transfer_syntax_uid


@pytest.mark.data
@pytest.mark.parametrize("source", SOURCES)
def test_real_files(data_dir: Path, source: str) -> None:
    found = {}
    for path in files_of(data_dir, source):
        if outcome(partial(syntax_of, path)) not in _UIDS:
            continue
        ours = outcome(partial(td.decode, path))
        if isinstance(ours, str):
            continue
        if said := difference(path, ours):
            found[str(path.relative_to(data_dir))] = said
    assert_only(found, of_source(NOT_AS_GDCM, source))


ROWS, COLUMNS = 19, 26


def gray_and_colour(bits: int) -> list[Any]:
    return [picture(ROWS, COLUMNS, bits), colour_picture(ROWS, COLUMNS, bits)]


def opinions(data: bytes) -> tuple[torch.Tensor, torch.Tensor]:
    first = td.decode(data, dtype=torch.int32)
    return first, td.decode(data, dtype=torch.int32, codec="gdcm")


def lossless_files() -> list[Any]:
    """Each with an id: what both decode, gray and in colour."""
    found: list[Any] = []
    for syntax in [JPEG_LOSSLESS, JPEG_LS, JPEG_2000]:
        for bits in (8, 12, 16):
            both = gray_and_colour(bits)
            found += [(syntax, LOSSLESS[syntax](cells, bits), cells, bits) for cells in both]
    for predictor in range(2, 8):
        for cells in gray_and_colour(8):
            stream = lossless(cells, 8, predictor=predictor, restart_rows=4)
            found.append((JPEG_LOSSLESS_ANY, stream, cells, 8))
    colour = colour_picture(ROWS, COLUMNS)
    found += [(JPEG_LS, jpegls(colour, 8, interleave=1), colour, 8)]
    found += [(JPEG_LS, jpegls(colour, 8, interleave=2), colour, 8)]
    return [
        pytest.param(*one, id=f"{syntax_id(one[0])}-{one[3]}-{one[2].ndim}d-{at}")
        for at, one in enumerate(found)
    ]


@pytest.mark.parametrize(("syntax", "stream", "cells", "bits"), lossless_files())
def test_lossless(syntax: Syntax, stream: bytes, cells: Any, bits: int) -> None:
    ours, theirs = opinions(encoded_file([stream], cells, syntax, bits=bits))
    assert theirs.tolist() == ours.tolist()
    planes = cells if cells.ndim == 2 else cells.transpose(2, 0, 1)
    assert theirs.tolist() == [planes.tolist()]


@pytest.mark.parametrize("bits", [8, 12])
def test_lossy_jpeg(bits: int) -> None:
    cells = picture(ROWS, COLUMNS, bits) // 2
    ours, theirs = opinions(encoded_file([jpeg(cells, bits)], cells, JPEG_EXTENDED, bits=bits))
    assert_within(theirs, ours, tolerance(JPEG_EXTENDED.uid))
    assert np.abs(theirs[0].numpy() - cells.astype(int)).max() <= OFF_THE_ORIGINAL


def test_colour_jpeg_of_12_bits_is_left_to_gdcm() -> None:
    """What `codecs` says of the syntax: libjpeg-turbo first, and GDCM where that does not read."""
    (row,) = [one for one in td.codecs() if one.transfer_syntax_uid == JPEG_EXTENDED.uid]
    assert (row.library, row.codecs) == ("libjpeg-turbo", ("libjpeg-turbo", "gdcm"))
    flat = np.full((16, 16, 3), (3000, 3000, 3000), np.uint16)
    data = encoded_file([jpeg(flat, 12)], flat, JPEG_EXTENDED, bits=12)
    with expect_error("unsupported_transfer_syntax", match="libjpeg-turbo"):
        td.decode(data, codec="libjpeg-turbo")
    first, theirs = opinions(data)
    assert first.tolist() == theirs.tolist()
    assert np.abs(first.numpy() - 3000).max() <= OFF_FLAT_COLOUR


@pytest.mark.parametrize("near", [1, 4])
def test_near_lossless(near: int) -> None:
    cells = picture(ROWS, COLUMNS, 12)
    data = encoded_file([jpegls(cells, 12, near=near)], cells, JPEG_LS_NEAR, bits=12)
    ours, theirs = opinions(data)
    assert theirs.tolist() == ours.tolist()
    assert 0 < np.abs(theirs[0].numpy() - cells.astype(int)).max() <= near
