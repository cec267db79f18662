"""From what the caller named to the files that are looked at, and their bytes."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO, Final

from torchdicom._errors import ParseError, SeriesError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DICOM_SUFFIXES: Final = frozenset({"dcm", "dicom", "ima"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or bytes in memory.

    Attributes:
        path: The file as named, or ``"<bytes 0>"``, which counts the sources in memory alone.
        data: The bytes, where they are in memory.
        is_named: False for a file met in a folder, which need not be DICOM.
        index: Which of the sources in memory it is.
    """

    path: str
    data: bytes | None = None
    is_named: bool = True
    index: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a source, with the size and time that tell whether it changed since.

    Attributes:
        data: Every byte.
        stamp: Size in bytes and time of the last change in nanoseconds.
    """

    data: bytes
    stamp: tuple[int, int]


def named_source(source: str | bytes, index: int = 0) -> Source:
    """What one argument of the caller stands for."""
    if isinstance(source, bytes):
        return Source(f"<bytes {index}>", source, index=index)
    return Source(source)


def place_in_order(source: Source) -> tuple[bool, int, bytes]:
    """What sources are sorted by: the bytes of their paths, then those in memory as given."""
    return source.data is not None, source.index, os.fsencode(source.path)


def expand(sources: Sequence[str | bytes]) -> list[Source]:
    """Every file once, in byte order of the paths, then the bytes in the order given.

    Raises:
        FileNotFoundError: If a named path does not exist.
        OSError: If a folder cannot be read.
        SeriesError: ``empty_folder``.
    """
    files: dict[str, Source] = {}
    in_memory: list[Source] = []
    visited: set[tuple[int, int]] = set()
    for source in sources:
        if isinstance(source, bytes):
            in_memory.append(named_source(source, len(in_memory)))
        elif not stat.S_ISDIR(os.stat(source).st_mode):  # noqa: PTH116 - names the path as given
            files[source] = Source(source)
        else:
            found = list(_walk(source, visited))
            # All that is in it may have been reached before, by another of the names.
            if not found and not any(_walk(source, set())):
                msg = "The folder holds no file. Name the folder that has the DICOM files in it"
                raise SeriesError(msg, code="empty_folder", path=source)
            for path in found:
                files.setdefault(path, Source(path, is_named=False))
    return [*sorted(files.values(), key=place_in_order), *in_memory]


def expand_readable(paths: Sequence[str]) -> tuple[list[Source], list[str]]:
    """The same without an error for what cannot be read.

    Returns:
        Every file once, in order; and the folders and links that lead no further.

    Raises:
        FileNotFoundError: If a named path does not exist.
    """
    files: dict[str, Source] = {}
    refused: list[str] = []
    visited: set[tuple[int, int]] = set()
    for path in paths:
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116 - names the path as given
        except OSError as error:
            if error.errno == errno.ENOENT and not os.path.lexists(path):
                raise
            refused.append(path)
            continue
        if stat.S_ISREG(mode):
            files[path] = Source(path)
        elif stat.S_ISDIR(mode):
            for found in _walk(path, visited, refused):
                files.setdefault(found, Source(found, is_named=False))
    return sorted(files.values(), key=place_in_order), refused


def _walk(
    folder: str, visited: set[tuple[int, int]], refused: list[str] | None = None
) -> Iterator[str]:
    """Regular files below a folder; links are followed, but no folder is entered twice.

    Args:
        folder: Where to start.
        visited: The folders that were entered before.
        refused: Takes the folders that cannot be read; without it that is an error.
    """
    try:
        status = os.stat(folder)  # noqa: PTH116 - paths stay as the caller wrote them
        identity = status.st_dev, status.st_ino
        if identity in visited:
            return
        visited.add(identity)
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        if refused is None:
            raise
        refused.append(folder)
        return
    folders = []
    for entry in entries:
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:
            continue  # a link that leads to itself: like one that leads nowhere
        if is_folder:
            folders.append(entry.path)
        elif is_file:
            yield entry.path
    # Of a folder that two links lead to, the first name counts.
    for path in sorted(folders, key=os.fsencode):
        yield from _walk(path, visited, refused)


def is_lost(source: Source) -> bool:
    """Whether a file of a folder that is not DICOM should have been.

    Its name says so; or it has no suffix, as scanners write them, and is empty or starts with NUL,
    which is what an interrupted copy leaves.
    """
    _, dot, suffix = PurePath(source.path).name.rpartition(".")
    # A UID as a name ends in digits, which are no suffix.
    if dot and suffix.strip("0123456789"):
        return suffix.lower() in _DICOM_SUFFIXES
    return read(source).data[:1] in {b"", b"\0"}


def read(source: Source) -> Content:
    """All bytes of a source.

    Raises:
        OSError: If the file cannot be read.
    """
    if source.data is not None:
        return Content(source.data, (len(source.data), 0))
    with _open(source.path) as file:
        stamp = _stamp(file)
        return Content(_read_all(file), stamp)


def read_again(source: Source, stamp: tuple[int, int]) -> bytes:
    """All bytes of a source that was read before.

    Raises:
        ParseError: ``file_changed`` if its size or time is not what it was: the byte ranges that
            the header gave would mean something else now.
    """
    if source.data is not None:
        return source.data
    with _open(source.path) as file:
        before, data, after = _stamp(file), _read_all(file), _stamp(file)
    if not before == stamp == after or len(data) != stamp[0]:
        msg = "The file changed while it was being read. Load again once nothing writes to it"
        raise ParseError(msg, code="file_changed", path=source.path)
    return data


def _open(path: str) -> BinaryIO:
    """A regular file, open for reading; what else can be named might block, or never end."""
    mode = os.stat(path).st_mode  # noqa: PTH116 - names the path as given
    if not stat.S_ISREG(mode):
        reason = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(reason, os.strerror(reason), path)
    return Path(path).open("rb")


def _stamp(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _read_all(file: BinaryIO) -> bytes:
    return file.read()
