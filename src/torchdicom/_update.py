"""From folders to the table of an index; only what changed is read, where there is one already."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from torchdicom import _ext
from torchdicom._attributes import attributes
from torchdicom._columns import full_paths, unpacked
from torchdicom._grouping import group, numbers_of, order_of
from torchdicom._metadata import METADATA
from torchdicom._progress import progress_bar
from torchdicom._reading import HeaderReader
from torchdicom._roots import Locator, Roots, absolute, is_folder
from torchdicom._schema import TABLE_NAMES, Header, conform, header_of, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from torchdicom._attributes import Attribute

# Files that are read before the bar moves, and before Ctrl-C is sure to be heard.
_CHUNK: Final = 2048
# What would not be found out by size and time of change.
_READ_AGAIN: Final = "os_error"
_PRESENT: Final = frozenset(METADATA) | frozenset(TABLE_NAMES.values())


@dataclass(frozen=True, slots=True)
class Request:
    """What a scan was asked for.

    Attributes:
        named: Absolute paths of folders and files.
        include: The attributes of `include_metadata`.
        num_threads: Threads to read with.
        progress: Whether to show a bar; None is where there is a terminal.
        keeps_part: Whether an interrupted scan is worth something.
    """

    named: tuple[str, ...]
    include: tuple[Attribute, ...]
    num_threads: int
    progress: bool | None
    keeps_part: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """All rows, not yet grouped.

    Attributes:
        old: The table that is updated, if there is one.
        kept: The rows that were taken from it.
        pieces: These, and those that were read.
        found: The files that there are.
        reader: Who read them.
        is_interrupted: Not all were read.
    """

    old: pa.Table | None
    kept: pa.Table
    pieces: list[pa.Table]
    found: Found
    reader: HeaderReader
    is_interrupted: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The files that a walk found, and what it could not enter."""

    paths: list[bytes]
    unreachable: list[tuple[bytes, str, str]]
    roots: Roots
    locator: Locator


def check_paths(paths: object) -> tuple[str, ...]:
    """What `scan` was given, as absolute paths. Raises TypeError, ValueError."""
    named = list(paths) if isinstance(paths, (list, tuple)) else [paths]
    if not named:
        msg = "paths is an empty list: name at least one folder or file"
        raise ValueError(msg)
    return tuple(dict.fromkeys(absolute(path, "paths") for path in named))


def check_include(names: Iterable[str]) -> tuple[Attribute, ...]:
    """The attributes that `include_metadata` names. Raises TypeError, ValueError."""
    return attributes(names, _PRESENT)


def gather(old: pa.Table | None, request: Request) -> Gathered:
    """The rows of what is there now; files that `old` has as they are now are not read."""
    found = _walk(request)
    kept = _unchanged(old, found, request.include)
    pieces, reader, is_interrupted = _read(kept, found, request)
    return Gathered(old, kept, pieces, found, reader, is_interrupted)


def assemble(gathered: Gathered, request: Request) -> pa.Table:
    """The table of an index: the rows grouped, judged and in order."""
    rows = pa.concat_tables(gathered.pieces, promote_options="default")
    is_record = pc.is_null(rows.column("code"))
    records = _grouped(rows.filter(is_record), gathered, request)
    others = rows.filter(pc.invert(is_record))
    found = gathered.found
    header = Header(found.roots, request.include, is_complete=not gathered.is_interrupted)
    return _assemble([records, _named_others(others, found)], found, header)


def _walk(request: Request) -> Found:
    paths, unreachable = _ext.discover_files(list(request.named))
    roots = Roots.of(request.named)
    files = [path for path in request.named if not is_folder(path)]
    return Found(unpacked(paths), unreachable, roots, Locator(roots, files))


def _unchanged(old: pa.Table | None, found: Found, include: Sequence[Attribute]) -> pa.Table:
    """The rows of `old` for the files whose size and time are still the same."""
    empty = pa.table({"file": pa.array([], pa.int64()), "code": pa.array([], pa.string())})
    if old is None:
        return empty
    header = header_of(old.schema)
    if not {one for one in include if one.tag is not None} <= set(header.include):
        return empty
    numbers = {path: number for number, path in enumerate(found.paths)}
    paths = full_paths(old, header.roots)
    file = np.fromiter((numbers.get(path, -1) for path in paths), np.int64, len(paths))
    states = _states(found.paths, np.unique(file[file >= 0]))
    same = file >= 0
    same[same] = (states[file[same], 0] == numbers_of(old, "size", -1)[same]) & (
        states[file[same], 1] == numbers_of(old, "mtime_ns", -1)[same]
    )
    rows = plain(old)
    again = pc.equal(rows.column("code"), _READ_AGAIN).fill_null(False)  # noqa: FBT003
    same &= ~again.to_numpy()
    kept = rows.drop_columns(["root", "path"]).append_column("file", pa.array(file))
    return kept.filter(pa.array(same))


