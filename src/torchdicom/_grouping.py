"""Rows of files become rows of series: their keys, their order, and what was found about them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from torchdicom import _ext
from torchdicom._columns import core_of, encoded, in_one_piece
from torchdicom._policy import Policy
from torchdicom._schema import NUMBERS, SERIES_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

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
    file, frame = (rows.column(name).to_numpy() for name in ("file", "frame"))
    order = np.lexsort((frame, file))
    if not np.array_equal(order, np.arange(len(order))):
        rows, file, frame = rows.take(pa.array(order)), file[order], frame[order]
    core = core_of(rows, found.take(pa.array(file)))
    parts = _ext.group_rows(core, asdict(Policy()), num_threads=num_threads)

    starts = np.flatnonzero(frame == 0)
    part_of, position = np.full(len(starts), -1), np.full(len(starts), -1, np.int32)
    leading = np.full(len(rows), -1)  # in the first row of each part its number, else -1
    for number, part in enumerate(parts):
        part_of[part["rows"]] = part_of[part["set_aside"]] = number
        position[part["rows"]] = np.arange(len(part["rows"]))
        leading[starts[part["rows"][0]]] = number
    record = np.cumsum(frame == 0) - 1
    every = part_of[record]
    first = pa.array(leading, mask=leading < 0)
    is_ok = np.array([*(part["ok"] for part in parts), False], np.bool_)
    columns = {
        "series_key": encoded([part["key"] for part in parts], every),
        "kind": encoded([part["kind"] for part in parts], every),
        "position": pa.array(position[record]),
        "series_ok": pa.array(is_ok[every]),
        "affine": pa.array([_flat(part["affine_columns"]) for part in parts], NUMBERS).take(first),
        "spacing_mm": pa.array([list(part["spacing_mm"]) for part in parts], NUMBERS).take(first),
        "spacing_source": encoded([part["spacing_source"] for part in parts], leading),
        "defects": pa.array(
            [defects_to_json(part["defects"], locator) for part in parts], pa.string()
        ).take(first),
    }
    kept = zip(rows.column_names, rows.columns, strict=True)
    return pa.table({name: one for name, one in kept if name not in SERIES_COLUMNS} | columns)


def order_of(rows: pa.Table) -> NDArray[np.int64]:
    """By series, then by slice with those set aside at the end, then by file; others last."""
    if "series_key" not in rows.column_names:
        return np.argsort(rows.column("file").to_numpy())
    keys = in_one_piece(rows.column("series_key"))
    names = keys.dictionary.to_pylist()
    rank = np.empty(len(names) + 1, np.int64)
    rank[np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)] = range(len(names))
    rank[-1] = len(names)
    key = rank[keys.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)]
    position, frame = (
        rows.column(name).fill_null(0).to_numpy().astype(np.int64) for name in ("position", "frame")
    )
    position[position < 0] = np.iinfo(np.int64).max
    return np.lexsort((frame, rows.column("file").to_numpy(), position, key))


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
