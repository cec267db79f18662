"""Which series go into which part: by patient or study, never by slice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final

from torchdicom._index import Index
from torchdicom._scan import scan
from torchdicom._series import Series
from torchdicom._training._label_files import FRAME_OF_REFERENCE

if TYPE_CHECKING:
    import numpy as np

    Whole = int | np.integer[Any]
    Whose = str | Whole | tuple[str | Whole, ...]
    Plain = str | int
    By = str | Callable[[Series], Whose] | Mapping[str, Whose]

_KEYWORDS: Final = {"patient": "PatientID", "study": "StudyInstanceUID"}


def split(
    source: Any, fractions: Mapping[str, float], *, by: By = "patient", seed: int = 0
) -> dict[str, tuple[Series, ...]]:
    """Part the series of a source, all of one patient, or of one study, into the same part.

    Which part a patient is in depends on ``seed`` and on who else is there, not on the order of
    files. Nothing about patients is kept: their numbers are only compared.

    Args:
        source: A folder or file, or a list of them, which are scanned; an `Index`, made with
            ``scan(..., include_metadata=("PatientID",))``, or ``("StudyInstanceUID",)`` where
            ``by`` is ``"study"``; or a list of its `Series`.
        fractions: What share of the patients each part gets, by its name, such as
            ``{"train": 0.8, "val": 0.1, "test": 0.1}``; they add up to 1.
        by: ``"patient"`` (PatientID) or ``"study"`` (StudyInstanceUID: a patient with two studies
            may be in two parts then); or a callable on the `Series`, or a mapping by their key,
            that says whose each is: text or a whole number, the same kind for all series, or a
            tuple of these. Those with equal ones are not parted.
        seed: Another one parts them otherwise.

    Returns:
        dict: the series of each part, in the order of the source. Every part has some, unless its
        fraction is 0.

    Raises:
        FileNotFoundError: If a path does not exist.
        TypeError: If an argument is of another type than it may be, or ``by`` gives something else
            than text and whole numbers, or both where one could be meant to equal the other.
        ValueError: If the fractions do not add up to 1, a series does not say whose it is, or there
            are fewer patients than parts.

    Example:
        >>> import torchdicom as td
        >>> index = td.scan("tests/data")
        >>> parts = split(index, {"train": 1.0}, by=lambda series: series.key)
        >>> [series.modality for series in parts["train"]]
        ['CT']
    """
    names = _checked(fractions)
    series = series_of(source, by)
    groups = _groups(series, by)
    # By a digest, so that neighbours in a list are none here.
    order = sorted(set(groups), key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    counts = _counts(len(order), fractions, names, by)
    ends = [0, *accumulate(counts)]
    parts = {}
    for k, name in enumerate(names):
        inside = set(order[ends[k] : ends[k + 1]])
        found = zip(series, groups, strict=True)
        parts[name] = tuple(one for one, group in found if group in inside)
    return parts


def series_of(source: Any, by: By) -> list[Series]:
    """The series of a source; folders are scanned with what `by` looks at.

    Raises:
        FileNotFoundError: If a path does not exist.
        TypeError: If it is nothing that has series.
    """
    if isinstance(source, (str, os.PathLike)):
        source = [source]
    if isinstance(source, (list, tuple)) and all(isinstance(n, (str, os.PathLike)) for n in source):
        keyword = _KEYWORDS.get(by) if isinstance(by, str) else None
        wanted = (FRAME_OF_REFERENCE, *([keyword] if keyword else []))
        source = scan(list(source), include_metadata=wanted) if source else source
    found = list(source) if isinstance(source, Sequence) else []
    if found and all(isinstance(one, Series) for one in found):
        return found
    what = "one without series" if isinstance(source, Index) else type(source).__name__
    msg = f"source must be a folder, an Index, or a list of folders or of Series, not {what}"
    raise TypeError(msg)


def _checked(fractions: object) -> tuple[str, ...]:
    """The names of the parts."""
    if not isinstance(fractions, Mapping):
        msg = f"fractions must be a mapping such as {{'train': 0.9, 'val': 0.1}}, not {fractions!r}"
        raise TypeError(msg)
    values = list(fractions.values())
    if any(not 0 <= value <= 1 for value in values) or abs(sum(values) - 1) > 1e-6:
        msg = f"fractions must be from 0 to 1 and add up to 1: {dict(fractions)}"
        raise ValueError(msg)
    return tuple(fractions)


def _counts(groups: int, fractions: Mapping[str, float], names: Sequence[str], by: By) -> list[int]:
    """How many groups each part gets: the nearest whole numbers, none of them 0 without need."""
    wanted = [name for name in names if fractions[name] > 0]
    if groups < len(wanted):
        what = {"patient": "patients", "study": "studies"}.get(str(by), "groups")
        msg = f"{groups} {what} cannot be parted into {', '.join(wanted)}: each needs one at least"
        raise ValueError(msg)
    counts = {name: 1 if name in wanted else 0 for name in names}
    while sum(counts.values()) < groups:
        # To the part that is furthest below its share.
        needy = max(wanted, key=lambda name: fractions[name] * groups - counts[name])
        counts[needy] += 1
    return [counts[name] for name in names]


def _groups(series: Sequence[Series], by: Any) -> list[str]:
    """Whose each series is: the same text where that is equal.

    Raises:
        TypeError: If `by` is nothing that tells, or tells it in a form that may differ for equals.
        ValueError: If a series does not say it.
    """
    if isinstance(by, str):
        return [_attribute(one, by) for one in series]
    if not isinstance(by, Mapping) and not callable(by):
        msg = f"by must be 'patient', 'study', a callable or a mapping, not {type(by).__name__}"
        raise TypeError(msg)
    told = [_told(one, by) for one in series]
    _check_kinds(series, told)
    return [repr(whose) for whose in told]


def _told(series: Series, by: Any) -> Plain | tuple[Plain, ...]:
    """What a callable or a mapping says of a series."""
    if isinstance(by, Mapping) and series.key not in by:
        msg = f"by has no value for series {series.key}"
        raise ValueError(msg)
    given = by[series.key] if isinstance(by, Mapping) else by(series)
    if isinstance(given, tuple) and given:
        return tuple(_plain(one, series.key) for one in given)
    return _plain(given, series.key)


def _plain(given: object, key: str) -> Plain:
    """Text and whole numbers as Python has them, whose repr is the same where they are equal."""
    if isinstance(given, str):
        return str.__str__(given)
    # True is 1, and who asks a question with two answers has no patients in mind.
    if type(given) is not bool and isinstance(given, Integral):
        return int(given)
    msg = (
        f"by gives {type(given).__name__} for series {key}, and must give text, a whole number or "
        "a tuple of these, so that it is clear what equals what: str(...) of a number, for one"
    )
    raise TypeError(msg)


def _check_kinds(series: Sequence[Series], told: Sequence[object]) -> None:
    """Refuse 1 beside "1", which are one patient to whoever wrote them, and two to Python."""
    first: dict[int, tuple[str, str]] = {}
    for one, whose in zip(series, told, strict=True):
        kinds = {-1: type(whose).__name__}
        if isinstance(whose, tuple):
            kinds |= {place: type(part).__name__ for place, part in enumerate(whose)}
        for place, kind in kinds.items():
            known, other = first.setdefault(place, (kind, one.key))
            if known != kind:
                msg = (
                    f"by gives {known} for series {other} and {kind} for series {one.key}, so that "
                    "one patient could be two: give the same kind for all, such as str(...) of it"
                )
                raise TypeError(msg)


def _attribute(series: Series, by: str) -> str:
    if by not in _KEYWORDS:
        msg = f"by must be 'patient', 'study', a callable or a mapping, not {by!r}"
        raise ValueError(msg)
    keyword = _KEYWORDS[by]
    value = str(series.metadata.get(keyword, "")).strip()
    if value:
        _check_one(series, keyword)
        return value
    msg = (
        f"Series {series.key} has no {keyword}, so that nobody knows which series belong together: "
        f"scan with include_metadata=({keyword!r},); where the files lack it, give by= a callable "
        "that tells whose a series is, of its paths perhaps"
    )
    raise ValueError(msg)


def _check_one(series: Series, keyword: str) -> None:
    """Refuse a series whose files say two: it cannot be on both sides."""
    found = series._kept.column(keyword).unique().to_pylist()  # noqa: SLF001 - of all its slices
    values = sorted({str(one).strip() for one in found if one is not None} - {""})
    if len(values) > 1:
        msg = (
            f"The files of series {series.key} have {len(values)} values of {keyword}, "
            f"{', '.join(map(repr, values[:3]))}: a series is of one patient and one study "
            "(PS3.3 A.1.2). Mend the files, or give by= a callable that tells whose it is"
        )
        raise ValueError(msg)
