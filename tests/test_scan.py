"""What a scan finds in folders, whatever lies in them, and what it reads for that."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import Element, Syntax, ct_slice, write_series
from builders_bad import TEXT, without_pixels
from builders_frames import encapsulated
from builders_parts import write_more
from compare import assert_volumes_equal
from helpers import expect_error
from scanning import CT, SCOUT, in_child, listed, rows, write_tree
from torchdicom import _update
from torchdicom._reading import HeaderReader

if TYPE_CHECKING:
    from collections.abc import Callable


def test_series_of_a_tree(tmp_path: Path) -> None:
    index = td.scan(write_tree(tmp_path))
    assert listed(index) == {
        CT: ("volume", "CT", (4, 3, 4), True),
        SCOUT: ("localizer", "CT", (1, 3, 4), True),
        "1.2.3.5": ("volume", "MR", (3, 3, 4), True),
        "1.2.3.6": ("image", "DX", (1, 3, 4), True),
        "1.2.3.7": ("cine", "US", (5, 1, 3, 4), True),
    }
    assert [one.key for one in index] == sorted(one.key for one in index)
    assert index.skipped == []
    ct = index[CT]
    assert (ct.series_instance_uid, ct.dims, ct.spacing_mm) == (
        "1.2.3.4",
        ("z", "y", "x"),
        (2.5, 0.5, 0.25),
    )
    assert ct.affine is not None
    assert ct.affine[:3].tolist() == [[0, 0, 0.25, -10], [0, 0.5, 0, -20], [2.5, 0, 0, 30]]
    assert [defect.code for defect in ct.verdict.defects] == ["localizer"]
    assert ct.verdict.defects[0].files == (str(tmp_path / "ct" / "scout.dcm"),)
    assert ct.paths == tuple(str(tmp_path / "ct" / f"{i:04}.dcm") for i in range(4))
    assert index["1.2.3.7"].dims == ("t", "z", "y", "x")
    assert (index["1.2.3.6"].affine, index["1.2.3.7"].affine) == (None, None)


@pytest.mark.parametrize(
    ("key", "source"),
    [(CT, "ct"), ("1.2.3.5", "deep/mr"), ("1.2.3.6", "chest"), ("1.2.3.7", "heart.dcm")],
)
def test_loads_what_load_loads(tmp_path: Path, key: str, source: str) -> None:
    series = td.scan(write_tree(tmp_path))[key]
    expected = td.load(tmp_path / source)
    assert_volumes_equal(series.load(), expected)
    assert_volumes_equal(td.load(series), expected)
    assert series.provenance[0].path == expected.provenance[0].path
    assert dict(series.metadata) == dict(expected.metadata)
    assert series.verdict == expected.verdict
    assert (series.shape, series.dims) == (tuple(expected.data.shape), expected.dims)


ODD_NAMES = [
    b"\xff\xfe latin \xe9",
    b"new\nline",
    b"quote\"'\\",
    b" space ",
    b"-rf",
    b"IM0001",
    b"1.2.840.113619.2.55.3.1",
    "\u00e9\u4e2d\U0001f480.dcm".encode(),
    b"a" * 255,
]


def test_names_of_any_bytes(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xe9cole")
    names = [os.fsdecode(name) for name in ODD_NAMES]
    paths = write_series(folder, len(names), names=names)
    index = td.scan(folder)
    assert index[0].paths == tuple(map(str, paths))
    index.save(tmp_path / os.fsdecode(b"index\xff.parquet"))
    again = td.open_index(tmp_path / os.fsdecode(b"index\xff.parquet"))
    assert again[0].paths == tuple(map(str, paths))
    assert again[0].load().data[:, 0, 0].tolist() == [100 * i - 1024 for i in range(len(names))]
    assert again.refresh()[0].paths == tuple(map(str, paths))


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    os.mkfifo(tmp_path / "pipe.dcm")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        index = td.scan(tmp_path, num_threads=1)
    assert (len(index), index.skipped) == (1, [])


def test_links_that_lead_back(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "a" / "b", 3)
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "self").symlink_to("self")
    (tmp_path / "z").symlink_to(tmp_path / "a", target_is_directory=True)
    index = td.scan(tmp_path)
    assert [series.paths for series in index] == [tuple(map(str, paths))]


def test_link_to_a_file_elsewhere(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "elsewhere", 3)
    (tmp_path / "here").mkdir()
    for i, path in enumerate(paths):
        (tmp_path / "here" / f"link{i}").symlink_to(path)
    series = td.scan(tmp_path / "here")[0]
    assert series.paths == tuple(str(tmp_path / "here" / f"link{i}") for i in range(3))
    assert series.load().data.shape == (3, 3, 4)


def test_each_file_once(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "a", 3)
    index = td.scan([tmp_path / "a", tmp_path, paths[1], tmp_path / "a" / ".." / "a", tmp_path])
    assert index[0].shape == (3, 3, 4)
    assert index.to_arrow().num_rows == 3


# Everything is imported and warm before the rights are gone; root would read any folder.
WITHOUT_RIGHTS = """
folder, closed, file = sys.argv[1:]
td.scan(folder)
uid = os.geteuid()
if uid == 0:
    os.seteuid(65534)
