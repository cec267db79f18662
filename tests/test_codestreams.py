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
from builders_frames import encapsulated, even, rle_frame, segment
from helpers import Backend, expect_error, syntax_id

if TYPE_CHECKING:
    from pathlib import Path

HTJ2K = Syntax("1.2.840.10008.1.2.4.201", encapsulated=True)
JPEG_XL = Syntax("1.2.840.10008.1.2.4.110", encapsulated=True)
SIGNED = [JPEG_2000, HTJ2K]  # a codestream of these has a sign of its own
UNSIGNED = [JPEG_LOSSLESS, JPEG_LS, JPEG_XL]
CODECS = [*UNSIGNED, *SIGNED]


def encoded(cells: Cells, syntax: Syntax) -> bytes:
    """A frame in a lossless codestream."""
    if syntax == RLE:
        return rle_frame(cells)
    if syntax == JPEG_LOSSLESS:
        return bytes(imagecodecs.ljpeg_encode(cells))
    if syntax == JPEG_LS:
        return bytes(imagecodecs.jpegls_encode(cells))
    if syntax == JPEG_XL:
        return bytes(imagecodecs.jpegxl_encode(cells, lossless=True))
    if syntax == HTJ2K:
        return bytes(imagecodecs.htj2k_encode(cells, reversible=True))
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


@pytest.mark.parametrize("syntax", UNSIGNED, ids=syntax_id)
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
    coded = cells if signed and syntax in SIGNED else cells.view(np.uint16)
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


@pytest.mark.parametrize("syntax", CODECS, ids=syntax_id)
@pytest.mark.parametrize("region", [(0, 3, 0, 16), (4, 16, 0, 16), (0, 16, 0, 5), (2, 8, 6, 16)])
def test_value_above_the_high_bit_outside_of_the_region(
    backend: Backend, syntax: Syntax, region: tuple[int, int, int, int]
) -> None:
    """Values are judged where they are asked for, whatever the codec decodes on the way."""
    for signed in (0, 1):
        data = twelve_bits(5000, syntax, PixelRepresentation=signed)
        assert not td.decode(data, region=region, backend=backend).any()
        with expect_error("codestream_mismatch"):
            td.decode(data, region=(3, 4, 5, 6), backend=backend)


@pytest.mark.parametrize("syntax", UNSIGNED, ids=syntax_id)
def test_the_same_of_blocks(backend: Backend, syntax: Syntax) -> None:
    data = twelve_bits(5000, syntax, PixelRepresentation=0)
    for region in ((4, 16, 0, 16), (0, 16, 8, 16)):
        assert not td.decode(data, reduce=2, region=region, backend=backend).any()
    with expect_error("codestream_mismatch"):
        td.decode(data, reduce=2, region=(0, 4, 4, 8), backend=backend)


@pytest.mark.parametrize("syntax", SIGNED, ids=syntax_id)
def test_positive_value_where_the_sign_would_be(backend: Backend, syntax: Syntax) -> None:
    # The codestream says that it is positive; cut off at 12 bits it would be -1096.
    with expect_error("codestream_mismatch"):
        td.decode(twelve_bits(3000, syntax, PixelRepresentation=1), backend=backend)


# What 13 bits are as numbers without a sign, and with one.
THIRTEEN_BITS = {6192: -2000, 0: 0, 4095: 4095, 4096: -4096, 8191: -1, 1: 1}


def thirteen_bits(*, coded_signed: bool, signed: bool, stored: int) -> bytes:
    """JPEG 2000 samples of 13 bits, under a header with a sign of its own."""
    values = list(THIRTEEN_BITS.values() if coded_signed else THIRTEEN_BITS)
    cells = np.array([values], np.int16 if coded_signed else np.uint16)
    coded = imagecodecs.jpeg2k_encode(
        cells, codecformat="j2k", reversible=True, level=0, bitspersample=13
    )
    pixels = encapsulated([[even(bytes(coded))]])
    form: dict[str, Any] = {
        "BitsStored": stored,
        "HighBit": stored - 1,
        "PixelRepresentation": int(signed),
    }
    return ct_slice(cells, syntax=JPEG_2000, pixel_element=pixels, **form)


