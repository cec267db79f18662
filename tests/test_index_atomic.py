"""The file of an index is always a whole one, and says so where it is not one."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import torchdicom as td
from builders import write_series
from scanning import in_child, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# The one that is killed is forked, so that it starts to save at once.
KILLS = """
import random, signal, time

folder, file, rounds = sys.argv[1:]
index = td.scan(folder)
wanted = {0: index.filter(key="2.0"), 1: index.filter(key="2.1")}
keys = {("2.0",): 0, ("2.1",): 0}
partial = 0
random.seed(int(rounds))
started = time.monotonic()
for one in (1, 0, 1, 0):
    wanted[one].save(file)
took = (time.monotonic() - started) / 4
for round in range(int(rounds)):
    child = os.fork()
    if child == 0:
        while True:
            for one in (1, 0):
                wanted[one].save(file)
    time.sleep(random.uniform(0.2, 6) * took)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    partial += any(name.endswith(".tmp") for name in os.listdir(os.path.dirname(file)))
    found = td.open_index(file)
    keys[tuple(one.key for one in found)] += 1
    number = int(found[0].key[-1])
    assert str(found.to_arrow().to_pylist()) == str(wanted[number].to_arrow().to_pylist())
    for name in os.listdir(os.path.dirname(file)):
        if name.endswith(".tmp"):
            os.unlink(os.path.join(os.path.dirname(file), name))
print(json.dumps([sorted(keys.values()), partial]))
"""


def test_killed_while_it_saves(tmp_path: Path) -> None:
    for k in range(2):
        uids = [f"3.{k}.{i}" for i in range(40)]
        write_series(tmp_path / "a" / f"{k}", 40, SeriesInstanceUID=f"2.{k}", SOPInstanceUID=uids)
    (tmp_path / "i").mkdir()
    counts, partial = in_child(KILLS, tmp_path / "a", tmp_path / "i" / "i.parquet", 40)
    assert sum(counts) == 40
    assert min(counts) > 0  # both were met
    assert partial > 10  # and many saves were cut off in the middle


@pytest.fixture
def index(tmp_path: Path) -> td.Index:
    write_series(tmp_path / "a", 3)
    return td.scan(tmp_path / "a")


def test_failed_save_leaves_the_old_file(
    tmp_path: Path, index: td.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "i.parquet"
    index.save(file)
    content = file.read_bytes()

    def full(_: object, file: Any, **__: object) -> None:
        file.write(b"PAR1 half of it")
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        index.save(file)
    assert file.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "i.parquet"]


def test_save_where_no_folder_is(tmp_path: Path, index: td.Index) -> None:
    with pytest.raises(FileNotFoundError):
        index.save(tmp_path / "nowhere" / "i.parquet")
    with pytest.raises(IsADirectoryError):
        index.save(tmp_path / "a")
    assert len(list(tmp_path.iterdir())) == 1


def test_what_was_left_behind_is_removed_in_time(tmp_path: Path, index: td.Index) -> None:
    old, young, other = (
        tmp_path / f".{name}.tmp" for name in ("i.parquet.1", "i.parquet.2", "j.1")
    )
    for path in (old, young, other):
        path.write_bytes(b"PAR1")
    for path in (old, other):
        os.utime(path, (time.time() - 100_000,) * 2)
    index.save(tmp_path / "i.parquet")
    assert [path.exists() for path in (old, young, other)] == [False, True, True]


def test_link_stays_a_link(tmp_path: Path, index: td.Index) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "i.parquet")
    index.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert rows(td.open_index(tmp_path / "there" / "i.parquet")) == rows(index)


def test_rights_are_those_of_any_new_file(tmp_path: Path, index: td.Index) -> None:
    index.save(tmp_path / "i.parquet")
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("i.parquet", "plain")]
    assert modes[0] == modes[1]


def without_column(table: pa.Table) -> pa.Table:
    return table.drop_columns(["Rows"])


def with_other_type(table: pa.Table) -> pa.Table:
    at = table.column_names.index("Rows")
    return table.set_column(at, "Rows", table.column("Rows").cast(pa.string()))


def without_header(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata(None)


def with_broken_header(table: pa.Table) -> pa.Table:
    metadata = dict(table.schema.metadata)
    return table.replace_schema_metadata({**metadata, b"torchdicom.header": b'{"roots": 3}'})


DAMAGED = [without_column, with_other_type, without_header, with_broken_header]


@pytest.mark.parametrize("damage", DAMAGED, ids=lambda damage: damage.__name__)
def test_table_of_another_form(
    tmp_path: Path, index: td.Index, damage: Callable[[pa.Table], pa.Table]
) -> None:
    file = tmp_path / "i.parquet"
    pq.write_table(damage(index.to_arrow()), file)
    assert_refused(tmp_path, file, "invalid_index")


def test_other_version(tmp_path: Path, index: td.Index) -> None:
    file, table = tmp_path / "i.parquet", index.to_arrow()
    metadata = {**table.schema.metadata, b"torchdicom.version": b"1"}
    pq.write_table(table.replace_schema_metadata(metadata), file)
    error = assert_refused(tmp_path, file, "index_version")
    assert "version 1" in str(error)
    assert "Scan the files again" in str(error)


def assert_refused(folder: Path, file: Path, code: str) -> td.ParseError:
    """Neither opened nor overwritten."""
    content = file.read_bytes()
    with pytest.raises(td.ParseError) as opening:
        td.open_index(file)
    with pytest.raises(td.ParseError) as scanning:
        td.scan(folder / "a", index=file)
    for error in (opening.value, scanning.value):
        assert (error.code, error.path) == (code, str(file))
    assert file.read_bytes() == content
    return opening.value


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not Parquet at all", bytes(10_000)])
def test_file_that_is_no_index(tmp_path: Path, index: td.Index, content: bytes) -> None:
    (tmp_path / "i.parquet").write_bytes(content)
    assert len(index) == 1
    assert_refused(tmp_path, tmp_path / "i.parquet", "invalid_index")


def test_names_that_are_no_text(tmp_path: Path, index: td.Index) -> None:
    """In the footer, which no checksum covers: Arrow fails to decode some of them."""
    file = tmp_path / "i.parquet"
    index.save(file)
    content = file.read_bytes()
    places = [i for i in range(len(content)) if content.startswith(b"RescaleIntercept", i)]
    refused = 0
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 0x80
        file.write_bytes(changed)
        code = None
        try:
            assert rows(td.open_index(file)) == rows(index)  # some names nobody needs
        except td.ParseError as error:
            code = error.code
        assert code in {None, "invalid_index"}
        refused += code is not None
    assert refused > 0


@pytest.mark.parametrize("name", ["Modality", "TransferSyntaxUID", "SpecificCharacterSet"])
def test_text_that_no_file_has(tmp_path: Path, index: td.Index, name: str) -> None:
    table = index.to_arrow()
    values = [{**row, name: "\u4e2d"} for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(values, schema=table.schema), tmp_path / "i.parquet")
    [series] = td.open_index(tmp_path / "i.parquet")
    with pytest.raises(td.ParseError) as caught:
        series.load()
    assert caught.value.code == "invalid_index"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        td.open_index(tmp_path / "i.parquet")
    with pytest.raises(IsADirectoryError):
        td.open_index(tmp_path)


def test_cut_or_flipped_file(tmp_path: Path, index: td.Index) -> None:
    """Checksums find what has changed within pages; no damage may crash or pass for another."""
    file, expected = tmp_path / "i.parquet", rows(index)
    index.save(file)
    content = file.read_bytes()
    refused = 0
    for at in range(0, len(content), max(1, len(content) // 300)):
        for damaged in (content[:at], flipped(content, at)):
            file.write_bytes(damaged)
            code, content_read = opened(file)
            refused += code is not None
            assert code in {None, "invalid_index", "index_version"}
            assert content_read in {None, expected}
    assert refused > 400


def opened(file: Path) -> tuple[str | None, str | None]:
    """The code of the error, or the rows."""
    try:
        return None, rows(td.open_index(file))
    except td.ParseError as error:
        return error.code, None


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


def edited(index: td.Index, name: str, values: list[Any], file: Path) -> td.Index:
    """The index with another column, as somebody's program may have written it."""
    table = index.to_arrow()
    at = table.column_names.index(name)
    column = pa.array(values, table.schema.field(name).type)
    pq.write_table(table.set_column(at, table.schema.field(name), column), file)
    return td.open_index(file)


