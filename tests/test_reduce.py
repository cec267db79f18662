"""`reduce`: half, a quarter ... of the rows and columns, and where the pixels then lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import EXPLICIT, JPEG, JPEG_2000, JPEG_LOSSLESS, JPEG_LS, RLE, Cells, Syntax, ct_slice
from builders_encoded import (
    DEFLATED_FRAME,
    HTJ2K,
    JXL_LOSSLESS,
    LOSSLESS,
    colour_picture,
    encoded_file,
    htj2k,
    jpeg,
    jpeg2000,
    picture,
)
from builders_forms import (
    COLOUR,
    float_file,
    modality_lut,
    native_file,
    palette,
    real_world,
    real_world_item,
)
from compare import OFF_THE_ORIGINAL
from helpers import Backend, affine_of, expect_error, read_header, syntax_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Fold = Callable[[Cells], Any]

AREA_MEAN = [EXPLICIT, RLE, JPEG_LOSSLESS, JPEG_LS, DEFLATED_FRAME, JXL_LOSSLESS]
ROWS, COLUMNS = 21, 30


def blocks(cells: Cells, n: int, fold: Fold) -> Any:
    """Of each block of 2^n x 2^n pixels, those of them that there are, one value."""
    step = 1 << n
    return np.array(
        [
            [fold(cells[y : y + step, x : x + step]) for x in range(0, cells.shape[1], step)]
            for y in range(0, cells.shape[0], step)
        ]
    )


def mean(block: Cells) -> float:
    return float(block.astype(np.float64).sum() / block.size)


def rounded(block: Cells) -> int:
    """Half to even, as Python rounds."""
    return round(mean(block))


def file_of(cells: Cells, syntax: Syntax, bits: int) -> bytes:
    if syntax == EXPLICIT:
        return ct_slice(cells, BitsStored=bits, HighBit=bits - 1)
    coded = cells
    if cells.dtype.kind == "i" and syntax not in (RLE, DEFLATED_FRAME, JPEG_2000, HTJ2K):
        coded = (cells.astype(np.int32) & ((1 << bits) - 1)).astype(np.uint16)
    return encoded_file([LOSSLESS[syntax](coded, bits)], cells, syntax, bits=bits)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("syntax", AREA_MEAN, ids=syntax_id)
def test_area_mean(backend: Backend, syntax: Syntax, n: int, *, signed: bool) -> None:
    cells = picture(ROWS, COLUMNS, 12, signed=signed)
    data = file_of(cells, syntax, 12)
    found = td.decode(data, reduce=n, backend=backend)
    assert found.dtype == torch.int16
    assert found.tolist() == [blocks(cells, n, rounded).tolist()]
    volume = td.load(data, reduce=n, backend=backend)
    expected = (blocks(cells, n, mean) - 1024).astype(np.float32)
    assert volume.data.tolist() == [expected.tolist()]


def test_halves_go_to_the_even_neighbour(backend: Backend) -> None:
    cells = np.array([[0, 1, 1, 2, 2, 3], [0, 1, 1, 2, 2, 3]], np.int16)
    assert td.decode(ct_slice(cells), reduce=1, backend=backend).tolist() == [[[0, 2, 2]]]
    negative = ct_slice(-cells)
    assert td.decode(negative, reduce=1, backend=backend).tolist() == [[[0, -2, -2]]]


def test_nothing_is_reduced_by_0(backend: Backend) -> None:
    cells = picture(ROWS, COLUMNS, 12)
    assert td.decode(ct_slice(cells), reduce=0, backend=backend).tolist() == [cells.tolist()]


@pytest.mark.parametrize("wrong", [-1, 9, 100])
def test_reduce_is_0_to_8(backend: Backend, wrong: int) -> None:
    with pytest.raises(ValueError, match="reduce"):
        td.decode(ct_slice(), reduce=wrong, backend=backend)
    with pytest.raises(ValueError, match="reduce"):
        td.load(ct_slice(), reduce=wrong, backend=backend)


def low_pass(line: Cells) -> Cells:
    """Half of a line by the reversible 5-3 filter (ISO 15444-1 F.4.8.1), mirrored at its ends."""
    size = len(line)
    if size == 1:
        return line
    period = 2 * (size - 1)

    def at(k: int) -> int:
        k %= period
        return int(line[min(k, period - k)])

    def detail(k: int) -> int:
        return at(2 * k + 1) - (at(2 * k) + at(2 * k + 2)) // 2

    return np.array(
        [at(2 * k) + (detail(k - 1) + detail(k) + 2) // 4 for k in range((size + 1) // 2)]
    )


def levels(cells: Cells, n: int) -> Cells:
    """The image after n decompositions: columns first, then rows (F.4.2)."""
    out = cells.astype(np.int64)
    for _ in range(n):
        out = np.apply_along_axis(low_pass, 0, out)
        out = np.apply_along_axis(low_pass, 1, out)
    return out


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("syntax", [JPEG_2000, HTJ2K], ids=syntax_id)
def test_resolution_levels(backend: Backend, syntax: Syntax, n: int, *, signed: bool) -> None:
    cells = picture(133, 150, 12, signed=signed) // 4
    encode = jpeg2000 if syntax == JPEG_2000 else htj2k
    stream = encode(cells, 12, resolutions=_resolutions(syntax, 3))
    data = encoded_file([stream], cells, syntax, bits=12)
    found = td.decode(data, reduce=n, backend=backend)
    assert found.tolist() == [levels(cells, n).tolist()]


def _resolutions(syntax: Syntax, decompositions: int) -> int:
    """OpenJPEG counts the image itself as a resolution, OpenJPH does not."""
    return decompositions + 1 if syntax == JPEG_2000 else decompositions


@pytest.mark.parametrize("syntax", [JPEG_2000, HTJ2K], ids=syntax_id)
def test_fewer_levels_than_halvings(backend: Backend, syntax: Syntax) -> None:
    cells = picture(45, 70, 12) // 4
    encode = jpeg2000 if syntax == JPEG_2000 else htj2k
    stream = encode(cells, 12, resolutions=_resolutions(syntax, 1))
    data = encoded_file([stream], cells, syntax, bits=12, PixelSpacing=(0.5, 0.25))
    smallest = levels(cells, 1)
    found = td.decode(data, reduce=3, backend=backend)
    assert found.tolist() == [blocks(smallest, 2, rounded).tolist()]
    # Two halvings of pixels that are two wide: their centres move by 2 * (4 - 1) / 2 pixels.
    whole, small = (td.load(data, reduce=n, backend=backend) for n in (0, 3))
    assert moved(whole, small) == pytest.approx([3 * 0.25, 3 * 0.5, 0])
    assert small.spacing_mm == pytest.approx((whole.spacing_mm[0], 4.0, 2.0))


def test_frames_of_one_file_may_differ_in_their_levels(backend: Backend) -> None:
    cells = picture(45, 70, 12) // 4
    frames = [jpeg2000(cells, 12, resolutions=_resolutions(JPEG_2000, n)) for n in (1, 2)]
    found = td.decode(encoded_file(frames, cells, JPEG_2000, bits=12), reduce=2, backend=backend)
    expected = [blocks(levels(cells, 1), 1, rounded), levels(cells, 2)]
    assert found.tolist() == [one.tolist() for one in expected]


def moved(whole: td.Volume, small: td.Volume) -> list[float]:
    """From the first pixel of one to the first of the other in mm."""
    step: list[float] = (affine_of(small)[:3, 3] - affine_of(whole)[:3, 3]).tolist()
    return step


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    ("syntax", "in_pixels"), [(EXPLICIT, True), (RLE, True), (JPEG, True), (JPEG_2000, False)]
)
def test_geometry(backend: Backend, syntax: Syntax, n: int, *, in_pixels: bool) -> None:
    cells = picture(136, 160, 8) // 4
    if syntax == EXPLICIT:
        data = ct_slice(cells, PixelSpacing=(0.5, 0.25))
    else:
        stream = jpeg(cells) if syntax == JPEG else LOSSLESS[syntax](cells, 8)
        data = encoded_file([stream], cells, syntax, bits=8, PixelSpacing=(0.5, 0.25))
    whole, small = (td.load(data, reduce=k, backend=backend) for k in (0, n))
    step = ((1 << n) - 1) / 2 if in_pixels else 0
    # Along a row x grows by 0.25 mm a pixel, down a column y by 0.5.
    assert moved(whole, small) == pytest.approx([step * 0.25, step * 0.5, 0])
    wide, narrow = affine_of(small), affine_of(whole)
    assert wide[:, 1:3].tolist() == (narrow[:, 1:3] * (1 << n)).tolist()
    assert wide[:, 0].tolist() == narrow[:, 0].tolist()
    z, y, x = whole.spacing_mm
    assert small.spacing_mm == (z, y * (1 << n), x * (1 << n))


def test_slices_that_move_differently_make_no_volume(tmp_path: Path, backend: Backend) -> None:
    cells = picture(16, 16, 12)
    for k, syntax in enumerate([EXPLICIT, JPEG_2000]):
        place: dict[str, Any] = {
            "ImagePositionPatient": (0, 0, k),
            "SOPInstanceUID": f"1.2.3.4.{k + 1}",
        }
        form: dict[str, Any] = {"BitsStored": 12, "HighBit": 11, **place}
        data = ct_slice(cells, **form)
        if syntax == JPEG_2000:
            data = encoded_file([jpeg2000(cells, 12)], cells, syntax, bits=12, **place)
        (tmp_path / f"{k}.dcm").write_bytes(data)
    assert td.load(tmp_path, backend=backend).data.shape == (2, 16, 16)
    with expect_error("unsupported_pixel_format"):
        td.load(tmp_path, reduce=1, backend=backend)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_scaled_jpeg(backend: Backend, n: int) -> None:
    y, x = np.mgrid[:72, :104]
    smooth = (90 + 60 * np.sin(y / 17) + 50 * np.cos(x / 23)).astype(np.uint8)
    data = encoded_file([jpeg(smooth)], smooth, JPEG, bits=8)
    found = td.decode(data, reduce=n, backend=backend)
    expected = blocks(smooth, n, mean)
    assert found.shape == (1, *expected.shape)
    assert np.abs(found[0].numpy() - expected).max() <= OFF_THE_ORIGINAL


REGION = (8, 20, 4, 28)


@pytest.mark.parametrize("syntax", [*AREA_MEAN, JPEG_2000, HTJ2K], ids=syntax_id)
@pytest.mark.parametrize("n", [0, 1, 2])
def test_region_of_the_reduced(backend: Backend, syntax: Syntax, n: int) -> None:
    cells = picture(ROWS, COLUMNS, 12)
    data = file_of(cells, syntax, 12)
    whole = td.decode(data, reduce=n, backend=backend)
    part = td.decode(data, reduce=n, region=REGION, backend=backend)
    y0, y1, x0, x1 = (edge >> n for edge in REGION)
    assert part.tolist() == whole[:, y0:y1, x0:x1].tolist()
    # The far edges of the image may be what they are.
    corner = td.decode(data, reduce=n, region=(8, ROWS, 4, COLUMNS), backend=backend)
    assert corner.tolist() == whole[:, y0:, x0:].tolist()


def test_region_moves_the_affine_before_it_is_reduced(backend: Backend) -> None:
    data = ct_slice(picture(ROWS, COLUMNS, 12), PixelSpacing=(0.5, 0.25))
    whole = td.load(data, backend=backend)
    part = td.load(data, reduce=2, region=REGION, backend=backend)
    assert moved(whole, part) == pytest.approx([(4 + 1.5) * 0.25, (8 + 1.5) * 0.5, 0])


@pytest.mark.parametrize("region", [(2, 20, 4, 28), (8, 18, 4, 28), (8, 20, 6, 28), (8, 20, 4, 29)])
def test_region_has_to_fit_the_blocks(backend: Backend, region: tuple[int, ...]) -> None:
    data = ct_slice(picture(ROWS, COLUMNS, 12))
    chosen: Any = region
    with pytest.raises(ValueError, match="region"):
        td.decode(data, reduce=2, region=chosen, backend=backend)


def test_colour(backend: Backend) -> None:
    cells = colour_picture(ROWS, COLUMNS)
    data = native_file(cells.tobytes(), (ROWS, COLUMNS), allocated=8, **COLOUR)
    for n in (1, 3):
        whole = [blocks(plane, n, rounded).tolist() for plane in cells.transpose(2, 0, 1)]
        assert td.decode(data, reduce=n, backend=backend).tolist() == [whole]
        exact = [blocks(plane, n, mean) for plane in cells.transpose(2, 0, 1)]
        found = td.decode(data, reduce=n, dtype=torch.float32, backend=backend)
        assert found.tolist() == [np.array(exact, np.float32).tolist()]


def test_palettes_are_looked_up_before_the_mean(backend: Backend) -> None:
    cells = np.array([[0, 1, 2, 3], [1, 1, 2, 2]], np.uint8)
    tables = [[0, 100, 200, 40], [8, 8, 8, 9], [255, 0, 1, 3]]
    form: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    form |= {"RescaleIntercept": None, "RescaleSlope": None, "extra": palette(tables, bits=8)}
    data = native_file(cells.tobytes(), (2, 4), allocated=8, **form)
    found = td.load(data, reduce=1, backend=backend).data
    # 300 / 4 and 640 / 4; 8 and 33 / 4; 255 / 4 and 6 / 4, which lies halfway.
    assert found.flatten().tolist() == [75, 160, 8, 8, 64, 2]
    with expect_error("unsupported_pixel_format"):
        td.load(data, output="stored", reduce=1, backend=backend)


def test_tables_are_looked_up_before_the_mean(backend: Backend) -> None:
    cells = np.array([[0, 1, 2, 3], [1, 1, 2, 2]], np.uint16)
    form: dict[str, Any] = {"RescaleIntercept": None, "RescaleSlope": None}
    lut = modality_lut([0, 1000, 10, 7])
    data = native_file(cells.tobytes(), (2, 4), allocated=16, extra=[lut], **form)
    assert td.load(data, reduce=1, backend=backend).data.tolist() == [[[750.0, 9.25]]]
    item = real_world_item(first=0, last=3, values=[0.5, 1.5, -8.0, 2.0])
    data = native_file(cells.tobytes(), (2, 4), allocated=16, extra=[real_world(item)])
    found = td.load(data, output="real_world", reduce=1, backend=backend)
    assert found.data.tolist() == [[[1.25, -5.5]]]


def test_floating_pixels(backend: Backend) -> None:
    cells = np.array([[0.5, 1.5, 8], [2.5, 4.5, 9]], "f4")
    data = float_file(cells, RescaleIntercept=None, RescaleSlope=None)
    assert td.decode(data, reduce=1, backend=backend).tolist() == [[[2.25, 8.5]]]


def test_mask_of_blocks_with_padding(backend: Backend) -> None:
    cells = np.array([[5, 5, 5, 5, 5], [5, 5, 9, 5, 5], [5, 5, 5, 5, 9]], np.uint16)
    data = ct_slice(cells, PixelPaddingValue=9)
    volume = td.load(data, reduce=1, mask=True, backend=backend)
    assert volume.valid_mask is not None
    assert volume.valid_mask.tolist() == [[[True, False, True], [True, True, False]]]
    # Padding is a value like any other in the mean: (5 + 5 + 9 + 5) / 4.
    assert volume.data.tolist() == [[[-1019.0, -1018.0, -1019.0], [-1019.0, -1019.0, -1015.0]]]


def test_padding_is_not_seen_in_a_codec_s_levels(backend: Backend) -> None:
    cells = picture(32, 32, 12)
    data = encoded_file([jpeg2000(cells, 12)], cells, JPEG_2000, bits=12, PixelPaddingValue=9)
    at = read_header(data, backend).frame_ranges[0][0][0]
    with expect_error("unsupported_pixel_format", element="PixelData", offset=at):
        td.load(data, reduce=1, mask=True, backend=backend)


def test_volume_of_several_slices(tmp_path: Path, backend: Backend) -> None:
    stack = [picture(ROWS, COLUMNS, 12, seed=k) for k in range(4)]
    for k, cells in enumerate(stack):
        place: dict[str, Any] = {
            "ImagePositionPatient": (0, 0, 2 * k),
            "SOPInstanceUID": f"1.2.3.4.{k + 1}",
        }
        data = ct_slice(cells, BitsStored=12, HighBit=11, **place)
        (tmp_path / f"{k}.dcm").write_bytes(data)
    volume = td.load(tmp_path, reduce=2, slices=[3, 1], backend=backend)
    expected = [(blocks(stack[k], 2, mean) - 1024).astype(np.float32).tolist() for k in (3, 1)]
    assert volume.data.tolist() == expected
