"""The core's records of an index as NumPy arrays: what goes out comes in again, or is refused."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import DEFLATED, EXPLICIT, Syntax, write_series
from helpers import syntax_id
from torchdicom import _ext

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Columns = dict[str, Any]
POLICY = dataclasses.asdict(td.Policy())
OPTIONS: dict[str, Any] = {
    "policy": POLICY,
    "output": "modality",
    "dtype": None,
    "out": None,
    "num_threads": 1,
    "texts": [],
    "slices": None,
    "t": None,
    "region": None,
    "mask": False,
    "reduce": 0,
    "codec": None,
    "rwvm": None,
    "finish": None,
}
SLICE_THICKNESS = 0x0018_0050
DTYPES = {
    "int64": ["int64"],
    "bool": ["bool"],
    "int64?": ["int64", "bool"],
    "float64?": ["float64", "bool"],
    "text": ["int64", "uint8"],
    "word": ["int32", "int64", "uint8"],
    "list<int64>": ["int64", "int64"],
    "list<float64>": ["int64", "float64"],
}


def rows_of(folder: Path, texts: tuple[int, ...] = ()) -> Any:
    paths, skipped = _ext.discover_files([str(folder)])
    assert skipped == []
    return read(paths, 2, texts)


def read(paths: Any, num_threads: int = 1, texts: tuple[int, ...] = ()) -> Any:
    headers = _ext.HeaderRows(list(texts))
    assert headers.read(paths, num_threads=num_threads) == len(paths[0]) - 1
    return headers.take()


def load(columns: Columns, **changed: Any) -> Any:
    arguments = {"key": "key", "context": [], **OPTIONS, **changed}
    return _ext.load_rows(columns, **arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_series(tmp_path / "series", 3)
    return tmp_path / "series"


def texts_of(column: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]) -> list[bytes]:
    offsets, values = column
    return [values[begin:end].tobytes() for begin, end in itertools.pairwise(offsets)]


def test_columns_have_the_stated_types(folder: Path) -> None:
    columns = rows_of(folder)["columns"]
    assert list(columns) == [name for name, _ in _ext.core_columns()]
    for name, kind in _ext.core_columns():
        column = columns[name]
        arrays = column if isinstance(column, tuple) else (column,)
        assert [str(array.dtype) for array in arrays] == DTYPES[kind], name
        records = len(arrays[0]) - (kind == "text" or kind.startswith("list"))
        assert records == 3, name


def test_arrays_live_on_without_the_result(folder: Path) -> None:
    rows = rows_of(folder)
    path, size = rows["columns"]["path"], rows["size"]
    del rows
    gc.collect()
    assert texts_of(path) == [os.fsencode(one) for one in sorted(folder.iterdir())]
    assert size.tolist() == [one.stat().st_size for one in sorted(folder.iterdir())]


def test_states_are_what_the_system_says(folder: Path) -> None:
    paths, _ = _ext.discover_files([str(folder)])
    last = max(folder.iterdir())
    last.unlink()
    stats = [one.stat() for one in sorted(folder.iterdir())]
    size, mtime_ns = _ext.file_states(paths, num_threads=2)
    assert size.tolist() == [one.st_size for one in stats] + [-1]
    assert mtime_ns.tolist() == [one.st_mtime_ns for one in stats] + [-1]


def texts(*values: bytes) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    ends = np.cumsum([0, *map(len, values)])
    return ends, np.frombuffer(b"".join(values), np.uint8)


def test_paths_are_found_whatever_their_order() -> None:
    known = texts(b"/a", b"/a.dcm", b"/b/1", b"/b/10", b"/b/2")
    wanted = texts(b"/b/10", b"/b/2", b"/a", b"/a.dcm", b"/b/3", b"/b/1", b"/", b"/b/1", b"/b/2")
    assert _ext.find_paths(known, wanted).tolist() == [3, 4, 0, 1, -1, 2, -1, 2, 4]
    relative = texts(b"b/10", b"b/2", b"a", b"/b/1")
    assert _ext.find_paths(known, relative, skip=1).tolist() == [3, 4, 0, -1]
    assert _ext.find_paths(texts(), texts(b"/a")).tolist() == [-1]
    assert _ext.find_paths(known, texts()).tolist() == []
    with pytest.raises(td.ParseError):
        _ext.find_paths(known, texts(b"/a\0"))
    with pytest.raises(td.ParseError):
        _ext.find_paths(known, wanted, skip=3)


@pytest.mark.parametrize("syntax", [EXPLICIT, DEFLATED], ids=syntax_id)
def test_records_load_as_their_files_do(tmp_path: Path, syntax: Syntax) -> None:
    write_series(tmp_path, 3, syntax=syntax)
    direct: Any = _ext.load_series([str(tmp_path)], series=None, **OPTIONS)
    loaded = load(rows_of(tmp_path)["columns"])
    np.testing.assert_array_equal(loaded.pop("data"), direct.pop("data"))
    assert loaded.pop("key") == "key"
    del direct["key"]
    assert loaded == direct


def test_texts_are_columns_and_come_back(tmp_path: Path) -> None:
    write_series(tmp_path, 3, SliceThickness=["2.5", "2.50", "3"])
    rows = rows_of(tmp_path, (SLICE_THICKNESS,))
    assert list(rows["texts"]) == ["0018,0050"]
    number, *words = rows["texts"]["0018,0050"]
    assert number.tolist() == [0, 1, 2]
    assert texts_of((words[0], words[1])) == [b"2.5", b"2.50", b"3"]
    loaded = load(rows["columns"] | rows["texts"], texts=[SLICE_THICKNESS])
    assert loaded["texts"][SLICE_THICKNESS] == b"2.5"


def test_rows_are_taken_once_and_in_any_order(folder: Path) -> None:
    paths, _ = _ext.discover_files([str(folder)])
    headers = _ext.HeaderRows([SLICE_THICKNESS])
    headers.read(paths, num_threads=1)
    headers.read(paths, num_threads=1)
    order = np.array([5, 0, 1])
    rows: Any = headers.take(order)
    files = [os.fsencode(one) for one in sorted(folder.iterdir())]
    assert texts_of(rows["columns"]["path"]) == [files[2], files[0], files[1]]
    assert rows["file"].tolist() == [5, 0, 1]
    assert len(rows["size"]) == 6
    assert headers.take()["file"].tolist() == []
    for wrong in (np.array([0]), np.array([-1]), order.astype(np.int32), [0]):
        with pytest.raises(td.ParseError) as caught:
            headers.take(wrong)  # type: ignore[arg-type]
        assert (caught.value.code, caught.value.element) == ("invalid_index", "order")


def test_read_headers_are_grouped_where_they_are(folder: Path) -> None:
    paths, _ = _ext.discover_files([str(folder)])
    headers = _ext.HeaderRows([])
    headers.read(paths, num_threads=1)
    expected: Any = _ext.group_rows(rows_of(folder)["columns"], POLICY)
    [part] = headers.group(POLICY, num_threads=2)
    assert part["key"] == expected[0]["key"]
    assert part["rows"].tolist() == expected[0]["rows"].tolist() == [0, 1, 2]
    headers.read(paths, num_threads=1)
    with pytest.raises(td.ParseError, match="there twice"):
        headers.group(POLICY, num_threads=1)


def test_groups_are_the_series(folder: Path) -> None:
    write_series(folder / "other", 2, SeriesInstanceUID="1.9", Modality="MR")
    columns = rows_of(folder)["columns"]
    parts: Any = _ext.group_rows(columns, POLICY, num_threads=2)
    assert [part["modality"] for part in parts] == ["CT", "MR"]
    assert [part["rows"].tolist() for part in parts] == [[0, 1, 2], [3, 4]]
    assert [part["ok"] for part in parts] == [True, True]
    direct: Any = _ext.load_series([str(folder / "other")], series=None, **OPTIONS)
    for name in ("key", "kind", "affine_columns", "spacing_mm", "units", "defects"):
        assert parts[1][name] == direct[name], name


def unaligned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    room = np.zeros(array.nbytes + 1, np.uint8)[1:]
    room[:] = array.view(np.uint8)
    return room.view(array.dtype)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("size", lambda _: None),
        ("size", lambda size: size.tolist()),
        ("size", lambda size: size.astype(np.int32)),
        ("size", lambda size: size.astype(">i8")),
        ("size", lambda size: size.astype(np.float64)),
        ("size", lambda size: size[::-1]),
        ("size", lambda size: size[:, np.newaxis]),
        ("size", lambda size: size[:2]),
        ("size", lambda size: (size, size)),
        ("size", unaligned),
        ("is_explicit", lambda flags: flags.astype(np.uint8)),
        ("rows", lambda rows: rows[0]),
        ("rows", lambda rows: (*rows, rows[0])),
        ("rows", lambda rows: (rows[0], rows[1].astype(np.uint8))),
        ("rows", lambda rows: (rows[0], rows[1][:1])),
        ("sop_instance_uid", lambda text: (text[0], text[1][:-1])),
        ("sop_instance_uid", lambda text: (text[0][::-1].copy(), text[1])),
        ("sop_instance_uid", lambda text: (text[0][:0], text[1])),
        ("sop_instance_uid", lambda text: (text[0], text[1].view("S1"))),
        ("modality", lambda word: word[1:]),
        ("modality", lambda word: (word[0] + 1, *word[1:])),
        ("modality", lambda word: (word[0] - 2, *word[1:])),
        ("modality", lambda word: (word[0][:2], *word[1:])),
        ("modality", lambda word: (word[0].astype(np.int64), *word[1:])),
        ("modality", lambda word: (word[0], word[1], word[2][:-1])),
        ("modality", lambda word: (word[0], word[1][:0], word[2])),
        ("pixel_spacing", lambda values: (values[0], values[1].astype(np.float32))),
    ],
)
def test_other_arrays_are_refused(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    columns = rows_of(folder)["columns"]
    assert len(_ext.group_rows(columns, POLICY)) == 1
    columns[name] = change(columns[name])
    for call in (lambda: _ext.group_rows(columns, POLICY), lambda: load(columns)):
        with pytest.raises(td.ParseError) as caught:
            call()
        assert (caught.value.code, caught.value.element) == ("invalid_index", name)


def test_a_missing_column_is_named(folder: Path) -> None:
    columns = rows_of(folder)["columns"]
    del columns["rescale_slope"]
    with pytest.raises(td.ParseError, match="the column is not there") as caught:
        _ext.group_rows(columns, POLICY)
    assert (caught.value.code, caught.value.element) == ("invalid_index", "rescale_slope")
    with pytest.raises(td.ParseError) as caught:
        load(rows_of(folder)["columns"], texts=[SLICE_THICKNESS])
    assert (caught.value.code, caught.value.element) == ("invalid_index", "0018,0050")


def test_arrays_may_be_slices_and_read_only(folder: Path) -> None:
    columns = rows_of(folder)["columns"]
    expected = load(columns)["data"]
    for name, kind in _ext.core_columns():
        column = columns[name]
        arrays = column if isinstance(column, tuple) else (column,)
        longer = [np.concatenate([array[:1], array]) for array in arrays]
        if len(arrays) == 2 and "?" not in kind:  # the values stay where the offsets have them
            longer[1] = arrays[1]
        for array in longer:
            array.flags.writeable = False
        cut = [array[1:] for array in longer]
        if len(arrays) == 2 and "?" not in kind:
            cut[1] = longer[1]
        columns[name] = tuple(cut) if isinstance(column, tuple) else cut[0]
    np.testing.assert_array_equal(load(columns)["data"], expected)


SIBLINGS = ("localizer", "text", (), ("a.dcm",), {"files": 1.0})


def test_what_is_known_of_siblings_is_judged_with_the_rest(folder: Path) -> None:
    columns = rows_of(folder)["columns"]
    assert load(columns, context=[SIBLINGS])["defects"] == [SIBLINGS]
    with pytest.raises(td.SeriesError, match="text") as caught:
        load(columns, context=[SIBLINGS], policy=POLICY | {"localizer": "raise"})
    assert (caught.value.code, caught.value.path) == ("localizer", "a.dcm")
    assert caught.value.element == "(0008,0008) ImageType"


@pytest.mark.parametrize(
    "row",
    [
        None,
        SIBLINGS[:4],
        ("duplicate_slices", *SIBLINGS[1:]),
        ("localizer", 7, *SIBLINGS[2:]),
        ("localizer", "text", (-1,), (), {}),
        ("localizer", "text", (), (None,), {}),
        ("localizer", "text", (), (), {"angle_degrees": 1.0}),
        ("localizer", "text", (), (), {"files": "many"}),
    ],
)
def test_other_defects_are_refused(folder: Path, row: Any) -> None:
    columns = rows_of(folder)["columns"]
    with pytest.raises(td.ParseError) as caught:
        load(columns, context=[row])
    assert (caught.value.code, caught.value.element) == ("invalid_index", "context")


@pytest.mark.parametrize(
    "paths",
    [
        (np.array([0, 9]), np.zeros(3, np.uint8)),
        (np.array([2, 0]), np.zeros(3, np.uint8)),
        (np.array([0, 3]), np.frombuffer(b"a\0b", np.uint8)),
        (np.array([0, 0]), np.zeros(0, np.uint8)),
        (np.array([], np.int64), np.zeros(0, np.uint8)),
        (np.array([0.0, 3.0]), np.zeros(3, np.uint8)),
    ],
    ids=["beyond", "falling", "nul", "empty", "no offsets", "decimal"],
)
def test_other_paths_are_refused(paths: Any) -> None:
    with pytest.raises(td.ParseError) as caught:
        _ext.HeaderRows([]).read(paths, num_threads=1)
    assert (caught.value.code, caught.value.element) == ("invalid_index", "paths")


def test_no_path_gives_no_record() -> None:
    rows = read((np.zeros(1, np.int64), np.zeros(0, np.uint8)), 4)
    assert (rows["others"], rows["file"].tolist(), rows["size"].tolist()) == ([], [], [])
    assert _ext.group_rows(rows["columns"], POLICY) == []


def test_any_name_is_found_and_read(tmp_path: Path) -> None:
    [path] = write_series(tmp_path, 1)
    odd = os.fsencode(tmp_path) + b"/\xff \n"
    path.rename(os.fsdecode(odd))
    paths, skipped = _ext.discover_files([os.fsencode(tmp_path), odd])
    assert (texts_of(paths), skipped) == ([odd], [])
    rows = read(paths)
    assert texts_of(rows["columns"]["path"]) == [odd]
    [part] = _ext.group_rows(rows["columns"], POLICY)
    assert part["rows"].tolist() == [0]


def test_discovery_goes_on_where_it_cannot_look(tmp_path: Path) -> None:
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    (tmp_path / "a").touch()
    paths, skipped = _ext.discover_files([str(tmp_path), str(dangling)])
    assert texts_of(paths) == [os.fsencode(tmp_path / "a")]
    assert [(path, code) for path, code, _ in skipped] == [(os.fsencode(dangling), "os_error")]
    with pytest.raises(FileNotFoundError, match="missing"):
        _ext.discover_files([str(tmp_path), str(tmp_path / "missing")])


def test_only_headers_are_read(tmp_path: Path) -> None:
    cells = [np.zeros((512, 512), np.int16)] * 4
    write_series(tmp_path, 4, pixels=cells)
    paths, _ = _ext.discover_files([str(tmp_path)])
    read(paths)
    stats = _ext.last_load_stats()
    assert (stats["files"], stats["opens"]) == (4, 4)
    assert stats["bytes_read"] <= 4 * 16_384


INTERRUPTED = """
import sys, time
import numpy as np
from torchdicom import _ext
offsets, values = _ext.discover_files([sys.argv[1]])[0]
many = 120_000
paths = (np.arange(many + 1) * len(values), np.tile(values, many))
print("ready", flush=True)
try:
    _ext.HeaderRows([]).read(paths, num_threads=int(sys.argv[2]))
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_stops_reading(tmp_path: Path, threads: int) -> None:
    write_series(tmp_path, 1)
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path), str(threads)],
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.2)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        try:
            word, at = child.stdout.readline().split()
            code_of_child = child.wait(timeout=10)
        finally:
            child.kill()
    assert (word, code_of_child) == ("interrupted", 0)
    assert float(at) - sent < 0.5
