"""Which file has which frame of a series, for callers that ask frame by frame."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchdicom._errors import ParseError
from torchdicom._native import FrameOfFile
from torchdicom._schema import fail_invalid

if TYPE_CHECKING:
    import pyarrow as pa

    from torchdicom._roots import Roots


class FrameFiles:
    """What an index knows of the files of a series, in a form that one row is soon taken of."""

    def __init__(self, key: str, rows: pa.Table, roots: Roots) -> None:
        """Nothing is copied but where the rows lie in several pieces.

        Args:
            key: Of the series, for errors.
            rows: Its rows, in slice order.
            roots: What their paths start with.
        """
        self._key = key
        self._prefixes = roots.prefixes()
        self._names = rows.column("path").combine_chunks()
        self._roots, self._numbers, self._sizes, self._times_ns = (
            # -1 is none of any file: nulls are found where they matter.
            rows.column(name).combine_chunks().fill_null(-1).to_numpy()
            for name in ("root", "frame", "size", "mtime_ns")
        )

    def at(self, frame: int) -> tuple[str, int]:
        """The file that has a frame, in slice order, and its number there.

        Raises:
            FileNotFoundError: If it is not there any more.
            ParseError: If it has changed since it was scanned (``file_changed``).
        """
        path, number, size, mtime_ns = self.known(frame)
        found = os.stat(path)  # noqa: PTH116 - Path is ten times as slow
        if found.st_size != size or found.st_mtime_ns != mtime_ns:
            msg = "The file has changed since it was scanned. Refresh the index"
            raise ParseError(msg, code="file_changed", path=path)
        return path, number

    def known(self, frame: int) -> FrameOfFile:
        """What the index has of the same; the file is not looked at."""
        root, name = int(self._roots[frame]), self._names[frame].as_py()
        if name is None or not 0 <= root < len(self._prefixes):
            key = self._key
            fail_invalid(f"The index is damaged: a path of series {key} can't be read", None)
        path = os.fsdecode(self._prefixes[root] + name)
        numbers = self._numbers, self._sizes, self._times_ns
        return FrameOfFile(path, *(int(one[frame]) for one in numbers))
