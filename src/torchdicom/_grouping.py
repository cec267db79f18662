"""Rows of files become rows of series: their keys, their order, and what was found about them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from torchdicom import _ext
from torchdicom._columns import core_of
from torchdicom._policy import Policy
from torchdicom._schema import NUMBERS, SERIES_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from torchdicom._roots import Locator

    # Code, message, slices, files and what was measured, as the core has them.
    DefectRow = tuple[str, str, tuple[int, ...], tuple[str, ...], dict[str, float]]


def group(rows: pa.Table, found: Sequence[bytes], locator: Locator, num_threads: int) -> pa.Table:
    """The rows with the columns of their series, under the default policy.

    Args:
        rows: All rows of some SeriesInstanceUIDs, in any order; "file" is a number into `found`.
        found: The scan's files by full path, ascending.
        locator: For the files that defects name.
        num_threads: Threads to judge series with.
    """
    file, frame = (rows.column(name).to_numpy() for name in ("file", "frame"))
    rows = rows.take(pa.array(np.lexsort((frame, file))))
    file, frame = (rows.column(name).to_numpy() for name in ("file", "frame"))
    core = core_of(rows, [found[i] for i in file.tolist()])
    parts = _ext.group_rows(core, asdict(Policy()), num_threads=num_threads)

    starts = np.flatnonzero(frame == 0)
    part_of, position = np.full(len(starts), -1), np.full(len(starts), -1, np.int32)
    leading = np.full(len(rows), -1)  # in the first row of each part its number, else -1
    for number, part in enumerate(parts):
        part_of[part["rows"]] = part_of[part["set_aside"]] = number
        position[part["rows"]] = np.arange(len(part["rows"]))
        leading[starts[part["rows"][0]]] = number
    record = np.cumsum(frame == 0) - 1
    every = pa.array(part_of[record])
    first = pa.array(leading, mask=leading < 0)
    columns = {
        "series_key": _words(part["key"] for part in parts).take(every),
        "kind": _words(part["kind"] for part in parts).take(every),
        "position": pa.array(position[record]),
        "series_ok": pa.array([part["ok"] for part in parts], pa.bool_()).take(every),
        "affine": pa.array([_flat(part["affine_columns"]) for part in parts], NUMBERS).take(first),
        "spacing_mm": pa.array([list(part["spacing_mm"]) for part in parts], NUMBERS).take(first),
        "spacing_source": _words(part["spacing_source"] for part in parts).take(first),
        "defects": _words(defects_to_json(part["defects"], locator) for part in parts).take(first),
    }
    kept = [name for name in rows.column_names if name not in SERIES_COLUMNS]
    rows = rows.select(kept)
    for name, column in columns.items():
        rows = rows.append_column(name, column)
    return rows


def order_of(rows: pa.Table) -> NDArray[np.int64]:
    """By series, then by slice with those set aside at the end, then by file; others last."""
    keys = rows.column("series_key").combine_chunks().dictionary_encode()
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


def _words(words: Iterable[str | None]) -> pa.Array:
    return pa.array(list(words), pa.string())


def _flat(columns: Sequence[Sequence[float]] | None) -> list[float] | None:
    return None if columns is None else [float(x) for column in columns for x in column]


def numbers_of(rows: pa.Table, name: str, missing: int) -> NDArray[Any]:
    """A column of numbers, `missing` where null."""
    return rows.column(name).fill_null(missing).to_numpy()  # type: ignore[no-any-return]
