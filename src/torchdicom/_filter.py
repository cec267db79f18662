"""Which series of an index `Index.filter` keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from torchdicom._metadata import METADATA
from torchdicom._series import Series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdicom._attributes import Attribute

Predicate = Callable[[Series], object]

_FIELDS: Final[dict[str, Predicate]] = {
    "key": lambda series: series.key,
    "series_instance_uid": lambda series: series.series_instance_uid,
    "kind": lambda series: series.kind,
    "modality": lambda series: series.modality,
    "ok": lambda series: series.verdict.ok,
}


def check_filter(
    predicate: object, wanted: Mapping[str, object], include: Sequence[Attribute]
) -> None:
    """Refuse what no series can be asked for.

    Args:
        predicate: None, or something to call.
        wanted: Values by name.
        include: The attributes that an index has besides the usual ones.

    Raises:
        TypeError: If the predicate cannot be called.
        ValueError: If no series has an attribute of a name.
    """
    if predicate is not None and not callable(predicate):
        msg = f"predicate must be callable with a Series, not be {type(predicate).__name__}"
        raise TypeError(msg)
    known = {*_FIELDS, *METADATA, *(one.name for one in include)}
    for name in wanted:
        if name not in known:
            msg = f"no series has {name!r}: filter by {', '.join(sorted(known))}"
            raise ValueError(msg)


def passes(series: Series, predicate: Predicate | None, wanted: Mapping[str, object]) -> bool:
    """Whether a series has all that is wanted."""
    has_all = all(_matches(series, name, value) for name, value in wanted.items())
    return has_all and (predicate is None or bool(predicate(series)))


def _matches(series: Series, name: str, wanted: object) -> bool:
    value = _FIELDS[name](series) if name in _FIELDS else series.metadata.get(name)
    return value in wanted if isinstance(wanted, (list, tuple, set, frozenset)) else value == wanted
