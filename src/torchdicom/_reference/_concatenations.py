"""Files that were one, and whether all of them are there (PS3.3 C.7.6.16.2.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torchdicom._reference._findings import Finding, series_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._split import Part


class Concatenation(NamedTuple):
    """What a file says of the concatenation that it is part of.

    Attributes:
        uid: ConcatenationUID (0020,9161).
        total: InConcatenationTotalNumber (0020,9163), 0 where absent.
    """

    uid: str
    total: int


def about_concatenations(
    part: Part, parts: Sequence[Part], missing_files: int | None = None
) -> list[Finding]:
    """What is missing of the concatenations that the files of a part belong to.

    Args:
        part: The part that is judged.
        parts: All of them, itself included: stacks are parts, and their files may be of one object.
        missing_files: How many there are, where that is known and not all parts are.
    """
    present: dict[str, set[str]] = {}
    totals: dict[str, int] = {}
    for file in (file for one in parts for file in one.files):
        if (one := file.concatenation) is not None:
            present.setdefault(one.uid, set()).add(file.raw["SOPInstanceUID"])
            totals[one.uid] = max(one.total, totals.get(one.uid, 0))
    firsts: dict[str, FileHeader] = {}
    for file in part.files:
        if file.concatenation is not None:
            firsts.setdefault(file.concatenation.uid, file)
    lacking = {uid: totals[uid] - len(present[uid]) for uid in sorted(firsts)}
    incomplete = [uid for uid, count in lacking.items() if count > 0]
    if not incomplete or missing_files == 0:
        return []
    missing = missing_files or sum(lacking[uid] for uid in incomplete)
    first = firsts[incomplete[0]]
    text = f"{missing} file(s) of a concatenation are missing: they were one with this one"
    error = series_error("missing_slices", text, first, "InConcatenationTotalNumber")
    measured = {"missing": float(missing)}
    return [Finding("missing_slices", error, files=(first.path,), measured=measured)]
