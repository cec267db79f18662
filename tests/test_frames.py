"""Where frames lie, for every kind of offset table (PS3.5 A.4), and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import (
    BIG,
    DEFLATED,
    ENCAPSULATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    PIXEL_DATA,
    RLE,
    UNDEFINED,
    Element,
    Syntax,
    ct_elements,
    ct_slice,
    encode,
    item,
    offset_of,
)
from builders_frames import encapsulated, extended_table, rle_frame
from helpers import Backend, expect_error, read_header, syntax_id

FRAMES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
HALVES = [FRAMES[0].tobytes(), FRAMES[1].tobytes()]
Fragments = list[list[bytes]]
ONE_EACH: Fragments = [[HALVES[0]], [HALVES[1]]]
SEVERAL: Fragments = [
    [HALVES[0][:10], HALVES[0][10:]],
    [HALVES[1][:2], HALVES[1][2:4], HALVES[1][4:]],
]


@dataclass(frozen=True)
class Case:
    name: str
    frames: Fragments
    pixel_data: dict[str, Any] = field(default_factory=dict)
    extended: dict[str, Any] | None = None

    def build(self, syntax: Syntax = ENCAPSULATED) -> bytes:
        extra = [] if self.extended is None else extended_table(self.frames, **self.extended)
        pixels = encapsulated(self.frames, **self.pixel_data)
        cells = FRAMES[: len(self.frames)]
        return ct_slice(cells, syntax=syntax, pixel_element=pixels, extra=extra)


GOOD = [
    Case("one frame, one fragment", ONE_EACH[:1]),
    Case("one frame, several fragments", SEVERAL[:1]),
    Case("one frame, several fragments, table", SEVERAL[:1], {"table": None}),
    Case("a fragment each, empty table", ONE_EACH),
    Case("a fragment each, table", ONE_EACH, {"table": None}),
    Case("several fragments, table", SEVERAL, {"table": None}),
    Case("extended table", ONE_EACH, extended={}),
    Case("no delimiter", ONE_EACH, {"delimiter": False}),
    Case("no delimiter, table", SEVERAL, {"delimiter": False, "table": None}),
]


def case_id(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", GOOD, ids=case_id)
def test_ranges_of_encapsulated_frames(backend: Backend, case: Case) -> None:
    data = case.build()
    at = offset_of(data, PIXEL_DATA) + 12
    ranges = read_header(data, backend).frame_ranges
    expected = tuple(tuple((data.index(f, at), len(f)) for f in frame) for frame in case.frames)
    assert ranges == expected


@pytest.mark.parametrize("case", GOOD, ids=case_id)
def test_fragments_are_joined(backend: Backend, case: Case) -> None:
    data = td.decode(case.build(), backend=backend)
    assert data.tolist() == FRAMES[: len(case.frames)].tolist()


@pytest.mark.parametrize(("syntax", "header"), [(EXPLICIT, 12), (BIG, 12), (IMPLICIT, 8)])
def test_ranges_of_native_frames(backend: Backend, syntax: Syntax, header: int) -> None:
    data = ct_slice(FRAMES, syntax=syntax)
    start = offset_of(data, PIXEL_DATA, syntax) + header
    assert read_header(data, backend).frame_ranges == (((start, 24),), ((start + 24, 24),))


def test_ranges_of_a_deflated_file_count_inflated_bytes(backend: Backend) -> None:
    start = offset_of(encode(ct_elements(FRAMES)), PIXEL_DATA) + 12
    ranges = read_header(ct_slice(FRAMES, syntax=DEFLATED), backend).frame_ranges
    assert ranges == (((start, 24),), ((start + 24, 24),))


def test_pixel_data_longer_than_the_frames(backend: Backend) -> None:
    data = ct_slice(FRAMES[0].tobytes() + bytes(7), Rows=3, Columns=4)
    header = read_header(data, backend)
    assert header.frame_ranges[0][0][1] == 24
    note = "The pixel data has 32 bytes where its frames need 24; the rest is passed over"
    assert header.notes == ((note,) if backend == "native" else ())
    assert td.decode(data, backend=backend).tolist() == FRAMES[:1].tolist()


@pytest.mark.parametrize("bits", [8, 16])
def test_odd_number_of_bytes_is_padded(backend: Backend, bits: int) -> None:
    cells = np.arange(3, dtype=f"u{bits // 8}").reshape(1, 3)
    assert td.decode(ct_slice(cells), backend=backend).tolist() == [[[0, 1, 2]]]


def bad_table(name: str, table: tuple[int, ...], frames: Fragments = ONE_EACH) -> Case:
    return Case(name, frames, {"table": table})


BAD_TABLES = [
    bad_table("not ascending", (32, 0)),
    bad_table("the same twice", (0, 0)),
    bad_table("past the end", (0, 3200)),
    bad_table("between fragments", (0, 30)),
    bad_table("too few", (0,)),
    bad_table("too many", (0, 32, 32)),
    Case("extended: past the end", ONE_EACH, extended={"offsets": (0, 1 << 40)}),
    Case("extended: overflowing", ONE_EACH, extended={"offsets": (0, (1 << 64) - 8)}),
    Case("extended: not ascending", ONE_EACH, extended={"offsets": (32, 0)}),
    Case("extended: between fragments", ONE_EACH, extended={"offsets": (0, 30)}),
    Case("extended: too few offsets", ONE_EACH, extended={"offsets": (0,)}),
    Case("extended: too few lengths", ONE_EACH, extended={"lengths": (24,)}),
    Case("extended: a length past the end", ONE_EACH, extended={"lengths": (24, 1 << 40)}),
]


@pytest.mark.parametrize("case", BAD_TABLES, ids=case_id)
def test_wrong_offset_table(backend: Backend, case: Case) -> None:
    with expect_error("invalid_offset_table"):
        td.decode(case.build(), backend=backend)
    with expect_error("invalid_offset_table"):
        read_header(case.build(), backend)


JPEG_ENDS = b"\xff\xd9"


@pytest.mark.parametrize("syntax", [JPEG, JPEG_LOSSLESS, JPEG_LS, JPEG_2000], ids=syntax_id)
@pytest.mark.parametrize("padding", [b"", b"\0", bytes(8)], ids=len)
def test_frames_without_table_end_at_their_markers(
    backend: Backend, syntax: Syntax, padding: bytes
) -> None:
    last = JPEG_ENDS + padding
    frames = [[b"aa", b"bb" + last], [b"cc" + last], [b"dd", b"ee", b"f" + last]]
    data = ct_slice(
        np.zeros((3, 2, 2), np.int16), syntax=syntax, pixel_element=encapsulated(frames)
    )
    lengths = [
        [length for _, length in ranges] for ranges in read_header(data, backend).frame_ranges
    ]
    assert lengths == [[len(fragment) for fragment in frame] for frame in frames]


def test_last_frame_needs_no_marker(backend: Backend) -> None:
    frames = [[b"aa", JPEG_ENDS], [b"bbb", b"c"]]
    data = ct_slice(FRAMES, syntax=JPEG_2000, pixel_element=encapsulated(frames))
    ranges = read_header(data, backend).frame_ranges
    assert [[length for _, length in one] for one in ranges] == [[2, 2], [3, 1]]


@pytest.mark.parametrize(
    ("syntax", "frames"),
    [
        (RLE, [[b"aa", JPEG_ENDS], [JPEG_ENDS]]),
        (JPEG_2000, [[b"aa", b"bb"], [JPEG_ENDS]]),
        (JPEG_2000, [[JPEG_ENDS, JPEG_ENDS], [JPEG_ENDS]]),
        (JPEG_2000, [[b"aa", JPEG_ENDS], [JPEG_ENDS, b"bb"]]),
        (JPEG_2000, [[b"aa", JPEG_ENDS + bytes(9)], [JPEG_ENDS]]),
    ],
)
def test_markers_that_give_another_number_of_frames(
    backend: Backend, syntax: Syntax, frames: Fragments
) -> None:
    data = ct_slice(FRAMES, syntax=syntax, pixel_element=encapsulated(frames))
    with expect_error("frame_count_mismatch"):
        read_header(data, backend)


BAD_COUNTS = [
    Case("two frames, three fragments", [HALVES, HALVES[:1]]),
    Case("no fragment", [[]]),
    Case("two frames, none there", [[], []]),
]


@pytest.mark.parametrize("case", BAD_COUNTS, ids=case_id)
def test_frames_that_fragments_cannot_be(backend: Backend, case: Case) -> None:
    with expect_error("frame_count_mismatch"):
        td.decode(case.build(), backend=backend)


@pytest.mark.parametrize(("count", "is_refused"), [(2_000_000, False), (2_000_001, True)])
def test_number_of_fragments(backend: Backend, count: int, *, is_refused: bool) -> None:
    pixels = Element(PIXEL_DATA, "OB", item(b"") * (count + 1), claimed=UNDEFINED)
    data = ct_slice(FRAMES[0], syntax=RLE, pixel_element=pixels)
    if not is_refused:
        assert len(read_header(data, backend).frame_ranges[0]) == count
        return
    with expect_error("limit_frames", element="PixelData"):
        read_header(data, backend)


def test_something_that_is_no_item(backend: Backend) -> None:
    data = Case("", ONE_EACH, {"tail": encode([Element(0x00280010, "US", 3)])}).build()
    with expect_error("invalid_fragments"):
        td.decode(data, backend=backend)


@pytest.mark.parametrize("cut", [1, 23])
def test_cut_off_fragment(backend: Backend, cut: int) -> None:
    data = Case("", ONE_EACH, {"delimiter": False}).build()[:-cut]
    with expect_error("truncated_pixels"):
        td.decode(data, backend=backend)


@pytest.mark.parametrize(
    ("size", "code"),
    [
        (3 * 24 - 24, "frame_count_mismatch"),
        (24, "frame_count_mismatch"),
        (3 * 24 - 2, "truncated_pixels"),
        (2, "truncated_pixels"),
        (0, "truncated_pixels"),
    ],
)
def test_native_frames_that_are_not_there(backend: Backend, size: int, code: str) -> None:
    data = ct_slice(bytes(size), NumberOfFrames=3)
    with expect_error(code, element="PixelData"):
        td.decode(data, backend=backend)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [(None, [0, 1, 2]), ([], []), ([2, 0, 2], [2, 0, 2]), ([-1], [2])],
)
def test_choice_of_frames(backend: Backend, frames: list[int] | None, expected: list[int]) -> None:
    cells = np.stack([np.full((3, 4), k, np.int16) for k in range(3)])
    data = td.decode(ct_slice(cells), frames=frames, backend=backend)
    assert data.shape == (len(expected), 3, 4)
    assert data[:, 0, 0].tolist() == expected


@pytest.mark.parametrize("frame", [3, -4, 1 << 40])
def test_frame_out_of_range(backend: Backend, frame: int) -> None:
    cells = np.zeros((3, 3, 4), np.int16)
    with pytest.raises(IndexError, match=r"\b3\b.*frame"):
        td.decode(ct_slice(cells), frames=[frame], backend=backend)


@pytest.mark.parametrize("frame", [1 << 63, -(1 << 63) - 1, 1 << 64, 1 << 200])
def test_frame_beyond_64_bits(backend: Backend, frame: int) -> None:
    with pytest.raises(IndexError, match=str(frame)):
        td.decode(ct_slice(), frames=[0, frame], backend=backend)


def test_single_frame_of_a_compressed_file_is_decoded_alone(backend: Backend) -> None:
    # The other frame is no RLE at all, which decoding both would notice.
    pixels = encapsulated([[b"\0\0"], [rle_frame(FRAMES[1])]])
    data = ct_slice(FRAMES, syntax=RLE, pixel_element=pixels)
    chosen = td.decode(data, frames=[1], dtype=torch.int16, backend=backend)
    assert chosen.tolist() == FRAMES[1:].tolist()
