"""What is wrong is said with class, code, element, file and offset."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

import torchdicom as td
from builders import (
    DEFLATED,
    JPEG,
    RLE,
    UNKNOWN,
    Element,
    ct_slice,
    offset_of,
    write_series,
)
from builders_frames import encapsulated
from helpers import Backend, element_name, expect_error, read_header

if TYPE_CHECKING:
    from pathlib import Path

from builders_bad import (
    BAD,
    PARSING,
    TEXT,
    VALUES,
    Bad,
    compressed,
    nested,
    with_extra,
    without_pixels,
)


def bad_id(bad: Bad) -> str:
    return bad.name


@pytest.mark.parametrize("bad", BAD, ids=bad_id)
def test_bad_file(tmp_path: Path, backend: Backend, bad: Bad) -> None:
    path = tmp_path / "bad.dcm"
    data = bad.build()
    path.write_bytes(data)
    with expect_error(bad.code, element=bad.element, path=path) as caught:
        td.decode(path, output="modality", backend=backend)
    error = caught.value
    assert str(path) in str(error)
    if backend == "native" and bad.at is not None:
        assert error.offset == offset_of(data, bad.at)


@pytest.mark.parametrize("bad", BAD, ids=bad_id)
def test_bad_file_in_a_series(tmp_path: Path, backend: Backend, bad: Bad) -> None:
    # In a folder some faults are found by comparing files first; still an error of ours.
    write_series(tmp_path, 3)
    (tmp_path / "0001.dcm").write_bytes(bad.build())
    with pytest.raises(td.DicomError) as caught:
        td.load(tmp_path, backend=backend)
    assert caught.value.code is not None


@pytest.mark.parametrize("bad", PARSING + VALUES, ids=bad_id)
def test_bad_file_in_a_series_is_left_out_on_request(
    tmp_path: Path, backend: Backend, bad: Bad
) -> None:
    paths = write_series(tmp_path, 3)
    paths[2].write_bytes(bad.build())
    with expect_error(bad.code, element=bad.element, path=paths[2]):
        td.load(tmp_path, backend=backend)
    volume = td.load(tmp_path, policy=td.Policy(unreadable_file="drop"), backend=backend)
    assert volume.data.shape == (2, 3, 4)
    (defect,) = volume.verdict.defects
    assert (defect.code, defect.files) == ("unreadable_file", (str(paths[2]),))


@pytest.mark.parametrize("bad", PARSING + VALUES, ids=bad_id)
def test_header_alone_finds_it_too(backend: Backend, bad: Bad) -> None:
    with expect_error(bad.code, element=bad.element):
        read_header(bad.build(), backend)


def test_codestream_errors_name_the_frame(backend: Backend) -> None:
    data = compressed(b"no codestream!", JPEG)()
    start = data.index(b"no codestream!")
    with expect_error("invalid_codestream", element="PixelData", offset=start):
        td.decode(data, backend=backend)


def test_error_from_memory_names_the_source(backend: Backend) -> None:
    with expect_error("not_dicom") as caught:
        td.decode(TEXT, backend=backend)
    assert (caught.value.path or "").startswith("<bytes")


def test_sequence_depth_within_the_limit(backend: Backend) -> None:
    assert td.decode(with_extra(nested(30))(), backend=backend).shape == (1, 3, 4)


def test_output_larger_than_the_limit(backend: Backend) -> None:
    frames = encapsulated([[b"\0\0"]] * 5)
    size: dict[str, Any] = {"Rows": 32768, "Columns": 32768, "NumberOfFrames": 5}
    with expect_error("limit_output_bytes"):
        td.decode(
            ct_slice(syntax=RLE, pixel_element=frames, **size), output="modality", backend=backend
        )


@pytest.mark.parametrize(("mebibytes", "is_bomb"), [(63, False), (65, True)])
def test_inflated_data_set_larger_than_its_deflated_bytes_allow(
    tmp_path: Path, backend: Backend, mebibytes: int, *, is_bomb: bool
) -> None:
    # Zeros shrink a thousandfold: 64 MiB are free, beyond that a hundredfold is the limit.
    path = tmp_path / "zeros.dcm"
    zeros = Element(0x00091010, "OB", bytes(mebibytes << 20))
    path.write_bytes(ct_slice(syntax=DEFLATED, extra=[zeros]))
    if not is_bomb:
        assert td.decode(path, backend=backend).shape == (1, 3, 4)
        return
    with expect_error("limit_ratio", path=path):
        td.decode(path, backend=backend)


def test_inflated_data_set_larger_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    # The true limit is 4 GiB, more than a test may take: only the reference's can be lowered.
    monkeypatch.setattr("torchdicom._reference._elements._MAX_INFLATED_BYTES", 100)
    with expect_error("limit_ratio"):
        td.decode(ct_slice(syntax=DEFLATED), backend="reference")


def test_unsupported_syntax_still_has_a_header(backend: Backend) -> None:
    header = read_header(compressed(b"ab", UNKNOWN)(), backend)
    assert header.transfer_syntax_uid == UNKNOWN.uid
    assert header.rows == 3


def test_missing_path(tmp_path: Path, backend: Backend) -> None:
    missing = tmp_path / "nothing" / "here"
    for call in (td.load, td.decode):
        with pytest.raises(FileNotFoundError) as caught:
            call(missing, backend=backend)
        assert caught.value.filename == str(missing)
    with pytest.raises(FileNotFoundError):
        read_header(missing, backend)


def test_folder_without_files(tmp_path: Path, backend: Backend) -> None:
    (tmp_path / "deeper").mkdir()
    with expect_error("empty_folder", path=tmp_path):
        td.load(tmp_path, backend=backend)


def test_folder_without_dicom(tmp_path: Path, backend: Backend) -> None:
    (tmp_path / "notes.txt").write_bytes(TEXT)
    with expect_error("no_dicom_files"):
        td.load(tmp_path, backend=backend)
    with expect_error("not_dicom", path=tmp_path / "notes.txt"):
        td.load(tmp_path / "notes.txt", backend=backend)


def test_dicom_without_images(tmp_path: Path, backend: Backend) -> None:
    (tmp_path / "report.dcm").write_bytes(without_pixels("Rows", "Columns"))
    for source in (tmp_path, tmp_path / "report.dcm"):
        with expect_error("no_images"):
            td.load(source, backend=backend)


def test_damaged_file_of_a_folder_is_named(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 4)
    os.truncate(paths[2], paths[2].stat().st_size - 5)
    with expect_error("truncated_pixels", element="PixelData", path=paths[2]):
        td.load(tmp_path, backend=backend)
    paths[1].write_bytes(b"")
    with expect_error("not_dicom", path=paths[1]):
        td.load(tmp_path, backend=backend)


def test_path_with_any_character(tmp_path: Path, backend: Backend) -> None:
    folder = tmp_path / "ж 漢 \t'\"%s{}"
    write_series(folder, 2)
    assert td.load(folder, backend=backend).data.shape == (2, 3, 4)
    (folder / "0000.dcm").write_bytes(ct_slice(RescaleSlope="1,5"))
    with expect_error("invalid_decimal_string", path=folder / "0000.dcm"):
        td.load(folder, backend=backend)


def test_error_text_has_everything() -> None:
    with expect_error("invalid_decimal_string", element="RescaleSlope") as caught:
        td.decode(ct_slice(RescaleSlope="1,5"), output="modality")
    text = str(caught.value)
    for part in ("1,5", "invalid_decimal_string", element_name("RescaleSlope"), "byte"):
        assert part in text
