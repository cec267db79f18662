"""The table of bad files: each with the code and the place of its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from builders import (
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    ITEM_END,
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    PIXEL_DATA,
    RLE,
    SEQUENCE_END,
    UNDEFINED,
    UNKNOWN,
    Element,
    Syntax,
    ct_elements,
    ct_slice,
    default_pixels,
    element,
    encode,
    item,
    offset_of,
    part10,
    sequence,
)
from builders_frames import encapsulated, even, j2k_frame, jpeg_frame, pack_bits, rle_header

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, IMAGE_TYPE, PRIVATE, SEQUENCE = 0x00280010, 0x00080008, 0x00091010, 0x00081140
SLOPE, FRAMES = 0x00281053, 0x00280008
TEXT = b"A text file, and a long one: 128 bytes of preamble would fit in it easily.\n" * 9


@dataclass(frozen=True)
class Bad:
    """A file, the code of its error, the element, and the tag whose offset the error gives."""

    name: str
    code: str
    build: Callable[[], bytes]
    element: str | None = None
    at: int | None = None


def sliced(**attributes: Any) -> Callable[[], bytes]:
    """Built when the test runs: a table of thunks stays cheap to import."""
    return lambda: ct_slice(**attributes)


def cut(tag: int, after: int) -> Callable[[], bytes]:
    """Cut so many bytes after the start of an element."""

    def build() -> bytes:
        data = ct_slice()
        return data[: offset_of(data, tag) + after]

    return build


def with_extra(*extra: Element, syntax: Syntax = EXPLICIT) -> Callable[[], bytes]:
    return sliced(extra=list(extra), syntax=syntax)


def nested(depth: int) -> Element:
    inside = sequence(SEQUENCE)
    for _ in range(depth - 1):
        inside = sequence(SEQUENCE, [inside], undefined=True)
    return inside


def undefined_sequence(content: bytes) -> Callable[[], bytes]:
    """A sequence of undefined length, which has to be walked through, with anything inside."""
    return sliced(extra=[Element(SEQUENCE, "SQ", content, claimed=UNDEFINED)])


def broken_deflate() -> bytes:
    data = ct_slice(syntax=DEFLATED, meta=True)
    return data[:-60] + b"\xff" * 60


def cut_deflate() -> bytes:
    return ct_slice(syntax=DEFLATED)[:-40]


def compressed(frame: bytes, syntax: Syntax, **attributes: Any) -> Callable[[], bytes]:
    return sliced(syntax=syntax, pixel_element=encapsulated([[even(frame)]]), **attributes)


def without_pixels(*keywords: str) -> bytes:
    """A file without pixel data, and without the attributes that are named."""
    absent: dict[str, Any] = dict.fromkeys(keywords)
    elements = ct_elements(**absent)
    return part10(encode([one for one in elements if one.tag != PIXEL_DATA]))


PARSING = [
    Bad("empty", "not_dicom", lambda: b""),
    Bad("text", "not_dicom", lambda: TEXT),
    Bad("zeros", "not_dicom", lambda: bytes(1000)),
    Bad("cut in a tag", "truncated_header", cut(ROWS, 3)),
    Bad("cut in a VR", "truncated_header", cut(ROWS, 5)),
    Bad("cut in a length", "truncated_header", cut(ROWS, 7)),
    Bad("cut in a value", "length_exceeds_file", cut(IMAGE_TYPE, 12), "ImageType", IMAGE_TYPE),
    Bad(
        "4 GiB",
        "length_exceeds_file",
        with_extra(Element(PRIVATE, "OB", b"", claimed=0xFFFFFFF0)),
        "(0009,1010)",
        PRIVATE,
    ),
    Bad(
        "4 GiB of attribute",
        "length_exceeds_file",
        sliced(RescaleSlope=None, extra=[Element(SLOPE, "DS", b"1 ", claimed=0xFFF0)]),
        "RescaleSlope",
        SLOPE,
    ),
    Bad("item beyond the file", "length_exceeds_file", undefined_sequence(item(b"", claimed=9999))),
    Bad("no VR", "invalid_vr", with_extra(Element(PRIVATE, "??", b"ab")), "(0009,1010)", PRIVATE),
    Bad(
        "no item in a sequence",
        "invalid_sequence",
        undefined_sequence(encode([element("Modality", "CT")])),
    ),
    Bad(
        "item delimiter with a length",
        "invalid_sequence",
        undefined_sequence(
            item(b"", claimed=UNDEFINED)
            + item(b"", claimed=4, tag=ITEM_END)
            + item(b"", tag=SEQUENCE_END)
        ),
    ),
    Bad(
        "sequence delimiter with a length",
        "invalid_sequence",
        undefined_sequence(item(b"", claimed=4, tag=SEQUENCE_END)),
    ),
    Bad("nested too deep", "limit_sequence_depth", with_extra(nested(60))),
    Bad(
        "attribute of 70,000 bytes",
        "limit_element_length",
        sliced(ImageType=b"AB" * 35_000, syntax=IMPLICIT),
        "ImageType",
    ),
    Bad("broken deflate", "invalid_deflate", broken_deflate),
    Bad("cut deflate", "invalid_deflate", cut_deflate),
]

NO_DECIMALS = """1,5 1_0 nan inf 1e400 1e-400 --1 0x10 1.5.2 . + e5 1e 1e+ abc""".split()
NO_INTEGERS = ["1.0", "1_0", "99999999999", "one", "1e3", "-", "0x1"]
VALUES = [
    *[
        Bad(
            f"slope {text}",
            "invalid_decimal_string",
            sliced(RescaleSlope=text),
            "RescaleSlope",
            SLOPE,
        )
        for text in [*NO_DECIMALS, "1 5"]
    ],
    *[
        Bad(
            f"frames {text}",
            "invalid_integer_string",
            sliced(NumberOfFrames=text),
            "NumberOfFrames",
            FRAMES,
        )
        for text in NO_INTEGERS
    ],
    *[
        Bad(f"{keyword} {text}", "invalid_decimal_string", sliced(**{keyword: text}), keyword)
        for keyword, text in [
            ("RescaleIntercept", "1,5"),
            ("ImagePositionPatient", "1\\2\\x"),
            ("ImagePositionPatient", "1\\\\3"),
            ("ImageOrientationPatient", "1\\0\\0\\0\\1\\0,0"),
            ("PixelSpacing", "0,5\\0.5"),
            ("SliceThickness", "3mm"),
            ("EchoTime", "1_0"),
            ("RepetitionTime", "-"),
            ("FlipAngle", "9O"),
        ]
    ],
    Bad("superscript two", "invalid_decimal_string", sliced(RescaleSlope=b"\xb2 "), "RescaleSlope"),
    Bad("instance", "invalid_integer_string", sliced(InstanceNumber="1.5"), "InstanceNumber"),
    *[
        Bad(f"{keyword} of {text}", "invalid_multiplicity", sliced(**{keyword: text}), keyword)
        for keyword, text in [
            ("RescaleSlope", "1\\2"),
            ("ImagePositionPatient", "1\\2"),
            ("ImageOrientationPatient", "1\\0\\0\\0\\1"),
            ("PixelSpacing", "1\\1\\1"),
            ("SliceThickness", "1\\1"),
            ("NumberOfFrames", "1\\1"),
        ]
    ],
    Bad("one byte of rows", "invalid_multiplicity", sliced(Rows=b"\3"), "Rows", ROWS),
]

PIXEL_FORMAT = [
    Bad("no rows", "invalid_value", sliced(Rows=0), "Rows"),
    Bad("no columns", "invalid_value", sliced(Columns=0), "Columns"),
    Bad("65535 rows", "limit_rows", sliced(Rows=65535), "Rows"),
    Bad("65535 columns", "limit_columns", sliced(Columns=65535), "Columns"),
    Bad("no frames", "invalid_value", sliced(NumberOfFrames=0), "NumberOfFrames"),
    Bad("fewer frames", "invalid_value", sliced(NumberOfFrames=-1), "NumberOfFrames"),
    Bad("1,000,001 frames", "limit_frames", sliced(NumberOfFrames=1_000_001), "NumberOfFrames"),
    Bad("slope 0", "invalid_value", sliced(RescaleSlope=0), "RescaleSlope"),
    Bad("17 of 16 bits", "invalid_value", sliced(BitsStored=17), "BitsStored"),
    Bad("0 bits", "invalid_value", sliced(BitsStored=0), "BitsStored"),
    Bad("high bit above", "invalid_value", sliced(HighBit=16), "HighBit"),
    Bad("high bit below", "invalid_value", sliced(HighBit=10), "HighBit"),
    *[
        Bad(f"without {keyword}", "missing_element", sliced(**{keyword: None}), keyword)
        for keyword in ("Rows", "Columns", "BitsAllocated", "PixelRepresentation")
    ],
    Bad(
        "64 bits allocated",
        "unsupported_pixel_format",
        sliced(pixels=bytes(96), BitsAllocated=64, BitsStored=1, HighBit=0),
        "BitsAllocated",
    ),
    Bad("16 bits of float", "invalid_value", sliced(FloatPixelData=bytes(48)), "BitsAllocated"),
    Bad(
        "32 bits of double",
        "invalid_value",
        sliced(DoubleFloatPixelData=bytes(96), BitsAllocated=32),
        "BitsAllocated",
    ),
    Bad(
        "two samples",
        "unsupported_photometric",
        sliced(pixels=bytes(48), SamplesPerPixel=2, PhotometricInterpretation="RGB"),
        "SamplesPerPixel",
    ),
    Bad(
        "a sample of a colour",
        "unsupported_photometric",
        sliced(PhotometricInterpretation="RGB"),
        "PhotometricInterpretation",
    ),
    Bad(
        "signed YBR",
        "unsupported_pixel_format",
        sliced(pixels=bytes(72), SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL"),
        "PixelRepresentation",
    ),
    Bad("video", "unsupported_transfer_syntax", compressed(b"ab", UNKNOWN), "TransferSyntaxUID"),
    Bad("a syntax nobody knows", "unsupported_transfer_syntax", sliced(syntax=Syntax("1.2.3.4.5"))),
    Bad("no pixel data", "no_pixel_data", without_pixels),
]

TWELVE = rle_header([bytes(14), bytes(14)])
# A literal run of 50 bytes of which 12 are there: as many as the plane needs.
OVERRUN = rle_header([even(pack_bits(bytes(12))), bytes(14)]) + even(pack_bits(bytes(12)))
OVERRUN += even(bytes([49, *range(12)]))
FITTING_J2K = j2k_frame(3, 4, signed=True)
PIXELS = [
    Bad("cut by a byte", "truncated_pixels", lambda: ct_slice()[:-1], "PixelData", PIXEL_DATA),
    Bad("no pixel byte", "truncated_pixels", lambda: ct_slice()[:-24], "PixelData", PIXEL_DATA),
    Bad("short value", "truncated_pixels", sliced(pixels=bytes(22)), "PixelData", PIXEL_DATA),
    Bad("JPEG of 4 rows", "codestream_mismatch", compressed(jpeg_frame(4, 4), JPEG_LOSSLESS)),
    Bad("JPEG of 5 columns", "codestream_mismatch", compressed(jpeg_frame(3, 5), JPEG_LOSSLESS)),
    Bad(
        "JPEG in colour",
        "codestream_mismatch",
        compressed(jpeg_frame(3, 4, components=3), JPEG_LOSSLESS),
    ),
    Bad(
        "16 bits in 8",
        "codestream_mismatch",
        compressed(jpeg_frame(3, 4), JPEG_LOSSLESS, pixels=default_pixels().astype(np.uint8)),
    ),
    Bad(
        "JPEG-LS of 4 rows", "codestream_mismatch", compressed(jpeg_frame(4, 4, sof=0xF7), JPEG_LS)
    ),
    Bad("J2K of 4 rows", "codestream_mismatch", compressed(j2k_frame(4, 4), JPEG_2000)),
    Bad("no JPEG", "invalid_codestream", compressed(b"no codestream", JPEG)),
    Bad("no JPEG-LS", "invalid_codestream", compressed(b"no codestream", JPEG_LS)),
    Bad("no J2K", "invalid_codestream", compressed(b"no codestream", JPEG_2000)),
    Bad("JPEG without a frame", "invalid_codestream", compressed(b"\xff\xd8\xff\xd9", JPEG)),
    Bad("cut SIZ", "invalid_codestream", compressed(FITTING_J2K[:20], JPEG_2000)),
    Bad("cut SOF", "invalid_codestream", compressed(jpeg_frame(3, 4)[:8], JPEG)),
    Bad("J2K of a header only", "decoder_failed", compressed(FITTING_J2K, JPEG_2000)),
    Bad("RLE too short", "invalid_codestream", compressed(bytes(10), RLE)),
    Bad("RLE of one segment", "codestream_mismatch", compressed(rle_header([b"ab"]) + b"ab", RLE)),
    Bad(
        "RLE of three segments",
        "codestream_mismatch",
        compressed(rle_header([b"ab"] * 3) + b"ab" * 3, RLE),
    ),
    Bad("RLE of 99 segments", "invalid_codestream", compressed(rle_header([], 99), RLE)),
    Bad("RLE past the end", "invalid_codestream", compressed(TWELVE, RLE)),
    Bad("RLE run past its segment", "invalid_codestream", compressed(OVERRUN, RLE)),
    Bad("RLE that stops early", "invalid_codestream", compressed(TWELVE + bytes(28), RLE)),
]
BAD = [*PARSING, *VALUES, *PIXEL_FORMAT, *PIXELS]
