"""The Parquet file of an index: read whole, and replaced whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from torchdicom._errors import ParseError
from torchdicom._schema import fail_invalid, header_of, with_header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

# What a process that was killed while it saved leaves behind is removed by a later save.
_ABANDONED_AFTER_S: Final = 24 * 3600


class Origin(NamedTuple):
    """The file that a table is the content of.

    Attributes:
        path: Absolute.
        saved_as: The name of the saved state, which the file has too.
        state: Size, time of change and inode when the table was read or written.
    """

    path: str
    saved_as: str
    state: tuple[int, int, int]

    def is_current(self) -> bool:
        """Whether the file is still the one that was read or written."""
        try:
            return self.state == _state(Path(self.path).stat())
        except OSError:
            return False


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def read_table(path: str) -> tuple[pa.Table, Origin]:
    """The table of an index file.

    Raises:
        OSError: If the file can't be read.
        ParseError: If it is no index, or one of another version (``invalid_index``,
            ``index_version``).
    """
    with Path(path).open("rb") as file:
        state = _state(os.fstat(file.fileno()))
        if state[0] == 0:
            fail_invalid("The file is empty", path)
        # Not by its name: Arrow has no names that are not UTF-8. And into Arrow's own memory: its
        # threads let go of the last of it, perhaps while the interpreter ends, and must not need
        # that for it.
        content = pa.allocate_buffer(state[0])
        size = file.readinto(content)
    if size != state[0]:
        fail_invalid("The file grew shorter while it was read", path)
    try:
        # Not read_table: it does more than a file asks for.
        parquet = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        header = header_of(parquet.schema_arrow, path)
        table = parquet.read()
    except ParseError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:  # the latter: names that are no text
        fail_invalid(f"The file can't be read as Parquet ({error})", path)
    return table, Origin(str(Path(path).absolute()), header.saved_as, state)


def write_table(table: pa.Table, path: str) -> tuple[pa.Table, Origin]:
    """Write an index file; whoever reads it meanwhile, or after a crash, sees the old or the new.

    Returns:
        The table under the header that was written, and where it is.
    """
    header = replace(header_of(table.schema), saved_as=uuid.uuid4().hex)
    named = with_header(table, header)
    target = Path(path).resolve()  # a link stays one
    with _replacing(target) as file:
        pq.write_table(named, file, compression="zstd", write_page_checksum=True)
    return named, Origin(str(target), header.saved_as, _state(target.stat()))


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file beside `path` that takes its place once everything is on the disk."""
    _remove_abandoned(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    # Else the old name could come back after a power cut.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_abandoned(path: Path) -> None:
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_AFTER_S:
                left.unlink()
