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
        total: InConcatenationTotalNumber (0020,9163), 0 where absent.
    """

    uid: str
    total: int


def about_concatenations(files: Sequence[FileHeader]) -> list[Finding]:
    """What is missing of the concatenations that the files of a series belong to.

    Args:
        files: In the order of their paths.
    """
    members: dict[str, list[FileHeader]] = {}
    totals: dict[str, int] = {}
    for file in files:
        if (one := file.concatenation) is not None:
            members.setdefault(one.uid, []).append(file)
            totals[one.uid] = max(one.total, totals.get(one.uid, 0))
    lacking: dict[str, int] = {}
    for uid in sorted(members):
        lacking[uid] = totals[uid] - len({file.raw["SOPInstanceUID"] for file in members[uid]})
    incomplete = [uid for uid, count in lacking.items() if count > 0]
    if not incomplete:
        return []
    missing, first = sum(lacking[uid] for uid in incomplete), members[incomplete[0]][0]
    text = f"{missing} file(s) of a concatenation are missing: they were one with this one"
    error = series_error("missing_slices", text, first, "InConcatenationTotalNumber")
    measured = {"missing": float(missing)}
    return [Finding("missing_slices", error, files=(first.path,), measured=measured)]
