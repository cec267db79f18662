"""Which part is loaded, and what is said where that is not clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from torchdicom._errors import SeriesError
from torchdicom._reference._split import NAMES, hash_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._split import Part

_MOST_KEYS: Final = 20  # that an error lists


def choose(parts: Sequence[Part], wanted: str | None) -> Part:
    """The part that is wanted, or the only one there is.

    Args:
        parts: At least one.
        wanted: A key, or a UID that stands for one part; None where there is but one.

    Raises:
        SeriesError: ``several_series``, ``no_such_series``.
    """
    if wanted is None:
        return _only(_without_localizers(parts), parts)
    matching = [part for part in parts if part.key == wanted]
    if matching:
        return _only(matching, matching)
    named = [part for part in parts if part.uid == wanted]
    if not named:
        _fail_unknown(parts, wanted)
    return _only(_without_localizers(named), named)


def choose_listed(parts: Sequence[Part], key: str) -> Part:
    """The part that has a key in an index, whose other parts may not be there.

    Args:
        parts: Of the files of one series of the index.
        key: Its key there.

    Raises:
        SeriesError: ``no_such_series``.
    """
    found = [one for one in parts if key in {one.key, f"{one.uid}#{hash_of(one.texts)}"}]
    if not found:
        _fail_unknown(parts, key)
    return found[0]


def _without_localizers(parts: Sequence[Part]) -> Sequence[Part]:
    """The parts that are no localizers; all of them where there is nothing else."""
    return [part for part in parts if part.kind != "localizer"] or parts


def _only(candidates: Sequence[Part], parts: Sequence[Part]) -> Part:
    if len(candidates) == 1:
        return candidates[0]
    lines = "\n".join(_describe(part, candidates) for part in candidates)
    msg = f"There are {len(candidates)} series; name one of them:\n{lines}"
    named = {file.source for part in candidates for file in part.files}
    if aside := len({file.source for part in parts for file in part.files} - named):
        msg += f"\n{aside} localizer file(s) are not counted."
    raise SeriesError(msg, code="several_series")


def _fail_unknown(parts: Sequence[Part], wanted: str) -> NoReturn:
    keys = ", ".join(part.key for part in parts[:_MOST_KEYS])
    more = f" and {len(parts) - _MOST_KEYS} more" if len(parts) > _MOST_KEYS else ""
    msg = f"There is no series {wanted!r}. These are there: {keys}{more}"
    raise SeriesError(msg, code="no_such_series")


def _describe(part: Part, candidates: Sequence[Part]) -> str:
    first = part.files[0]
    header = first.header
    number = len({file.source for file in part.files})
    count = f"{number} file{'' if number == 1 else 's'}"
    size = f"{header.rows or 0}x{header.columns or 0}"
    description = first.texts.get("SeriesDescription", "")
    differs = _what_differs(part, [one for one in candidates if one.uid == part.uid])
    modality = header.modality or ""
    return (
        f'  series="{part.key}": {modality}, {count} of {size}, "{description}"{differs} '
        f"({first.path})"
    )


def _what_differs(part: Part, same_uid: Sequence[Part]) -> str:
    """What tells a part from others of the same UID."""
    return "".join(
        f", {name} {_plain(text) or 'none'}"
        for i, (name, text) in enumerate(zip(NAMES, part.texts, strict=True))
        if any(one.texts[i] != text for one in same_uid)
    )


def _plain(text: str) -> str:
    """Bytes of any character set, without what a terminal might trip over."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)
