"""Files that were one, and whether all of them are there (PS3.3 C.7.6.16.2.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torchdicom._reference._findings import Finding, series_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._header import FileHeader


class Concatenation(NamedTuple):
    """What a file says of the concatenation that it is part of.

    Attributes:
        uid: ConcatenationUID (0020,9161).
        number: InConcatenationNumber (0020,9162), from 1 on.
        total: InConcatenationTotalNumber (0020,9163).
    """

    uid: str
    number: int
    total: int


def about_concatenations(files: Sequence[FileHeader]) -> list[Finding]:
    """What is missing of the concatenations that the files of a series belong to.

    Of several that are incomplete, the first by its UID is told.

    Args:
        files: In the order of their paths.
    """
    first_of: dict[str, tuple[FileHeader, Concatenation]] = {}
    numbers: dict[str, set[int]] = {}
    for file in files:
        if (one := file.concatenation) is not None:
            first_of.setdefault(one.uid, (file, one))
            numbers.setdefault(one.uid, set()).add(one.number)
    for uid, (first, one) in sorted(first_of.items()):
        missing = one.total - len(numbers[uid])
        if missing > 0:
            text = f"{missing} file(s) of a concatenation are missing: they were one with this one"
            error = series_error("missing_slices", text, first, "InConcatenationTotalNumber")
            measured = {"missing": float(missing)}
            return [Finding("missing_slices", error, files=(first.path,), measured=measured)]
    return []
