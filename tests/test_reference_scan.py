"""The reference's scan, and what it leaves out of a load: what the native ones are held against."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import JPEG_LOSSLESS, Syntax, axial, ct_slice, write_series
from builders_bad import TEXT, without_pixels
from builders_defects import CASES, Case, with_other_codestream
from builders_frames import encapsulated, jpeg_frame
from builders_parts import (
    DX_IMAGE,
    LOCALIZER,
    SCOUT,
    SPLITTING,
    UID,
    part_key,
    write_more,
    write_scout,
)
from helpers import expect_error
from torchdicom import _reference as reference

if TYPE_CHECKING:
    from pathlib import Path


def scan(*paths: Path, **options: Any) -> Any:
    return reference.scan([str(path) for path in paths], **options)


def test_series_of_a_folder(tmp_path: Path) -> None:
    positions = axial(10, 0, 5)
    ct = write_series(tmp_path / "b", 3, ImagePositionPatient=positions, KVP="120")
    scout = write_scout(tmp_path / "b")
    x_ray: dict[str, Any] = {"Modality": "DX", "SOPClassUID": DX_IMAGE, "SeriesInstanceUID": "1.9"}
    x_ray |= {"ImagePositionPatient": None, "ImagerPixelSpacing": (0.1, 0.2), "PixelSpacing": None}
    (image,) = write_series(tmp_path / "a", 1, **x_ray)
    dx, volume, localizer = scan(tmp_path).parts
    assert (dx.key, dx.kind, dx.modality, dx.affine) == ("1.9", "image", "DX", None)
    assert dx.spacing_mm[1:] == (0.1, 0.2)
    assert (dx.spacing_source, dx.metadata["spacing_source"]) == ("ImagerPixelSpacing",) * 2
    assert (dx.paths, dx.units) == ((str(image),), None)
    assert (volume.key, volume.series_instance_uid, volume.kind) == (part_key(), UID, "volume")
    assert volume.splitting == tuple(SPLITTING.values())
    assert volume.paths == (str(ct[1]), str(ct[2]), str(ct[0]))
    assert (volume.spacing_mm, volume.spacing_source, volume.units) == ((5, 0.5, 0.25), "", "HU")
    assert volume.affine.tolist()[2] == [5, 0, 0, 0]
    assert [one.code for one in volume.verdict.defects] == ["localizer"]
    assert volume.verdict.ok
    assert volume.metadata["KVP"] == 120.0
    assert (localizer.key, localizer.kind) == (part_key(SCOUT), "localizer")
    assert localizer.paths == (str(scout),)
    assert scan(tmp_path).skipped == []


def test_verdict_is_that_of_a_load(tmp_path: Path) -> None:
    heights = axial(0, 2, 2, 8, 10)
    paths = write_series(tmp_path, 5, ImagePositionPatient=heights, InstanceNumber=[1, 9, 2, 3, 4])
    copy = tmp_path / "copy.dcm"
    copy.write_bytes(paths[3].read_bytes())
    (part,) = scan(tmp_path).parts
    kept = [paths[k] for k in (0, 2, 3, 4)]
    assert part.paths == tuple(map(str, kept))
    assert part.set_aside == (str(paths[1]), str(copy))
    assert not part.verdict.ok
    lax = td.Policy(duplicate_positions="drop", missing_slices="allow")
    volume = td.load(tmp_path, policy=lax, backend="reference")
    assert volume.verdict == part.verdict
    assert [one.code for one in part.verdict.defects] == [
        *("duplicate_files", "duplicate_positions", "missing_slices")
    ]
    assert volume.affine is not None
    assert part.affine.tolist() == volume.affine.tolist()
    assert [one.path for one in volume.provenance] == [*part.paths]


def test_refusals_are_in_the_verdict(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 2, PixelSpacing=(0, 1), SeriesInstanceUID="1.1")
    mosaic = "ORIGINAL\\PRIMARY\\M\\MOSAIC"
    write_series(tmp_path / "b", 2, Modality="MR", ImageType=mosaic, SeriesInstanceUID="1.2")
    segmentation = "1.2.840.10008.5.1.4.1.1.66.4"
    write_series(tmp_path / "c", 1, SOPClassUID=segmentation, SeriesInstanceUID="1.3")
    write_series(tmp_path / "d", 2, SOPInstanceUID="1.5", SeriesInstanceUID="1.4")
    sideways = [(5.01 * k, 0, 5 * k) for k in range(3)]
    write_series(tmp_path / "e", 3, ImagePositionPatient=sideways, SeriesInstanceUID="1.5")
    parts = scan(tmp_path).parts
    assert [[one.code for one in part.verdict.defects] for part in parts] == [
        ["invalid_geometry"],
        ["unsupported_mosaic"],
        ["not_a_volume"],
        ["duplicate_files"],
        ["invalid_geometry"],
    ]
    assert [part.kind for part in parts] == ["volume", "volume", "other", "volume", "volume"]
    assert {(part.affine, part.verdict.ok) for part in parts} == {(None, False)}
    with expect_error("not_a_volume", element="SOPClassUID", match="decode"):
        td.load(tmp_path / "c", backend="reference")


def test_what_cannot_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_series(folder, 3)
    (folder / "0001.dcm").write_bytes(ct_slice(RescaleSlope="1,5"))
    (folder / "0002.dcm").write_bytes(ct_slice()[:-5])
    (folder / "notes.txt").write_bytes(TEXT)
    (folder / "lost.dcm").write_bytes(b"")
    (folder / "cut.dcm").write_bytes(without_pixels())
    (folder / "report.dcm").write_bytes(without_pixels("Rows", "Columns"))
    (folder / "dangling.dcm").symlink_to("nothing")
    os.mkfifo(folder / "pipe.dcm")
    (tmp_path / "link").symlink_to("nothing")
    found = scan(folder, folder / "notes.txt", tmp_path / "link")
    assert found.skipped == [
        (str(folder / "0001.dcm"), "invalid_decimal_string"),
        (str(folder / "0002.dcm"), "truncated_pixels"),
        (str(folder / "cut.dcm"), "no_pixel_data"),
        (str(folder / "lost.dcm"), "not_dicom"),
        (str(folder / "notes.txt"), "not_dicom"),
        (str(tmp_path / "link"), "os_error"),
    ]
    assert [part.paths for part in found.parts] == [(str(folder / "0000.dcm"),)]
    with pytest.raises(FileNotFoundError):
        scan(folder, tmp_path / "nothing")
    assert scan(tmp_path / "in" / "report.dcm") == ([], [])


def test_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may read every folder: a refusal has to be played.
    (path,) = write_series(tmp_path / "open", 1)
    (tmp_path / "shut").mkdir()
    scandir = os.scandir

    def refuse(folder: str) -> Any:
        if str(folder).endswith("shut"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr("torchdicom._reference._sources.os.scandir", refuse)
    found = scan(tmp_path)
    assert found.skipped == [(str(tmp_path / "shut"), "os_error")]
    assert [part.paths for part in found.parts] == [(str(path),)]
    with pytest.raises(PermissionError):
        td.load(tmp_path, backend="reference")


def test_metadata_that_is_asked_for(tmp_path: Path) -> None:
    write_series(tmp_path, 2, AcquisitionNumber=7, PatientName="Some^One", KVP="120")
    (plain,) = scan(tmp_path).parts
    assert {"AcquisitionNumber", "PatientName"}.isdisjoint(plain.metadata)
    names = ("PatientName", "(0020,0012)", "KVP", "StudyDate")
    (asked,) = scan(tmp_path, include_metadata=names).parts
    assert asked.metadata["PatientName"] == "Some^One"
    assert asked.metadata["(0020,0012)"] == "7"
    assert asked.metadata["KVP"] == 120.0
    assert "StudyDate" not in asked.metadata
    for name in ("PatientNames", "0020,0012", ""):
        with pytest.raises(ValueError, match="keyword"):
            scan(tmp_path, include_metadata=[name])


# --- the native scan


def case_id(case: Case) -> str:
    return case.code


def rows_of(found: Any, paths_of: Any) -> list[tuple[Any, ...]]:
    """What both scans say of every series, without the sentences."""
    return [
        (
            *(one.key, one.series_instance_uid, one.kind, one.modality or ""),
            None if one.affine is None else one.affine.tolist(),
            repr(one.spacing_mm),  # NaN is not itself
            one.verdict.ok,
            [(d.code, d.slices, d.files, dict(d.measured)) for d in one.verdict.defects],
            paths_of(one),
        )
        for one in found
    ]


def assert_scans_agree(folder: Path) -> None:
    native, expected = td.scan(folder, progress=False), scan(folder)
    # Every frame has its place in the native provenance, every file one here.
    actual = rows_of(native.series, lambda one: list(dict.fromkeys(p.path for p in one.provenance)))
    assert sorted(actual, key=repr) == sorted(
        rows_of(expected.parts, lambda one: [*dict.fromkeys(one.paths)]), key=repr
    )
    assert [(one.path, one.code) for one in native.skipped] == expected.skipped


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_native_scan_of_each_defect(tmp_path: Path, case: Case) -> None:
    case.write(tmp_path)
    assert_scans_agree(tmp_path)


def test_native_scan_of_every_kind(tmp_path: Path) -> None:
    write_series(tmp_path / "ct", 3)
    write_scout(tmp_path / "ct")
    loop = np.zeros((4, 3, 4), np.int16)
    absent: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    video = Syntax("1.2.840.10008.1.2.4.102", encapsulated=True)
    frames = {
        "loop": ct_slice(loop, Modality="US", SeriesInstanceUID="1.5", FrameTime=40, **absent),
        "frames": ct_slice(loop, SeriesInstanceUID="1.6"),
        "x-ray": ct_slice(Modality="DX", SeriesInstanceUID="1.7", **absent),
        "labels": ct_slice(SOPClassUID="1.2.840.10008.5.1.4.1.1.66.7", SeriesInstanceUID="1.8"),
        "video": ct_slice(syntax=video, pixel_element=encapsulated([[b"ab"]])),
        "report": without_pixels("Rows", "Columns"),
        "cut.dcm": without_pixels(),
        "lost.dcm": b"",
        "notes": TEXT,
    }
    for name, data in frames.items():
        (tmp_path / name).write_bytes(data)
    assert_scans_agree(tmp_path)
    assert {one.kind for one in scan(tmp_path).parts} == {
        *("volume", "localizer", "cine", "image", "other")
    }


@pytest.mark.data
def test_native_scan_of_real_files(data_dir: Path) -> None:
    assert_scans_agree(data_dir)


# --- files that the policy leaves out of a load


def test_first_error_that_is_not_dropped_is_raised(tmp_path: Path) -> None:
    paths = write_series(tmp_path, 4)
    paths[1].write_bytes(ct_slice()[:-5])
    paths[2].write_bytes(without_pixels())
    paths[3].write_bytes(ct_slice(RescaleSlope="1,5"))
    with expect_error("truncated_pixels", path=paths[1]):
        td.load(tmp_path, backend="reference")
    with expect_error("no_pixel_data", path=paths[2]):
        policy = td.Policy(truncated_pixels="drop")
        td.load(tmp_path, policy=policy, backend="reference")
    policy = td.Policy(truncated_pixels="drop", unreadable_file="drop")
    volume = td.load(tmp_path, policy=policy, backend="reference")
    assert [(one.code, one.files) for one in volume.verdict.defects] == [
        ("truncated_pixels", (str(paths[1]),)),
        ("unreadable_file", (str(paths[2]),)),
        ("unreadable_file", (str(paths[3]),)),
        ("assumed_spacing", ()),
    ]
    assert not volume.verdict.ok
    paths[0].write_bytes(ct_slice()[:-5])
    with expect_error("no_dicom_files"):
        td.load(tmp_path, policy=policy, backend="reference")


def test_codestreams_are_dropped_one_by_one(tmp_path: Path) -> None:
    paths = with_other_codestream(tmp_path, 4)
    with_first = with_other_codestream(tmp_path / "again", 0)
    paths[0].write_bytes(with_first[0].read_bytes())
    policy = td.Policy(codestream_mismatch="drop")
    volume = td.load(paths, policy=policy, backend="reference")
    assert [one.path for one in volume.provenance] == [str(path) for path in paths[1:4]]
    assert [one.files for one in volume.verdict.defects] == [(str(paths[0]),), (str(paths[4]),)]
    # Only what is asked for is decoded, and what was asked for moves up.
    moved = td.load(paths, policy=policy, slices=[0], backend="reference")
    assert [one.path for one in moved.provenance] == [str(paths[1])]
    assert [one.code for one in moved.verdict.defects] == ["codestream_mismatch"]
    with expect_error("codestream_mismatch", path=paths[4]):
        td.load(paths[4], policy=policy, backend="reference")


def test_warnings_come_once(tmp_path: Path) -> None:
    absent: dict[str, Any] = {"ImagePositionPatient": None}
    paths = write_series(tmp_path, 3, **absent)
    frame = encapsulated([[jpeg_frame(4, 4)]])
    other = ct_slice(
        syntax=JPEG_LOSSLESS, pixel_element=frame, SOPInstanceUID="1.2.3.4.3", **absent
    )
    paths[2].write_bytes(other)
    policy = td.Policy(codestream_mismatch="drop")
    with pytest.warns(td.DicomWarning) as caught:
        volume = td.load(tmp_path, policy=policy, backend="reference")
    assert volume.data.shape == (2, 3, 4)
    assert ["no_position" in str(one.message) for one in caught] == [True]


def test_other_localizers_are_counted_apart(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    write_more(tmp_path, 3, 2, ImageType=LOCALIZER, SeriesInstanceUID="1.9")
    volume = td.load(tmp_path, policy=td.Policy(localizer="raise"), backend="reference")
    assert volume.verdict == td.Verdict(ok=True)
