"""Volumes as those of highdicom, held against what it reads itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import highdicom
import numpy as np
import pydicom
import pytest
import torch

import torchdicom as td
from landmarks import INDEX, LPS_MM, SHAPE, VALUE, brightest, place, write_landmark
from torchdicom.interop.highdicom import to_highdicom
from volumes import counted, sheared, volume_of

if TYPE_CHECKING:
    from pathlib import Path

UID = "1.2.826.0.1.3680043.8.498.7"


def test_landmark(tmp_path: Path) -> None:
    volume = to_highdicom(td.load(write_landmark(tmp_path)))
    assert volume.spatial_shape == SHAPE
    index = brightest(volume.array)
    # z is flipped: the third of four slices is the second there.
    assert index == (SHAPE[0] - 1 - INDEX[0], *INDEX[1:])
    assert volume.array[index] == VALUE
    assert place(volume.affine, index) == LPS_MM
    found = volume.map_indices_to_reference(np.array([index]))
    assert found[0] == pytest.approx(LPS_MM, abs=1e-9)
    assert volume.handedness == highdicom.AxisHandedness.RIGHT_HANDED
    assert volume.coordinate_system == highdicom.CoordinateSystemNames.PATIENT


def test_memory_is_shared() -> None:
    volume = volume_of(counted(2, 3, 4))
    other = to_highdicom(volume)
    volume.data[1, 2, 3] = -7
    assert other.array[0, 2, 3] == -7


@pytest.mark.data
def test_it_is_what_highdicom_reads(data_dir: Path) -> None:
    folder = data_dir / "mirp/test/data/sts_images/STS_002/CT/dicom/image"
    theirs = highdicom.get_volume_from_series(
        [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    )
    ours = to_highdicom(td.scan(folder, include_metadata=["FrameOfReferenceUID"])[0].load())
    assert ours.geometry_equal(theirs, tol=1e-4)
    assert np.array_equal(ours.array, theirs.array)
    assert ours.frame_of_reference_uid == theirs.frame_of_reference_uid


def test_frame_of_reference_is_carried_where_it_is_known() -> None:
    assert to_highdicom(volume_of(counted(2, 3, 4))).frame_of_reference_uid is None
    known = volume_of(counted(2, 3, 4), metadata={"FrameOfReferenceUID": UID})
    assert to_highdicom(known).frame_of_reference_uid == UID


@pytest.mark.parametrize(
    ("coords", "keyword", "values"),
    [
        ({"TemporalPositionIdentifier": [1, 2]}, "TemporalPositionIdentifier", [1, 2]),
        ({"AcquisitionNumber": [4, 4], "TriggerTime": [0, 30]}, "TriggerTime", [0.0, 30.0]),
        ({"DiffusionBValue": [0, 800]}, "DiffusionBValue", [0.0, 800.0]),
        ({}, "TimePoint", [0, 1]),
    ],
)
def test_times_are_a_channel(
    coords: dict[str, list[float]], keyword: str, values: list[float]
) -> None:
    times = {k: torch.tensor(v, dtype=torch.float64) for k, v in coords.items()}
    volume = to_highdicom(
        volume_of(counted(2, 3, 4, 5), "tzyx", coords={"t": times} if times else {})
    )
    (descriptor,) = volume.channel_descriptors
    assert descriptor.keyword == keyword
    assert volume.get_channel_values(descriptor) == values
    assert volume.array[0, 3, 4].tolist() == [59, 119]


def test_colours_are_a_channel() -> None:
    volume = to_highdicom(volume_of(counted(3, 2, 3, 4, dtype=torch.uint8), "czyx"))
    assert volume.channel_descriptors == (highdicom.RGB_COLOR_CHANNEL_DESCRIPTOR,)
    assert volume.array[0, 2, 3].tolist() == [23, 47, 71]


def slightly_sheared() -> torch.Tensor:
    affine = volume_of(counted(1, 1, 1)).affine
    assert affine is not None
    affine[1, 0] = 0.0015
    return affine


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"affine": sheared()}, r"highdicom cannot carry.*gantry_tilt"),
        ({"affine": slightly_sheared()}, r"highdicom cannot carry.*gantry_tilt"),
        ({"affine": None}, "no affine"),
        ({"space": "VOLUME"}, "those of its transducer"),
    ],
)
def test_what_it_cannot_have_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        to_highdicom(volume_of(counted(2, 3, 4), **changes))
