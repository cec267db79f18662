"""Images at a fraction of their size, and parts of them: literals for the reference."""

from __future__ import annotations

import io
from itertools import chain
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image

import torchdicom as td
from builders import JPEG, JPEG_2000, JPEG_LS, Cells, ct_slice, write_series
from builders_reference import (
    HTJ2K,
    NO_RESCALE,
    RGB,
    form,
    framed,
    modality_lut,
    native,
    palette,
    real_world,
    real_world_item,
    words,
)
from compare import OFF_THE_ORIGINAL
from test_reference import load
from test_reference_forms import code_of, decode

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Syntax

# Three rows, five columns: blocks of 2 x 2, 2 x 2 and 2 x 1 above, and of one row below.
ROWS = [[1, 2, 3, 4, 5], [6, 8, 9, 11, 12], [0, 1, 65535, 65535, 7]]
MEANS = [[17 / 4, 27 / 4, 17 / 2], [1 / 2, 65535, 7]]
SMALL = native(words(*chain(*ROWS)), **form(3, 5, 16))


# --- means of blocks


def test_mean_of_what_there_is_of_each_block() -> None:
    attributes = form(3, 5, 16, RescaleSlope="0.5", RescaleIntercept=10)
    data = native(words(*chain(*ROWS)), **attributes)
    values = decode(data, output="modality", dtype=torch.float64, reduce=1)
    assert values[0].tolist() == [[mean * 0.5 + 10 for mean in row] for row in MEANS]
    # Halves go to even: 4.25, 6.75, 8.5, 0.5, 65535 and 7.
    stored = decode(data, reduce=1)
    assert (stored.dtype, stored[0].tolist()) == (torch.int32, [[4, 7, 8], [0, 65535, 7]])
    assert decode(data, reduce=1, dtype=torch.float32)[0].tolist() == stored[0].tolist()
    plain = decode(SMALL, output="modality", dtype=torch.int32, reduce=1)
    assert (plain[0] + 1024).tolist() == stored[0].tolist()
    assert decode(SMALL, reduce=8, output="modality", dtype=torch.float64).tolist() == [
        [[sum(sum(row) for row in ROWS) / 15 - 1024]]
    ]


def test_floating_point_samples_are_summed_in_order() -> None:
    # (1e17 + 1) - 1e17 is 0 in doubles; and of means nothing is rounded, stored or not.
    values = np.array([[1e17, 1.0], [-1e17, 0.5]])
    attributes: dict[str, Any] = {**form(2, 2, 64), "BitsStored": None, "HighBit": None}
    file = ct_slice(DoubleFloatPixelData=values.tobytes(), **attributes, **NO_RESCALE)
    assert decode(file, reduce=1).tolist() == [[[0.125]]]
    assert decode(file, reduce=1, dtype=torch.int8).tolist() == [[[0]]]


def test_mean_of_colors_and_of_entries() -> None:
    value = bytes([0, 10, 1, 0, 10, 2, 0, 11, 3, 1, 11, 4])
    rgb = native(value, vr="OB", **(form(2, 2, 8) | RGB))
    assert decode(rgb, reduce=1).flatten().tolist() == [0, 10, 2]  # 0.25, 10.5 and 2.5
    exact = decode(rgb, reduce=1, dtype=torch.float32)
    assert exact.flatten().tolist() == [0.25, 10.5, 2.5]
    table = words(0, 1000)
    attributes = form(2, 2, 8, PhotometricInterpretation="PALETTE COLOR")
    indices = bytes([0, 1, 1, 0])
    extra = palette([table, table, words(1, 0)], 2, 0, 16)
    shown = decode(native(indices, extra=extra, **attributes), output="modality", reduce=1)
    assert shown.flatten().tolist() == [500, 500, 0]  # the last is 0.5
    lut = modality_lut(words(0, 1, 10), 3, 0)
    looked_up = native(bytes([0, 1, 2, 2]), extra=[lut], **form(2, 2, 8))
    assert decode(looked_up, output="modality", reduce=1).tolist() == [[[5.25]]]
    whole = decode(looked_up, output="modality", reduce=1, dtype=torch.int16)
    assert whole.tolist() == [[[5]]]


def test_block_with_padding_is_none() -> None:
    attributes = form(2, 4, 16, PixelPaddingValue=7, RescaleSlope=1, RescaleIntercept=0)
    data = native(words(7, 1, 2, 2, 1, 1, 2, 2), **attributes)
    volume = load(data, reduce=1, mask=True)
    assert volume.valid_mask is not None
    assert volume.valid_mask.tolist() == [[[False, True]]]
    assert volume.data.tolist() == [[[2.5, 2]]]
    item = real_world_item("A", 0, 2, slope=1.0, intercept=0.0)
    ranged = native(words(3, 1, 2, 2, 1, 1, 2, 2), extra=[real_world(item)], **form(2, 4, 16))
    volume = load(ranged, reduce=1, mask=True, output="real_world")
    assert volume.valid_mask is not None
    assert volume.valid_mask.tolist() == [[[False, True]]]


