"""Which files make one volume, in which order, with which affine, and what is refused instead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import (
    MR_IMAGE,
    PET_IMAGE,
    axial,
    ct_slice,
    default_pixels,
    element,
    write_series,
)
from builders_parts import flat, keys_in, part_key
from helpers import Backend, Output, affine_of, expect_error

if TYPE_CHECKING:
    from collections.abc import Callable

Vector = tuple[float, float, float]

# Rows point along the first three, columns along the last three; the normal is their cross product.
ORIENTATIONS: dict[str, tuple[tuple[float, ...], Vector]] = {
    "axial": ((1, 0, 0, 0, 1, 0), (0, 0, 1)),
    "sagittal": ((0, 1, 0, 0, 0, -1), (-1, 0, 0)),
    "coronal": ((1, 0, 0, 0, 0, -1), (0, 1, 0)),
    "oblique": ((0.8, 0.6, 0, 0, 0, -1), (-0.6, 0.8, 0)),
    "double oblique": ((0.8, 0.6, 0, -0.36, 0.48, 0.8), (0.48, -0.64, 0.6)),
    "rows flipped": ((-1, 0, 0, 0, 1, 0), (0, 0, -1)),
    "columns flipped": ((1, 0, 0, 0, -1, 0), (0, 0, -1)),
}


def along(normal: Vector, distance: float) -> Vector:
    x, y, z = (round(o + distance * n, 9) for o, n in zip((5, -7, 11), normal, strict=True))
    return x, y, z


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_slices_are_sorted_along_the_normal(tmp_path: Path, backend: Backend, name: str) -> None:
    orientation, normal = ORIENTATIONS[name]
    order = [3, 0, 4, 1, 2]
    write_series(
        tmp_path,
        5,
        names=["a", "e.dcm", "b.dcm", "D", "c.DCM"],
        pixels=[flat(k) for k in order],
        InstanceNumber=[2, 2, 9, 5, 1],
        ImagePositionPatient=[along(normal, 2.0 * k) for k in order],
        ImageOrientationPatient=orientation,
        RescaleIntercept=0,
    )
    volume = td.load(tmp_path, backend=backend)
    assert volume.data[:, 0, 0].tolist() == [0, 1, 2, 3, 4]
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    expected = np.eye(4)
    expected[:3] = np.stack([2.0 * np.array(normal), 0.5 * column, 0.25 * row, [5, -7, 11]], axis=1)
    assert np.allclose(affine_of(volume).numpy(), expected, rtol=0, atol=1e-9)
    assert volume.spacing_mm == pytest.approx((2.0, 0.5, 0.25), abs=1e-9)
    assert [Path(s.path).name for s in volume.provenance] == ["e.dcm", "D", "c.DCM", "a", "b.dcm"]
    assert volume.verdict == td.Verdict(ok=True)


def test_what_a_volume_says_about_itself(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 3, Manufacturer="Nobody", KVP="120.0", PatientName="Secret^One")
    volume = td.load(tmp_path, backend=backend)
    assert (volume.dims, volume.space, volume.units) == (("z", "y", "x"), "LPS", "HU")
    assert volume.data.dtype == torch.float32
    assert volume.data.is_contiguous()
    assert volume.data.tolist() == [
        (default_pixels() + 100.0 * k - 1024).tolist() for k in range(3)
    ]
    assert volume.provenance[2] == td.SliceProvenance(
        str(paths[2]), 0, "1.2.3.4.3", (-10.0, -20.0, 35.0), 1.0, -1024.0
    )
    assert volume.metadata["KVP"] == 120.0
    assert volume.metadata["Manufacturer"] == "Nobody"
    assert volume.metadata["SeriesInstanceUID"] == "1.2.3.4"
    assert volume.metadata["TransferSyntaxUID"] == "1.2.840.10008.1.2.1"
    assert "Secret" not in repr(volume) + repr(dict(volume.metadata))


def test_malformed_metadata_is_a_warning(backend: Backend) -> None:
    with pytest.warns(td.DicomWarning, match=r"KVP|\(0018,0060\)"):
        volume = td.load(ct_slice(KVP="1,2"), backend=backend)
    assert "KVP" not in volume.metadata


PET: dict[str, Any] = {
    "SOPClassUID": PET_IMAGE,
    "Modality": "PT",
    "Units": "BQML",
    "RescaleIntercept": 0,
}


def test_every_slice_has_its_own_slope(tmp_path: Path, backend: Backend) -> None:
    slopes = ["1", "37.37", "0.1", "2.5e-3"]
    write_series(tmp_path, 4, pixels=[flat(7)] * 4, RescaleSlope=slopes, **PET)
    volume = td.load(tmp_path, dtype=torch.float64, backend=backend)
    assert volume.data[:, 0, 0].tolist() == [7 * 1.0, 7 * 37.37, 7 * 0.1, 7 * 2.5e-3]
    assert [s.slope for s in volume.provenance] == [1.0, 37.37, 0.1, 2.5e-3]
    with expect_error("integer_dtype", element="RescaleSlope", path=tmp_path / "0001.dcm"):
        td.load(tmp_path, dtype=torch.int32, backend=backend)


@pytest.mark.parametrize(
    ("attributes", "units"),
    [
        ({}, "HU"),
        ({"RescaleType": "US"}, None),
        ({"RescaleType": "HU"}, "HU"),
        (PET, "BQML"),
        ({"SOPClassUID": MR_IMAGE, "Modality": "MR"}, None),
        ({"SOPClassUID": MR_IMAGE, "Modality": "MR", "RescaleType": "OD"}, "OD"),
        ({"SOPClassUID": MR_IMAGE, "Modality": "MR", "RescaleType": "normalized"}, None),
        ({"RescaleSlope": None, "RescaleIntercept": None}, None),
    ],
)
def test_units(backend: Backend, attributes: dict[str, Any], units: str | None) -> None:
    data = ct_slice(**attributes)
    assert td.load(data, backend=backend).units == units
    assert td.load(data, output="stored", backend=backend).units is None


def test_orientation_written_with_noise(tmp_path: Path, backend: Backend) -> None:
    exact, noisy = (1, 0, 0, 0, 1, 0), (0.99999, 0.0009, 0, 0, 1, 0)
    write_series(tmp_path, 4, ImageOrientationPatient=[noisy, exact, exact, noisy])
    # A tie of two: the lexicographically smaller tuple is the reference.
    affine = affine_of(td.load(tmp_path, backend=backend))
    assert affine[:3, 2].tolist() == [0.25 * 0.99999, 0.25 * 0.0009, 0.0]


Attributes = dict[str, Any]
MR: Attributes = {"SOPClassUID": MR_IMAGE, "Modality": "MR"}
TURNED = (0.9999, 0.0141, 0, -0.0141, 0.9999, 0)
USUAL = (1, 0, 0, 0, 1, 0)
HALF_UNITS = ["BQML", "BQML", "CNTS", "BQML"]
UNEVEN_PIXELS = [flat(0), flat(0), flat(0), np.zeros((4, 4), np.int16)]

REFUSED: list[tuple[str, str, Attributes]] = [
    ("a slice missing", "missing_slices", {"ImagePositionPatient": axial(0, 2, 6, 8)}),
    ("two missing", "missing_slices", {"ImagePositionPatient": axial(0, 2, 4, 10)}),
    ("uneven", "uneven_spacing", {"ImagePositionPatient": axial(0, 2, 4.6, 6)}),
    (
        "sideways",
        "uneven_spacing",
        {"ImagePositionPatient": [(0, 0, 0), (0, 0, 2), (1, 0, 4), (0, 0, 6)]},
    ),
    ("same position", "duplicate_positions", {"ImagePositionPatient": axial(0, 2, 2, 4)}),
    ("0.005 mm apart", "duplicate_positions", {"ImagePositionPatient": axial(0, 2, 2.005, 4)}),
    ("all at one place", "duplicate_positions", {"ImagePositionPatient": axial(1, 1, 1, 1)}),
    ("same file twice", "duplicate_files", {"SOPInstanceUID": ["1.1", "1.2", "1.1", "1.3"]}),
    ("position absent", "several_series", {"ImagePositionPatient": [*axial(0, 2, 4), None]}),
    ("orientation absent", "several_series", {"ImageOrientationPatient": [USUAL] * 3 + [None]}),
    ("spacing absent", "invalid_geometry", {"PixelSpacing": None}),
    ("spacing zero", "invalid_geometry", {"PixelSpacing": (0, 1)}),
    ("spacing negative", "invalid_geometry", {"PixelSpacing": (1, -1)}),
    ("not unit", "invalid_geometry", {"ImageOrientationPatient": (1.01, 0, 0, 0, 1, 0)}),
    ("not orthogonal", "invalid_geometry", {"ImageOrientationPatient": (1, 0, 0, 0.01, 1, 0)}),
    ("all zero", "invalid_geometry", {"ImageOrientationPatient": (0, 0, 0, 0, 0, 0)}),
    ("one turned", "several_series", {"ImageOrientationPatient": [USUAL] * 3 + [TURNED]}),
    ("rows differ", "several_series", {"pixels": UNEVEN_PIXELS}),
    ("spacing differs", "several_series", {"PixelSpacing": [(0.5, 0.5)] * 3 + [(0.51, 0.5)]}),
    ("bits differ", "several_series", {"BitsStored": [16, 16, 12, 16], "HighBit": 15}),
    (
        "photometric differs",
        "several_series",
        {"PhotometricInterpretation": ["MONOCHROME1"] + ["MONOCHROME2"] * 3},
    ),
    ("units differ", "several_series", {**PET, "Units": HALF_UNITS}),
    ("two series", "several_series", {"SeriesInstanceUID": ["1.1", "1.1", "1.2", "1.2"]}),
    ("two classes", "several_series", {"SOPClassUID": [PET_IMAGE, MR_IMAGE] * 2}),
    ("two modalities", "several_series", {"Modality": ["CT", "PT"] * 2}),
    ("derived", "several_series", {"ImageType": ["ORIGINAL\\PRIMARY", "DERIVED\\PRIMARY"] * 2}),
    (
        "phase",
        "several_series",
        {**MR, "ImageType": ["ORIGINAL\\PRIMARY\\M", "ORIGINAL\\PRIMARY\\P"] * 2},
    ),
    ("echo time", "several_series", {**MR, "EchoTime": ["10", "80"] * 2}),
    ("echo number", "several_series", {**MR, "EchoNumbers": [1, 2] * 2}),
    ("repetition", "several_series", {**MR, "RepetitionTime": ["500", "600"] * 2}),
    ("flip angle", "several_series", {**MR, "FlipAngle": ["5", "20"] * 2}),
    ("coil", "several_series", {**MR, "ReceiveCoilName": ["left", "right"] * 2}),
]


@pytest.mark.parametrize(("name", "code", "attributes"), REFUSED, ids=[r[0] for r in REFUSED])
def test_what_is_no_single_volume(
    tmp_path: Path, backend: Backend, name: str, code: str, attributes: Attributes
) -> None:
    paths = write_series(tmp_path, 4, **attributes)
    with expect_error(code) as caught:
        td.load(tmp_path, backend=backend)
    message = str(caught.value)
    assert any(path.name in message for path in paths), f"{name}: no file named in {message}"


@pytest.mark.parametrize(
    ("attributes", "keyword", "slice_"),
    [
        ({"RescaleSlope": [1, 1, None, 1]}, "RescaleSlope", 2),
        ({"RescaleSlope": [None, 1, 1, None]}, "RescaleSlope", 1),
        ({"RescaleIntercept": [-1024, None, None, -1024]}, "RescaleIntercept", 1),
        ({**MR, "RescaleSlope": [1, 1, 1, None]}, "RescaleSlope", 3),
        (
            {**MR, "RescaleSlope": [1, 1, None, 1], "RescaleIntercept": [0, 0, None, 0]},
            "RescaleSlope",
            2,
        ),
        (
            {**MR, "RescaleSlope": [1, 1, None, 1], "RescaleIntercept": [0, None, 0, 0]},
            "RescaleIntercept",
            1,
        ),
        (
            {"RescaleSlope": [1, None, 1, 1], "RescaleType": ["HU", "OD", "HU", "HU"]},
            "RescaleType",
            1,
        ),
    ],
)
@pytest.mark.parametrize("output", ["stored", "modality"])
def test_slope_or_intercept_of_some_slices_alone(
    tmp_path: Path,
    backend: Backend,
    output: Output,
    attributes: Attributes,
    keyword: str,
    slice_: int,
) -> None:
    # Slope 1 stands where none is given, which no slice of another scale may slip through.
    paths = write_series(tmp_path, 4, **attributes)
    with expect_error("several_series", match=", units ") as caught:
        td.load(tmp_path, output=output, backend=backend)
    first = keys_in(caught.value)[0]
    strict = td.Policy(mixed_pixel_format="raise")
    with expect_error("mixed_pixel_format", element=keyword, path=paths[slice_]):
        td.load(tmp_path, series=first, output=output, policy=strict, backend=backend)


@pytest.mark.parametrize("keyword", ["RescaleSlope", "RescaleIntercept"])
def test_slope_or_intercept_of_no_slice(tmp_path: Path, backend: Backend, keyword: str) -> None:
    absent: Attributes = {keyword: None}
    write_series(tmp_path, 4, **absent)
    assert td.load(tmp_path, backend=backend).units == "HU"


def test_rows_of_one_size_are_several_groups_only_if_something_else_differs(
    tmp_path: Path, backend: Backend
) -> None:
    # Exposure and the like differ from slice to slice in every CT: they split nothing.
    extra = [[element("Manufacturer", str(k))] for k in range(3)]
    write_series(tmp_path, 3, extra=extra, SeriesDescription=["a", "b", "c"])
    assert td.load(tmp_path, backend=backend).data.shape == (3, 3, 4)


def test_several_series_are_listed(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path / "a", 3, SeriesInstanceUID="1.2.8", SeriesDescription="thin")
    write_series(
        tmp_path / "b",
        2,
        pixels=[np.zeros((5, 6), np.int16)] * 2,
        SeriesInstanceUID="1.2.9",
        SeriesDescription="thick",
    )
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    lines = [line.strip() for line in str(caught.value).splitlines()]
    (thin,) = [line for line in lines if "1.2.8" in line]
    (thick,) = [line for line in lines if "1.2.9" in line]
    assert all(part in thin for part in ("CT", "3 files", "3x4", '"thin"', "0000.dcm"))
    assert all(part in thick for part in ("CT", "2 files", "5x6", '"thick"', "0000.dcm"))
    assert keys_in(caught.value) == ["1.2.8", "1.2.9"]


MR_TEXTS = {"SOPClassUID": MR_IMAGE, "Modality": "MR", "units": "/slope/intercept"}


def test_several_series_of_one_uid_say_what_differs(tmp_path: Path, backend: Backend) -> None:
    attributes: Attributes = {**MR, "EchoTime": ["4.6", "80"] * 2, "FlipAngle": ["5", "20"] * 2}
    paths = write_series(tmp_path, 4, **attributes)
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value) == [
        part_key(MR_TEXTS | {"EchoTime": "4.6", "FlipAngle": "5"}),
        part_key(MR_TEXTS | {"EchoTime": "80", "FlipAngle": "20"}),
    ]
    first, second = [line for line in str(caught.value).splitlines() if "2 files" in line]
    assert ", EchoTime 4.6, FlipAngle 5 (" in first
    assert paths[0].name in first
    assert ", EchoTime 80" in second
    assert ", FlipAngle 20" in second
    assert "RepetitionTime" not in first


def enhanced() -> bytes:
    groups = [[element("RescaleSlope", 7)]]  # in no macro, it means nothing
    return ct_slice(np.zeros((2, 3, 4), np.int16), SharedFunctionalGroupsSequence=groups)


def no_volume() -> list[tuple[str, str, str, Callable[[], bytes]]]:
    cells = np.zeros((2, 3, 4), np.int16)
    mosaic = "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC"
    return [
        ("frames", "unsupported_multi_frame", "NumberOfFrames", lambda: ct_slice(cells)),
        ("mosaic", "unsupported_mosaic", "ImageType", lambda: ct_slice(ImageType=mosaic, **MR)),
    ]


@pytest.mark.parametrize(
    ("code", "keyword", "build"), [c[1:] for c in no_volume()], ids=[c[0] for c in no_volume()]
)
def test_what_is_not_read_as_a_volume_yet(
    tmp_path: Path, backend: Backend, code: str, keyword: str, build: Callable[[], bytes]
) -> None:
    path = tmp_path / "one.dcm"
    path.write_bytes(build())
    with expect_error(code, element=keyword, path=path):
        td.load(path, backend=backend)


def test_groups_without_a_rescale_leave_that_of_the_file(backend: Backend) -> None:
    assert not td.decode(enhanced(), backend=backend).any()
    values = td.decode(enhanced(), output="modality", backend=backend)
    assert values.tolist() == np.full((2, 3, 4), -1024).tolist()


def test_sources_of_every_kind_make_one_volume(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 4)
    expected = td.load(tmp_path, backend=backend)
    in_memory = [path.read_bytes() for path in paths]
    sources: list[Any] = [str(tmp_path), paths, in_memory]
    sources.append([str(paths[2]), *paths[:2], in_memory[3]])
    for source in sources:
        loaded = td.load(source, backend=backend)
        assert loaded.data.tolist() == expected.data.tolist()
        assert affine_of(loaded).tolist() == affine_of(expected).tolist()
    inside = memoryview(b"before" + in_memory[1] + b"behind")[6:-6]
    views: list[Any] = [bytearray(in_memory[0]), inside, memoryview(in_memory[2])]
    loaded = td.load(views, backend=backend)
    assert loaded.data.tolist() == expected.data[:3].tolist()


def test_files_that_are_no_images_are_left_out(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path / "deep" / "er", 3)
    (tmp_path / "notes.txt").write_text("not DICOM, and longer than the 132 bytes " * 9)
    (tmp_path / "empty.txt").write_bytes(b"")
    report = ct_slice(Modality="SR", pixel_element=element("Manufacturer", "x"), Rows=None)
    (tmp_path / "report.dcm").write_bytes(report)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert td.load(tmp_path, backend=backend).data.shape == (3, 3, 4)