RANGE = {"offset": 2**62, "length": 24}
WRONG: list[tuple[str, list[Any]]] = [
    ("frame", [1, 0, 0]),
    ("frame", [None, 0, 0]),
    ("root", [0, 1, 0]),
    ("root", [-1, 0, 0]),
    ("path", [b"0000.dcm", None, b"0002.dcm"]),
    ("path", [b"0000.dcm"] * 3),
    ("path", [b"a\0b", b"0001.dcm", b"0002.dcm"]),
    ("kind", [None] * 3),
    ("spacing_mm", [[1.0], None, None]),
    ("affine", [[1.0], None, None]),
    ("defects", ["{}", None, None]),
    ("defects", ["[1]", None, None]),
    ("series_key", [None, "1.2.3.4", "1.2.3.4"]),
    ("size", [None, 0, 0]),
    ("ImagePositionPatient", [[1.0], [2.0], [3.0]]),
    ("SOPInstanceUID", ["\u4e2d", "2", "3"]),
    ("frame_ranges", [[RANGE], [RANGE], [RANGE]]),
    ("frame_ranges", [[{"offset": -1, "length": -1}]] * 3),
    ("pixel_tag", [-1, -1, -1]),
    ("SeriesInstanceUID", ["1", "2", "3"]),
]


@pytest.mark.parametrize(("name", "values"), WRONG)
def test_values_that_no_scan_writes(
    tmp_path: Path, index: td.Index, name: str, values: list[Any]
) -> None:
    def use() -> None:
        series = edited(index, name, values, tmp_path / "i.parquet")[0]
        assert repr(series) + str(series.affine)
        series.load()

    with pytest.raises((td.DicomError, OSError)) as caught:
        use()
    if isinstance(caught.value, td.DicomError):
        assert caught.value.code in {"invalid_index", "file_changed", "truncated_pixels"}
