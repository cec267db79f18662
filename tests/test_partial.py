"""Parts of a series: picked slices, regions and masks; cine and images without a place."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import JPEG_LS, RLE, Syntax, ct_slice, write_series
from builders_frames import encapsulated, even, rle_frame
from compare import assert_same_bits, assert_volumes_equal
from helpers import Backend, expect_error, firsts, stored
from test_codestreams import encoded

if TYPE_CHECKING:
    from pathlib import Path

STEP = 2.5
ULTRASOUND: dict[str, Any] = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.3.1",
    "Modality": "US",
    "ImagePositionPatient": None,
    "ImageOrientationPatient": None,
    "PixelSpacing": None,
    "RescaleSlope": None,
    "RescaleIntercept": None,
}
BACKENDS: tuple[Backend, Backend] = ("native", "reference")
FRAMES = np.arange(36, dtype=np.uint8).reshape(3, 3, 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six slices at z = 30, 32.5 ...; slice i holds 100 * i + 0 .. 11."""
    write_series(tmp_path, 6)
    return tmp_path


def columns(volume: td.Volume) -> dict[str, list[float]]:
    """The affine's columns by name."""
    assert volume.affine is not None
    return dict(zip("zyxo", volume.affine[:3].T.tolist(), strict=True))


# --- slices


@pytest.mark.parametrize(
    ("slices", "picks", "step"),
    [
        (0, [0], 1),
        (-1, [5], 1),
        (np.int64(2), [2], 1),
        (slice(None), [0, 1, 2, 3, 4, 5], 1),
        (slice(1, 4), [1, 2, 3], 1),
        (slice(-2, 10**30), [4, 5], 1),
        (slice(None, None, 2), [0, 2, 4], 2),
        (slice(5, None, -3), [5, 2], -3),
        (slice(1, 9, 10**30), [1], 1),
        (range(4, -1, -2), [4, 2, 0], -2),
        ([3, 4], [3, 4], 1),
        ((0, -1), [0, 5], 5),
        (np.array([1, 3, 5]), [1, 3, 5], 2),
        (torch.tensor([2, 0]), [2, 0], -2),
    ],
)
def test_even_slices_keep_an_affine(
    folder: Path, backend: Backend, slices: Any, picks: list[int], step: int
) -> None:
    volume = stored(folder, backend, slices=slices)
    assert firsts(volume) == [100 * pick for pick in picks]
    assert [one.position_mm[2] for one in volume.provenance] == [30 + STEP * p for p in picks]
    assert columns(volume)["z"] == [0, 0, STEP * step]
    assert columns(volume)["o"] == [-10, -20, 30 + STEP * picks[0]]
    assert volume.spacing_mm == (STEP * abs(step), 0.5, 0.25)
    assert volume.verdict == td.Verdict(ok=True)


@pytest.mark.parametrize("picks", [[0, 1, 3], [5, 4, 2], [2, 2], [0, 1, 0], [1, 1, 1]])
def test_other_slices_have_no_affine(folder: Path, backend: Backend, picks: list[int]) -> None:
    volume = stored(folder, backend, slices=picks)
    assert firsts(volume) == [100 * pick for pick in picks]
    assert volume.affine is None
    assert math.isnan(volume.spacing_mm[0])
    assert volume.spacing_mm[1:] == (0.5, 0.25)
    assert repr(volume).count("spacing_mm=(nan, 0.5, 0.25)") == 1


@pytest.mark.parametrize("slices", [6, -7, [0, 6], [-7], range(5, 8), 10**30, [-(10**30)]])
def test_slice_that_is_not_there(folder: Path, backend: Backend, slices: Any) -> None:
    with pytest.raises(IndexError, match=r"is not there|does not exist|has 6"):
        stored(folder, backend, slices=slices)


@pytest.mark.parametrize("slices", [slice(6, None), slice(3, 3), slice(0, 3, -1)])
def test_selection_of_nothing(folder: Path, backend: Backend, slices: slice) -> None:
    with pytest.raises(ValueError, match="slices"):
        stored(folder, backend, slices=slices)


