"""What `reduce` and `region` leave out is not decoded: damage there does not show.

The bytes that are not read are counted in test_decode_region.py.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

import torchdicom as td
from builders import JPEG, JPEG_2000, JPEG_LOSSLESS, JPEG_LS, RLE, Cells, Syntax
from builders_encoded import HTJ2K, encoded_file, htj2k, jpeg, jpeg2000, jpegls, lossless, picture
from builders_encoded import rle as rle_of
from compare import assert_same_bits
from helpers import Backend, expect_error, syntax_id

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, COLUMNS = 64, 60
TOP = (0, 16, 0, COLUMNS)


def overwritten(stream: bytes, start: int, end: int, value: int) -> bytes:
    """The stream with other bytes in a part of it."""
    return stream[:start] + bytes([value]) * (end - start) + stream[end:]


def outcomes(
    stream: bytes, damaged: bytes, cells: Cells, syntax: Syntax, bits: int
) -> tuple[bytes, bytes, torch.Tensor]:
    """Files of both streams, and what the first decodes to."""
    sound, broken = (encoded_file([one], cells, syntax, bits=bits) for one in (stream, damaged))
    return sound, broken, td.decode(sound)


@pytest.mark.parametrize("n", [1, 2])
def test_highest_levels_of_jpeg_2000_are_not_decoded(backend: Backend, n: int) -> None:
    """In order of resolution the last half of the bytes is the highest one's."""
    cells = picture(96, 80, 12) // 4
    stream = jpeg2000(cells, 12, resolutions=4)
    at = len(stream) * 3 // 4
    damaged = overwritten(stream, at, at + 40, 0x55)
    sound, broken, whole = outcomes(stream, damaged, cells, JPEG_2000, 12)
    assert not torch.equal(td.decode(broken, backend=backend), whole)
    expected = td.decode(sound, reduce=n, backend=backend)
    assert_same_bits(td.decode(broken, reduce=n, backend=backend), expected)


def test_highest_level_of_htj2k_is_not_decoded() -> None:
    """The last block ends with the lengths of its parts (ISO 15444-15 7.1.2): none are 0."""
    cells = picture(96, 80, 12) // 4
    stream = htj2k(cells, 12, resolutions=3)
    end = stream.rindex(b"\xff\xd9")
    damaged = overwritten(stream, end - 4, end, 0)
    sound, broken, _ = outcomes(stream, damaged, cells, HTJ2K, 12)
    with expect_error("decoder_failed"):
        td.decode(broken)
    assert_same_bits(td.decode(broken, reduce=1), td.decode(sound, reduce=1))


def tiles(cells: Cells) -> bytes:
    file = io.BytesIO()
    Image.fromarray(cells).save(
        file, "JPEG2000", no_jp2=True, irreversible=False, tile_size=(32, 32), num_resolutions=3
    )
    return file.getvalue()


def test_tiles_outside_of_a_region_are_not_decoded() -> None:
    cells = picture(96, 80, 8)
    stream = tiles(cells)
    start = stream.rindex(b"\xff\x93") + 2  # of the data of the last tile: the lower right one
    damaged = overwritten(stream, start, len(stream) - 2, 0)
    _, broken, whole = outcomes(stream, damaged, cells, JPEG_2000, 8)
    assert whole[0].tolist() == cells.tolist()
    assert (td.decode(broken, region=(64, 96, 64, 80)) != whole[:, 64:, 64:]).any()
    for y0, y1, x0, x1 in ((0, 64, 0, 80), (0, 96, 0, 64)):
        part = td.decode(broken, region=(y0, y1, x0, x1))
        assert_same_bits(part, whole[:, y0:y1, x0:x1].contiguous())


CODERS: dict[Syntax, tuple[Callable[[Cells, int], bytes], int]] = {
    JPEG_LOSSLESS: (lossless, 0x7F),
    JPEG_LS: (jpegls, 0x80),
    RLE: (lambda cells, _bits: rle_of(cells), 0x80),
}


@pytest.mark.parametrize("syntax", CODERS, ids=syntax_id)
def test_rows_below_a_region_are_not_decoded(syntax: Syntax) -> None:
    cells = picture(ROWS, COLUMNS, 8)
    encode, value = CODERS[syntax]
    stream = encode(cells, 8)
    damaged = overwritten(stream, len(stream) * 8 // 10, len(stream) - 4, value)
    _, broken, whole = outcomes(stream, damaged, cells, syntax, 8)
    with expect_error("invalid_codestream", element="PixelData"):
        td.decode(broken)
    with expect_error("invalid_codestream", element="PixelData"):
        td.decode(broken, region=(ROWS - 1, ROWS, 0, COLUMNS))
    assert_same_bits(td.decode(broken, region=TOP), whole[:, :16].contiguous())
    assert_same_bits(td.load(broken, output="stored", region=TOP).data, whole[:, :16].contiguous())


def test_lossy_jpeg_below_a_region_does_not_show() -> None:
    cells = (picture(ROWS, COLUMNS, 8) // 2).astype(np.uint8)
    stream = jpeg(cells)
    damaged = overwritten(stream, len(stream) * 8 // 10, len(stream) - 4, 0)
    _, broken, whole = outcomes(stream, damaged, cells, JPEG, 8)
    assert not torch.equal(td.decode(broken), whole)
    assert_same_bits(td.decode(broken, region=TOP), whole[:, :16].contiguous())