# --- regions


def test_region_of_frames() -> None:
    assert decode(SMALL, region=(1, 3, 1, 4)).tolist() == [[[8, 9, 11], [1, 65535, 65535]]]
    assert decode(SMALL, region=(2, 3, 2, 5), reduce=1).tolist() == [[[65535, 7]]]


@pytest.mark.parametrize("region", [(1, 3, 0, 5), (0, 3, 0, 3), (0, 1, 0, 5)])
def test_region_has_to_lie_on_the_blocks(region: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="reduce=1 needs multiples of 2"):
        decode(SMALL, region=region, reduce=1)


def test_options_that_are_none() -> None:
    for reduce in (-1, 9):
        with pytest.raises(ValueError, match=f"reduce is {reduce}"):
            decode(SMALL, reduce=reduce)
        with pytest.raises(ValueError, match=f"reduce is {reduce}"):
            load(SMALL, reduce=reduce)
    for options in ({"codec": "gdcm"}, {"codec": "torchdicom"}):
        with pytest.raises(ValueError, match="the reference backend has one codec a syntax"):
            decode(SMALL, **options)
        with pytest.raises(ValueError, match="the reference backend has one codec a syntax"):
            load(SMALL, **options)
    with pytest.raises(ValueError, match="region"):
        decode(SMALL, region=(0, 4, 0, 5))


# --- what codecs make smaller


def lower(cells: Cells, levels: int) -> Any:
    """The low half of the reversible 5-3 wavelet along both axes, so many times, by OpenJPH.

    HTJ2K has the transform of JPEG 2000 (ISO 15444-15), and neither the reference backend nor its
    plugins know that library.
    """
    kind = np.int16 if cells.dtype == np.int16 else np.uint16
    plane = np.ascontiguousarray(cells, kind)
    coded = imagecodecs.htj2k_encode(plane, reversible=True, resolutions=levels)
    return imagecodecs.htj2k_decode(bytes(coded), skipres=levels)


def smooth(rows: int, columns: int) -> Cells:
    """Far from the ends of 12 bits, where nothing is cut off."""
    y, x = np.mgrid[:rows, :columns]
    return np.asarray(2000 + 800 * np.sin(y / 3) * np.cos(x / 4), dtype=np.uint16)


@pytest.mark.parametrize(
    ("syntax", "is_signed"), [(JPEG_2000, False), (JPEG_2000, True), (HTJ2K, False)]
)
@pytest.mark.parametrize("reduce", [1, 2, 4])
def test_resolution_levels(syntax: Syntax, is_signed: bool, reduce: int) -> None:  # noqa: FBT001
    cells = smooth(67, 45)
    stored: Any = cells.astype(np.int16) - 2048 if is_signed else cells
    if syntax is HTJ2K:
        coded = bytes(imagecodecs.htj2k_encode(stored, reversible=True, resolutions=3))
    else:
        options: dict[str, Any] = {"codecformat": "j2k", "reversible": True, "resolutions": 3}
        coded = bytes(imagecodecs.jpeg2k_encode(stored, **options))
    levels = levels_of(coded)
    assert 2 <= levels < 4
    attributes = form(67, 45, 16, PixelRepresentation=int(is_signed))
    data = framed(syntax, coded, **attributes, **NO_RESCALE)
    kept = min(reduce, levels)
    expected = lower(stored, kept)
    if kept < reduce:
        expected = np.rint(mean_of_blocks(expected, 1 << (reduce - kept)))
    assert np.array_equal(decode(data, reduce=reduce)[0].numpy(), expected)
    if reduce == 2:
        part = decode(data, reduce=2, region=(8, 67, 4, 40))
        assert np.array_equal(part[0].numpy(), expected[2:17, 1:10])


def levels_of(codestream: bytes) -> int:
    """The sixth byte of the coding style (ISO 15444-1 A.6.1)."""
    return codestream[codestream.index(b"\xff\x52") + 9]


def mean_of_blocks(cells: Cells, step: int) -> Any:
    rows, columns = cells.shape
    return np.array(
        [
            [cells[y : y + step, x : x + step].mean() for x in range(0, columns, step)]
            for y in range(0, rows, step)
        ]
    )