@pytest.mark.parametrize("start", [None, 0, 2, 5, -1, -4, 9])
@pytest.mark.parametrize("stop", [None, 1, 4, 6, -2, -9])
@pytest.mark.parametrize("step", [None, 1, 2, 5, -1, -2])
def test_slices_are_those_of_python(
    many: list[bytes], start: int | None, stop: int | None, step: int | None
) -> None:
    wanted = list(range(6))[start:stop:step]
    try:
        assert firsts(td.load(many, output="stored", slices=slice(start, stop, step))) == wanted
    except ValueError:
        assert wanted == []


@pytest.fixture(scope="module")
def many() -> list[bytes]:
    """Six slices in memory; slice i holds i."""
    return [
        ct_slice(
            np.full((1, 1), k, np.int16),
            ImagePositionPatient=(0, 0, k),
            SOPInstanceUID=f"1.{k}",
        )
        for k in range(6)
    ]


def test_only_the_picked_slices_are_decoded_and_checked(tmp_path: Path, backend: Backend) -> None:
    """A slope that is not whole, and a value that does not fit, are other slices' matter."""
    write_series(tmp_path, 4, RescaleSlope=[1, 1, 1, 0.5], RescaleIntercept=0)
    volume = td.load(tmp_path, dtype=torch.uint8, slices=[0], backend=backend)
    assert volume.data[0, 0].tolist() == [0, 1, 2, 3]
    with expect_error("integer_dtype", path=tmp_path / "0003.dcm"):
        td.load(tmp_path, dtype=torch.uint8, slices=[0, 3], backend=backend)
    with expect_error("value_overflow", path=tmp_path / "0002.dcm", match="slice 2"):
        td.load(tmp_path, dtype=torch.int8, slices=[2], backend=backend)


def test_defects_are_those_of_the_whole_series(tmp_path: Path, backend: Backend) -> None:
    places = [(0, 0, z) for z in (0, 2, 6, 8)]
    write_series(tmp_path, 4, ImagePositionPatient=places)
    with expect_error("missing_slices"):
        stored(tmp_path, backend, slices=[0, 1])
    volume = stored(tmp_path, backend, slices=[2, 3], policy=td.Policy(missing_slices="allow"))
    assert firsts(volume) == [200, 300]
    assert [defect.slices for defect in volume.verdict.defects] == [(1,)]
    assert not volume.verdict.ok


# --- regions


@pytest.mark.parametrize(
    "region", [(0, 3, 0, 4), (1, 3, 0, 4), (0, 1, 0, 4), (0, 3, 1, 3), (2, 3, 3, 4)]
)
def test_region(folder: Path, backend: Backend, region: tuple[int, int, int, int]) -> None:
    y0, y1, x0, x1 = region
    part, whole = (stored(folder, backend, region=r) for r in (region, None))
    assert_same_bits(part.data, whole.data[:, y0:y1, x0:x1].contiguous())
    assert part.data.is_contiguous()
    assert columns(part)["o"] == [-10 + 0.25 * x0, -20 + 0.5 * y0, 30]
    assert [columns(part)[c] for c in "zyx"] == [columns(whole)[c] for c in "zyx"]
    assert part.spacing_mm == whole.spacing_mm
    assert part.provenance == whole.provenance


@pytest.mark.parametrize(
    "region",
    [
        *((0, 4, 0, 4), (0, 3, 0, 5), (-1, 3, 0, 4), (0, 3, -1, 4), (1, 1, 0, 4), (2, 1, 0, 4)),
        *((0, 3, 2, 2), (3, 4, 0, 4), (0, 10**30, 0, 4), (-(10**30), 3, 0, 4)),
    ],
)
def test_region_that_is_none_of_the_image(
    folder: Path, backend: Backend, region: tuple[int, int, int, int]
) -> None:
    with pytest.raises(ValueError, match=r"region.*\b3\b.*\b4\b"):
        stored(folder, backend, region=region)


