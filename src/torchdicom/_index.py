"""`Index`: what a scan found, as a table that any number of processes can share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, SupportsIndex, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from torchdicom._cached import cached_property
from torchdicom._columns import full_paths, without_unused
from torchdicom._errors import ParseError
from torchdicom._filter import check_filter, passes
from torchdicom._index_file import read_table, write_table
from torchdicom._progress import check_progress
from torchdicom._roots import absolute
from torchdicom._schema import fail_invalid, header_of, with_header
from torchdicom._series import Series
from torchdicom._threads import check_num_threads, get_num_threads
from torchdicom._update import Request, assemble, gather

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from torchdicom._filter import Predicate
    from torchdicom._index_file import Origin
    from torchdicom._schema import Header


class Skipped(NamedTuple):
    """A file that is in no series, or a folder that could not be entered.

    Attributes:
        path: The file.
        code: What is wrong, as in `DicomError.code`; ``"os_error"`` where the system refused.
        message: A sentence for people.
    """

    path: str
    code: str
    message: str


class Index(Sequence["Series"]):
    """The series that a scan found, and the files that it skipped; immutable.

    A sequence of `Series`, sorted by key: ``len``, ``index[i]`` and iteration work as on a tuple,
    and ``index[key]`` finds a series by its key, or by a SeriesInstanceUID that is one series. What
    it knows is an Arrow table with a row for each frame, so that it costs no Python object a frame,
    and workers that are forked share it.

    It pickles as the name of its file where it is saved, so that workers open the file; and with
    all that it holds where it is not.

    Example:
        >>> import torchdicom as td
        >>> index = td.scan("tests/data/sts_002/ct")
        >>> [series.modality for series in index]
        ['CT']
        >>> index.filter(modality="MR")
        Index(0 series, 0 frames, 0 skipped)
        >>> index.to_arrow().num_rows
        48
    """

    def __init__(self, table: pa.Table, origin: Origin | None = None) -> None:
        """Not to be called: `torchdicom.scan` and `torchdicom.open_index` make indexes.

        Args:
            table: With the columns and the header of `_schema`, sorted by series.
            origin: The file that it is the content of.
        """
        self._table = table
        self._origin = origin
        self._made: dict[int, Series] = {}

    @property
    def series(self) -> Sequence[Series]:
        """The series, sorted by key; each is made when it is asked for."""
        return _SeriesView(self)

    @property
    def skipped(self) -> list[Skipped]:
        """The files and folders that could not be used, by path, each with the reason.

        Files of other kinds that lie in scanned folders, and DICOM objects without pixels, are no
        loss and not among them.
        """
        rows = self._table.filter(pc.is_valid(self._table.column("message")))
        columns = (rows.column(name).to_pylist() for name in ("code", "message"))
        # Path() takes the "/." away that the root itself has.
        paths = (
            str(Path(os.fsdecode(path)))
            for path in full_paths(rows, self._header.roots).to_pylist()
        )
        return sorted(map(Skipped._make, zip(paths, *columns, strict=True)))

    def __len__(self) -> int:
        """How many series there are."""
        return len(self._keys)

    @overload
    def __getitem__(self, index: SupportsIndex | str) -> Series: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Series, ...]: ...
    def __getitem__(self, index: SupportsIndex | str | slice) -> Series | tuple[Series, ...]:
        """A series by its number or key, or several as a tuple.

        Raises:
            IndexError: If there are not so many.
            KeyError: If there is no such key; where it is a SeriesInstanceUID that is several
                series, the error lists their keys.
        """
        if isinstance(index, str):
            return self._by_number(self._number_of(index))
        if isinstance(index, slice):
            return tuple(map(self._by_number, range(len(self))[index]))
        return self._by_number(range(len(self))[index])

    def __contains__(self, value: object) -> bool:
        """Whether a series, or the series of a key, is there."""
        key = value.key if isinstance(value, Series) else value
        return key in self._numbers

    def filter(self, predicate: Predicate | None = None, /, **wanted: object) -> Index:
        """The index with some of the series alone; skipped files stay.

        Args:
            predicate: Called with each series; true where it stays.
            **wanted: Values that it must have: ``key``, ``series_instance_uid``, ``kind``,
                ``modality``, ``ok`` (of its verdict), or an attribute of `Series.metadata`; a list,
                tuple or set has several that will do.

        Returns:
            Index: another one, which `refresh` refuses, since it does not know what was left out.

        Raises:
            TypeError: If the predicate cannot be called.
            ValueError: If no series has an attribute of a name.

        Example:
            >>> import torchdicom as td
            >>> index = td.scan("tests/data/sts_002/ct")
            >>> len(index.filter(kind="volume", ok=True, Modality=["CT", "MR"]))
            1
            >>> len(index.filter(lambda series: series.shape[0] > 100))
            0
        """
        check_filter(predicate, wanted, self._header.include)
        stays = np.array([passes(series, predicate, wanted) for series in self], np.bool_)
        if stays.all():
            return self
        in_series = np.repeat(stays, np.diff(self._bounds))
        others = np.ones(len(self._table) - len(in_series), np.bool_)
        rows = without_unused(self._table.filter(pa.array(np.append(in_series, others))))
        return Index(with_header(rows, replace(self._header, is_whole=False, saved_as="")))

    def to_arrow(self) -> pa.Table:
        """The table: a row for each frame, by series and slice, then one for each other file.

        Attributes are columns under their DICOM keywords, null where a file lacks them. Besides:

        - ``series_key``, ``kind``, ``position`` (0-based in the slice order, -1 for copies and
          repeats that were set aside), ``series_ok`` (whether the default `Policy` lets it pass);
          null for files that are in no series.
        - ``frame`` (0-based in its file), and ``frame_ranges``: offset and length of its bytes in
          the file, a range for each fragment.
        - ``root`` and ``path``: the number of the scanned folder, and the path in it as bytes;
          ``size`` and ``mtime_ns`` when it was read.
        - ``code`` and ``message``: why a file is in no series; the message is null where that is
          no loss.
        - In the first row of a series alone: ``affine`` (steps along z, y and x, then the origin),
          ``spacing_mm`` (z, y, x), and ``defects`` as JSON.

        Returns:
            The table that this index is.
        """
        return self._table

    def to_pandas(self) -> pd.DataFrame:
        """The same as a pandas DataFrame, which needs pandas; paths are bytes."""
        return self._table.to_pandas()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to one Parquet file, which pyarrow, DuckDB, Polars and pandas can read.

        Whoever opens the file meanwhile, or after a crash, finds the old index or the new one.

        Args:
            path: The file; where there is one already, it is replaced.

        Raises:
            OSError: If it cannot be written.

        Example:
            >>> import pathlib, tempfile
            >>> import torchdicom as td
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     file = pathlib.Path(folder) / "ct.parquet"
            ...     td.scan("tests/data/sts_002/ct").save(file)
            ...     td.open_index(file)["1.3.6.1.4.1.9328.50"]
            Traceback (most recent call last):
                ...
            KeyError: 'there is no series 1.3.6.1.4.1.9328.50'
        """
        self._table, self._origin = write_table(self._table, absolute(path, "path"))

    def refresh(self, *, num_threads: int | None = None, progress: bool | None = None) -> Index:
        """Scan the same folders and files once more, reading only what is new or has changed.

        Args:
            num_threads: As in `torchdicom.scan`.
            progress: As in `torchdicom.scan`.

        Returns:
            Index: another one, not saved. Named files that are gone are not in it.

        Raises:
            FileNotFoundError: If a scanned folder does not exist any more.
            ValueError: If this index was made by `filter`: refresh the whole one, and filter that.

        Example:
            >>> import torchdicom as td
            >>> td.scan("tests/data/sts_002/ct").refresh()
            Index(1 series, 48 frames, 0 skipped)
        """
        header = self._header
        if not header.is_whole:
            msg = "series were left out of this index: refresh the whole one, and filter it again"
            raise ValueError(msg)
        request = Request(
            named=self._named(),
            include=header.include,
            num_threads=get_num_threads()
            if num_threads is None
            else check_num_threads(num_threads),
            progress=check_progress(progress),
        )
        gathered = gather(self._table, request)
        table = assemble(gathered, request)
        gathered.reader.warn()
        return Index(table)

    def __repr__(self) -> str:
        """How many series, frames and skipped files there are."""
        frames = int(self._bounds[-1])
        note = "" if self._header.is_complete else ", incomplete"
        return f"Index({len(self)} series, {frames} frames, {len(self.skipped)} skipped{note})"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as the name of the file, where the file is this index, else with all rows."""
        if self._origin is not None and self._origin.is_current():
            return _reopen, (self._origin.path, self._origin.saved_as, self._header.roots.base)
        return _from_bytes, (_to_bytes(self._table),)

    @cached_property
    def _header(self) -> Header:
        return header_of(self._table.schema)

    @cached_property
    def _runs(self) -> tuple[list[str], NDArray[np.int64]]:
        """The keys in order, and where the rows of each start, with the end of the last."""
        column = self._table.column("series_key").unify_dictionaries().combine_chunks()
        in_series = len(column) - column.null_count  # the others stand at the end
        numbers = column.indices.slice(0, in_series)
        if numbers.null_count:
            fail_invalid("The index is damaged: its rows are not sorted", None)
        number = numbers.to_numpy()
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        keys = column.dictionary.take(pa.array(number[starts])).to_pylist()
        if len(set(keys)) != len(keys):
            fail_invalid("The index is damaged: its rows are not sorted", None)
        return keys, np.append(starts, in_series)

    @property
    def _keys(self) -> list[str]:
        return self._runs[0]

    @property
    def _bounds(self) -> NDArray[np.int64]:
        return self._runs[1]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {key: number for number, key in enumerate(self._keys)}

    def _number_of(self, key: str) -> int:
        if key in self._numbers:
            return self._numbers[key]
        parts = [one for one in self._keys if one.startswith(f"{key}#")]
        if not parts:
            msg = f"there is no series {key}"
            raise KeyError(msg)
        msg = f"{key} is several series, choose by key: {', '.join(map(repr, parts))}"
        raise KeyError(msg)

    def _by_number(self, number: int) -> Series:
        if number not in self._made:
            start, end = self._bounds[number : number + 2].tolist()
            rows = self._table.slice(start, end - start)
            self._made[number] = Series(rows, self._header, self._reduce_series)
        return self._made[number]

    def _reduce_series(self, series: Series) -> tuple[object, ...]:
        if self._origin is not None and self._origin.is_current():
            return _series_of, (self, series.key)
        return _series_from_bytes, (_to_bytes(without_unused(series._rows)),)  # noqa: SLF001 - it is ours

    def _named(self) -> tuple[str, ...]:
        """What was scanned, as far as it is there: a folder that is not is an error then."""
        roots, number = self._header.roots, self._table.column("root")
        named: list[str] = []
        for i, root in enumerate(roots.entries):
            if root.is_walked:
                named.append(root.path)
                continue
            files = full_paths(self._table.filter(pc.equal(number, i)), roots).unique()
            named += filter(os.path.lexists, map(os.fsdecode, files.to_pylist()))
        return tuple(named)


class _SeriesView(Sequence["Series"]):
    """The series of an index by number."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, index: int) -> Series: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Series, ...]: ...
    def __getitem__(self, index: int | slice) -> Series | tuple[Series, ...]:
        return self._index[index]

    def __repr__(self) -> str:
        return f"({', '.join(map(repr, self))}{',' if len(self) == 1 else ''})"


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.unify_dictionaries())
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _from_bytes(content: bytes) -> Index:
    with pa.ipc.open_stream(content) as reader:
        return Index(reader.read_all())


def _reopen(path: str, saved_as: str, base: str) -> Index:
    table, origin = read_table(path)
    header = header_of(table.schema, path)
    if header.saved_as != saved_as:
        msg = "Another index was saved here since this one was pickled. Pickle it again"
        raise ParseError(msg, code="index_changed", path=path)
    if header.roots.base == base:
        return Index(table, origin)
    return Index(with_header(table, replace(header, roots=header.roots.at(base))), origin)


def _series_of(index: Index, key: str) -> Series:
    return index[key]


def _series_from_bytes(content: bytes) -> Series:
    return _from_bytes(content)[0]
