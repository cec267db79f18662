"""SUV of indexes, in datasets, of random series and of real files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import torchdicom as td
from builders_pet import NAMES, ge_scan, pet_slice, write_pet
from compare import assert_same_bits
from helpers import expect_error

if TYPE_CHECKING:
    from pathlib import Path

    from helpers import Backend

DOUBLE: dict[str, Any] = {"output": "suv", "dtype": torch.float64}

# --- indexes and datasets


def test_index_knows_nothing_of_the_patient(tmp_path: Path) -> None:
    write_pet(tmp_path / "pet", 2)
    index = td.scan(tmp_path / "pet")
    names = set(index.to_arrow().column_names)
    assert not names & {"PatientWeight", "RadionuclideTotalDose", "SeriesDate", "SeriesTime"}
    rows = json.dumps(index.to_arrow().to_pylist(), default=str)
    assert "65.536" not in rows
    assert "134217728" not in rows


def test_index_notices_files_that_changed(tmp_path: Path) -> None:
    write_pet(tmp_path, 2)
    series = td.scan(tmp_path).series[0]
    write_pet(tmp_path, 2, PatientWeight="131.0720")
    with expect_error("file_changed"):
        series.load(output="suv")


def test_datasets(tmp_path: Path) -> None:
    write_pet(tmp_path, 3)
    index = td.scan(tmp_path)
    volumes = td.VolumeDataset(index, output="suv")
    assert volumes[0]["image"][0, :, 0, 1].tolist() == [1, 1, 1]
    scaled = td.VolumeDataset(index, output="suv", window=(2, 4))
    assert scaled[0]["image"][0, 0, 0].tolist() == [0, 0.25, 0.5, 0.75]
    images = td.ImageDataset(index, output="suv", kinds=("volume",))
    assert images[0]["image"][0, 0].tolist() == [0, 1, 2, 3]
    # An image is one of its series: by itself, the first slice would be after SeriesTime.
    write_pet(tmp_path / "late", 3, AcquisitionTime=["120300", "115959", "120600"])
    late = td.ImageDataset(tmp_path / "late", output="suv", kinds=("volume",))
    with expect_error("suv_not_possible", element=NAMES["SeriesTime"]):
        late[0]
    patches = td.PatchDataset(index, (2, 2, 2), output="suv", mode="grid", patches_per_volume=None)
    assert patches[0]["image"][0, :, 0].tolist() == [[0, 1], [0, 1]]
    with pytest.raises(ValueError, match=r"dtype=torch\.int16 has no room"):
        td.VolumeDataset(index, output="suv", dtype=torch.int16)


# --- both backends

WORDS = st.sampled_from(["", "x", "0", "-1", "1e6", "2e8", "71.3", "6586.2", "1e300", "7\\8", None])
DAYS = st.sampled_from(["20240310", "20240311", "2024.03.10", "20240229", "20230229", "1", None])
TIMES = st.sampled_from(
    ["120000", "12", "1201", "11:59:59.9", "235960", "000000.000001", "240000", "12000", "", None]
)
MOMENTS = st.sampled_from(
    ["20240310110000", "20240309120000.5", "20240310", "202403101100+0100", "x", None]
)
ATTRIBUTES: dict[str, st.SearchStrategy[str | None]] = {
    "Units": st.sampled_from(["BQML", "BQML", "BQML", "GML", "CNTS", None]),
    "DecayCorrection": st.sampled_from(["START", "START", "ADMIN", "NONE", None]),
    "CorrectedImage": st.sampled_from(["ATTN\\DECY", "DECY \\ATTN ", "DECY", None]),
    "SUVType": st.sampled_from(["BW", "BSA", "", None]),
    "PatientWeight": WORDS,
    "RadionuclideTotalDose": WORDS,
    "RadionuclideHalfLife": WORDS,
    "SeriesDate": DAYS,
    "AcquisitionDate": DAYS,
    "SeriesTime": TIMES,
    "AcquisitionTime": TIMES,
    "RadiopharmaceuticalStartTime": TIMES,
    "RadiopharmaceuticalStartDateTime": MOMENTS,
    "TimezoneOffsetFromUTC": st.sampled_from(["+0100", "-0500", None]),
}


@st.composite
def odd_pet(draw: st.DrawFn) -> list[bytes]:
    """Two slices; up to three attributes of both are odd, and one of the second."""
    names = draw(st.lists(st.sampled_from(sorted(ATTRIBUTES)), max_size=3, unique=True))
    attributes: dict[str, Any] = {name: draw(ATTRIBUTES[name]) for name in names}
    moment = draw(MOMENTS)
    attributes["extra"] = [] if moment is None else ge_scan(moment)
    cells = np.array([[draw(st.integers(-(2**15), 2**15 - 1)), 7]], np.int16)
    attributes["RescaleSlope"] = draw(st.sampled_from(["1", "0.1", "1.7141", "-3"]))
    attributes["RescaleIntercept"] = draw(st.sampled_from(["0", "-0.3", "1024"]))
    second: dict[str, Any] = {"SOPInstanceUID": "1.2.9", "ImagePositionPatient": (0, 0, 3)}
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(set(ATTRIBUTES) - {"Units"})))
        second[name] = draw(ATTRIBUTES[name])
    first = {"ImagePositionPatient": (0, 0, 0), **attributes}
    return [pet_slice(cells, **first), pet_slice(cells, **{**attributes, **second})]


def outcome(files: list[bytes], backend: Backend, dtype: torch.dtype) -> Any:
    """The values, or what was refused and why."""
    try:
        return td.load(files, output="suv", dtype=dtype, backend=backend)
    except td.DicomError as error:
        return error.code, error.element, error.path


@given(files=odd_pet(), dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16]))
def test_backends_agree(files: list[bytes], dtype: torch.dtype) -> None:
    native, reference = (outcome(files, backend, dtype) for backend in ("native", "reference"))
    if not isinstance(native, td.Volume):
        assert native == reference
        return
    assert_same_bits(native.data, reference.data)
    assert (native.units, native.provenance) == (reference.units, reference.provenance)


# --- real files


@pytest.mark.data
def test_osirix_slice(data_dir: Path, backend: Backend) -> None:
    # 69.7344 kg, 178340011.59668 Bq at 14:17:00, 6586.2 s; scanned at 15:23:16.921.
    path = data_dir / "suyashkumar-dicom" / "testdata" / "1.dcm"
    volume = td.load(path, output="suv", backend=backend)
    assert float(volume.data.max()) == pytest.approx(7.1943, abs=5e-5)
    bqml = td.load(path, dtype=torch.float64, backend=backend).data.flatten()
    suv = td.load(path, backend=backend, **DOUBLE).data.flatten()
    at = bqml.argmax()
    assert float(suv[at] / bqml[at]) == pytest.approx(5.942485e-4, rel=1e-6)


@pytest.mark.data
def test_activity_agrees_with_the_same_scan_in_suv(data_dir: Path, backend: Backend) -> None:
    # Both of one scan: the second is a part of it, whose values its makers had turned into SUV.
    folder = data_dir / "mirp" / "test" / "data"
    part: dict[str, Any] = {"slices": slice(0, 59), "region": (45, 88, 59, 100), "backend": backend}
    activity = td.load(
        folder / "sts_images_raw" / "STS_001" / "FDG_PET" / "image", **DOUBLE, **part
    )
    gml = td.load(folder / "sts_images" / "STS_001" / "PET" / "dicom" / "image", **DOUBLE)
    assert activity.affine is not None
    assert gml.affine is not None
    torch.testing.assert_close(activity.affine, gml.affine, rtol=0, atol=1e-4)
    # Half a step of each slice of the second, and of rounding in the first.
    steps = torch.tensor([one.slope for one in gml.provenance], dtype=torch.float64)
    steps += 2.43e-4 * torch.tensor([one.slope for one in activity.provenance])
    off = (activity.data - gml.data).abs().amax((1, 2))
    assert (off <= 0.51 * steps).all()
    assert float(gml.data.max()) == pytest.approx(25.4123, abs=1e-4)


@pytest.mark.data
def test_scan_whose_injection_is_said_to_be_a_day_later(data_dir: Path, backend: Backend) -> None:
    # STS_002 is in GML; its DateTime of injection is 23 h after the scan, its time 67 min before.
    folder = data_dir / "mirp" / "test" / "data" / "sts_images" / "STS_002" / "PET" / "dicom"
    values = td.load(folder / "image", output="suv", backend=backend)
    assert values.units == "SUVbw"
    assert float(values.data.max()) == pytest.approx(21.6757, abs=1e-4)
    assert values.data.equal(td.load(folder / "image", backend=backend).data)


@pytest.mark.data
def test_counts_per_second_are_refused(data_dir: Path, backend: Backend) -> None:
    path = data_dir / "fo-dicom" / "Tests" / "FO-DICOM.Tests" / "Test Data" / "GH610.dcm"
    with expect_error("suv_not_possible", element=NAMES["Units"], path=path):
        td.decode(path, output="suv", backend=backend)