@pytest.mark.parametrize("syntax", [RLE, JPEG_LS])
def test_region_of_compressed_images(backend: Backend, syntax: Syntax) -> None:
    cells = np.random.default_rng(3).integers(0, 4000, (40, 30)).astype(np.uint16)
    frame = rle_frame(cells) if syntax == RLE else even(encoded(cells, syntax))
    data = ct_slice(cells, syntax=syntax, pixel_element=encapsulated([[frame]]))
    for y0, y1, x0, x1 in ((0, 40, 0, 30), (7, 40, 0, 30), (3, 9, 29, 30)):
        volume = stored(data, backend, region=(y0, y1, x0, x1), dtype=torch.int32)
        assert volume.data[0].tolist() == cells[y0:y1, x0:x1].tolist()


def test_region_and_slices_into_memory_of_the_caller(folder: Path, backend: Backend) -> None:
    out = torch.zeros((2, 2, 1), dtype=torch.int16)
    options: dict[str, Any] = {"slices": [4, 1], "region": (0, 2, 3, 4)}
    volume = stored(folder, backend, out=out, **options)
    assert volume.data is out
    assert out.tolist() == [[[403], [407]], [[103], [107]]]
    with pytest.raises(ValueError, match=r"\(2, 2, 1\)"):
        stored(folder, backend, out=torch.zeros((6, 3, 4), dtype=torch.int16), **options)


def test_overflow_outside_of_the_region_is_none(backend: Backend) -> None:
    cells = np.array([[1, 2], [3, 4000]], np.int16)
    data = ct_slice(cells)
    options: dict[str, Any] = {"dtype": torch.uint8, "output": "stored", "backend": backend}
    assert td.load(data, region=(0, 1, 0, 2), **options).data.tolist() == [[[1, 2]]]
    with expect_error("value_overflow"):
        td.load(data, region=(1, 2, 0, 2), **options)


# --- masks


def padded(values: list[int], *, signed: bool = True, **padding: Any) -> bytes:
    """One row of pixels, with padding attributes as their 16 bits."""
    cells = np.array([values], np.int16 if signed else np.uint16)
    return ct_slice(cells, **padding)


@pytest.mark.parametrize(
    ("data", "valid"),
    [
        (padded([0, 1, 2, 3], PixelPaddingValue=2), [1, 1, 0, 1]),
        (padded([-2000, 0, 63536 - 65536, 5], PixelPaddingValue=63536), [0, 1, 0, 1]),
        (padded([63536, 0, 5, 6], signed=False, PixelPaddingValue=63536), [0, 1, 1, 1]),
        (padded([0, 1, 2, 3], PixelPaddingValue=1, PixelPaddingRangeLimit=2), [1, 0, 0, 1]),
        (padded([0, 1, 2, 3], PixelPaddingValue=2, PixelPaddingRangeLimit=1), [1, 0, 0, 1]),
        (padded([-9, -8, 0, 1], PixelPaddingValue=65528, PixelPaddingRangeLimit=0), [1, 0, 0, 1]),
        (padded([0, 1, 2, 3], PixelPaddingRangeLimit=1), [1, 1, 1, 1]),
        (padded([0, 0, 0, 0]), [1, 1, 1, 1]),
    ],
)
@pytest.mark.parametrize("output", ["stored", "modality"])
def test_mask(backend: Backend, data: bytes, valid: list[int], output: Any) -> None:
    volume = td.load(data, mask=True, output=output, backend=backend)
    assert volume.valid_mask is not None
    assert volume.valid_mask.dtype == torch.bool
    assert volume.valid_mask.int().tolist() == [[valid]]
    assert td.load(data, output=output, backend=backend).valid_mask is None


