"""The reference on every form of a sample: literals in, literals out."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import torch

from builders import (
    BIG,
    DEFLATED,
    ENCAPSULATED,
    EXPLICIT,
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    RLE,
    ct_slice,
)
from builders_frames import pack_bits, rle_frame, rle_header
from builders_reference import (
    DEFLATED_FRAME,
    HTJ2K,
    JPEG_12,
    JPEG_XL,
    NO_RESCALE,
    compressed,
    form,
    framed,
    native,
    words,
)
from compare import OFF_THE_ORIGINAL
from torchdicom import DicomError, LimitError
from torchdicom import _reference as reference

if TYPE_CHECKING:
    from builders import Syntax

NOISE = np.random.default_rng(5)


def decode(data: bytes, **options: Any) -> torch.Tensor:
    chosen: dict[str, Any] = {"frames": None, "output": "stored", "dtype": None, "out": None}
    return reference.decode_frames(data, **(chosen | {"num_threads": 2} | options))


def code_of(data: bytes, **options: Any) -> tuple[str | None, str | None]:
    with pytest.raises(DicomError) as caught:
        decode(data, **options)
    return caught.value.code, caught.value.element


# --- packed pixels

# Two frames of 3 pixels, 101 and 011, from the lowest bit on: 1 0 1 0 1 1.
BITS = form(1, 3, 1, NumberOfFrames=2)


def test_single_bits_run_on_from_frame_to_frame() -> None:
    pixels = decode(native(bytes([0b110101]), **BITS))
    assert (pixels.dtype, pixels.tolist()) == (torch.uint8, [[[1, 0, 1]], [[0, 1, 1]]])
    assert decode(native(bytes([0b110101]), **BITS), frames=[-1]).tolist() == [[[0, 1, 1]]]


def test_single_bits_in_big_endian_words() -> None:
    # Eleven pixels a frame: the second starts at bit 3 of the second byte, in the high half.
    bits = [1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1, 1]
    value = np.packbits(bits, bitorder="little").tobytes() + b"\0"
    swapped = np.frombuffer(value, "<u2").astype(">u2").tobytes()
    attributes = form(1, 11, 1, NumberOfFrames=2)
    assert decode(native(swapped, BIG, **attributes)).flatten().tolist() == bits
    assert decode(native(value, BIG, vr="OB", **attributes)).flatten().tolist() == bits


@pytest.mark.parametrize(
    ("syntax", "frames"),
    [
        (ENCAPSULATED, [bytes([0b101]), bytes([0b110])]),
        (RLE, [rle_header([b"\0\5"]) + b"\0\5", rle_header([b"\0\6"]) + b"\0\6"]),
    ],
    ids=["uncompressed", "rle"],
)
def test_single_bits_of_encapsulated_frames_start_at_a_byte(
    syntax: Syntax, frames: list[bytes]
) -> None:
    assert decode(framed(syntax, *frames, **BITS)).tolist() == [[[1, 0, 1]], [[0, 1, 1]]]


def test_twelve_bits_share_bytes() -> None:
    # 0xABC and 0x123 are BC 3A 12; a third pixel leaves half a byte to the next frame.
    two = native(b"\xbc\x3a\x12", **form(1, 2, 12))
    assert (decode(two).dtype, decode(two).tolist()) == (torch.int16, [[[0xABC, 0x123]]])
    odd = native(b"\xbc\x3a\x12\x56\xf4\x7e\x00\x10\x20", **form(1, 3, 12, NumberOfFrames=2))
    assert decode(odd).tolist() == [[[0xABC, 0x123, 0x456]], [[0x7EF, 0x000, 0x201]]]
    signed = native(b"\xbc\x3a\x12", **form(1, 2, 12, PixelRepresentation=1))
    assert decode(signed).tolist() == [[[0xABC - 0x1000, 0x123]]]


# --- wide and floating point samples


@pytest.mark.parametrize("syntax", [DEFLATED, BIG, EXPLICIT], ids=["deflated", "big", "little"])
def test_32_bits(syntax: Syntax) -> None:
    value = struct.pack(f"{syntax.order}3I", 0, 2**31, 2**32 - 1)
    unsigned = decode(native(value, syntax, **form(1, 3, 32)))
    assert (unsigned.dtype, unsigned.tolist()) == (torch.int64, [[[0, 2**31, 2**32 - 1]]])
    signed = decode(native(value, syntax, **form(1, 3, 32, PixelRepresentation=1)))
    assert (signed.dtype, signed.tolist()) == (torch.int32, [[[0, -(2**31), -1]]])


@pytest.mark.parametrize(
    ("bits", "letter", "keyword", "dtype"),
    [
        (32, "f", "FloatPixelData", torch.float32),
        (64, "d", "DoubleFloatPixelData", torch.float64),
    ],
)
@pytest.mark.parametrize("syntax", [BIG, DEFLATED], ids=["big", "little"])
def test_floating_point_samples(
    bits: int, letter: str, keyword: str, dtype: torch.dtype, syntax: Syntax
) -> None:
    numbers = (1.5, -0.0, 1e-3, float("inf"))
    value = struct.pack(f"{'>' if syntax is BIG else '<'}4{letter}", *numbers)
    attributes: dict[str, Any] = {**form(1, 4, bits), "BitsStored": None, "HighBit": None}
    attributes |= {"PixelRepresentation": None, "PixelPaddingValue": 0, keyword: value}
    data = ct_slice(syntax=syntax, **attributes, **NO_RESCALE)
    stored = decode(data)
    expected = torch.tensor([[numbers]], dtype=dtype)
    assert stored.dtype == dtype
    assert torch.equal(stored, expected)
    assert torch.equal(torch.signbit(stored), torch.signbit(expected))
    assert decode(data, output="modality").dtype == torch.float32
    scaled = ct_slice(syntax=syntax, **attributes, RescaleSlope=2, RescaleIntercept=1)
    assert decode(scaled, output="modality", dtype=torch.float64)[0, 0, 0] == 4.0


def test_floating_point_samples_say_themselves_how_wide_they_are() -> None:
    bare: dict[str, Any] = {**form(1, 2, 64), "BitsAllocated": None, "BitsStored": None}
    bare |= {"HighBit": None, "DoubleFloatPixelData": struct.pack("<2d", 0.1, 2)}
    assert decode(ct_slice(**bare)).tolist() == [[[0.1, 2]]]


def test_floating_point_samples_that_are_whole_fit_an_integer_dtype() -> None:
    whole = ct_slice(syntax=DEFLATED, **form(1, 2, 32), FloatPixelData=struct.pack("<2f", -3, 7))
    assert decode(whole, dtype=torch.int8).tolist() == [[[-3, 7]]]
    for number in (0.5, 128.0, float("nan"), float("inf")):
        value = struct.pack("<2f", 0, number)
        part = ct_slice(syntax=DEFLATED, **form(1, 2, 32), FloatPixelData=value)
        with pytest.raises(LimitError, match="does not fit int8") as caught:
            decode(part, dtype=torch.int8)
        assert caught.value.code == "value_overflow"


# --- bits that are stored


def test_bits_around_the_stored_ones_are_nothing() -> None:
    # 10 bits at 3 to 12 of a word, with ones in all other places.
    attributes = form(1, 3, 16, BitsStored=10, HighBit=12)
    junk = 0b1110_0000_0000_0111
    value = words(junk | 5 << 3, junk | 1023 << 3, junk)
    assert decode(native(value, **attributes)).tolist() == [[[5, 1023, 0]]]
    signed = attributes | {"PixelRepresentation": 1}
    assert decode(native(value, **signed)).tolist() == [[[5, -1, 0]]]
    cells = np.frombuffer(value, "<u2").reshape(1, 3)
    assert decode(framed(RLE, rle_frame(cells), **signed)).tolist() == [[[5, -1, 0]]]


def test_rle_of_four_bytes_a_sample() -> None:
    cells = np.array([[0x01020304, 0xFFFEFDFC], [7, 0x80000000]], np.uint32)
    data = framed(RLE, rle_frame(cells), **form(2, 2, 32))
    assert decode(data).tolist() == [[[0x01020304, 0xFFFEFDFC], [7, 0x80000000]]]


def test_twelve_bits_in_sixteen_of_each_codec() -> None:
    cells = NOISE.integers(0, 4096, (9, 7), dtype=np.uint16)
    encoded = {
        JPEG_LS: imagecodecs.jpegls_encode(cells),
        JPEG_2000: imagecodecs.jpeg2k_encode(
            cells, codecformat="j2k", reversible=True, bitspersample=12
        ),
        HTJ2K: imagecodecs.htj2k_encode(cells, reversible=True),
        JPEG_XL: imagecodecs.jpegxl_encode(cells, lossless=True, bitspersample=12),
        JPEG_LOSSLESS: imagecodecs.jpeg8_encode(cells, lossless=True, bitspersample=12),
    }
    for syntax, codestream in encoded.items():
        data = framed(syntax, bytes(codestream), **form(9, 7, 16, BitsStored=12))
        assert np.array_equal(decode(data)[0].numpy(), cells), syntax.uid
    lossy = imagecodecs.jpeg8_encode(cells, level=100, bitspersample=12)
    data = framed(JPEG_12, bytes(lossy), **form(9, 7, 16, BitsStored=12))
    assert np.abs(decode(data)[0].numpy() - cells).max() <= OFF_THE_ORIGINAL


# --- deflated frames


def deflated(value: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(value) + packer.flush()


def test_deflated_frames() -> None:
    frames = deflated(bytes([0b101])), deflated(bytes([0b110, 0]))
    assert decode(framed(DEFLATED_FRAME, *frames, **BITS)).tolist() == [[[1, 0, 1]], [[0, 1, 1]]]
    wide = framed(DEFLATED_FRAME, deflated(words(1, 65535)), **form(1, 2, 16))
    assert decode(wide).tolist() == [[[1, 65535]]]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xff\xff\xff\xff", "invalid_deflate"),
        (deflated(bytes(4))[:-3], "invalid_deflate"),
        (deflated(bytes(3)), "codestream_mismatch"),
        (deflated(bytes(6)), "codestream_mismatch"),
    ],
    ids=["broken", "cut", "short", "long"],
)
def test_deflated_frames_that_are_none(frame: bytes, code: str) -> None:
    data = framed(DEFLATED_FRAME, frame, **form(1, 2, 16))
    assert code_of(data) == (code, "(7FE0,0010) PixelData")


# --- sign and precision of codestreams


def test_sign_of_the_header_counts_in_jpeg_2000() -> None:
    cells = np.array([[-2048, -1, 0, 2047]] * 4, np.int16)
    unsigned = (cells & 0xFFF).astype(np.uint16)
    coded = bytes(
        imagecodecs.jpeg2k_encode(unsigned, codecformat="j2k", reversible=True, bitspersample=12)
    )
    signed = framed(JPEG_2000, coded, **form(4, 4, 16, BitsStored=12, PixelRepresentation=1))
    assert np.array_equal(decode(signed)[0].numpy(), cells)
    # And a signed codestream of an unsigned image: the low bits, without a sign.
    coded = bytes(imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=True))
    other = framed(JPEG_2000, coded, **form(4, 4, 16))
    assert np.array_equal(decode(other)[0].numpy(), cells.view(np.uint16))


def test_values_above_the_stored_bits_are_a_mismatch() -> None:
    cells = np.array([[4095, 4096]] * 4, np.uint16)
    coded = bytes(imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=True))
    data = framed(JPEG_2000, coded, **form(4, 2, 16, BitsStored=12))
    assert code_of(data) == ("codestream_mismatch", "(7FE0,0010) PixelData")


# --- fragments


def test_frames_end_where_their_codestreams_do() -> None:
    frames = [np.full((8, 8), value, np.uint8) for value in (10, 200)]
    coded = [bytes(imagecodecs.jpegls_encode(one)) for one in frames]
    halves = [[one[:20], one[20:]] for one in coded]
    data = framed(JPEG_LS, *halves, **form(8, 8, 8, NumberOfFrames=2))
    assert decode(data)[:, 0, 0].tolist() == [10, 200]
    three = form(8, 8, 8, NumberOfFrames=3)
    assert code_of(framed(JPEG_LS, *halves, **three))[0] == "frame_count_mismatch"


# --- what is refused


@pytest.mark.parametrize(
    ("data", "code", "element"),
    [
        (native(bytes(8), **form(1, 1, 64)), "unsupported_pixel_format", "BitsAllocated"),
        (
            native(bytes(8), **form(1, 2, 1, SamplesPerPixel=3, PhotometricInterpretation="RGB")),
            "unsupported_pixel_format",
            "BitsAllocated",
        ),
        (framed(ENCAPSULATED, bytes(3), **form(1, 2, 12)), "unsupported_pixel_format", None),
        (framed(JPEG, bytes(3), **form(1, 2, 1)), "unsupported_pixel_format", "BitsAllocated"),
        (
            ct_slice(syntax=DEFLATED, **form(1, 2, 16), FloatPixelData=bytes(8)),
            "invalid_value",
            "BitsAllocated",
        ),
        (
            ct_slice(
                syntax=DEFLATED,
                **form(1, 2, 32),
                FloatPixelData=bytes(8),
                PhotometricInterpretation="PALETTE COLOR",
            ),
            "unsupported_pixel_format",
            "PhotometricInterpretation",
        ),
        (
            framed(compressed("4.102"), b"video", **form(1, 2, 8)),
            "unsupported_transfer_syntax",
            "TransferSyntaxUID",
        ),
    ],
    ids=["64 bits", "3 x 1 bit", "12 bits", "1-bit JPEG", "16-bit float", "float color", "video"],
)
def test_what_is_refused(data: bytes, code: str, element: str | None) -> None:
    found, place = code_of(data)
    assert found == code
    assert place is not None
    assert element is None or place.endswith(element)


def test_pack_bits_of_the_builder_is_that_of_the_standard() -> None:
    # PS3.5 G.3.1: 2 literals, then a run of 4.
    assert pack_bits(bytes([1, 2, 9, 9, 9, 9])) == bytes([1, 1, 2, 257 - 4, 9])
