"""What `read_header` finds in every way of writing the same data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    ITEM_END,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    Syntax,
    cells_to_bytes,
    ct_slice,
    element,
    encode,
    icon,
    item,
    offset_of,
    sequence,
)
from helpers import Backend, read_header, syntax_id
from torchdicom import Header

PLAIN = [EXPLICIT, IMPLICIT, BIG]
ALL = [*PLAIN, DEFLATED]
ROWS = 0x00280010


def attributes(header: Header) -> dict[str, Any]:
    """What a test can state without knowing where the file lies or how it is written."""
    leave_out = {"path", "transfer_syntax_uid", "frame_ranges"}
    return {name: getattr(header, name) for name in Header.__slots__ if name not in leave_out}


EXPECTED: dict[str, Any] = {
    "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
    "sop_instance_uid": "1.2.3.4.1",
    "series_instance_uid": "1.2.3.4",
    "modality": "CT",
    "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"),
    "instance_number": 1,
    "rows": 3,
    "columns": 4,
    "number_of_frames": 1,
    "samples_per_pixel": 1,
    "photometric_interpretation": "MONOCHROME2",
    "planar_configuration": 0,
    "bits_allocated": 16,
    "bits_stored": 16,
    "high_bit": 15,
    "is_signed": True,
    "image_position_patient": (-10.0, -20.0, 30.0),
    "image_orientation_patient": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "pixel_spacing": (0.5, 0.25),
    "slice_thickness": None,
    "rescale_slope": 1.0,
    "rescale_intercept": -1024.0,
    "rescale_type": None,
    "units": None,
    "notes": (),
}


@pytest.mark.parametrize("syntax", ALL, ids=syntax_id)
@pytest.mark.parametrize("preamble", [True, False], ids=["preamble", "bare"])
def test_every_encoding_gives_the_same_attributes(
    backend: Backend, syntax: Syntax, *, preamble: bool
) -> None:
    header = read_header(ct_slice(syntax=syntax, preamble=preamble), backend)
    assert attributes(header) == EXPECTED
    assert header.transfer_syntax_uid == syntax.uid


@pytest.mark.parametrize("syntax", PLAIN, ids=syntax_id)
@pytest.mark.parametrize("preamble", [True, False], ids=["preamble", "bare"])
@pytest.mark.parametrize("meta", [True, False], ids=["meta", "no-meta"])
def test_without_transfer_syntax_the_bytes_decide(
    backend: Backend, syntax: Syntax, *, preamble: bool, meta: bool
) -> None:
    data = ct_slice(syntax=syntax, preamble=preamble, meta=meta, ts_uid=False)
    header = read_header(data, backend)
    assert attributes(header) == EXPECTED
    assert header.transfer_syntax_uid == syntax.uid


@pytest.mark.parametrize("says", [EXPLICIT, IMPLICIT], ids=syntax_id)
def test_transfer_syntax_that_is_wrong_about_vrs(backend: Backend, says: Syntax) -> None:
    wrong = Syntax(says.uid, explicit=not says.explicit)
    assert attributes(read_header(ct_slice(syntax=wrong), backend)) == EXPECTED


def test_absent_and_empty_attributes_are_none(backend: Backend) -> None:
    data = ct_slice(RescaleSlope=None, RescaleIntercept="", PixelSpacing="  ", ImageType=None)
    header = read_header(data, backend)
    assert header.rescale_slope is None
    assert header.rescale_intercept is None
    assert header.pixel_spacing == ()
    assert header.image_type == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.5", 2.5),
        (" +2.5E+1 ", 25.0),
        ("-.5", -0.5),
        ("7.", 7.0),
        ("1e-7", 1e-7),
        ("0.1\0", 0.1),
        ("0.1000000000000000055511151231257827", 0.1),
        ("-0", -0.0),
        ("0e999", 0.0),
    ],
)
def test_decimal_strings(backend: Backend, text: str, value: float) -> None:
    assert read_header(ct_slice(RescaleIntercept=text), backend).rescale_intercept == value


def test_high_bit_and_bits_stored_have_defaults(backend: Backend) -> None:
    header = read_header(ct_slice(BitsStored=12, HighBit=None), backend)
    assert (header.bits_stored, header.high_bit) == (12, 11)


@pytest.mark.parametrize("syntax", ALL, ids=syntax_id)
@pytest.mark.parametrize("undefined", [True, False], ids=["undefined", "defined"])
def test_nested_sequences_hide_what_is_inside(
    backend: Backend, syntax: Syntax, *, undefined: bool
) -> None:
    deep = [element("Rows", 99)]
    for _ in range(5):
        deep = [element("Rows", 98), sequence(0x00081115, deep, [], undefined=undefined)]
    extra = [sequence(0x00081140, deep, undefined=undefined), sequence(0x00400275)]
    header = read_header(ct_slice(syntax=syntax, extra=extra), backend)
    assert attributes(header) == EXPECTED


@pytest.mark.parametrize("syntax", ALL, ids=syntax_id)
@pytest.mark.parametrize("undefined", [True, False], ids=["undefined", "defined"])
def test_pixel_data_of_an_icon_is_not_the_image(
    backend: Backend, syntax: Syntax, *, undefined: bool
) -> None:
    data = ct_slice(syntax=syntax, extra=[icon(syntax, undefined=undefined)])
    assert attributes(read_header(data, backend)) == EXPECTED


def test_unknown_vr_of_undefined_length_is_an_implicit_sequence(backend: Backend) -> None:
    # PS3.5 6.2.2, note 2 at UN: such a value is a sequence in implicit VR little endian.
    inside = [element("Rows", 99), Element(PIXEL_DATA, "OW", b"\1\2\3\4")]
    value = item(encode(inside, IMPLICIT), claimed=UNDEFINED) + item(b"", tag=ITEM_END)
    value += item(b"", tag=SEQUENCE_END)
    extra = [Element(0x00091001, "UN", value, claimed=UNDEFINED)]
    assert attributes(read_header(ct_slice(extra=extra), backend)) == EXPECTED


def private_elements(syntax: Syntax) -> list[Element]:
    pixels = Element(PIXEL_DATA, "OW", cells_to_bytes(np.zeros(4, np.uint16), syntax))
    return [
        Element(0x00090010, "LO", "SOMEBODY"),
        Element(0x00091001, "UN", b"\xff\xfe\0\1"),
        Element(0x00091002, "OB", b""),
        sequence(0x00091003, [element("Columns", 77), pixels], undefined=True),
        Element(0x00291010, "OB", bytes(range(256))),
    ]


@pytest.mark.parametrize("syntax", ALL, ids=syntax_id)
def test_private_elements_are_passed_over(backend: Backend, syntax: Syntax) -> None:
    data = ct_slice(syntax=syntax, extra=private_elements(syntax))
    assert attributes(read_header(data, backend)) == EXPECTED


@pytest.mark.parametrize("syntax", ALL, ids=syntax_id)
@pytest.mark.parametrize("size", [16_384, 100_000])
def test_header_larger_than_one_read(backend: Backend, syntax: Syntax, size: int) -> None:
    extra = [Element(0x00291010, "OB", bytes(size)), Element(0x00091010, "UN", bytes(size))]
    assert attributes(read_header(ct_slice(syntax=syntax, extra=extra), backend)) == EXPECTED


@pytest.mark.parametrize("tag", [ROWS, PIXEL_DATA], ids=["Rows", "PixelData"])
def test_element_across_the_end_of_the_first_read(backend: Backend, tag: int) -> None:
    start = offset_of(ct_slice(extra=[Element(0x00091010, "OB", b"")]), tag)
    for before in range(-2, 16):
        filler = Element(0x00091010, "OB", bytes(16_384 - start - before))
        data = ct_slice(extra=[filler])
        assert offset_of(data, tag) == 16_384 - before
        header = read_header(data, backend)
        assert attributes(header) == EXPECTED
        assert header.frame_ranges == (((len(data) - 24, 24),),)


def test_file_without_pixels_has_no_ranges(backend: Backend) -> None:
    elements = encode([element("Modality", "RTPLAN"), element("Manufacturer", "x")])
    header = read_header(bytes(128) + b"DICM" + elements, backend)
    assert header.frame_ranges == ()
    assert header.rows is None
    assert header.modality == "RTPLAN"


def test_trailing_padding_element_is_passed_over(backend: Backend) -> None:
    data = ct_slice() + encode([Element(0xFFFCFFFC, "OB", bytes(32))])
    assert attributes(read_header(data, backend)) == EXPECTED