def _states(paths: Sequence[bytes], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Size and time of change of the wanted ones, -2 for the others and where there is none."""
    states = np.full((len(paths), 2), -2)
    for i in wanted.tolist():
        try:
            status = os.stat(paths[i])  # noqa: PTH116 - pathlib has no paths of bytes
        except OSError:
            continue
        states[i] = status.st_size, status.st_mtime_ns
    return states


def _read(
    kept: pa.Table, found: Found, request: Request
) -> tuple[list[pa.Table], HeaderReader, bool]:
    """The rows that are kept and those of all other files, as far as they were read."""
    missing = np.setdiff1d(np.arange(len(found.paths)), kept.column("file").to_numpy())
    reader = HeaderReader(found.paths, request.include, request.num_threads)
    pieces = [kept, reader.read(missing[:0])]  # the latter has all columns
    try:
        with progress_bar(len(missing), request.progress) as advance:
            for start in range(0, len(missing), _CHUNK):
                chunk = missing[start : start + _CHUNK]
                pieces.append(reader.read(chunk))
                advance(len(chunk))
    except KeyboardInterrupt:
        if not request.keeps_part:
            raise
        return pieces, reader, True
    return pieces, reader, False


def _grouped(records: pa.Table, gathered: Gathered, request: Request) -> pa.Table:
    """The records with their series; what no change concerns is as it was."""
    found = gathered.found
    touched = _touched(records, gathered)
    if touched is None:
        return group(records, found.paths, found.locator, request.num_threads)
    is_touched = pc.is_in(_uids(records), value_set=pa.array(sorted(touched), pa.string()))
    changed = records.filter(is_touched)
    grouped = group(changed, found.paths, found.locator, request.num_threads)
    untouched = records.filter(pc.invert(is_touched))
    return pa.concat_tables([untouched, grouped], promote_options="default")


def _touched(records: pa.Table, gathered: Gathered) -> set[str] | None:
    """The SeriesInstanceUIDs with files that are new, changed or gone; None is all of them."""
    old, kept = gathered.old, gathered.kept
    if old is None or len(kept) == 0:
        return None
    header = header_of(old.schema)
    if header.roots != gathered.found.roots or not header.is_whole:
        return None
    before, after = (_count_by_uid(rows) for rows in (plain(old), records))
    staying = _count_by_uid(kept)
    touched = {uid for uid in before | after if before.get(uid) != staying.get(uid)}
    touched |= {uid for uid in after if after[uid] != staying.get(uid)}
    # A copy that could not be read when it was to be compared: try again.
    failed = pc.match_substring(kept.column("defects"), '"unreadable_file"').fill_null(False)  # noqa: FBT003
    return touched | set(_uids(kept.filter(failed)).to_pylist())


def _count_by_uid(rows: pa.Table) -> dict[str, int]:
    """How many rows each has, of those that are in a series."""
    uids = _uids(rows.filter(pc.is_null(rows.column("code"))))
    return {one["values"]: one["counts"] for one in uids.value_counts().to_pylist()}


def _uids(rows: pa.Table) -> pa.ChunkedArray:
    return rows.column("SeriesInstanceUID").fill_null("")


def _named_others(others: pa.Table, found: Found) -> pa.Table:
    """A file that was named has to be DICOM: its row gets a message."""
    words = "The file was named, and is not DICOM: it has no DICM prefix. Leave it out"
    code = others.column("code").to_pylist()
    message = others.column("message").to_pylist()
    for i, file in enumerate(others.column("file").to_pylist()):
        if code[i] == "not_dicom" and not message[i] and found.locator.is_named(found.paths[file]):
            message[i] = words
    at = others.column_names.index("message")
    return others.set_column(at, "message", pa.array(message, pa.string()))


def _assemble(pieces: list[pa.Table], found: Found, header: Header) -> pa.Table:
    """All rows in order, each with its root and path."""
    paths = found.paths + [path for path, _, _ in found.unreachable]
    unreachable = pa.table(
        {
            "file": pa.array(range(len(found.paths), len(paths)), pa.int64()),
            "size": pa.array([-1] * len(found.unreachable), pa.int64()),
            "mtime_ns": pa.array([-1] * len(found.unreachable), pa.int64()),
            "code": pa.array([code for _, code, _ in found.unreachable], pa.string()),
            "message": pa.array([message for _, _, message in found.unreachable], pa.string()),
        }
    )
    rows = pa.concat_tables([*pieces, unreachable], promote_options="default")
    located = [found.locator.locate(path) for path in paths]
    file = rows.column("file")
    rows = rows.append_column(
        "root", pa.array([root for root, _ in located], pa.int32()).take(file)
    )
    rows = rows.append_column(
        "path", pa.array([path for _, path in located], pa.binary()).take(file)
    )
    return conform(rows.take(pa.array(order_of(rows))), header)
