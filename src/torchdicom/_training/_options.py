"""The options of a Loader, checked."""

from __future__ import annotations

import operator
from collections.abc import Sized
from typing import TYPE_CHECKING, Any, Final, SupportsIndex

import torch

from torchdicom._training._batch import new_pinned_tensor, new_tensor

if TYPE_CHECKING:
    from torchdicom._training._batch import NewTensor

_MOST: Final = 1 << 31


def check_index(value: object) -> int:
    """What a sampler gave, as the number of a sample.

    Raises:
        TypeError: If it is none.
    """
    if isinstance(value, SupportsIndex):
        return operator.index(value)
    msg = f"a sampler must give one sample at a time as an int, not {type(value).__name__}"
    raise TypeError(msg)


def check_flag(name: str, value: object) -> bool:
    """The value, which must be True or False.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(value, bool):
        return value
    msg = f"{name} must be True or False, not {value!r}"
    raise TypeError(msg)


def check_whole(name: str, value: object, least: int) -> int:
    """The value as an int.

    Raises:
        TypeError: If it is none.
        ValueError: If it is below `least`, or beyond all reason.
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        msg = f"{name} must be an int, not {type(value).__name__}"
        raise TypeError(msg)
    number = operator.index(value)
    if not least <= number < _MOST:
        msg = f"{name} must be at least {least}, and below {_MOST}, not {number}"
        raise ValueError(msg)
    return number


def check_sampler(sampler: Any, *, shuffle: bool) -> Any:
    """The sampler, or None.

    Raises:
        TypeError: If it has no length, or cannot be iterated over.
        ValueError: If ``shuffle`` is asked for as well.
    """
    if sampler is None:
        return None
    if shuffle:
        msg = "a sampler has an order of its own: give either shuffle=True or sampler="
        raise ValueError(msg)
    if not isinstance(sampler, Sized) or not hasattr(sampler, "__iter__"):
        msg = f"sampler must be iterable and have a length; {type(sampler).__name__} is not so"
        raise TypeError(msg)
    return sampler


def memory_of_batches(*, pin_memory: bool) -> NewTensor:
    """Where the memory of batches comes from.

    Raises:
        ValueError: If it is to be pinned, and there is no accelerator.
    """
    if not pin_memory:
        return new_tensor
    if not torch.cuda.is_available():
        msg = (
            "pin_memory=True needs an accelerator that copies from such memory, and torch finds "
            "none here (torch.cuda.is_available() is False): leave it out"
        )
        raise ValueError(msg)
    return new_pinned_tensor
