"""Properties that are worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

T = TypeVar("T")


class cached_property(Generic[T]):
    """As that of functools, without the lock that it has before Python 3.12.

    A process that is forked while another thread holds that lock would wait for it for ever. Two
    threads may work the same out at the same time here; one result stays.
    """

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        """Take the method."""
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...
    def __get__(self, instance: object, owner: type[Any]) -> Self | T:
        """The value; from then on it is found in the instance before this descriptor is."""
        if instance is None:
            return self
        value: T = instance.__dict__.setdefault(self._name, self._work_out(instance))
        return value
