"""Scans of files of many slices: one record for each frame or tile, in series of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import torchdicom as td
from builders import RLE
from builders_enhanced import enhanced, frame_pixels, write_enhanced
from builders_frames import encapsulated, rle_frame
from builders_multiframe import (
    GATED,
    STATIC,
    dose,
    mosaic,
    mosaic_pixels,
    nuclear,
    write_times,
)
from compare import assert_same_bits
from helpers import Backend, firsts
from test_reference_scan import assert_scans_agree, scan
from torchdicom import _reference
from torchdicom._arguments import load_options
from torchdicom._volume import SliceProvenance, Verdict, Volume

if TYPE_CHECKING:
    from pathlib import Path


def write_all(folder: Path) -> None:
    """A series of every kind that has frames, its SeriesInstanceUID 1.1, 1.2 ... by its name."""
    made: dict[str, bytes] = {
        "a": enhanced(
            6,
            per_frame={
                "ImagePositionPatient": [(0, 0, z) for z in (0, 2, 4) for _ in range(2)],
                "TemporalPositionIndex": [1, 2] * 3,
            },
            SeriesInstanceUID="1.1",
        ),
        "b": dose(3, SeriesInstanceUID="1.2"),
        "c": nuclear(
            4,
            ImageType=GATED,
            TimeSlotVector=(1, 1, 2, 2),
            SliceVector=(1, 2, 1, 2),
            SeriesInstanceUID="1.3",
        ),
        "d": nuclear(2, ImageType=STATIC, SeriesInstanceUID="1.4"),
        "e": mosaic(3, times=(0, 2, 1), SeriesInstanceUID="1.5"),
        "f": enhanced(
            4,
            per_frame={
                "ImagePositionPatient": [(0, 0, 0), (0, 0, 2)] * 2,
                "StackID": ["x", "x", "y", "y"],
            },
            SeriesInstanceUID="1.6",
        ),
        "g": enhanced(2, per_frame={"RescaleSlope": ["x", 1]}, SeriesInstanceUID="1.7"),
        "h": dose(2, offsets=(1, 2), ImageOrientationPatient=(1, 0, 0, 0, 0, 1)),
        "i": dose(2, GridFrameOffsetVector=None),
    }
    folder.mkdir(exist_ok=True)
    for name, data in made.items():
        (folder / f"{name}.dcm").write_bytes(data)


def test_every_kind(tmp_path: Path) -> None:
    write_all(tmp_path)
    found = scan(tmp_path)
    told = [
        (
            one.series_instance_uid,
            one.kind,
            len(one.paths),
            one.num_times,
            one.units,
            one.verdict.ok,
        )
        for one in found.parts
    ]
    assert told == [
        ("1.1", "volume", 6, 2, None, True),
        ("1.2", "dose", 3, 1, "GY", True),
        ("1.3", "volume", 4, 2, None, True),
        ("1.4", "cine", 2, 1, None, True),
        ("1.5", "volume", 3, 1, None, True),
        ("1.6", "volume", 2, 1, None, True),
        ("1.6", "volume", 2, 1, None, True),
    ]
    assert [one.splitting[-1] for one in found.parts] == ["", "", "", "", "", "x", "y"]
    assert [one.key.partition("#")[1] for one in found.parts] == [""] * 5 + ["#"] * 2
    assert found.skipped == [
        (str(tmp_path / f"{name}.dcm"), code)
        for name, code in [
            ("g", "invalid_decimal_string"),
            ("h", "invalid_geometry"),
            ("i", "missing_element"),
        ]
    ]


def test_native_scan_of_every_kind(tmp_path: Path) -> None:
    write_all(tmp_path)
    assert_scans_agree(tmp_path)


def test_file_is_named_once(tmp_path: Path, backend: Backend) -> None:
    write_enhanced(tmp_path / "a.dcm", 2)
    other = write_enhanced(tmp_path / "b.dcm", 2, SOPInstanceUID="1.2.3.4.2")
    lax = td.Policy(duplicate_positions="drop")
    volume = td.load(tmp_path, policy=lax, backend=backend)
    (defect,) = volume.verdict.defects
    assert (defect.code, defect.files) == ("duplicate_positions", (str(other),))
    assert defect.measured == {"repeats": 2}


@given(order=st.permutations(range(6)))
def test_order_of_frames_changes_nothing(order: list[int]) -> None:
    # Three places at two times.
    cells = frame_pixels(6)
    own: dict[str, Any] = {
        "ImagePositionPatient": [(0, 0, 2.0 * (k % 3)) for k in order],
        "TemporalPositionIndex": [k // 3 + 1 for k in order],
        "RescaleSlope": [k + 1 for k in order],
        "RescaleIntercept": [0] * 6,
    }
    data = enhanced(6, per_frame=own, pixels=cells[list(order)])
    volume = td.load(data, backend="reference")
    assert volume.data[:, :, 0, 1].tolist() == [[1, 202, 603], [1204, 2005, 3006]]


@given(order=st.permutations(range(6)), t=st.integers(-2, 1), z=st.integers(-3, 2))
def test_backends_agree_on_frames_in_any_order(order: list[int], t: int, z: int) -> None:
    own: dict[str, Any] = {
        "ImagePositionPatient": [(0, 0, 2.0 * (k % 3)) for k in order],
        "DiffusionBValue": [1000.0 * (k // 3) for k in order],
        "RescaleSlope": [k + 0.1 for k in order],
        "RescaleIntercept": [-0.3] * 6,
    }
    data = enhanced(6, per_frame=own)
    options: dict[str, Any] = {"t": t, "slices": z, "mask": True}
    native, reference = (td.load(data, backend=one, **options) for one in ("native", "reference"))
    assert_same_bits(native.data, reference.data)
    assert native.provenance == reference.provenance
    assert native.verdict == reference.verdict
    assert [*native.coords["t"]] == [*reference.coords["t"]]


def test_compressed_frames_and_tiles(backend: Backend) -> None:
    frames = [[rle_frame(one)] for one in frame_pixels(3)]
    data = enhanced(3, syntax=RLE, pixel_element=encapsulated(frames))
    assert firsts(td.load(data, slices=[2, 0], backend=backend)) == [200, 0]
    tiles = mosaic(
        3, syntax=RLE, pixel_element=encapsulated([[rle_frame(mosaic_pixels(3, grid=2))]])
    )
    assert firsts(td.load(tiles, backend=backend)) == [0, 10, 20]


@pytest.mark.parametrize("num_threads", [1, 3])
def test_threads_change_nothing(tmp_path: Path, backend: Backend, num_threads: int) -> None:
    write_times(tmp_path, (0, 2, 4), 5, AcquisitionNumber=range(5))
    volume = td.load(tmp_path, num_threads=num_threads, backend=backend)
    expected = [[100 * t + 10 * z for z in range(3)] for t in range(5)]
    assert volume.data[:, :, 2, 3].tolist() == expected


def test_listed_series_are_those_of_an_index(tmp_path: Path) -> None:
    write_all(tmp_path)
    for one in scan(tmp_path).parts:
        sources = [*dict.fromkeys(one.paths)]
        options = load_options(output="stored")
        volume = _reference.load_series(sources, series=None, listed=one.key, **options)
        assert len(volume.provenance) == len(one.paths)
        assert volume.verdict == one.verdict


# --- a volume of several times


def volume_of(provenance: int, coords: dict[str, dict[str, torch.Tensor]]) -> Volume:
    places = [SliceProvenance("a", k, "", (0, 0, 0), 1, 0) for k in range(provenance)]
    return Volume(
        data=torch.zeros(2, 3, 4, 5),
        dims=("t", "z", "y", "x"),
        affine=None,
        space="LPS",
        spacing_mm=(1, 1, 1),
        units=None,
        verdict=Verdict(ok=True),
        provenance=tuple(places),
        metadata={},
        coords=coords,
    )


def test_volume_has_a_place_for_each_slice_of_each_time() -> None:
    gradients = torch.zeros(2, 3, dtype=torch.float64)
    volume = volume_of(6, {"t": {"DiffusionGradientOrientation": gradients}})
    assert volume.coords["t"]["DiffusionGradientOrientation"].shape == (2, 3)
    with pytest.raises(ValueError, match="2 slices in provenance, 6 in data"):
        volume_of(2, {})
    with pytest.raises(ValueError, match=r"coords has a of \(3, 2\) for dim 't'"):
        volume_of(6, {"t": {"a": torch.zeros(3, 2)}})
