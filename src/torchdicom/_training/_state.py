"""Where a Loader is, as something that can be saved, and taken up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

_VERSION: Final = 1


@dataclass(slots=True)
class Progress:
    """How far a pass over the data is.

    Attributes:
        epoch: Its number.
        order: The samples that it reads, in order.
        delivered: How many of them were handed over.
        is_over: Whether the program was told that there are no more.
    """

    epoch: int
    order: list[int]
    delivered: int = 0
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """Where the next pass begins.

    Attributes:
        epoch: Its number.
        delivered: How many samples it leaves out at its beginning.
        order: The samples that it reads, where the sampler would not give them again.
    """

    epoch: int
    delivered: int = 0
    order: list[int] | None = None


def to_dict(
    progress: Progress | None, next_epoch: int, told: dict[str, Any], *, keeps_order: bool
) -> dict[str, Any]:
    """A state of numbers and lists.

    Args:
        progress: The last pass, or None.
        next_epoch: The epoch of the next one.
        told: What has to be the same where the state is taken up, by name.
        keeps_order: Whether the rest of the order is part of it.
    """
    state: dict[str, Any] = {"version": _VERSION, "epoch": next_epoch, "delivered": 0}
    state["order"] = None
    if progress is not None and not progress.is_over:
        state |= {"epoch": progress.epoch, "delivered": progress.delivered}
        if keeps_order:
            state["order"] = progress.order[progress.delivered :]
    return state | told


def from_dict(state: Any, told: dict[str, Any]) -> Resume:
    """The same, back.

    Raises:
        TypeError: If it is no dict.
        ValueError: If it is no state of a Loader, or one of a Loader that gives other samples.
    """
    if not isinstance(state, dict):
        msg = f"state must be what state_dict returned, not {type(state).__name__}"
        raise TypeError(msg)
    wanted = {"version", "epoch", "delivered", "order", *told}
    if set(state) != wanted or state["version"] != _VERSION:
        msg = f"state is not one of this version's Loader, which has {', '.join(sorted(wanted))}"
        raise ValueError(msg)
    for name in ("epoch", "delivered"):
        if not isinstance(state[name], int) or state[name] < 0:
            msg = f"state has {name}={state[name]!r}, which is no number from 0 on"
            raise ValueError(msg)
    for name, here in told.items():
        if state[name] != here:
            msg = f"state is of a Loader with {name}={state[name]!r}, and here it is {here!r}"
            raise ValueError(msg)
    order = state["order"]
    if order is not None:
        return Resume(state["epoch"], 0, list(order))
    return Resume(state["epoch"], state["delivered"])