def test_resolution_levels_of_colors() -> None:
    cells = np.stack([smooth(40, 24) >> 4, np.full((40, 24), 7), smooth(40, 24) >> 5], axis=-1)
    coded = imagecodecs.jpeg2k_encode(
        cells.astype(np.uint8), codecformat="j2k", reversible=True, mct=False, resolutions=3
    )
    data = framed(JPEG_2000, bytes(coded), **(form(40, 24, 8) | RGB))
    expected = np.stack([lower(cells[..., k], 1) for k in range(3)])
    assert np.array_equal(decode(data, reduce=1)[0].numpy(), expected)


@pytest.mark.parametrize("reduce", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(32, 48), (37, 21)])
def test_jpeg_is_scaled_by_its_codec(reduce: int, size: tuple[int, int]) -> None:
    cells = (smooth(*size) >> 4).astype(np.uint8)
    coded = bytes(imagecodecs.jpeg8_encode(cells, level=95))
    data = framed(JPEG, coded, **form(*size, 8), **NO_RESCALE)
    scaled = decode(data, reduce=reduce)[0].numpy()
    expected = mean_of_blocks(cells.astype(float), 1 << reduce)
    assert scaled.shape == expected.shape
    # The low frequencies of a block are its mean, but for what quantisation and edges do.
    inner = (slice(0, size[0] >> reduce), slice(0, size[1] >> reduce))
    assert np.abs(scaled - expected)[inner].max() <= OFF_THE_ORIGINAL
    if size == (32, 48) and reduce <= 3:
        image = Image.open(io.BytesIO(coded))
        image.draft("L", (48 >> reduce, 32 >> reduce))
        assert np.array_equal(scaled, np.asarray(image))


def test_mask_of_what_a_codec_has_mixed_is_refused() -> None:
    coded = bytes(imagecodecs.jpeg2k_encode(smooth(16, 16), codecformat="j2k", reversible=True))
    attributes = form(16, 16, 16) | NO_RESCALE
    padded = framed(JPEG_2000, coded, PixelPaddingValue=0, **attributes)
    with pytest.raises(td.UnsupportedError) as caught:
        load(padded, reduce=1, mask=True)
    assert (caught.value.code, caught.value.element) == (
        "unsupported_pixel_format",
        "(7FE0,0010) PixelData",
    )
    assert load(padded, reduce=1).data.shape == (1, 8, 8)
    plain = load(framed(JPEG_2000, coded, **attributes), reduce=1, mask=True)
    assert plain.valid_mask is not None
    assert plain.valid_mask.all()


# --- where the smaller image lies


def moved(affine: Any, pixels: float) -> list[float]:
    """The first voxel's centre, moved along y and x."""
    return [*(affine[:3, 3] + (affine[:3, 1] + affine[:3, 2]) * pixels).tolist()]


@pytest.mark.parametrize(
    ("syntax", "reduce", "pixels"),
    [
        (None, 1, 0.5),
        (None, 3, 3.5),
        (JPEG_LS, 2, 1.5),
        (JPEG, 1, 0.5),
        (JPEG_2000, 1, 0.0),
        (JPEG_2000, 2, 0.0),
        (JPEG_2000, 3, 2.0),  # two levels, then the mean of 2 x 2 of their pixels
    ],
)
def test_affine_follows(syntax: Syntax | None, reduce: int, pixels: float) -> None:
    cells = (smooth(32, 32) >> 4).astype(np.uint8)
    coders: dict[Any, Any] = {
        JPEG_LS: imagecodecs.jpegls_encode,
        JPEG: imagecodecs.jpeg8_encode,
        JPEG_2000: lambda one: imagecodecs.jpeg2k_encode(one, codecformat="j2k", resolutions=3),
    }
    attributes = form(32, 32, 8)
    if syntax is None:
        data = native(cells.tobytes(), **attributes)
    else:
        coded = bytes(coders[syntax](cells))
        assert syntax is not JPEG_2000 or levels_of(coded) == 2
        data = framed(syntax, coded, **attributes)
    whole, part = load(data), load(data, reduce=reduce)
    step = 1 << reduce
    assert whole.affine is not None
    assert part.affine is not None
    assert torch.equal(part.affine[:3, 1:3], whole.affine[:3, 1:3] * step)
    assert part.affine[:3, 3].tolist() == moved(whole.affine, pixels)
    assert part.spacing_mm == (whole.spacing_mm[0], 0.5 * step, 0.25 * step)
    window = load(data, reduce=1, region=(4, 20, 8, 32))
    assert window.affine is not None
    inside = load(data, region=(4, 20, 8, 32))
    at = 0.0 if syntax is JPEG_2000 else 0.5
    assert window.affine[:3, 3].tolist() == moved(inside.affine, at)
    assert window.data.shape == (1, 8, 12)


