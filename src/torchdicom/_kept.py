"""What of an index is still true: the files that are as they were, and their series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from torchdicom import _ext
from torchdicom._columns import full_paths, in_one_piece, numbers_of, packed
from torchdicom._schema import header_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from torchdicom._attributes import Attribute
    from torchdicom._roots import Roots
    from torchdicom._update import Found

# What would not be found out by size and time of change.
_READ_AGAIN: Final = "os_error"


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that need not be read again; "file" is the number of each row's file in the new scan.

    Attributes:
        old: The table that they are from, if there is one.
        rows: Those of files that belong to series.
        others: Those of other files.
        missing: The numbers of all other files of the scan.
        roots_stay: Whether series, too, may be as they were, where none of their files changed.
        columns_stay: Whether the columns are the same.
    """

    old: pa.Table | None
    rows: pa.Table
    others: pa.Table
    missing: NDArray[np.int64]
    roots_stay: bool = False
    columns_stay: bool = False

    @property
    def is_everything(self) -> bool:
        """Whether the new index is the old one."""
        if self.old is None or not (self.roots_stay and self.columns_stay) or len(self.missing):
            return False
        is_all = len(self.rows) + len(self.others) == len(self.old)
        return is_all and not _uids_to_judge_again(self.rows)

    def split_by_change(self, new: pa.Table) -> tuple[pa.Table, pa.Table]:
        """The rows of series that are as they were, and those of series that change.

        Args:
            new: The rows that were read.
        """
        if self.old is None or not self.roots_stay or len(self.rows) == 0:
            return self.rows.slice(0, 0), self.rows
        before, staying = _count_by_uid(self.old), _count_by_uid(self.rows)
        touched = {uid for uid in before if before[uid] != staying.get(uid)}
        touched |= set(_uids(new).to_pylist()) | _uids_to_judge_again(self.rows)
        is_touched = pc.is_in(_uids(self.rows), value_set=pa.array(sorted(touched), pa.string()))
        return self.rows.filter(pc.invert(is_touched)), self.rows.filter(is_touched)


def still_true(
    old: pa.Table | None, found: Found, include: Sequence[Attribute], num_threads: int
) -> Kept:
    """The rows of `old` for the files whose size and time of change are still the same.

    Args:
        old: The table of an index.
        found: The files that there are now.
        include: The attributes of `include_metadata`.
        num_threads: Threads to ask the system with.
    """
    none = pa.table({})
    nothing = Kept(None, none, none, np.arange(len(found.paths)))
    if old is None:
        return nothing
    header = header_of(old.schema)
    if not {one for one in include if one.tag is not None} <= set(header.include):
        return nothing
    file = _numbers_in(found, old, header.roots)
    states = _ext.file_states(packed(found.paths), num_threads=num_threads)
    size, mtime_ns = (np.append(state, -1)[file] for state in states)  # the last is that of -1
    same = (size == numbers_of(old, "size", -1)) & (mtime_ns == numbers_of(old, "mtime_ns", -1))
    same &= size >= 0
    code = in_one_piece(old.column("code"))
    if code.null_count < len(code):
        same &= ~pc.equal(code.cast(pa.string()), _READ_AGAIN).fill_null(False).to_numpy(False)  # noqa: FBT003
    kept = old.drop_columns(["root", "path"]).append_column("file", pa.array(file))
    if not same.all():
        kept = kept.filter(pa.array(same))
    # A file that is named now and was not then, or the other way round, has another root.
    root = found.root.to_numpy()[file[same]]
    roots_stay = header.roots == found.roots and header.is_whole
    roots_stay &= np.array_equal(root, old.column("root").to_numpy()[same])
    is_missing = np.ones(len(found.paths), np.bool_)
    is_missing[file[same]] = False
    rows, others = _parted(kept)
    return Kept(
        old,
        rows,
        others,
        np.flatnonzero(is_missing),
        roots_stay=roots_stay,
        columns_stay=header.include == tuple(include),
    )


def _numbers_in(found: Found, old: pa.Table, roots: Roots) -> NDArray[np.int64]:
    """The number of each row's file among those found, -1 where it is not one of them."""
    if roots == found.roots and len(roots.entries) == 1:
        paths, skip = in_one_piece(old.column("path")), len(roots.prefixes()[0])
    else:
        paths, skip = full_paths(old, roots), 0
    return _ext.find_paths(packed(found.paths), packed(paths), skip)


def _parted(rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows of files that belong to series, and the others."""
    code = rows.column("code")
    count = code.null_count
    if code.slice(0, count).null_count == count:  # as in every index: nothing has to be copied
        return rows.slice(0, count), rows.slice(count)
    is_row = pc.is_null(code)
    return rows.filter(is_row), rows.filter(pc.invert(is_row))


def _uids_to_judge_again(rows: pa.Table) -> set[str]:
    """Of series with a copy that could not be read when it was to be compared."""
    failed = pc.match_substring(rows.column("defects"), '"unreadable_file"').fill_null(False)  # noqa: FBT003
    return set(_uids(rows.select(["SeriesInstanceUID"]).filter(failed)).to_pylist())


def _count_by_uid(rows: pa.Table) -> dict[str, int]:
    """How many rows each has, of those that are in a series."""
    uids = _uids(rows.filter(pc.is_null(rows.column("code"))))
    return {one["values"]: one["counts"] for one in uids.value_counts().to_pylist()}


def _uids(rows: pa.Table) -> pa.ChunkedArray:
    return rows.column("SeriesInstanceUID").cast(pa.string()).fill_null("")
