"""Rows of files become rows of series: their keys, their order, and what was found about them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from torchdicom import _ext
from torchdicom._columns import are_starts, core_of, encoded, in_one_piece, numbers_of
from torchdicom._policy import Policy
from torchdicom._schema import NUMBERS, SERIES_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from torchdicom._reading import HeaderReader
    from torchdicom._roots import Locator

    # Code, message, slices, files and what was measured, as the core has them.
    DefectRow = tuple[str, str, tuple[int, ...], tuple[str, ...], dict[str, float]]


def group(rows: pa.Table, found: pa.BinaryArray, locator: Locator, num_threads: int) -> pa.Table:
    """The rows with the columns of their series, under the default policy.

    Args:
        rows: All rows of some SeriesInstanceUIDs, in any order; "file" is a number into `found`.
        found: The scan's files by full path, ascending.
        locator: For the files that defects name.
        num_threads: Threads to judge series with.
    """
    tile, frame, file = (rows.column(name).to_numpy() for name in ("tile", "frame", "file"))
    order = np.lexsort((tile, frame, file))
    if not np.array_equal(order, np.arange(len(order))):
        rows, file = rows.take(pa.array(order)), file[order]
    parts = _ext.group_rows(
        core_of(rows, found.take(pa.array(file))), asdict(Policy()), num_threads=num_threads
    )
    starts = are_starts(rows)
    record = np.cumsum(starts) - 1
    places = Places.of(parts, int(np.count_nonzero(starts)))
    kept = zip(rows.column_names, rows.columns, strict=True)
    columns = {name: one for name, one in kept if name not in SERIES_COLUMNS}
    return pa.table(columns | _series_columns(parts, places, record, locator))


def group_read(reader: HeaderReader, locator: Locator) -> tuple[pa.Table, pa.Table]:
    """The rows of series of all that was read, by series and slice; and the rows of other files."""
    parts = reader.group()
    places = Places.of(parts, sum(len(part["rows"]) + len(part["set_aside"]) for part in parts))
    rank = _rank([part["key"] for part in parts])
    order = np.lexsort((_slices_first(places.position), rank[places.part]))
    read = reader.take(order)
    columns = _series_columns(parts, places.taken(order), read.record, locator)
    return pa.table(read.rows | columns), read.others


class Places(NamedTuple):
    """Where records belong.

    Attributes:
        part: The number of each record's part.
        position: Its place among the slices, -1 where it was set aside.
    """

    part: NDArray[np.int64]
    position: NDArray[np.int32]

    @classmethod
    def of(cls, parts: Sequence[_ext._Part], count: int) -> Places:
        """Of so many records."""
        part_of, position = np.full(count, -1), np.full(count, -1, np.int32)
        for number, part in enumerate(parts):
            part_of[part["rows"]] = part_of[part["set_aside"]] = number
            position[part["rows"]] = np.arange(len(part["rows"]))
        return cls(part_of, position)

    def taken(self, order: NDArray[np.int64]) -> Places:
        """The same of records in another order."""
        return Places(self.part[order], self.position[order])


def _series_columns(
    parts: Sequence[_ext._Part],
    places: Places,
    record: NDArray[np.int64],
    locator: Locator,
) -> dict[str, pa.Array]:
    """What each row has of its series; `record` is that of each row."""
    every, position = places.part[record], places.position[record]
    is_first = np.diff(record, prepend=-1) != 0  # rows of a record stand together
    leading = np.where((position == 0) & is_first, every, -1)
    first = pa.array(leading, mask=leading < 0)
    is_ok = np.array([*(part["ok"] for part in parts), False], np.bool_)
    defects = [defects_to_json(part["defects"], locator) for part in parts]
    return {
        "series_key": encoded([part["key"] for part in parts], every),
        "kind": encoded([part["kind"] for part in parts], every),
        "position": pa.array(position),
        "series_ok": pa.array(is_ok[every]),
        "num_times": pa.array([part["times"] for part in parts], pa.int32()).take(first),
        "affine": pa.array([_flat(part["affine_columns"]) for part in parts], NUMBERS).take(first),
        "spacing_mm": pa.array([list(part["spacing_mm"]) for part in parts], NUMBERS).take(first),
        "spacing_source": encoded([part["spacing_source"] for part in parts], leading),
        "defects": pa.array(defects, pa.string()).take(first),
    }


def order_of(rows: pa.Table) -> NDArray[np.int64]:
    """By series, then by slice with those set aside at the end, then by file; others last."""
    if "series_key" not in rows.column_names:
        return np.argsort(rows.column("file").to_numpy())
    keys = in_one_piece(rows.column("series_key"))
    names = keys.dictionary.to_pylist()
    rank = np.append(_rank(names), len(names))  # the last is that of no series
    key = rank[keys.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)]
    names = ("position", "frame", "tile")
    position, frame, tile = (numbers_of(rows, name, 0) for name in names)
    file = rows.column("file").to_numpy()
    return np.lexsort((tile, frame, file, _slices_first(position), key))


def _rank(names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each where all are in order."""
    rank = np.empty(len(names), np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = range(len(names))
    return rank


def _slices_first(position: NDArray[np.int32]) -> NDArray[np.int32]:
    """Positions to sort by: what was set aside comes after all slices."""
    return np.where(position < 0, np.iinfo(np.int32).max, position).astype(np.int32)


def defects_to_json(defects: Iterable[DefectRow], locator: Locator) -> str:
    """Defects with their files relative to the roots: [number of the root, path]."""
    stored = []
    for code, message, slices, files, measured in defects:
        located = (locator.locate(os.fsencode(path)) for path in files)
        relative = [[root, os.fsdecode(path)] for root, path in located]
        stored.append(
            {
                "code": code,
                "message": message,
                "slices": list(slices),
                "files": relative,
                "measured": measured,
            }
        )
    return json.dumps(stored)


def defects_from_json(text: str, prefixes: Sequence[bytes]) -> list[DefectRow]:
    """What `defects_to_json` wrote. Raises ValueError, KeyError, TypeError or IndexError else."""
    stored = json.loads(text)
    if not isinstance(stored, list):
        msg = f"{text!r} is no list of defects"
        raise TypeError(msg)
    return [
        (
            str(defect["code"]),
            str(defect["message"]),
            tuple(int(position) for position in defect["slices"]),
            tuple(
                os.fsdecode(prefixes[root] + os.fsencode(path)) for root, path in defect["files"]
            ),
            {str(name): float(value) for name, value in defect["measured"].items()},
        )
        for defect in stored
    ]


def _flat(columns: Sequence[Sequence[float]] | None) -> list[float] | None:
    return None if columns is None else [float(x) for column in columns for x in column]
