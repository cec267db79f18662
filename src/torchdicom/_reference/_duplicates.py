"""The same instance twice: a copy, or two images that claim to be one (PS3.3 C.12.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdicom._reference._findings import Finding, refusal, series_error
from torchdicom._reference._sources import read_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._header import FileHeader


def set_aside_copies(
    files: Sequence[FileHeader],
) -> tuple[list[FileHeader], list[FileHeader], list[Finding]]:
    """Keep one file of each SOPInstanceUID, with all its frames.

    Args:
        files: In the order of their paths.

    Returns:
        The files that are kept, the copies that are not, and what was found about them: the
        copies, then a refusal of the first two files that share a UID and differ.

    Raises:
        OSError: If a file cannot be read.
        ParseError: ``file_changed``.
    """
    kept: list[FileHeader] = []
    copies: list[FileHeader] = []
    unlike: list[tuple[FileHeader, FileHeader]] = []
    first_of: dict[tuple[str, int, int], FileHeader] = {}
    for file in files:
        uid, (*_, frame, tile) = file.raw["SOPInstanceUID"], file.order
        # None is no identity.
        first = first_of.setdefault((uid, frame, tile), file) if uid else file
        if first is not file and _bytes(first) == _bytes(file):
            copies.append(file)
            continue
        kept.append(file)
        if first is not file:
            unlike.append((first, file))
    return kept, copies, [*_about_copies(copies), *_about_unlike(unlike[:1])]


def _about_copies(copies: Sequence[FileHeader]) -> list[Finding]:
    if not copies:
        return []
    count = len({file.source for file in copies})
    text = f"{count} file(s) are copies of others, to the byte, and are left out"
    error = series_error("duplicate_files", text, copies[0], "SOPInstanceUID")
    paths = tuple(file.path for file in copies)
    measured = {"copies": float(count)}
    return [Finding("duplicate_files", error, files=paths, measured=measured)]


def _about_unlike(pairs: Sequence[tuple[FileHeader, FileHeader]]) -> list[Finding]:
    found = []
    for first, other in pairs:
        text = f"{first.path} and {other.path} claim to be one instance, but their bytes differ"
        error = series_error("duplicate_files", text, other, "SOPInstanceUID")
        found.append(refusal(error, [first, other]))
    return found


def _bytes(file: FileHeader) -> bytes:
    return read_again(file.source, file.stamp)