index = td.scan(folder)
named = td.scan([folder + "/open", closed + "/0000.dcm"])
if uid == 0:
    os.seteuid(0)
os.chmod(closed, 0o755)
os.chmod(file, 0o644)
found = [[[series.shape for series in one], one.skipped] for one in (index, named, index.refresh())]
print(json.dumps(found))
"""


def test_folder_and_file_without_rights() -> None:
    folder = Path(tempfile.mkdtemp())  # not tmp_path: nobody else may enter that
    try:
        folder.chmod(0o755)
        paths = write_series(folder / "open", 3)
        uids: dict[str, Any] = {"SeriesInstanceUID": "2.2", "SOPInstanceUID": ["2.2.1", "2.2.2"]}
        write_series(folder / "closed", 2, **uids)
        paths[2].chmod(0)
        (folder / "closed").chmod(0)
        index, named, refreshed = in_child(WITHOUT_RIGHTS, folder, folder / "closed", paths[2])
        lost = [[str(folder / "closed"), "os_error"], [str(paths[2]), "os_error"]]
        inside = [[str(folder / "closed" / "0000.dcm"), "os_error"], lost[1]]
        for (shapes, skipped), expected in ((index, lost), (named, inside)):
            assert shapes == [[2, 3, 4]]
            assert [one[:2] for one in skipped] == expected
            assert all("ermission denied" in one[2] for one in skipped)
        # Rights change neither size nor time: what could not be read is tried again.
        assert refreshed == [[[3, 3, 4], [2, 3, 4]], []]
    finally:
        shutil.rmtree(folder)


def test_dangling_link_that_was_named(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 3)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    index = td.scan([tmp_path / "a", tmp_path / "link"])
    assert len(index) == 1
    assert [(one.path, one.code) for one in index.skipped] == [(str(tmp_path / "link"), "os_error")]


def test_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        td.scan([tmp_path, tmp_path / "nowhere"])
    assert caught.value.filename == str(tmp_path / "nowhere")


def test_empty_folder(tmp_path: Path) -> None:
    index = td.scan(tmp_path)
    assert (len(index), list(index), index.skipped, index.to_arrow().num_rows) == (0, [], [], 0)


def bad_files(folder: Path) -> dict[str, str]:
    """Files that are a loss, by name, with the code of each."""
    whole = ct_slice(SOPInstanceUID="5.5")
    files: dict[str, tuple[str, bytes]] = {
        "cut.dcm": ("truncated_pixels", whole[:-5]),
        "head": ("length_exceeds_file", whole[:200]),
        "lost.dcm": ("not_dicom", TEXT),
        "zeros": ("not_dicom", bytes(1000)),
        "no_pixels.dcm": ("no_pixel_data", without_pixels()),
        "spacing.dcm": ("invalid_decimal_string", ct_slice(PixelSpacing="0,5\\0,5")),
    }
    for name, (_, content) in files.items():
        (folder / name).write_bytes(content)
    return {name: code for name, (code, _) in files.items()}


def test_skipped_files_have_a_reason(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    (tmp_path / "notes.txt").write_bytes(TEXT)
    codes = bad_files(tmp_path)
    index = td.scan(tmp_path)
    assert listed(index) == {"1.2.3.4": ("volume", "CT", (3, 3, 4), True)}
    assert {Path(one.path).name: one.code for one in index.skipped} == codes
    assert [one.path for one in index.skipped] == sorted(one.path for one in index.skipped)
    assert all(len(one.message) > 20 for one in index.skipped)


def test_named_file_has_to_be_dicom(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    notes = tmp_path / "notes.txt"
    notes.write_bytes(TEXT)
    assert td.scan(tmp_path).skipped == []
    for index in (td.scan([tmp_path, notes]), td.scan([tmp_path, notes]).refresh()):
        assert [(one.path, one.code) for one in index.skipped] == [(str(notes), "not_dicom")]


def test_other_kinds_are_listed_and_not_loaded(tmp_path: Path) -> None:
    segmentation = "1.2.840.10008.5.1.4.1.1.66.4"
    (tmp_path / "seg").write_bytes(ct_slice(SOPClassUID=segmentation, Modality="SEG"))
    series = td.scan(tmp_path)[0]
    assert (series.kind, series.verdict.ok) == ("other", False)
    with pytest.raises(td.SeriesError) as caught:
        series.load()
    assert caught.value.code == "not_a_volume"


def test_relative_paths_are_those_of_this_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_series(tmp_path / "a", 3)
    monkeypatch.chdir(tmp_path)
    index = td.scan("a")
    monkeypatch.chdir("/")
    assert index[0].paths == tuple(map(str, paths))
    assert index[0].load().data.shape == (3, 3, 4)


@pytest.mark.parametrize("num_threads", [1, 3])
@pytest.mark.parametrize("chunk", [1, 3, 2048])
def test_neither_threads_nor_chunks_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_threads: int, chunk: int
) -> None:
    write_tree(tmp_path)
    bad_files(tmp_path)
    expected = td.scan(tmp_path, num_threads=2)
    monkeypatch.setattr(_update, "_CHUNK", chunk)
    index = td.scan(tmp_path, num_threads=num_threads)
    assert rows(index) == rows(expected)
    assert index.to_arrow().schema.equals(expected.to_arrow().schema, check_metadata=True)


def test_many_frames_of_one_file_are_rows(tmp_path: Path) -> None:
    write_tree(tmp_path)
    table = td.scan(tmp_path / "heart.dcm").to_arrow()
    assert table.column("frame").to_pylist() == [0, 1, 2, 3, 4]
    ranges = table.column("frame_ranges").to_pylist()
    starts = [one["offset"] for (one,) in ranges]
    assert [one["length"] for (one,) in ranges] == [12] * 5
    assert np.diff(starts).tolist() == [12] * 4
    assert set(table.column("position").to_pylist()) == {0}


def test_file_whose_frames_are_not_known(tmp_path: Path) -> None:
    """A syntax without a decoder: what the header says is listed all the same."""
    write_series(tmp_path / "a", 3)
    unread = Syntax("1.2.840.10008.1.2.4.52", encapsulated=True)
    pixels = encapsulated([[b"\0\0"]])
    write_more(tmp_path / "a", 3, 2, syntax=unread, pixel_element=pixels, SeriesInstanceUID="2.2")
    file = tmp_path / "i.parquet"
    series = td.scan(tmp_path / "a", index=file)["2.2"]
    for one in (series, td.open_index(file)["2.2"], td.open_index(file).refresh()["2.2"]):
        assert (one.shape, one.transfer_syntaxes) == ((2, 3, 4), (unread.uid,))
        assert [defect.code for defect in one.verdict.defects] == ["unsupported_transfer_syntax"]
        with expect_error("unsupported_transfer_syntax"):
            one.load()
    os.utime(tmp_path / "a" / "0003.dcm")
    assert td.open_index(file).refresh()["2.2"].shape == (2, 3, 4)


ONLY_HEADERS = """
td.scan(sys.argv[1])
print(json.dumps([bytes_read(lambda: td.scan(one, num_threads=2)) for one in sys.argv[1:]]))
"""


def test_reads_headers_alone(tmp_path: Path) -> None:
    cells = list(np.zeros((10, 300, 300), np.int16))
    filler = [[Element(0x00091010, "OB", bytes(300_000))]] * 10
    write_series(tmp_path / "plain", 10, pixels=cells)
    write_series(tmp_path / "large", 10, pixels=cells, extra=filler)
    plain, large = in_child(ONLY_HEADERS, tmp_path / "plain", tmp_path / "large")
    # At most 16 KiB where something is looked at: the pixels are 180,000 bytes, the filler 300,000.
    assert 0 < plain <= 10 * 16_384
    assert 0 < large <= 10 * 2 * 16_384


INCREMENTAL = """
folder, index = sys.argv[1:]
td.scan(folder, index=index)
def rescan():
    td.scan(folder, index=index, num_threads=2)
