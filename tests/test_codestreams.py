"""Compressed frames: lossless to the bit, and nothing that the header does not announce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import torch

import torchdicom as td
from builders import (
    ENCAPSULATED,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    RLE,
    Cells,
    Syntax,
    ct_slice,
)
from builders_frames import encapsulated, even, rle_frame
from helpers import Backend, expect_error, syntax_id

if TYPE_CHECKING:
    from pathlib import Path

CODECS = [JPEG_LOSSLESS, JPEG_LS, JPEG_2000]


def encoded(cells: Cells, syntax: Syntax) -> bytes:
    """A frame in a lossless codestream."""
    if syntax == RLE:
        return rle_frame(cells)
    if syntax == JPEG_LOSSLESS:
        return bytes(imagecodecs.ljpeg_encode(cells))
    if syntax == JPEG_LS:
        return bytes(imagecodecs.jpegls_encode(cells))
    return bytes(imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=True, level=0))


@pytest.mark.parametrize("syntax", CODECS, ids=syntax_id)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_codestreams(backend: Backend, syntax: Syntax, bits: int) -> None:
    rows, columns = np.mgrid[:33, :50]
    cells = ((rows * 977 + columns * 131) % (1 << bits)).astype(
        np.uint8 if bits == 8 else np.uint16
    )
    cells[0, 0] = (1 << bits) - 1
    pixels = encapsulated([[even(encoded(cells, syntax))]])
    data = ct_slice(cells, syntax=syntax, pixel_element=pixels, BitsStored=bits, HighBit=bits - 1)
    assert td.decode(data, dtype=torch.int32, backend=backend)[0].tolist() == cells.tolist()


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LS], ids=syntax_id)
def test_sign_comes_from_the_header_where_the_codestream_has_none(
    backend: Backend, syntax: Syntax
) -> None:
    stored = np.array([[-32768, -1, 0], [1, 2, 32767]], np.int16).repeat(8, 0).repeat(8, 1)
    pixels = encapsulated([[even(encoded(stored.view(np.uint16), syntax))]])
    data = ct_slice(stored, syntax=syntax, pixel_element=pixels)
    assert td.decode(data, backend=backend)[0].tolist() == stored.tolist()


def twelve_bits(value: int, syntax: Syntax, **form: Any) -> bytes:
    """Samples of 16 bits, one of them as given, under a header that has 12."""
    signed = form.get("PixelRepresentation", 0) == 1
    cells = np.zeros((16, 16), np.int16)
    cells[3, 5] = value
    # JPEG 2000 alone has signed samples; elsewhere they are two's complement.
    coded = cells if signed and syntax == JPEG_2000 else cells.view(np.uint16)
    pixels = encapsulated([[even(encoded(coded, syntax))]])
    chosen = {"BitsStored": 12, "HighBit": 11, **form}
    return ct_slice(coded, syntax=syntax, pixel_element=pixels, **chosen)


@pytest.mark.parametrize("syntax", CODECS, ids=syntax_id)
@pytest.mark.parametrize(
    ("signed", "value"),
    [(0, 4096), (0, 5000), (0, 32767), (1, 5000), (1, -2049), (1, -3000), (1, -5000)],
)
def test_value_above_the_high_bit(
    tmp_path: Path, backend: Backend, syntax: Syntax, signed: int, value: int
) -> None:
    # Masked to its 12 bits 5000 would come out as 904.
    path = tmp_path / "wide.dcm"
    path.write_bytes(twelve_bits(value, syntax, PixelRepresentation=signed))
    with expect_error("codestream_mismatch", element="PixelData", path=path):
        td.load(path, output="stored", backend=backend)


def test_positive_value_where_the_sign_would_be(backend: Backend) -> None:
    # The codestream says that it is positive; cut off at 12 bits it would be -1096.
    with expect_error("codestream_mismatch"):
        td.decode(twelve_bits(3000, JPEG_2000, PixelRepresentation=1), backend=backend)


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LS], ids=syntax_id)
def test_negative_value_that_ends_at_the_high_bit(backend: Backend, syntax: Syntax) -> None:
    data = twelve_bits(0xFFF, syntax, PixelRepresentation=1)
    assert td.decode(data, backend=backend)[0, 3, 5].item() == -1


@pytest.mark.parametrize("syntax", CODECS, ids=syntax_id)
@pytest.mark.parametrize(
    ("signed", "value"), [(0, 4095), (0, 1), (1, 2047), (1, -1), (1, -2000), (1, -2048)]
)
def test_wide_codestream_of_narrow_values(
    backend: Backend, syntax: Syntax, signed: int, value: int
) -> None:
    data = td.decode(twelve_bits(value, syntax, PixelRepresentation=signed), backend=backend)
    assert data[0, 3, 5].item() == value
    assert int(data.count_nonzero()) == 1


@pytest.mark.parametrize("syntax", [*CODECS, RLE], ids=syntax_id)
def test_unused_bits_below_the_value_are_masked(backend: Backend, syntax: Syntax) -> None:
    data = twelve_bits(0x1235, syntax, HighBit=15, PixelRepresentation=0)
    assert td.decode(data, backend=backend)[0, 3, 5].item() == 0x123


def test_unused_bits_of_rle_are_masked(backend: Backend) -> None:
    data = twelve_bits(5000, RLE, PixelRepresentation=0)
    assert td.decode(data, backend=backend)[0, 3, 5].item() == 5000 % 4096


@pytest.mark.parametrize("syntax", [*CODECS, RLE, ENCAPSULATED], ids=syntax_id)
@pytest.mark.parametrize(
    ("columns", "size", "is_bomb"),
    [(4096, 32, False), (4097, 32, True), (4097, 67_124, True), (4097, 67_126, False)],
)
def test_few_bytes_that_ask_for_a_giant_frame(
    tmp_path: Path, backend: Backend, syntax: Syntax, columns: int, size: int, *, is_bomb: bool
) -> None:
    # 8192 x 4096 cells of two bytes are the 64 MiB that are free; a column more are 67,125,248
    # bytes, which takes a thousandth of that.
    path = tmp_path / "bomb.dcm"
    pixels = encapsulated([[bytes(size)]])
    path.write_bytes(ct_slice(syntax=syntax, pixel_element=pixels, Rows=8192, Columns=columns))
    code = "truncated_pixels" if syntax == ENCAPSULATED else "invalid_codestream"
    with expect_error("limit_ratio" if is_bomb else code, element="PixelData", path=path):
        td.decode(path, backend=backend)
