"""Colour: always RGB and planar, whatever the file keeps (PS3.3 C.7.6.3.1)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

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
    JPEG_LOSSLESS,
    JPEG_LS,
    RLE,
    Cells,
    Syntax,
)
from builders_encoded import (
    DEFLATED_FRAME,
    LOSSLESS,
    colour_picture,
    deflated,
    encoded_file,
    jpeg_colour,
    patches,
)
from builders_forms import COLOUR, native_file, palette, segmented_palette, ybr_422
from compare import OFF_FLAT_COLOUR, OFF_THE_ORIGINAL
from helpers import Backend, expect_error, syntax_id

if TYPE_CHECKING:
    from builders import Element

NATIVE = [EXPLICIT, IMPLICIT, BIG, DEFLATED]
ROWS, COLUMNS = 6, 8


def planes(cells: Cells) -> Any:
    return cells.transpose(2, 0, 1).tolist()


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("syntax", NATIVE, ids=syntax_id)
def test_native_rgb(backend: Backend, syntax: Syntax, bits: int, planar: int) -> None:
    frames = [colour_picture(ROWS, COLUMNS, bits), colour_picture(ROWS, COLUMNS, bits)[::-1]]
    turned = [one.transpose(2, 0, 1) if planar else one for one in frames]
    raw = np.stack(turned).astype(f"{syntax.order}u{bits // 8}").tobytes()
    form = COLOUR | {"PlanarConfiguration": planar}
    data = native_file(raw, (ROWS, COLUMNS), allocated=bits, frames=2, syntax=syntax, **form)
    found = td.decode(data, backend=backend)
    assert found.dtype == (torch.uint8 if bits == 8 else torch.int32)
    assert found.tolist() == [planes(one) for one in frames]


def rgb_of(y: int, cb: int, cr: int) -> list[int]:
    """PS3.3 C.7.6.3.1.2, 8 bits, as it stands there but for the rounding to nearest."""
    r = y + 1.402 * (cr - 128)
    g = y - 0.114 * 1.772 / 0.587 * (cb - 128) - 0.299 * 1.402 / 0.587 * (cr - 128)
    b = y + 1.772 * (cb - 128)
    return [min(255, max(0, int(np.floor(value + 0.5)))) for value in (r, g, b)]


# Pure colours of BT.601, and what saturates: values that can be looked up.
KNOWN = {
    (76, 85, 255): [254, 0, 0],
    (150, 44, 21): [0, 255, 1],
    (29, 255, 107): [0, 0, 254],
    (128, 128, 128): [128, 128, 128],
    (255, 255, 255): [255, 121, 255],
    (0, 0, 0): [0, 135, 0],
}
ALL = np.array(list(itertools.product(range(0, 256, 15), repeat=3)), np.uint8)
YBR = np.concatenate([np.array(list(KNOWN), np.uint8), ALL])[: 2 * (len(ALL) // 2)]


@pytest.mark.parametrize("planar", [0, 1])
def test_full_ybr(backend: Backend, planar: int) -> None:
    cells = YBR.reshape(2, -1, 3)
    raw = cells.transpose(2, 0, 1).tobytes() if planar else cells.tobytes()
    form = COLOUR | {"PhotometricInterpretation": "YBR_FULL", "PlanarConfiguration": planar}
    data = native_file(raw, cells.shape[:2], allocated=8, **form)
    found = td.decode(data, backend=backend).numpy()[0].transpose(1, 2, 0).reshape(-1, 3)
    assert found[: len(KNOWN)].tolist() == list(KNOWN.values())
    assert found.tolist() == [rgb_of(*map(int, one)) for one in YBR]


@pytest.mark.parametrize("syntax", [*NATIVE, ENCAPSULATED, DEFLATED_FRAME], ids=syntax_id)
def test_subsampled_ybr(backend: Backend, syntax: Syntax) -> None:
    y = np.arange(4 * 6, dtype=np.uint8).reshape(4, 6) * 10
    cb = np.arange(12, dtype=np.uint8).reshape(4, 3) * 20
    cr = 250 - cb
    raw = ybr_422(y, cb, cr)
    assert list(raw[:8]) == [0, 10, 0, 250, 20, 30, 20, 230]
    form = COLOUR | {"PhotometricInterpretation": "YBR_FULL_422"}
    if syntax.encapsulated:
        frame = deflated(raw) if syntax == DEFLATED_FRAME else raw
        like = np.zeros((4, 6, 3), np.uint8)
        data = encoded_file([frame], like, syntax, bits=8, **form)
    else:
        data = native_file(raw, (4, 6), allocated=8, syntax=syntax, **form)
    expected = [
        [rgb_of(int(y[r, c]), int(cb[r, c // 2]), int(cr[r, c // 2])) for c in range(6)]
        for r in range(4)
    ]
    found = td.decode(data, backend=backend)[0].permute(1, 2, 0)
    assert found.tolist() == expected


def test_subsampled_ybr_of_odd_columns_is_refused(backend: Backend) -> None:
    form = COLOUR | {"PhotometricInterpretation": "YBR_FULL_422"}
    data = native_file(bytes(24), (4, 3), allocated=8, **form)
    with expect_error("invalid_value", element="Columns"):
        td.decode(data, backend=backend)


@pytest.mark.parametrize("syntax", [RLE, JPEG_LOSSLESS, JPEG_LS], ids=syntax_id)
@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_lossless_codestreams_hold_full_ybr(
    backend: Backend, syntax: Syntax, photometric: str
) -> None:
    cells = YBR[:2000].reshape(40, 50, 3)
    data = encoded_file(
        [LOSSLESS[syntax](cells, 8)], cells, syntax, bits=8, PhotometricInterpretation=photometric
    )
    found = td.decode(data, backend=backend)[0].permute(1, 2, 0).reshape(-1, 3)
    assert found.tolist() == [rgb_of(*map(int, one)) for one in YBR[:2000]]


@pytest.mark.parametrize(
    ("samples", "photometric"),
    [
        *((1, name) for name in ("RGB", "YBR_FULL", "YBR_RCT")),
        *((3, name) for name in ("MONOCHROME2", "PALETTE COLOR", "YBR_PARTIAL_420", "HSV")),
        (4, "CMYK"),
        (2, "MONOCHROME2"),
    ],
)
def test_other_colour_is_refused(backend: Backend, samples: int, photometric: str) -> None:
    form = COLOUR | {"SamplesPerPixel": samples, "PhotometricInterpretation": photometric}
    data = native_file(bytes(4 * 4 * samples), (4, 4), allocated=8, **form)
    with expect_error("unsupported_photometric"):
        td.decode(data, backend=backend)


@pytest.mark.parametrize(
    ("coded", "marker", "ids", "photometric"),
    [
        ("RGB", "adobe", (1, 2, 3), "YBR_FULL_422"),
        ("RGB", "adobe", (1, 2, 3), "RGB"),
        ("YCBCR", "adobe", (1, 2, 3), "RGB"),
        ("YCBCR", "jfif", (1, 2, 3), "RGB"),
        ("YCBCR", "jfif", (1, 2, 3), "YBR_FULL_422"),
        ("RGB", "none", (82, 71, 66), "YBR_FULL_422"),
        ("RGB", "none", (1, 2, 3), "RGB"),
        ("YCBCR", "none", (1, 2, 3), "YBR_FULL_422"),
        ("YCBCR", "none", (1, 2, 3), "YBR_FULL"),
    ],
)
def test_what_the_components_of_a_jpeg_are(
    backend: Backend, coded: Any, marker: Any, ids: tuple[int, int, int], photometric: str
) -> None:
    cells = patches()
    stream = jpeg_colour(cells, coded=coded, marker=marker, ids=ids)
    data = encoded_file([stream], cells, JPEG, bits=8, PhotometricInterpretation=photometric)
    found = td.decode(data, backend=backend)[0].permute(1, 2, 0).numpy()
    assert np.abs(found.astype(int) - cells).max() <= OFF_THE_ORIGINAL


@pytest.mark.parametrize("subsampling", ["422", "420"])
def test_subsampled_jpeg(backend: Backend, subsampling: str) -> None:
    cells = patches(64)
    stream = jpeg_colour(cells, coded="YCBCR", marker="jfif", subsampling=subsampling)
    form: dict[str, Any] = {"PhotometricInterpretation": "YBR_FULL_422"}
    data = encoded_file([stream], cells, JPEG, bits=8, **form)
    found = td.decode(data, backend=backend)[0].permute(1, 2, 0).numpy()
    inside = np.s_[8:56, 8:56]  # chroma of neighbours meets at the patches' edges
    for corner in (found[:64, :64], found[64:, 64:]):
        assert np.ptp(corner[inside].reshape(-1, 3), axis=0).max() <= OFF_FLAT_COLOUR
    assert (
        np.abs(found[32::64, 32::64].astype(int) - cells[32::64, 32::64]).max() <= OFF_THE_ORIGINAL
    )


INDICES = np.array([[0, 1, 2, 3], [4, 5, 200, 255]], np.uint8)
RED, GREEN, BLUE = [100, 2, 3, 4, 5, 60], [7, 8, 9, 10, 11, 12], [255, 254, 253, 252, 251, 250]


def palette_file(cells: Cells, extra: list[Element], **more: Any) -> bytes:
    form = {"RescaleIntercept": None, "RescaleSlope": None, **more}
    return native_file(
        cells.tobytes(),
        cells.shape,
        allocated=cells.dtype.itemsize * 8,
        signed=cells.dtype.kind == "i",
        PhotometricInterpretation="PALETTE COLOR",
        extra=extra,
        **form,
    )


def looked_up(cells: Cells, first: int, *tables: list[int]) -> Any:
    return [
        [[table[min(max(int(c) - first, 0), len(table) - 1)] for c in row] for row in cells]
        for table in tables
    ]


@pytest.mark.parametrize("word_each", [True, False], ids=["a word each", "two a word"])
def test_palette_of_8_bits(backend: Backend, *, word_each: bool) -> None:
    extra = palette([RED, GREEN, BLUE], bits=8, word_each=word_each)
    volume = td.load(palette_file(INDICES, extra), backend=backend)
    assert volume.data.dtype == torch.uint8
    assert volume.dims == ("c", "z", "y", "x")
    assert volume.data[0, 0].tolist() == [[100, 2, 3, 4], [5, 60, 60, 60]]
    assert volume.data[:, 0].tolist() == looked_up(INDICES, 0, RED, GREEN, BLUE)
    assert volume.units is None


@pytest.mark.parametrize("first", [0, 2])
def test_palette_of_16_bits(backend: Backend, first: int) -> None:
    tables = [[value * 257 for value in table] for table in (RED, GREEN, BLUE)]
    data = palette_file(INDICES, palette(tables, first=first))
    volume = td.load(data, backend=backend)
    assert volume.data.dtype == torch.int32
    assert volume.data[:, 0].tolist() == looked_up(INDICES, first, *tables)


def test_indices_stay_what_they_are(backend: Backend) -> None:
    data = palette_file(INDICES, palette([RED, GREEN, BLUE]))
    found = td.decode(data, backend=backend)
    assert found.dtype == torch.uint8
    assert found.tolist() == [INDICES.tolist()]
    stored = td.load(data, output="stored", backend=backend)
    assert (stored.dims, stored.data.tolist()) == (("z", "y", "x"), [INDICES.tolist()])


def test_palette_of_65536_entries(backend: Backend) -> None:
    tables = [[(value * step) % 65536 for value in range(65536)] for step in (1, 7, 40503)]
    cells = np.array([[0, 1, 999], [40000, 65534, 65535]], np.uint16)
    volume = td.load(palette_file(cells, palette(tables)), backend=backend)
    assert volume.data[:, 0].tolist() == looked_up(cells, 0, *tables)


def test_palette_of_signed_indices(backend: Backend) -> None:
    cells = np.array([[-9, -2, -1, 0, 3, 9]], np.int16)
    extra = palette([RED, GREEN, BLUE], first=-2, signed=True)
    volume = td.load(palette_file(cells, extra), backend=backend)
    assert volume.data[0, 0].tolist() == [[100, 100, 2, 3, 60, 60]]
    assert volume.data[:, 0].tolist() == looked_up(cells, -2, RED, GREEN, BLUE)


@pytest.mark.parametrize("bits", [8, 16])
def test_segmented_palette(backend: Backend, bits: int) -> None:
    """Discrete, linear up, linear down, and both kinds again by reference (PS3.3 C.7.9.2)."""
    at = 9 * (2 if bits == 16 else 1)  # where the second segment starts, counted in bytes
    # A discrete segment of seven, then a line of 4 up to 90.
    words = [0, 7, 10, 20, 30, 40, 50, 60, 70, 1, 4, 90]
    # Copy one segment, the line: from 90 on it goes to 90 again.
    words += [2, 1, at, 0] if bits == 16 else [2, 1, at, 0, 0, 0]
    words += [1, 3, 60]
    expected = [10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 90, 90, 90, 90, 80, 70, 60]
    plain = [value + 100 for value in range(18)]
    other = [0, 18, *plain]
    extra = segmented_palette([words, other, other], len(expected), bits=bits)
    cells = np.arange(20, dtype=np.uint8).reshape(2, 10)
    volume = td.load(palette_file(cells, extra), backend=backend)
    assert volume.data[:, 0].tolist() == looked_up(cells, 0, expected, plain, plain)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([1, 4, 90], id="a line from nowhere"),
        pytest.param([0, 3, 1, 2, 3, 2, 1, 200, 0], id="a reference outside"),
        pytest.param([0, 3, 1, 2, 3], id="too few entries"),
        pytest.param([0, 9, 1, 2, 3], id="cut off"),
        pytest.param([7, 1, 1, 0, 3, 1, 2, 3], id="an unknown kind"),
    ],
)
def test_bad_segments(backend: Backend, words: list[int]) -> None:
    good = [0, 4, 1, 2, 3, 4]
    extra = segmented_palette([words, good, good], 4)
    data = palette_file(INDICES, extra)
    with expect_error("invalid_value"):
        td.load(data, backend=backend)


def test_palette_that_is_missing(backend: Backend) -> None:
    with expect_error("missing_element"):
        td.load(palette_file(INDICES, []), backend=backend)


def test_colour_images_and_cines(backend: Backend) -> None:
    frames = [colour_picture(ROWS, COLUMNS), colour_picture(ROWS, COLUMNS)[:, ::-1]]
    form = COLOUR | {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"}
    form |= {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    raw = np.stack(frames).tobytes()
    one = native_file(frames[0].tobytes(), (ROWS, COLUMNS), allocated=8, **form)
    volume = td.load(one, backend=backend)
    assert volume.dims == ("c", "z", "y", "x")
    assert volume.data.tolist() == [[plane] for plane in planes(frames[0])]
    form |= {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4", "FrameTime": 40}
    two = native_file(raw, (ROWS, COLUMNS), allocated=8, frames=2, **form)
    cine = td.load(two, backend=backend)
    assert cine.dims == ("t", "c", "z", "y", "x")
    assert cine.data.tolist() == [[[plane] for plane in planes(frame)] for frame in frames]


def test_region_of_colour(backend: Backend) -> None:
    cells = colour_picture(ROWS, COLUMNS)
    data = native_file(cells.tobytes(), (ROWS, COLUMNS), allocated=8, **COLOUR)
    found = td.decode(data, region=(1, 4, 2, 7), backend=backend)
    assert found.tolist() == [planes(cells[1:4, 2:7])]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int16], ids=str)
def test_colour_in_other_types(backend: Backend, dtype: torch.dtype) -> None:
    cells = colour_picture(ROWS, COLUMNS)
    data = native_file(cells.tobytes(), (ROWS, COLUMNS), allocated=8, **COLOUR)
    found = td.decode(data, dtype=dtype, backend=backend)
    assert found.dtype == dtype
    assert found.tolist() == [planes(cells)]
