"""TRAPS 9, 17, 21, 29 to 34 and 36: files of many frames, and images of one place.

Every expected value is what was written, in the builder's terms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import Element, default_pixels, write_series
from builders_enhanced import (
    ENHANCED_CT,
    PARAMETRIC_MAP,
    enhanced,
    frame_pixels,
    real_world_map,
    write_enhanced,
)
from builders_multiframe import dose, mosaic, write_times
from builders_parts import keys_in
from builders_segmentation import segmentation
from helpers import Backend, affine_of, codes, expect_error, firsts

if TYPE_CHECKING:
    from pathlib import Path


def times_of(volume: td.Volume, keyword: str) -> list[float]:
    """A coordinate along t."""
    values: list[float] = volume.coords["t"][keyword].tolist()
    return values


# --- 9: several images of every position


def test_9_repeats_are_times(tmp_path: Path, backend: Backend) -> None:
    write_times(tmp_path, (30, 32, 34), 2, TemporalPositionIdentifier=[7, 5])
    volume = td.load(tmp_path, backend=backend)
    assert volume.dims == ("t", "z", "y", "x")
    assert volume.data.shape == (2, 3, 3, 4)
    # Time 5 was written second.
    assert volume.data[:, :, 0, 0].tolist() == [[100, 110, 120], [0, 10, 20]]
    assert times_of(volume, "TemporalPositionIdentifier") == [5, 7]
    assert volume.verdict == td.Verdict(ok=True)
    assert affine_of(volume)[:, 0].tolist() == [0, 0, 2, 0]


def test_9_incomplete_repeats_are_told(tmp_path: Path, backend: Backend) -> None:
    paths = write_times(tmp_path, (30, 32, 34), 2, TemporalPositionIdentifier=[1, 2])
    paths[4].unlink()
    with expect_error("duplicate_positions", element="ImagePositionPatient", match="incomplete"):
        td.load(tmp_path, backend=backend)
    dropped = td.load(tmp_path, policy=td.Policy(duplicate_positions="drop"), backend=backend)
    assert firsts(dropped) == [0, 10, 20]
    (defect,) = dropped.verdict.defects
    assert defect.measured == {"repeats": 2, "least": 1, "most": 2}
    assert defect.slices == (0, 2)


def test_9_a_series_exported_twice_is_no_time_series(tmp_path: Path, backend: Backend) -> None:
    write_times(tmp_path, (30, 32, 34), 2, TemporalPositionIdentifier=[1, 1])
    with expect_error("duplicate_positions", element="ImagePositionPatient"):
        td.load(tmp_path, backend=backend)


def test_9_order_of_the_file_does_not_count(tmp_path: Path, backend: Backend) -> None:
    # All times of one position, then those of the next.
    order = [(t, z) for z in range(2) for t in range(3)]
    write_enhanced(
        tmp_path / "a.dcm",
        6,
        per_frame={
            "ImagePositionPatient": [(0, 0, 5.0 * z) for _, z in order],
            "TemporalPositionIndex": [t + 1 for t, _ in order],
        },
    )
    volume = td.load(tmp_path, backend=backend)
    assert volume.data[:, :, 0, 0].tolist() == [[0, 300], [100, 400], [200, 500]]
    assert [one.frame for one in volume.provenance] == [0, 3, 1, 4, 2, 5]


# --- 17: which mapping makes the values


def test_17_rescale_comes_before_a_real_world_map(tmp_path: Path, backend: Backend) -> None:
    path = write_enhanced(
        tmp_path / "a.dcm",
        2,
        shared={"RescaleSlope": 2, "RescaleIntercept": 1},
        per_frame={
            "RealWorldValueMappingSequence": [[real_world_map(3, 0)], [real_world_map(4, 1)]]
        },
    )
    volume = td.load(path, backend=backend)
    assert (firsts(volume), volume.units) == ([1, 201], None)
    mapped = td.load(path, output="real_world", backend=backend)
    assert (firsts(mapped), mapped.units) == ([0, 401], "mg/L")
    assert [(one.slope, one.intercept) for one in mapped.provenance] == [(3, 0), (4, 1)]


def test_17_parametric_map_has_its_map_applied(tmp_path: Path, backend: Backend) -> None:
    path = write_enhanced(
        tmp_path / "a.dcm",
        2,
        shared={"RealWorldValueMappingSequence": [real_world_map(0.5, 10)]},
        SOPClassUID=PARAMETRIC_MAP,
    )
    volume = td.load(path, backend=backend)
    assert (firsts(volume), volume.units) == ([10, 60], "mg/L")


# --- 21: padding of a frame


@pytest.mark.parametrize("where", ["top", "shared", "frame"])
def test_21_padding_of_frames(tmp_path: Path, backend: Backend, where: str) -> None:
    options: dict[str, dict[str, Any]] = {
        "top": {"PixelPaddingValue": 3},
        "shared": {"shared": {"PixelPaddingValue": 3}},
        "frame": {"per_frame": {"PixelPaddingValue": [3, 103]}},
    }
    path = write_enhanced(tmp_path / "a.dcm", 2, **options[where])
    volume = td.load(path, mask=True, backend=backend)
    assert volume.valid_mask is not None
    first, second = (~volume.valid_mask).flatten(1)
    assert first.nonzero().flatten().tolist() == [3]
    assert second.nonzero().flatten().tolist() == ([3] if where == "frame" else [])


def test_21_range_of_padding_has_the_sign_of_the_pixels(tmp_path: Path, backend: Backend) -> None:
    path = write_enhanced(
        tmp_path / "a.dcm",
        1,
        pixels=np.array([[[-3, -2], [-1, 0]]], np.int16),
        shared={"PixelPaddingValue": 0xFFFD, "PixelPaddingRangeLimit": 0xFFFF},
    )
    volume = td.load(path, mask=True, backend=backend)
    assert volume.valid_mask is not None
    assert volume.valid_mask[0].tolist() == [[False, False], [False, True]]


# --- 29: doses


@pytest.mark.parametrize(
    ("offsets", "places"),
    [
        ((0, 3, 6), (30, 33, 36)),
        # With the first plane's z in front they are coordinates.
        ((30, 33, 36), (30, 33, 36)),
        ((0, -3, -6), (24, 27, 30)),
    ],
    ids=["relative", "absolute", "downwards"],
)
def test_29_dose_grid(
    tmp_path: Path, backend: Backend, offsets: tuple[float, ...], places: tuple[float, ...]
) -> None:
    (tmp_path / "a.dcm").write_bytes(dose(3, offsets=offsets))
    volume = td.load(tmp_path, backend=backend)
    assert [one.position_mm[2] for one in volume.provenance] == list(places)
    assert affine_of(volume)[2].tolist() == [3, 0, 0, places[0]]
    values = [0, 50, 100]
    assert firsts(volume) == (values[::-1] if offsets[1] < 0 else values)
    assert volume.units == "GY"


def test_29_offsets_that_begin_anywhere_are_refused(backend: Backend) -> None:
    with expect_error("invalid_geometry", match="GridFrameOffsetVector"):
        td.load(dose(3, offsets=(5, 8, 11)), backend=backend)


# --- 30: segmentations have frames, and no volume of them


def test_30_segmentation_is_decoded(tmp_path: Path, backend: Backend) -> None:
    path = tmp_path / "seg.dcm"
    cells = np.array([[[0, 1], [1, 0]], [[1, 1], [0, 0]]], np.uint8)
    path.write_bytes(segmentation(cells, [(0, 0, 0), (0, 0, 3)], [1, 1]))
    with expect_error("not_a_volume", element="SOPClassUID"):
        td.load(path, backend=backend)
    stored = td.decode(path, backend=backend)
    values = td.decode(path, output="modality", backend=backend)
    assert values.dtype == torch.float32
    assert torch.equal(values, stored.to(torch.float32))


# --- 31: where enhanced files have their attributes

PLACED: dict[str, Any] = {
    "ImagePositionPatient": [(1, 2, 10 - 5.0 * i) for i in range(3)],
    "ImageOrientationPatient": [(0, 1, 0, -1, 0, 0)] * 3,
    "PixelSpacing": [(2, 3)] * 3,
    "RescaleSlope": [2] * 3,
    "RescaleIntercept": [-1] * 3,
}


@pytest.mark.parametrize("shared", sorted({*PLACED} - {"ImagePositionPatient"}))
@pytest.mark.parametrize("undefined", [False, True])
def test_31_attributes_may_be_in_either_group(
    tmp_path: Path, backend: Backend, shared: str, *, undefined: bool
) -> None:
    own = {keyword: values for keyword, values in PLACED.items() if keyword != shared}
    path = write_enhanced(
        tmp_path / "a.dcm",
        3,
        shared={shared: PLACED[shared][0]},
        per_frame=own,
        undefined=undefined,
    )
    volume = td.load(path, backend=backend)
    assert affine_of(volume).tolist() == [
        [0, -2, 0, 1],
        [0, 0, 3, 2],
        [5, 0, 0, 0],
        [0, 0, 0, 1],
    ]
    assert firsts(volume) == [399, 199, -1]
    assert [one.frame for one in volume.provenance] == [2, 1, 0]


def test_31_the_frame_counts_before_the_group_of_all(tmp_path: Path, backend: Backend) -> None:
    path = write_enhanced(
        tmp_path / "a.dcm",
        2,
        shared={"RescaleSlope": 5, "RescaleIntercept": 5},
        per_frame={"RescaleSlope": [2, 3]},
        RescaleSlope=7,
        RescaleIntercept=7,
    )
    assert firsts(td.load(path, backend=backend)) == [5, 305]


def test_31_what_is_empty_hides_nothing(tmp_path: Path, backend: Backend) -> None:
    path = write_enhanced(
        tmp_path / "a.dcm",
        2,
        shared={"RescaleSlope": 5, "RescaleIntercept": 0},
        per_frame={"RescaleSlope": [b"", 3]},
    )
    assert [one.slope for one in td.load(path, backend=backend).provenance] == [5, 3]


def test_31_orientations_of_one_file_are_series_apart(tmp_path: Path, backend: Backend) -> None:
    path = write_enhanced(
        tmp_path / "a.dcm",
        4,
        per_frame={
            "ImageOrientationPatient": [(1, 0, 0, 0, 1, 0)] * 2 + [(0, 1, 0, 0, 0, -1)] * 2,
            "ImagePositionPatient": [(0, 0, 0), (0, 0, 2), (0, 0, 0), (3, 0, 0)],
        },
    )
    with expect_error("several_series") as caught:
        td.load(path, backend=backend)
    parts = [td.load(path, series=key, backend=backend) for key in keys_in(caught.value)]
    assert [abs(affine_of(one)[:3, 0]).tolist() for one in parts] == [[0, 0, 2], [3, 0, 0]]


# --- 32: mosaics


@pytest.mark.parametrize("sign", [1, -1], ids=["ascending", "reversed"])
def test_32_mosaic(tmp_path: Path, backend: Backend, sign: int) -> None:
    (tmp_path / "a.dcm").write_bytes(mosaic(3, normal=(0, 0, sign)))
    volume = td.load(tmp_path, backend=backend)
    assert volume.data.shape == (3, 2, 3)
    lowest = 30 if sign == 1 else 22
    assert affine_of(volume).tolist() == [
        [0, 0, 0.25, 0],
        [0, 0.5, 0, 0],
        [4, 0, 0, lowest],
        [0, 0, 0, 1],
    ]
    assert firsts(volume) == [0, 10, 20][::sign]
    assert volume.data[-1, 1].tolist() == ([23, 24, 25] if sign == 1 else [3, 4, 5])


# --- 34: vendors count slices in several ways, and none of them counts here


def test_34_numbers_of_slices_that_contradict(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 4, ImagesInAcquisition=8, NumberOfSlices=2)
    volume = td.load(tmp_path, backend=backend)
    assert (len(volume.data), codes(volume)) == (4, [])


# --- 36: midnight


@pytest.mark.parametrize("days", [None, ["20240229", "20240229", "20240301", "20240301"]])
def test_36_times_across_midnight(tmp_path: Path, backend: Backend, days: list[str] | None) -> None:
    more = {} if days is None else {"AcquisitionDate": days}
    times = ["235958", "235959.5", "000001.25", "000003"]
    write_times(tmp_path, (30, 32), 4, AcquisitionTime=times, **more)
    volume = td.load(tmp_path, backend=backend)
    assert volume.data[:, 0, 0, 0].tolist() == [0, 100, 200, 300]
    assert times_of(volume, "AcquisitionTime") == [86398, 86399.5, 86401.25, 86403]


def test_36_a_pause_of_some_hours_is_no_midnight(tmp_path: Path, backend: Backend) -> None:
    write_times(tmp_path, (30, 32), 2, AcquisitionTime=["200000", "080001"])
    volume = td.load(tmp_path, backend=backend)
    assert times_of(volume, "AcquisitionTime") == [28801, 72000]
    assert volume.data[:, 0, 0, 0].tolist() == [100, 0]


def test_frames_are_written_as_thought() -> None:
    assert frame_pixels(2)[1].tolist() == (default_pixels() + 100).tolist()
    assert enhanced(2, SOPClassUID=ENHANCED_CT).count(b"ORIGINAL") == 1


# --- 33: what Siemens XA exports as single frames


def test_33_series_numbers_do_not_divide_a_series(tmp_path: Path, backend: Backend) -> None:
    numbers = [Element(0x00200011, "IS", number) for number in (16001, 16002, 16003)]
    for k, number in enumerate(numbers):
        place = [(-10, -20, 30 + 2.5 * k)]
        write_series(
            tmp_path / str(k),
            1,
            extra=[[number]],
            ImagePositionPatient=place,
            pixels=[default_pixels() + np.int16(100 * k)],
            SOPInstanceUID=[f"1.2.3.4.{k}"],
        )
    volume = td.load(tmp_path, backend=backend)
    assert volume.data[:, 0, 0].tolist() == [-1024, -924, -824]
    assert affine_of(volume)[:, 0].tolist() == [0, 0, 2.5, 0]


def test_33_series_of_their_own_are_listed_and_not_mixed(tmp_path: Path, backend: Backend) -> None:
    for k, uid in enumerate(("1.8.16001", "1.8.16002")):
        write_series(
            tmp_path / uid,
            2,
            SeriesInstanceUID=uid,
            pixels=[default_pixels() + np.int16(100 * k)] * 2,
            SOPInstanceUID=[f"{uid}.1", f"{uid}.2"],
        )
    with expect_error("several_series", match="1.8.16002"):
        td.load(tmp_path, backend=backend)
    volume = td.load(tmp_path, series="1.8.16002", backend=backend)
    assert volume.data[:, 0, 0].tolist() == [-924, -924]
