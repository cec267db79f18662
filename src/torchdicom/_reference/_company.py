"""What the other parts of its SeriesInstanceUID say about a part: localizers, other grids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from torchdicom._reference._findings import Finding, series_error
from torchdicom._reference._split import CELL, ORIENTATION, SIZE, SPACING, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdicom._reference._split import Part

_MIXED: Final = (
    ("mixed_size", (SIZE, SPACING), "sizes"),
    ("mixed_pixel_format", (CELL, UNITS), "pixel formats or units"),
    ("mixed_orientation", (ORIENTATION,), "orientations"),
)


def company(part: Part, parts: Sequence[Part]) -> list[Finding]:
    """The findings that other parts cause, localizers first.

    Args:
        part: The part that is judged.
        parts: All of them, itself included.
    """
    if not part.uid:
        return []  # none is no identity
    others = [one for one in parts if one.uid == part.uid and one.texts != part.texts]
    return [*_localizers(part, others), *_mixed(part, others)]


def _localizers(part: Part, others: Sequence[Part]) -> Iterator[Finding]:
    if part.kind == "localizer":
        return
    files = [file for one in others if one.kind == "localizer" for file in one.files]
    if files:
        files.sort(key=lambda file: file.order)
        count = len({file.source for file in files})
        text = f"{count} localizer(s) have the same SeriesInstanceUID, and are left out"
        error = series_error("localizer", text, files[0], "ImageType")
        paths = tuple(file.path for file in files)
        measured = {"files": float(count)}
        yield Finding("localizer", error, files=paths, measured=measured)


def _mixed(part: Part, others: Sequence[Part]) -> Iterator[Finding]:
    if part.kind != "volume":
        return
    volumes = [one for one in others if one.kind == "volume"]
    for code, places, what in _MIXED:
        own, *rest = ([one.texts[place] for place in places] for one in (part, *volumes))
        different = [one for one, texts in zip(volumes, rest, strict=True) if texts != own]
        if not different:
            continue
        first = different[0]
        count = len({tuple(texts) for texts in (own, *rest)})
        text = f"Images of {count} {what} have the same SeriesInstanceUID, and are series apart"
        keyword = next(name for name, _ in _unlike(part, first, code))
        error = series_error(code, text, first.files[0], keyword)
        paths = tuple(one.files[0].path for one in different)
        yield Finding(code, error, files=paths, measured={"parts": float(count)})


def _unlike(part: Part, other: Part, code: str) -> Iterator[tuple[str, str]]:
    """The attributes behind a code whose texts differ between two parts, and their texts here."""
    aspects = zip(_aspects(part, code), _aspects(other, code), strict=True)
    return (one for one, another in aspects if one != another)


def _aspects(part: Part, code: str) -> list[tuple[str, str]]:
    """The texts of a code by attribute, in the order in which an error names one."""
    texts = part.texts
    if code == "mixed_size":
        return [("Rows", texts[SIZE]), ("PixelSpacing", texts[SPACING])]
    if code == "mixed_orientation":
        return [("ImageOrientationPatient", texts[ORIENTATION])]
    *cell, photometric = texts[CELL].split("/", 5)
    unit, slope, intercept = texts[UNITS].rsplit("/", 2)
    return [
        ("BitsAllocated", "/".join(cell)),
        ("PhotometricInterpretation", photometric),
        ("RescaleType", unit),
        ("RescaleSlope", slope),
        ("RescaleIntercept", intercept),
    ]
