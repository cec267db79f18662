"""Options of the datasets, checked one by one."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, SupportsIndex

from torchdicom._policy import Policy
from torchdicom._window import finite

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdicom._training._recipe import OnError
    from torchdicom._training._spatial import Triple

_KINDS: Final = ("volume", "image", "cine", "dose", "localizer")
_LONGEST: Final = 32_768
# The letters of each axis of the patient; LPS are those that grow (PS3.3 C.7.6.2.1.1).
_LETTERS: Final = ("LR", "PA", "SI")


def check_triple(name: str, value: object, *, least: int = 1) -> Triple:
    """Three lengths, along z, y and x."""
    wanted = f"{name} must be three integers, along z, y and x"
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        msg = f"{wanted}, not {value!r}"
        raise TypeError(msg)
    parts = [check_integer(name, part) for part in value]
    if len(parts) != 3:
        msg = f"{wanted}, not {len(parts)} values"
        raise ValueError(msg)
    for part in parts:
        if not least <= part <= _LONGEST:
            msg = f"{name} must be {least} to {_LONGEST} along each axis, not {part}"
            raise ValueError(msg)
    return parts[0], parts[1], parts[2]


def check_integer(name: str, value: object) -> int:
    """An integer of any kind, and no bool."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        msg = f"{name} must be of integers, not of {type(value).__name__}"
        raise TypeError(msg)
    return operator.index(value)


def check_at_least(least: int, name: str, value: object) -> int:
    """An integer from `least` on."""
    number = check_integer(name, value)
    if number < least:
        msg = f"{name} must be {least} or more, not {number}"
        raise ValueError(msg)
    return number


def check_callable(name: str, value: object) -> Callable[[Any], Any] | None:
    """Something to call, or None."""
    if value is None or callable(value):
        return value
    msg = f"{name} must be callable, not {type(value).__name__}"
    raise TypeError(msg)


def check_spacing(spacing_mm: object) -> tuple[float, float, float]:
    """Distances along z, y and x, of one number or three."""
    if isinstance(spacing_mm, (str, bytes)):
        msg = f"spacing_mm must be a number, or three along z, y and x, not {spacing_mm!r}"
        raise TypeError(msg)
    given = list(spacing_mm) if isinstance(spacing_mm, Iterable) else [spacing_mm] * 3
    parts = [finite("spacing_mm", part) for part in given]
    if len(parts) != 3:
        msg = f"spacing_mm must be a number, or three along z, y and x, not {len(parts)} values"
        raise ValueError(msg)
    for part in parts:
        if part <= 0:
            msg = f"spacing_mm must be above 0, not {part}"
            raise ValueError(msg)
    return parts[0], parts[1], parts[2]


def check_orientation(orientation: object) -> str:
    """Three letters, one for each axis of the patient."""
    if not isinstance(orientation, str):
        msg = f"orientation must be three letters such as 'LPS', not {orientation!r}"
        raise TypeError(msg)
    axes = [next((i for i, pair in enumerate(_LETTERS) if c in pair), -1) for c in orientation]
    if sorted(axes) != [0, 1, 2]:
        msg = (
            f"orientation must be three letters, one of each of L/R, P/A and S/I, such as 'LPS', "
            f"not {orientation!r}"
        )
        raise ValueError(msg)
    return orientation


def check_flag(name: str, value: object) -> bool:
    """True or False, and nothing that is as good as either."""
    if isinstance(value, bool):
        return value
    msg = f"{name} must be True or False, not {value!r}"
    raise TypeError(msg)


def check_policy(policy: object) -> Policy:
    """A policy; None is the default one."""
    if policy is None:
        return Policy()
    if isinstance(policy, Policy):
        return policy
    msg = f"policy must be a torchdicom.Policy, not {type(policy).__name__}"
    raise TypeError(msg)


def check_on_error(on_error: object) -> OnError:
    """One of the two ways to go on."""
    if on_error == "raise":
        return "raise"
    if on_error == "quarantine":
        return "quarantine"
    msg = f"on_error must be 'raise' or 'quarantine', not {on_error!r}"
    raise ValueError(msg)


def check_channels(channels: object) -> int:
    """Of gray images 1 or 3."""
    if isinstance(channels, SupportsIndex) and not isinstance(channels, bool):
        number = operator.index(channels)
        if number in {1, 3}:
            return number
    msg = f"channels must be 1 or 3, not {channels!r}"
    raise ValueError(msg)


def check_kinds(kinds: object) -> tuple[str, ...]:
    """Kinds of series, each once."""
    if isinstance(kinds, str) or not isinstance(kinds, Iterable):
        msg = f"kinds must be a tuple of kinds, such as ('volume',), not {kinds!r}"
        raise TypeError(msg)
    named = tuple(kinds)
    unknown = [kind for kind in named if kind not in _KINDS]
    if unknown or not named:
        allowed = ", ".join(map(repr, _KINDS))
        what = f"not {unknown[0]!r}" if unknown else "and name at least one"
        msg = f"kinds must be among {allowed}, {what}"
        raise ValueError(msg)
    return tuple(dict.fromkeys(named))
