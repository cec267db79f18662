"""How many threads a call gets when it names no number."""

from __future__ import annotations

import math
import operator
import os
import threading
from pathlib import Path
from typing import Final, SupportsIndex

_MOST: Final = 4096

# What set_num_threads was given; None is "as many as this process may use".
_chosen: int | None = None


class _OfThread(threading.local):
    """What a Loader gave one of its threads, that all of them together use no more than it may."""

    share: int | None = None


_of_thread = _OfThread()


def check_num_threads(value: object) -> int:
    """The value as a number of threads.

    Raises:
        TypeError: If it is not an integer.
        ValueError: If it is below 1, or above any machine's.
    """
    # Of what is an int there is no doubt; to ask for the protocol takes ten times as long.
    if type(value) is not int and (isinstance(value, bool) or not isinstance(value, SupportsIndex)):
        msg = f"num_threads must be an int, not {type(value).__name__}"
        raise TypeError(msg)
    number = operator.index(value)
    if not 1 <= number <= _MOST:
        msg = f"num_threads must be from 1 to {_MOST}, not {number}"
        raise ValueError(msg)
    return number


def set_num_threads(num_threads: int | None) -> None:
    """Set how many threads a call uses that is given no ``num_threads``.

    Args:
        num_threads: At least 1; None goes back to the CPUs that this process may use.

    Raises:
        TypeError: If it is neither an integer nor None.
        ValueError: If it is below 1.

    Example:
        >>> import torchdicom as td
        >>> td.set_num_threads(3)
        >>> td.get_num_threads()
        3
        >>> td.set_num_threads(None)
    """
    global _chosen  # noqa: PLW0603 - one setting for the process is what it is
    _chosen = None if num_threads is None else check_num_threads(num_threads)


def get_num_threads() -> int:
    """How many threads a call uses that is given no ``num_threads``.

    Returns:
        In a thread of a `Loader` its share of those; what `set_num_threads` set; else the CPUs of
        this process (its affinity and the quota of
        its cgroup), divided by ``LOCAL_WORLD_SIZE``, and by the number of workers inside a
        DataLoader worker; at least 1.

    Example:
        >>> import torchdicom as td
        >>> td.get_num_threads() >= 1
        True
    """
    if _of_thread.share is not None:
        return _of_thread.share
    if _chosen is not None:
        return _chosen
    share = _usable_cpus() / _local_world_size() / _loader_workers()
    return max(1, math.floor(share))


def set_share_of_thread(num_threads: int) -> None:
    """Set what `get_num_threads` is in the calling thread."""
    _of_thread.share = num_threads


def usable_cpus() -> int:
    """The CPUs that this process may use, whatever was set; at least 1."""
    return max(1, math.floor(_usable_cpus()))


def _usable_cpus() -> float:
    cpus: float = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cpus = len(os.sched_getaffinity(0))
    quota = _cgroup_cpus(Path("/sys/fs/cgroup/cpu.max"))
    return cpus if quota is None else min(cpus, quota)


def _cgroup_cpus(cpu_max: Path) -> float | None:
    """The CPUs that a cgroup v2 grants, None where it sets no limit."""
    try:
        quota, period = cpu_max.read_text(encoding="ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return None


def _local_world_size() -> int:
    text = os.environ.get("LOCAL_WORLD_SIZE", "1")
    return max(1, int(text)) if text.isdecimal() else 1


def _loader_workers() -> int:
    from torch.utils.data import get_worker_info  # noqa: PLC0415 - not at import, it is slow

    info = get_worker_info()
    return 1 if info is None else max(1, info.num_workers)