def test_gaussian_stays_where_it_is() -> None:
    y, x = np.mgrid[:64, :64]
    cells = 200 * np.exp(-((y - 30.3) ** 2 + (x - 33.7) ** 2) / 50)
    gray = np.rint(cells).astype(np.uint8)
    j2k = imagecodecs.jpeg2k_encode(gray, codecformat="j2k", reversible=True, resolutions=4)
    for syntax, coded in (
        (JPEG_LS, imagecodecs.jpegls_encode(gray)),
        (JPEG, imagecodecs.jpeg8_encode(gray, level=100)),
        (JPEG_2000, j2k),
    ):
        data = framed(syntax, bytes(coded), **form(64, 64, 8), **NO_RESCALE)
        centres = []
        for reduce in (0, 1, 2):
            volume = load(data, reduce=reduce)
            weights = volume.data[0].double()
            rows, columns = (weights.sum(1 - axis) for axis in (0, 1))
            index = [0.0]
            index += [
                float((one * torch.arange(len(one))).sum() / one.sum()) for one in (rows, columns)
            ]
            assert volume.affine is not None
            centres.append(volume.affine @ torch.tensor([*index, 1.0], dtype=torch.float64))
        for centre in centres[1:]:
            # Pixels are 0.5 mm high and 0.25 mm wide.
            assert abs(float(centre[1] - centres[0][1])) <= 0.15 * 0.5
            assert abs(float(centre[0] - centres[0][0])) <= 0.15 * 0.25


def test_slices_that_move_apart_are_refused(tmp_path: Path) -> None:
    cells = (smooth(16, 16) >> 4).astype(np.uint8)
    paths = write_series(tmp_path, 2, pixels=[cells, cells])
    coded = bytes(imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=True))
    values = {"SOPInstanceUID": "1.2.3.4.2", "InstanceNumber": 2}
    values |= {"ImagePositionPatient": (-10, -20, 32.5)}
    paths[1].write_bytes(framed(JPEG_2000, coded, **form(16, 16, 8), **values))
    assert load(tmp_path).data.shape == (2, 16, 16)
    with pytest.raises(td.UnsupportedError, match=r"move by 0\.5 and 0\.0") as caught:
        load(tmp_path, reduce=1)
    assert (caught.value.code, caught.value.path) == ("unsupported_pixel_format", str(paths[1]))


def test_levels_of_wide_colors() -> None:
    cells = np.stack([smooth(72, 50) + k * 100 for k in range(3)], axis=-1).astype(np.uint16)
    cells[3, 4] = [3000, 1, 2000]
    lossless: dict[str, Any] = {"codecformat": "j2k", "reversible": True, "resolutions": 3}
    for mct in (False, True):
        coded = bytes(imagecodecs.jpeg2k_encode(cells, mct=mct, **lossless))
        data = framed(JPEG_2000, coded, **(form(72, 50, 16) | RGB))
        assert levels_of(coded) == 2
        small = decode(data, reduce=2)[0].numpy()
        if not mct:
            assert np.array_equal(small, np.stack([lower(cells[..., k], 2) for k in range(3)]))
        # OpenJPH agrees, by a decoder of its own, where there is nothing to cut off.
        high = bytes(imagecodecs.htj2k_encode(cells, reversible=True, rgb=mct, resolutions=3))
        other = imagecodecs.htj2k_decode(high, skipres=2)
        assert np.array_equal(small, other if len(other) == 3 else np.moveaxis(other, -1, 0))


@pytest.mark.parametrize("samples", [1, 3])
def test_levels_of_tiles(samples: int) -> None:
    tile = 32
    cells = (np.stack([smooth(72, 80)] * samples, axis=-1) >> 4).astype(np.uint8).squeeze()
    file = io.BytesIO()
    options: dict[str, Any] = {"no_jp2": True, "irreversible": False, "mct": 0}
    options |= {"tile_size": (tile, tile), "num_resolutions": 3}
    Image.fromarray(cells).save(file, "JPEG2000", **options)
    coded = file.getvalue()
    assert levels_of(coded) == 2
    data = framed(JPEG_2000, coded, **(form(72, 80, 8) | (RGB if samples == 3 else {})))
    small = decode(data, reduce=2)[0].numpy().reshape(samples, 18, 20)
    # Every tile is an image of its own.
    rows = [
        np.hstack([lower(smooth(72, 80)[y : y + tile, x : x + tile] >> 4, 2) for x in (0, 32, 64)])
        for y in (0, 32, 64)
    ]
    assert np.array_equal(small, np.stack([np.vstack(rows)] * samples))


def test_levels_that_no_plugin_can_give_are_refused() -> None:
    cells = np.stack([smooth(16, 16)] * 3, axis=-1)
    coded = bytes(imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=False))
    data = framed(JPEG_2000, coded, **(form(16, 16, 16) | RGB))
    assert decode(data).shape == (1, 3, 16, 16)
    assert levels_of(coded) >= 1
    assert code_of(data, reduce=1)[0] == "unsupported_pixel_format"