def test_mask_looks_at_stored_bits_alone(backend: Backend) -> None:
    """Bits above HighBit are not part of the value."""
    cells = np.array([[0x7001, 0x0001, 0x0002]], np.uint16)
    data = ct_slice(cells, BitsStored=12, HighBit=11, PixelPaddingValue=1)
    volume = td.load(data, mask=True, backend=backend)
    assert volume.valid_mask is not None
    assert volume.valid_mask.int().tolist() == [[[0, 0, 1]]]


def test_mask_of_a_part_has_its_shape_and_each_slice_its_padding(
    tmp_path: Path, backend: Backend
) -> None:
    write_series(tmp_path, 4, PixelPaddingValue=[None, 101, 205, 310])
    volume = td.load(tmp_path, mask=True, slices=[3, 1, 0], region=(0, 3, 1, 3), backend=backend)
    assert volume.valid_mask is not None
    assert volume.valid_mask.shape == volume.data.shape == (3, 3, 2)
    assert volume.valid_mask.logical_not().nonzero().tolist() == [[0, 2, 1], [1, 0, 0]]


# --- cine and images


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"FrameTime": 40}, [0, 40, 80]),
        ({"FrameTimeVector": (0, 30, 50)}, [0, 30, 80]),
        ({"FrameTimeVector": (9, 30, 50), "FrameTime": 40}, [0, 30, 80]),
        ({"FrameTimeVector": (0, 30), "FrameTime": 40}, [0, 40, 80]),
        ({}, None),
    ],
)
def test_cine(backend: Backend, times: dict[str, Any], expected: list[float] | None) -> None:
    volume = td.load(ct_slice(FRAMES, **ULTRASOUND, **times), mask=True, backend=backend)
    assert volume.dims == ("t", "z", "y", "x")
    assert volume.data.tolist() == FRAMES[:, None].astype(float).tolist()
    assert volume.affine is None
    assert all(map(math.isnan, volume.spacing_mm))
    assert [(one.frame, math.isnan(one.position_mm[0])) for one in volume.provenance] == [
        (0, True),
        (1, True),
        (2, True),
    ]
    assert volume.valid_mask is not None
    assert volume.valid_mask.shape == (3, 1, 3, 4)
    found = {dim: {k: v.tolist() for k, v in c.items()} for dim, c in volume.coords.items()}
    assert found == {"t": {} if expected is None else {"FrameTime": expected}}
    assert all(c.dtype == torch.float64 for c in volume.coords["t"].values())
    assert volume.verdict == td.Verdict(ok=True)


def test_cine_has_one_slice(backend: Backend) -> None:
    data = ct_slice(FRAMES, **ULTRASOUND)
    for slices in (0, -1, [0], slice(None), slice(-1, None)):
        assert td.load(data, slices=slices, backend=backend).data.shape == (3, 1, 3, 4)
    for wrong in (1, -2, [0, 0], [0, 1]):
        with pytest.raises(IndexError):
            td.load(data, slices=wrong, backend=backend)
    with pytest.raises(ValueError, match="slices"):
        td.load(data, slices=slice(1, None), backend=backend)


def test_region_of_a_cine(backend: Backend) -> None:
    volume = td.load(ct_slice(FRAMES, **ULTRASOUND), region=(1, 3, 0, 2), backend=backend)
    assert volume.data.tolist() == FRAMES[:, None, 1:3, 0:2].astype(float).tolist()


def test_overflow_in_a_cine_names_the_frame(backend: Backend) -> None:
    frames = np.array([[[1]], [[2]], [[300]]], np.int16)
    with expect_error("value_overflow", match="slice 2"):
        td.load(ct_slice(frames, **ULTRASOUND), dtype=torch.uint8, backend=backend)