@pytest.mark.parametrize("stored", [13, 16])
@pytest.mark.parametrize("coded_signed", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_sign_of_jpeg_2000_is_the_headers(
    backend: Backend, *, coded_signed: bool, signed: bool, stored: int
) -> None:
    data = thirteen_bits(coded_signed=coded_signed, signed=signed, stored=stored)
    expected = list(THIRTEEN_BITS.values() if signed else THIRTEEN_BITS)
    assert td.decode(data, dtype=torch.int32, backend=backend)[0, 0].tolist() == expected


@pytest.mark.parametrize("coded_signed", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_values_of_either_sign_that_do_not_fit(
    backend: Backend, *, coded_signed: bool, signed: bool
) -> None:
    with expect_error("codestream_mismatch"):
        td.decode(
            thirteen_bits(coded_signed=coded_signed, signed=signed, stored=12), backend=backend
        )


@pytest.mark.parametrize("suffix", ["90", "91", "92", "93", "201", "202", "203"])
@pytest.mark.parametrize("syntax", SIGNED, ids=syntax_id)
def test_both_kinds_of_blocks_in_every_syntax(
    backend: Backend, syntax: Syntax, suffix: str
) -> None:
    cells = (np.arange(64 * 64, dtype=np.uint16) * 7).reshape(64, 64)
    named = Syntax(f"1.2.840.10008.1.2.4.{suffix}", encapsulated=True)
    pixels = encapsulated([[even(encoded(cells, syntax))]])
    data = ct_slice(cells, syntax=named, pixel_element=pixels, PixelRepresentation=0)
    assert td.decode(data, dtype=torch.int32, backend=backend)[0].tolist() == cells.tolist()


@pytest.mark.parametrize("marker", [0xFF74, 0xFF75, 0xFF77])
def test_part_2_of_jpeg_2000_is_refused(backend: Backend, marker: int) -> None:
    """Multi-component arrays: MCT, MCC and MCO before the first tile."""
    cells = np.zeros((16, 16), np.uint16)
    frame = encoded(cells, JPEG_2000)
    tile = frame.index(b"\xff\x90")
    frame = frame[:tile] + segment(marker, bytes(4)) + frame[tile:]
    named = Syntax("1.2.840.10008.1.2.4.92", encapsulated=True)
    pixels = encapsulated([[even(frame)]])
    with expect_error("decoder_failed", element="PixelData"):
        td.decode(ct_slice(cells, syntax=named, pixel_element=pixels), backend=backend)


@pytest.mark.parametrize("syntax", [*SIGNED, JPEG_XL], ids=syntax_id)
def test_frame_that_is_cut_off(backend: Backend, syntax: Syntax) -> None:
    rows, columns = np.mgrid[:16, :16]
    cells = (rows * 977 + columns * 131).astype(np.uint16)
    whole = encoded(cells, syntax)
    for left in (1, 2, len(whole) // 3, len(whole) // 2, len(whole) - 6):
        pixels = encapsulated([[even(whole[:left])]])
        with expect_error("invalid_codestream", element="PixelData"):
            td.decode(ct_slice(cells, syntax=syntax, pixel_element=pixels), backend=backend)


@pytest.mark.parametrize("suffix", ["110", "111", "112"])
def test_jpeg_xl_of_a_jpeg(backend: Backend, suffix: str) -> None:
    flat = np.full((16, 16), 200, np.uint8)
    frame = imagecodecs.jpegxl_encode_jpeg(imagecodecs.jpeg8_encode(flat, level=90))
    named = Syntax(f"1.2.840.10008.1.2.4.{suffix}", encapsulated=True)
    pixels = encapsulated([[even(bytes(frame))]])
    data = ct_slice(flat, syntax=named, pixel_element=pixels)
    assert (td.decode(data, backend=backend) == 200).all()


@pytest.mark.parametrize(
    "cells",
    [np.zeros((16, 16, 2), np.uint8), np.zeros((16, 16), np.float32)],
    ids=["alpha", "floating point"],
)
def test_jpeg_xl_that_has_no_place_in_dicom(backend: Backend, cells: Any) -> None:
    pixels = encapsulated([[even(bytes(imagecodecs.jpegxl_encode(cells, lossless=True)))]])
    header = np.zeros((16, 16), np.uint8 if cells.dtype == np.uint8 else np.uint16)
    with expect_error("decoder_failed"):
        td.decode(ct_slice(header, syntax=JPEG_XL, pixel_element=pixels), backend=backend)


@pytest.mark.parametrize("syntax", UNSIGNED, ids=syntax_id)
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