def of_files(update):  # what is read besides the index itself
    size = Path(index).stat().st_size
    return bytes_read(update) - size
nothing = of_files(rescan)
refreshed = of_files(lambda: td.open_index(index).refresh(num_threads=2))
changed = Path(folder) / "0003.dcm"
content = changed.read_bytes()
changed.write_bytes(content.replace(b"1.2.3.4.4", b"1.2.3.4.0"))
one = of_files(rescan)
after = of_files(rescan)
uids = [row.sop_instance_uid for row in td.open_index(index)[0].provenance]
print(json.dumps([nothing, refreshed, one, after, uids, len(content)]))
"""


def test_reads_only_what_has_changed(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 20, pixels=list(np.zeros((20, 64, 64), np.int16)))
    nothing, refreshed, one, after, uids, size = in_child(
        INCREMENTAL, tmp_path / "a", tmp_path / "i.parquet"
    )
    assert (nothing, refreshed, after) == (0, 0, 0)
    assert 0 < one <= size
    assert uids == [f"1.2.3.4.{0 if i == 3 else i + 1}" for i in range(20)]


def add_slice(folder: Path) -> None:
    more = ct_slice(SOPInstanceUID="1.2.3.4.77", ImagePositionPatient=(-10, -20, 40))
    (folder / "ct" / "more.dcm").write_bytes(more)


def remove_slice(folder: Path) -> None:
    (folder / "ct" / "0001.dcm").unlink()


def remove_series(folder: Path) -> None:
    shutil.rmtree(folder / "deep")


def remove_scout(folder: Path) -> None:
    (folder / "ct" / "scout.dcm").unlink()


def change_uid(folder: Path) -> None:
    path = folder / "deep" / "mr" / "0002.dcm"
    path.write_bytes(path.read_bytes().replace(b"1.2.3.5", b"1.2.3.8"))


def break_file(folder: Path) -> None:
    (folder / "ct" / "0003.dcm").write_bytes(TEXT)


def mend_file(folder: Path) -> None:
    (folder / "ct" / "broken.dcm").write_bytes(ct_slice(SOPInstanceUID="1.2.3.4.5"))


def add_link(folder: Path) -> None:
    (folder / "ct" / "copy").symlink_to(folder / "ct" / "0000.dcm")


CHANGES = [add_slice, remove_slice, remove_series, remove_scout, change_uid, break_file, mend_file]


@pytest.mark.parametrize("change", [*CHANGES, add_link], ids=lambda change: change.__name__)
def test_refresh_is_a_new_scan(tmp_path: Path, change: Callable[[Path], None]) -> None:
    folder, file = write_tree(tmp_path / "t"), tmp_path / "i.parquet"
    (folder / "ct" / "broken.dcm").write_bytes(TEXT)
    before = td.scan(folder, index=file, include_metadata=["SeriesDescription"])
    change(folder)
    expected = td.scan(folder, include_metadata=["SeriesDescription"])
    refreshed = before.refresh()
    updated = td.scan(folder, index=file, include_metadata=["SeriesDescription"])
    for index in (refreshed, updated, td.open_index(file)):
        assert rows(index) == rows(expected)
        assert listed(index) == listed(expected)
    assert rows(expected) != rows(before)


def test_index_of_other_folders_is_updated(tmp_path: Path) -> None:
    folder, file = write_tree(tmp_path / "t"), tmp_path / "i.parquet"
    td.scan(folder / "ct", index=file)
    index = td.scan([folder / "deep", folder / "ct"], index=file)
    expected = td.scan([folder / "deep", folder / "ct"])
    assert rows(index) == rows(expected)
    assert len(td.open_index(file)) == 3


def test_named_files_are_refreshed_as_such(tmp_path: Path) -> None:
    paths = write_series(tmp_path, 4)
    index = td.scan(paths[:3])
    paths[0].unlink()
    assert index.refresh()[0].paths == tuple(map(str, paths[1:3]))
    for path in paths[1:3]:
        path.unlink()
    assert len(index.refresh()) == 0


def test_file_that_is_named_no_more(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 3)
    note, file = tmp_path / "a" / "notes.txt", tmp_path / "i.parquet"
    note.write_bytes(TEXT)
    assert [one.path for one in td.scan([tmp_path / "a", note], index=file).skipped] == [str(note)]
    assert td.scan(tmp_path / "a", index=file).skipped == []
    assert len(td.scan([tmp_path / "a", note], index=file).skipped) == 1


def test_other_file_of_the_same_folder_is_named(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "a", 3)
    file = tmp_path / "i.parquet"
    td.scan([tmp_path / "a", paths[0]], index=file)
    expected = rows(td.scan([tmp_path / "a", paths[2]]))
    updated = td.scan([tmp_path / "a", paths[2]], index=file)
    assert rows(updated) == expected
    assert rows(updated.refresh()) == expected
    assert sorted(updated.to_arrow().column("root").to_pylist()) == [0, 0, 1]


def test_order_of_the_roots_stays(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "a", 3)
    index = td.scan([paths[0], tmp_path / "a"])
    assert rows(index.refresh()) == rows(index)


def test_slow_files_are_rows_every_half_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_series(tmp_path / "a", 100)
    expected = rows(td.scan(tmp_path / "a"))
    monkeypatch.setattr("torchdicom._reading._MOST_S", 0.0)
    counts: list[int] = []
    read = HeaderReader.read

    def counted(self: HeaderReader, files: Any) -> Any:
        counts.append(read(self, files))
        return counts[-1]

    monkeypatch.setattr(HeaderReader, "read", counted)
    assert rows(td.scan(tmp_path / "a", num_threads=1)) == expected
    assert counts == [32, 32, 32, 4]


def test_folder_that_is_gone_is_not_an_empty_index(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 3)
    index = td.scan(tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        index.refresh()
