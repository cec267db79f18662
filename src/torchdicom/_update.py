"""From folders to the table of an index; only what changed is read, where there is one already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from torchdicom import _ext
from torchdicom._attributes import attributes
from torchdicom._columns import encoded, in_one_piece, unpacked, without_unused
from torchdicom._grouping import group, group_read, order_of
from torchdicom._kept import Kept, still_true
from torchdicom._metadata import METADATA
from torchdicom._progress import progress_bar
from torchdicom._reading import HeaderReader
from torchdicom._roots import Locator, Roots, absolute, is_folder
from torchdicom._schema import TABLE_NAMES, Header, conform, with_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdicom._attributes import Attribute

# Files whose rows are made at once.
_CHUNK: Final = 4096
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
    """All headers, not yet grouped.

    Attributes:
        kept: The rows of the index that is updated, as far as they still hold.
        found: The files that there are.
        reader: Who has read all others.
        is_interrupted: Not all were read.
    """

    kept: Kept
    found: Found
    reader: HeaderReader
    is_interrupted: bool


@dataclass(frozen=True)
class Found:
    """The files that a walk found, and what it could not enter.

    Attributes:
        paths: Full and ascending.
        unreachable: Path, code and message.
        roots: What was walked, and the folders of what was named.
        locator: Finds the root of any other path.
    """

    paths: pa.BinaryArray
    unreachable: list[tuple[bytes, str, str]]
    roots: Roots
    locator: Locator

    @property
    def root(self) -> pa.Int32Array:
        """The number of each file's root."""
        if self.locator.has_one_folder:
            return pa.array(np.zeros(len(self.paths), np.int32))
        return self._located[0]

    @property
    def relative(self) -> pa.BinaryArray:
        """Each file's path in its root."""
        return self._located[1]

    @cached_property
    def _located(self) -> tuple[pa.Int32Array, pa.BinaryArray]:
        return self.locator.locate_all(self.paths)


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
    kept = still_true(old, found, request.include, request.num_threads)
    return _read(kept, found, request)


def assemble(gathered: Gathered, request: Request) -> pa.Table:
    """The table of an index: the rows grouped, judged and in order."""
    found, kept = gathered.found, gathered.kept
    header = Header(found.roots, request.include, is_complete=not gathered.is_interrupted)
    if kept.is_everything and not found.unreachable:
        return with_header(kept.old, header)
    if len(kept.rows) + len(kept.others) == 0:
        rows, others = group_read(gathered.reader, found.locator)
        return _located(
            _joined([rows, _named_others(others, found), _unreachable(found)]), found, header
        )
    rows = _updated(gathered, request)
    # Words of files that are gone must not stay in the dictionaries.
    return without_unused(_located(rows.take(pa.array(order_of(rows))), found, header))


def _walk(request: Request) -> Found:
    packed_paths, unreachable = _ext.discover_files(list(request.named))
    paths, roots = unpacked(packed_paths), Roots.of(request.named)
    locator = Locator(roots, [path for path in request.named if not is_folder(path)])
    return Found(paths, unreachable, roots, locator)


def _read(kept: Kept, found: Found, request: Request) -> Gathered:
    """All files whose rows are not kept, as far as they could be read."""
    reader = HeaderReader(found.paths, request.include, request.num_threads)
    is_interrupted = False
    try:
        with progress_bar(len(kept.missing), request.progress) as advance:
            left = kept.missing
            while len(left):
                count = reader.read(left[:_CHUNK])
                advance(count)
                left = left[count:]
    except KeyboardInterrupt:
        if not request.keeps_part:
            raise
        is_interrupted = True
    return Gathered(kept, found, reader, is_interrupted)


def _updated(gathered: Gathered, request: Request) -> pa.Table:
    """All rows; those of series that no change concerns are as they were, others grouped anew."""
    found, kept = gathered.found, gathered.kept
    read = gathered.reader.take()
    new = pa.table(read.rows)
    untouched, touched = kept.split_by_change(new)
    changed = _joined([touched, new])
    grouped = group(changed, found.paths, found.locator, request.num_threads)
    others = _named_others(_joined([kept.others, read.others]), found)
    return _joined([untouched, grouped, others, _unreachable(found)])


def _joined(pieces: list[pa.Table]) -> pa.Table:
    """The rows of all, each column in one piece; columns that none of the rows have may be gone."""
    filled = [piece for piece in pieces if len(piece)] or pieces
    if len(filled) == 1:
        return filled[0]
    rows = pa.concat_tables(filled, promote_options="default")
    return pa.table({name: in_one_piece(rows.column(name)) for name in rows.column_names})


def _named_others(others: pa.Table, found: Found) -> pa.Table:
    """A file that was named has to be DICOM: its row gets a message, and no other's has it."""
    words = "The file was named, and is not DICOM: it has no DICM prefix. Leave it out"
    code = others.column("code").to_pylist()
    message = others.column("message").to_pylist()
    for i, file in enumerate(others.column("file").to_pylist()):
        if code[i] == "not_dicom" and message[i] in {None, words}:
            is_named = found.locator.is_named(found.paths[file].as_py())
            message[i] = words if is_named else None  # it may have been when it was read
    at = others.column_names.index("message")
    return others.set_column(at, "message", pa.array(message, pa.string()))


def _unreachable(found: Found) -> pa.Table:
    """The rows of what could not be entered; their files are numbered on from those found."""
    count, others = len(found.paths), found.unreachable
    codes = [code for _, code, _ in others]
    return pa.table(
        {
            "file": pa.array(range(count, count + len(others)), pa.int64()),
            "size": pa.array([-1] * len(others), pa.int64()),
            "mtime_ns": pa.array([-1] * len(others), pa.int64()),
            "code": encoded(codes, np.arange(len(codes))),
            "message": pa.array([message for _, _, message in others], pa.string()),
        }
    )


def _located(rows: pa.Table, found: Found, header: Header) -> pa.Table:
    """The rows with root and path, and the columns of an index."""
    root, relative = found.root, found.relative
    if found.unreachable:
        others = pa.array([path for path, _, _ in found.unreachable], pa.binary())
        more = found.locator.locate_all(others)
        root, relative = map(pa.concat_arrays, zip((root, relative), more, strict=True))
    file = rows.column("file")
    rows = rows.append_column("root", root.take(file))
    rows = rows.append_column("path", relative.take(file))
    return conform(rows, header)