@pytest.mark.parametrize(
    ("spacings", "source", "spacing"),
    [
        ({"ImagerPixelSpacing": (0.2, 0.1)}, "ImagerPixelSpacing", (0.2, 0.1)),
        (
            {"PixelSpacing": (0.4, 0.3), "ImagerPixelSpacing": (0.2, 0.1)},
            "PixelSpacing",
            (0.4, 0.3),
        ),
        ({}, None, (math.nan, math.nan)),
    ],
)
def test_image_without_a_place(
    backend: Backend, spacings: dict[str, Any], source: str | None, spacing: tuple[float, float]
) -> None:
    attributes: dict[str, Any] = ULTRASOUND | {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1",
        "Modality": "DX",
        **spacings,
    }
    volume = td.load(ct_slice(FRAMES[0], **attributes), backend=backend)
    assert volume.dims == ("z", "y", "x")
    assert volume.data.shape == (1, 3, 4)
    assert volume.affine is None
    assert repr(volume.spacing_mm) == repr((math.nan, *spacing))
    assert volume.metadata.get("spacing_source") == source
    assert all(map(math.isnan, volume.provenance[0].position_mm))
    assert (volume.units, volume.verdict, dict(volume.coords)) == (None, td.Verdict(ok=True), {})


# --- what a volume is


def test_ras_is_a_view_that_is_permuted_and_never_flipped(folder: Path) -> None:
    volume = td.load(folder)
    data, affine = volume.to_ras_xyz()
    assert data.shape == (4, 3, 6)
    assert data.data_ptr() == volume.data.data_ptr()
    assert torch.equal(data.permute(2, 1, 0), volume.data)
    assert affine.dtype == torch.float64
    assert affine.tolist() == [
        [-0.25, 0, 0, 10],
        [0, -0.5, 0, 20],
        [0, 0, STEP, 30],
        [0, 0, 0, 1],
    ]
    assert columns(volume)["o"] == [-10, -20, 30]  # as it was


def test_without_an_affine_there_is_no_ras() -> None:
    with pytest.raises(ValueError, match="affine"):
        td.load(ct_slice(FRAMES, **ULTRASOUND)).to_ras_xyz()


@pytest.mark.parametrize("data", [ct_slice(), ct_slice(FRAMES, **ULTRASOUND, FrameTime=40)])
def test_volumes_pickle(data: bytes) -> None:
    volume = td.load(data, mask=True)
    assert_volumes_equal(pickle.loads(pickle.dumps(volume)), volume)


@pytest.mark.parametrize(
    "wrong",
    [
        {"valid_mask": torch.ones((1, 3, 3), dtype=torch.bool)},
        {"valid_mask": torch.ones((1, 1, 3, 4), dtype=torch.bool)},
        {"coords": {"t": {}}},
        {"coords": {"z": {"a": torch.zeros(2)}}},
        {"affine": torch.zeros((3, 4))},
        {"provenance": ()},
        {"dims": ("y", "x")},
    ],
)
def test_parts_of_a_volume_fit_each_other(wrong: dict[str, Any]) -> None:
    volume = td.load(ct_slice())
    names = ("data", "dims", "affine", "space", "spacing_mm", "units", "verdict", "provenance")
    parts = {name: getattr(volume, name) for name in (*names, "metadata")}
    assert_volumes_equal(td.Volume(**parts), volume)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        td.Volume(**(parts | wrong))


@pytest.mark.parametrize(
    "options",
    [
        {"slices": slice(None, None, -2), "region": (1, 3, 1, 4), "mask": True},
        {"slices": [0, 3, 4], "region": (0, 1, 0, 1)},
        {"slices": 5, "mask": True, "dtype": torch.float64},
    ],
)
def test_backends_agree_on_parts_of_an_oblique_series(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    angle = math.radians(20)
    row, column = (math.cos(angle), math.sin(angle), 0), (-math.sin(angle), math.cos(angle), 0)
    places = [(0.1 * k, 0.3 * k, 1.7 * k) for k in range(6)]
    write_series(
        tmp_path,
        6,
        ImagePositionPatient=places,
        ImageOrientationPatient=tuple(f"{v:.6f}" for v in (*row, *column)),
        PixelSpacing=(0.7, 0.3),
        PixelPaddingValue=103,
    )
    native, reference = (td.load(tmp_path, backend=b, **options) for b in BACKENDS)
    assert_volumes_equal(native, reference)
