"""`scan` and `open_index`: the ways to an `Index`."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torchdicom._errors import DicomWarning
from torchdicom._index import Index
from torchdicom._index_file import read_table
from torchdicom._interrupt import held_interrupt
from torchdicom._progress import check_progress
from torchdicom._roots import absolute
from torchdicom._schema import header_of, with_header
from torchdicom._threads import check_num_threads, get_num_threads
from torchdicom._update import Request, assemble, check_include, check_paths, gather

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    Named = str | os.PathLike[str]


def scan(
    paths: Named | Sequence[Named],
    *,
    index: Named | None = None,
    num_threads: int | None = None,
    progress: bool | None = None,
    include_metadata: Iterable[str] = (),
) -> Index:
    """Find out what is in folders: read the headers of all files, group, sort and judge them.

    Of each file no more is read than its header. A file or folder that cannot be read stops
    nothing: `Index.skipped` has it with the reason.

    Args:
        paths: A folder (searched recursively), a file, or a list of those. Links are followed,
            unless they lead back.
        index: A file to keep the index in. Where it is there already, only files whose size or time
            of change differ from what it says are read; in any case the result is saved there. A
            scan that is interrupted by Ctrl-C saves what it has, and the next one goes on from
            there.
        num_threads: Threads to read with; None is `get_num_threads`. The result does not depend on
            it.
        progress: Whether to show a progress bar on stderr; None is where that is a terminal.
        include_metadata: More attributes to keep, by DICOM keyword or as ``"(gggg,eeee)"``: those
            of the data set itself whose value is text, of at most 64 KiB. They become columns of
            the index, and appear in `Series.metadata` and `Volume.metadata`. Without it nothing
            that identifies a person is kept, but for what the names of files tell.

    Returns:
        Index: the series, sorted by key, and what was skipped.

    Raises:
        FileNotFoundError: If a path does not exist.
        ParseError: If ``index`` is a file that is no index, or of another version
            (``invalid_index``, ``index_version``); it is left as it is.
        TypeError: If an argument is of another type than it may be.
        ValueError: If there is no path, a keyword is not known, or ``num_threads`` is below 1.

    Warns:
        DicomWarning: For numbers of the metadata that are malformed, once for each attribute.

    Example:
        >>> import torchdicom as td
        >>> index = td.scan("tests/data/sts_002/ct")
        >>> index
        Index(1 series, 48 frames, 0 skipped)
        >>> index.series[0].verdict.ok
        True
    """
    target = None if index is None else absolute(index, "index")
    request = Request(
        named=check_paths(paths),
        include=check_include(include_metadata),
        num_threads=get_num_threads() if num_threads is None else check_num_threads(num_threads),
        progress=check_progress(progress),
        keeps_part=target is not None,
    )
    old = read_table(target)[0] if target is not None and Path(target).exists() else None
    gathered = gather(old, request)
    with held_interrupt() if target is not None else nullcontext():
        found = Index(assemble(gathered, request))
        if target is not None:
            found.save(target)
    if gathered.is_interrupted:
        raise KeyboardInterrupt
    gathered.reader.warn()
    return found


def open_index(path: Named, *, root: Named | None = None) -> Index:
    """Open an index that `Index.save`, or `scan` with ``index=``, wrote.

    Args:
        path: The file.
        root: Where the scanned folder lies now; of several, the folder that all of them lay in.
            None: where it was.

    Returns:
        Index: as it was saved. No DICOM file is opened, or need be there.

    Raises:
        FileNotFoundError: If the file does not exist.
        ParseError: If the file is no index, or damaged (``invalid_index``), or of a version that is
            not read (``index_version``).

    Warns:
        DicomWarning: If the scan was interrupted, so that files may be missing.

    Example:
        >>> import pathlib, tempfile
        >>> import torchdicom as td
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "ct.parquet"
        ...     td.scan("tests/data/sts_002/ct").save(file)
        ...     td.open_index(file)
        Index(1 series, 48 frames, 0 skipped)
    """
    table, origin = read_table(absolute(path, "path"))
    header = header_of(table.schema)
    if not header.is_complete:
        message = (
            f"The scan of the index {origin.path} was interrupted: files are missing. Refresh it, "
            "or scan once more with the same index="
        )
        warnings.warn(message, DicomWarning, stacklevel=2)
    if root is None:
        return Index(table, origin)
    moved = replace(header, roots=header.roots.at(absolute(root, "root")))
    return Index(with_header(table, moved), origin)
