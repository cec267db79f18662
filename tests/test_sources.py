"""From what is named to the files that are loaded: what is passed over, and what was lost."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

import torchdicom as td
from builders import ct_slice, write_series
from builders_bad import TEXT, without_pixels
from helpers import Backend, expect_error, read_header
from torchdicom._reference import _sources

if TYPE_CHECKING:
    from pathlib import Path


DROP = td.Policy(unreadable_file="drop")


@pytest.mark.parametrize("is_named", [False, True])
def test_image_without_its_pixels_was_cut_off(
    tmp_path: Path, backend: Backend, *, is_named: bool
) -> None:
    paths = write_series(tmp_path, 4)
    paths[3].write_bytes(without_pixels())
    source: Any = paths if is_named else tmp_path
    with expect_error("no_pixel_data", element="PixelData", path=paths[3]):
        td.load(source, backend=backend)
    assert read_header(paths[3], backend).frame_ranges == ()
    volume = td.load(source, policy=DROP, backend=backend)
    assert volume.data.shape == (3, 3, 4)
    (defect,) = volume.verdict.defects
    assert (defect.code, defect.files) == ("unreadable_file", (str(paths[3]),))


@pytest.mark.parametrize("absent", [("Rows", "Columns"), ("Rows",), ("Columns",)])
@pytest.mark.parametrize("is_named", [False, True])
def test_file_that_describes_no_image_is_left_out(
    tmp_path: Path, backend: Backend, absent: tuple[str, ...], *, is_named: bool
) -> None:
    paths = write_series(tmp_path, 4)
    paths[3].write_bytes(without_pixels(*absent))
    source: Any = paths if is_named else tmp_path
    assert td.load(source, backend=backend).data.shape == (3, 3, 4)


LOST = [
    ("0003.dcm", b""),
    ("0003.dcm", TEXT),
    ("0003.dcm", bytes(1000)),
    ("IM3.DCM", TEXT),
    ("IM3.Dicom", TEXT),
    ("im3.dicom", b""),
    ("3.IMA", bytes(200)),
    ("1.2.3.ima", b""),
    ("IM0003", b""),
    ("IM0003", bytes(1000)),
    ("IM0003", b"\0"),
    ("DICOMDIR", bytes(4)),
    ("1.2.840.113619.2.55", b""),
    (".dcm", TEXT),
]
NO_DICOM = [
    ("notes.txt", TEXT),
    ("empty.txt", b""),
    ("zeros.bin", bytes(1000)),
    ("README", TEXT),
    ("LICENSE", b"x"),
    ("1.2.840.113619.2.55", TEXT),
    ("dcm", TEXT),
    ("0003.dcm.txt", b""),
    ("0003.dcm~", bytes(1000)),
    (".hidden", b""),
]


def name_id(value: object) -> str | None:
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(("name", "content"), LOST, ids=name_id)
def test_lost_file_of_a_folder(tmp_path: Path, backend: Backend, name: str, content: bytes) -> None:
    write_series(tmp_path, 3)
    path = tmp_path / "deeper" / name
    path.parent.mkdir()
    path.write_bytes(content)
    with expect_error("not_dicom", path=path):
        td.load(tmp_path, backend=backend)
    volume = td.load(tmp_path, policy=DROP, backend=backend)
    assert volume.data.shape == (3, 3, 4)
    assert [one.files for one in volume.verdict.defects] == [(str(path),)]


@pytest.mark.parametrize(("name", "content"), NO_DICOM, ids=name_id)
def test_other_file_of_a_folder(
    tmp_path: Path, backend: Backend, name: str, content: bytes
) -> None:
    write_series(tmp_path / "with.dcm", 3)
    path = tmp_path / "with.dcm" / name
    path.write_bytes(content)
    assert td.load(tmp_path, backend=backend).data.shape == (3, 3, 4)
    with expect_error("not_dicom", path=path):
        td.load([tmp_path, path], backend=backend)
    volume = td.load([tmp_path, path], policy=DROP, backend=backend)
    assert [one.files for one in volume.verdict.defects] == [(str(path),)]


def device(tmp_path: Path, name: str) -> str:
    if name != "pipe":
        return name
    os.mkfifo(tmp_path / name)
    return str(tmp_path / name)


@pytest.mark.parametrize("name", ["pipe", "/dev/null", "/dev/zero"])
def test_path_that_is_neither_file_nor_folder(tmp_path: Path, backend: Backend, name: str) -> None:
    # Nobody writes to the pipe: opening it the usual way would wait for ever.
    path = device(tmp_path, name)
    for call in (td.load, td.decode):
        with pytest.raises(OSError, match=os.strerror(errno.EINVAL)) as caught:
            call(path, backend=backend)
        assert (caught.value.errno, caught.value.filename) == (errno.EINVAL, path)
    with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
        read_header(path, backend)


def test_folder_where_a_file_belongs(tmp_path: Path, backend: Backend) -> None:
    with pytest.raises(IsADirectoryError):
        td.decode(tmp_path, backend=backend)
    with pytest.raises(IsADirectoryError):
        read_header(tmp_path, backend)


def test_entries_of_a_folder_that_lead_nowhere(tmp_path: Path, backend: Backend) -> None:
    folder = tmp_path / "series"
    write_series(folder, 3)
    os.mkfifo(folder / "pipe.dcm")
    (folder / "self.dcm").symlink_to("self.dcm")
    (folder / "there.dcm").symlink_to("back.dcm")
    (folder / "back.dcm").symlink_to("there.dcm")
    (folder / "dangling.dcm").symlink_to("nothing.dcm")
    (folder / "parent").symlink_to(tmp_path)
    assert td.load(folder, backend=backend).data.shape == (3, 3, 4)


@pytest.mark.parametrize(
    "names",
    [("a", "a"), ("a", "./a"), ("a", "a/b"), ("a/b", "a"), ("a/b", "link"), ("link", "a", "a/b")],
)
def test_folder_that_is_reached_twice(
    tmp_path: Path, backend: Backend, names: tuple[str, ...]
) -> None:
    write_series(tmp_path / "a" / "b", 3)
    (tmp_path / "link").symlink_to("a")
    sources = [f"{tmp_path}/{name}" for name in names]
    assert td.load(sources, backend=backend).data.shape == (3, 3, 4)


def test_named_links_that_lead_nowhere(tmp_path: Path, backend: Backend) -> None:
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "dangling").symlink_to("nothing")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        td.load(tmp_path / "self", backend=backend)
    with pytest.raises(FileNotFoundError):
        td.load(tmp_path / "dangling", backend=backend)


def test_sources_in_memory_are_counted_alone(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 4)
    first, second = paths[0].read_bytes(), paths[2].read_bytes()
    volume = td.load([paths[1], first, paths[3], second], backend=backend)
    places = ["<bytes 0>", str(paths[1]), "<bytes 1>", str(paths[3])]
    assert [one.path for one in volume.provenance] == places
    with expect_error("not_dicom") as caught:
        td.load([paths[1], first, paths[3], TEXT], backend=backend)
    assert caught.value.path == "<bytes 1>"


def test_copies_are_found_wherever_they_are(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 3)
    (tmp_path / "link.dcm").symlink_to("0001.dcm")
    (defect,) = td.load(tmp_path, backend=backend).verdict.defects
    assert (defect.code, defect.files) == ("duplicate_files", (str(tmp_path / "link.dcm"),))
    # A path that is named twice is one file; the same bytes are two.
    contents = [path.read_bytes() for path in paths]
    assert td.load([*paths, paths[1]], backend=backend).verdict == td.Verdict(ok=True)
    (defect,) = td.load([*contents, contents[1]], backend=backend).verdict.defects
    assert (defect.code, defect.files) == ("duplicate_files", ("<bytes 3>",))
    volume = td.load([contents[2], *paths], backend=backend)
    (defect,) = volume.verdict.defects
    assert (defect.code, defect.files) == ("duplicate_files", ("<bytes 0>",))
    assert volume.data.shape == (3, 3, 4)


def test_copies_that_differ_in_their_last_byte(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 3)
    content = paths[1].read_bytes()
    (tmp_path / "copy.dcm").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with expect_error("duplicate_files", path=tmp_path / "copy.dcm"):
        td.load(tmp_path, backend=backend)
    (tmp_path / "copy.dcm").write_bytes(content + b"\0\0")
    with expect_error("duplicate_files", path=tmp_path / "copy.dcm"):
        td.load(tmp_path, backend=backend)


def test_file_that_changes_after_its_header_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The core offers no place between the two reads to change the file in; the reference does.
    path = tmp_path / "moving.dcm"
    path.write_bytes(ct_slice())
    read_again = _sources.read_again

    def change_and_read(source: _sources.Source, stamp: tuple[int, int]) -> bytes:
        path.write_bytes(ct_slice() + bytes(8))
        return read_again(source, stamp)

    monkeypatch.setattr("torchdicom._reference._pixels.read_again", change_and_read)
    with expect_error("file_changed", path=path):
        td.load(path, backend="reference")


@pytest.mark.parametrize("grows", [False, True])
def test_file_that_changes_while_its_pixels_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, grows: bool
) -> None:
    # tests/cpp has the same for the core, which cannot be stopped from here in the middle.
    path = tmp_path / "moving.dcm"
    path.write_bytes(ct_slice())
    reads: list[bytes] = []

    def read_and_change(file: BinaryIO) -> bytes:
        reads.append(file.read())
        if len(reads) == 2:  # the first is the header's
            path.write_bytes(ct_slice() + bytes(8 * grows))
            os.utime(path, ns=(0, 0))
        return reads[-1]

    monkeypatch.setattr(_sources, "_read_all", read_and_change)
    with expect_error("file_changed", path=path):
        td.load(path, backend="reference")
    assert len(reads) == 2
