"""A lock that a forked child finds open."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class ForkSafeLock:
    """A lock for what a dataset keeps: the thread that had it is not there after a fork.

    A child that is forked in the middle of a pass over a `Loader` (a worker of a DataLoader, say)
    would wait for ever for a lock that one of the Loader's threads had. So what is done under it
    must leave the data in order between any two steps, as far as the child is concerned.
    """

    __slots__ = ("__weakref__", "_lock", "_owner")

    def __init__(self) -> None:
        """Open."""
        self._lock = threading.Lock()
        self._owner: int | None = None
        _all.add(self)

    def __enter__(self) -> None:
        """Wait until it is open, and close it."""
        self._lock.acquire()
        self._owner = threading.get_ident()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Open it."""
        self._owner = None
        self._lock.release()

    def renew(self) -> None:
        """In a child: open it, but where the thread that forked, the only one there, has it."""
        if self._owner != threading.get_ident():
            self._lock = threading.Lock()
            self._owner = None


_all: weakref.WeakSet[ForkSafeLock] = weakref.WeakSet()


def _renew_all() -> None:
    for lock in list(_all):
        lock.renew()


os.register_at_fork(after_in_child=_renew_all)
