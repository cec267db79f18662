"""Memory for results that is there before the clock starts, and used again."""

from __future__ import annotations

import math
import mmap
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

_HUGE_PAGE: Final = 2 << 20


def touched(shape: Sequence[int], dtype: DTypeLike) -> np.ndarray[Any, np.dtype[Any]]:
    """An array in 2 MiB pages, if the kernel has some, at the start of one, and written once."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    memory = mmap.mmap(-1, size + _HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    cells = np.frombuffer(memory, dtype=np.uint8)
    start = -cells.ctypes.data % _HUGE_PAGE
    cells = cells[start : start + size]
    cells.fill(0)
    return cells.view(kind).reshape(shape)
