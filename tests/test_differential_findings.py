"""Where the backends once differed: what both have to do, and the files that showed it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import torchdicom as td
from builders import (
    BIG,
    DEFAULTS,
    EXPLICIT,
    ITEM_END,
    SEQUENCE_END,
    Element,
    Syntax,
    ct_elements,
    ct_slice,
    element,
    encode,
    item,
    offset_of,
    part10,
)
from builders_bad import SEQUENCE
from builders_frames import EXTENDED_LENGTHS, EXTENDED_OFFSETS
from fuzz import differential
from helpers import Backend, expect_error, read_header

FINDINGS = Path(__file__).parent / "fuzz" / "findings" / "differential"


def test_there_are_findings() -> None:
    assert len(list(FINDINGS.iterdir())) > 10


@pytest.mark.filterwarnings("ignore::torchdicom.DicomWarning")
@pytest.mark.parametrize("path", sorted(FINDINGS.iterdir()), ids=lambda path: path.name)
def test_backends_agree(path: Path) -> None:
    assert differential.difference(path.read_bytes()) is None


def test_a_difference_is_seen() -> None:
    whole, other = ct_slice(), ct_slice(RescaleSlope=2)
    native = differential.outcome(lambda: td.load(whole))
    refused = differential.outcome(lambda: td.load(whole[:-1], backend="reference"))
    bug = differential.outcome(lambda: 1 // 0)
    assert (native.error, bug.is_bug) == (None, True)
    assert refused.error == "truncated_pixels (PixelData)"
    assert differential.outcomes_differ(native, refused)
    assert differential.outcomes_differ(bug, bug)
    assert differential.outcomes_differ(refused, replace(refused, error="other")) is None
    assert differential.volumes_differ(td.load(whole), td.load(other))
    assert differential.headers_differ(td.read_header(whole), td.read_header(other))


def test_search_is_reproducible(tmp_path: Path) -> None:
    one, two = (differential.Search(7, tmp_path) for _ in range(2))
    assert [one.case(i) for i in range(50)] == [two.case(i) for i in range(50)]


@pytest.mark.parametrize("inside", [b"no item!", item(b"", claimed=99), item(b"no element")])
def test_what_has_a_length_is_passed_over(backend: Backend, inside: bytes) -> None:
    volume = td.load(ct_slice(extra=[Element(SEQUENCE, "SQ", inside)]), backend=backend)
    assert volume.data[0, 0, 1] == 1 - 1024


@pytest.mark.parametrize("tag", [0xFFFEE000, ITEM_END, SEQUENCE_END, 0xFFFE0001])
def test_item_outside_of_a_sequence(backend: Backend, tag: int) -> None:
    # A sequence whose length is too small ends before its last item.
    elements = ct_elements()
    data = part10(encode(elements[:3]) + item(b"", tag=tag) + encode(elements[3:]))
    with expect_error("invalid_sequence", offset=offset_of(data, tag)):
        read_header(data, backend)


def test_item_among_the_elements_of_an_item(backend: Backend) -> None:
    with expect_error("invalid_sequence"):
        td.load((FINDINGS / "item-among-elements").read_bytes(), backend=backend)


@pytest.mark.parametrize(("keyword", "value"), DEFAULTS.items())
def test_attribute_that_is_there_twice(backend: Backend, keyword: str, value: object) -> None:
    again = element(keyword, value)
    elements = ct_elements()
    data = part10(encode([*elements[:-1], again, elements[-1]]))
    last = len(data) - len(encode([again, elements[-1]]))
    with expect_error("invalid_multiplicity", element=keyword, offset=last):
        read_header(data, backend)


def test_attribute_of_items_that_is_there_twice_outside_of_any(backend: Backend) -> None:
    code = Element(0x00080100, "SH", "no item")
    elements = ct_elements()
    with expect_error("invalid_multiplicity") as caught:
        read_header(part10(encode([*elements[:-1], code, code, elements[-1]])), backend)
    assert caught.value.element == "(0008,0100) CodeValue"


def test_order_and_unread_attributes_are_free(backend: Backend) -> None:
    elements = ct_elements()
    private = Element(0x00091010, "LO", "twice")
    data = part10(encode([private, *reversed(elements[:-1]), private, elements[-1]]))
    assert td.load(data, backend=backend).data[0, 0, 1] == 1 - 1024


@pytest.mark.parametrize("size", [4, 12])
@pytest.mark.parametrize("tag", [EXTENDED_OFFSETS, EXTENDED_LENGTHS])
def test_offset_table_of_an_odd_size(backend: Backend, tag: int, size: int) -> None:
    with expect_error("invalid_offset_table"):
        read_header(ct_slice(extra=[Element(tag, "OV", bytes(size))]), backend)


def test_shared_chroma_needs_three_samples(backend: Backend) -> None:
    data = ct_slice(PhotometricInterpretation="YBR_FULL_422")
    assert len(read_header(data, backend).frame_ranges) == 1
    with expect_error("unsupported_photometric"):
        td.decode(data, backend=backend)


def test_bits_stored_left_out(backend: Backend) -> None:
    data = ct_slice(BitsStored=None, HighBit=None)
    header = read_header(data, backend)
    assert (header.bits_allocated, header.bits_stored, header.high_bit) == (16, None, None)
    assert td.decode(data, backend=backend)[0, 2, 3] == 11
    assert read_header(ct_slice(BitsStored=0, HighBit=None), backend).high_bit is None


def test_character_set_that_is_no_name(backend: Backend) -> None:
    charset = Element(0x00080005, "CS", b"a\0b ")
    data = ct_slice(extra=[charset], Manufacturer=b"M\xfcller")
    assert td.load(data, backend=backend).metadata["Manufacturer"] == "M\ufffdller"


@pytest.mark.parametrize("size", [128 + 4, 4])
def test_nothing_behind_the_prefix(backend: Backend, size: int) -> None:
    data = (bytes(128) + b"DICM")[-size:]
    if size == 4:
        with expect_error("not_dicom"):
            read_header(data, backend)
    else:
        assert read_header(data, backend).transfer_syntax_uid == EXPLICIT.uid


def test_group_two_in_big_endian(backend: Backend) -> None:
    with expect_error("not_dicom"):
        read_header(b"\0\2\0\x10UI\0\2" + b"1\0" + ct_slice(meta=False, preamble=False), backend)


def test_float_pixels_that_are_cut_off(backend: Backend) -> None:
    data = ct_slice(FloatPixelData=bytes(48))[:-1]
    with expect_error("truncated_pixels", element="FloatPixelData"):
        read_header(data, backend)


def test_transfer_syntax_is_the_meta_groups(backend: Backend) -> None:
    elements = ct_elements()
    stray = Element(0x00020010, "UI", "1.2.3")
    data = part10(encode([elements[0], stray, *elements[1:]]))
    assert td.load(data, backend=backend).metadata["TransferSyntaxUID"] == EXPLICIT.uid


def test_big_endian_has_its_vrs(backend: Backend) -> None:
    implicit = Syntax(BIG.uid, explicit=False, big=True)
    with expect_error("invalid_vr"):
        read_header(ct_slice(syntax=implicit), backend)
