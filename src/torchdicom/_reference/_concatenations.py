"""Files that were one, and whether all of them are there (PS3.3 C.7.6.16.2.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdicom._reference._findings import Finding, series_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._split import Part


def about_concatenations(files: Sequence[FileHeader], parts: Sequence[Part]) -> list[Finding]:
    """What is missing of the concatenations that some files belong to.

    Args:
        files: Those of one part.
        parts: All of them: the files of a concatenation may be of several.
    """
    series = files[0].raw["SeriesInstanceUID"]
    everywhere = [*files, *(file for part in parts if part.uid == series for file in part.files)]
    missing = 0
    concerned: list[FileHeader] = []
    for uid in dict.fromkeys(file.concatenation[0] for file in files if file.concatenation):
        found: set[str] = set()
        most = 0
        for file in everywhere:
            if file.concatenation is not None and file.concatenation[0] == uid:
                found.add(file.raw["SOPInstanceUID"])
                most = max(most, file.concatenation[1])
        if most > len(found):
            missing += most - len(found)
            concerned += [
                file for file in files if file.concatenation and file.concatenation[0] == uid
            ]
    if not missing:
        return []
    text = f"{missing} file(s) of a concatenation are missing: they were one image with these"
    error = series_error("missing_slices", text, concerned[0], "InConcatenationTotalNumber")
    paths = tuple(file.path for file in concerned)
    return [Finding("missing_slices", error, files=paths, measured={"missing": float(missing)})]
