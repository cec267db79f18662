"""What an epoch takes besides time: of the processor, and of memory, workers included."""

from __future__ import annotations

import os
import resource
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.epoch_profile import shares

if TYPE_CHECKING:
    from typing_extensions import Self

    from benchmarks.epoch import Epoch

# The counters of other processes tick a hundred times a second.
_LEAST_S: Final = 0.4
_MOST_EPOCHS: Final = 20
_EVERY_S: Final = 0.01
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def measured(epoch: Epoch, start_bytes: int) -> dict[str, Any]:
    """Go through epochs for a while; the loader has been gone through before.

    Args:
        epoch: What is measured.
        start_bytes: `family_bytes` before its loader was made.

    Returns:
        Seconds of the processor for an epoch, the growth of memory to its peak, and where a loader
        knows it, what its time went to and which libraries the processor was in.
    """
    with _Peak() as peak:
        start_s, count, before = time.perf_counter(), 0, _cpu_seconds()
        while not count or (time.perf_counter() - start_s < _LEAST_S and count < _MOST_EPOCHS):
            epoch()
            count += 1
        cpu_s = _cpu_seconds() - before
    # What the watching took is no part of it.
    cpu_s = max(cpu_s - peak.cpu_s, 0.0)
    found = {"cpu_s": cpu_s / count, "peak_bytes": max(peak.bytes - start_bytes, 0)}
    if epoch.stats is None:
        return found
    parts = epoch.stats()  # of the last of those epochs, before perf is in the way
    return {**found, "parts": parts, "libraries": shares(epoch)}


def family_bytes() -> int:
    """What the process, those that it started and the one it is a copy of have in memory.

    Pages that several of them share count once. That of which this is a copy counts since its pages
    are shared among fewer or more of them, as copies come and go.
    """
    return sum(map(_own_share, [os.getppid(), *_below(os.getppid())]))


def _below(pid: int) -> list[int]:
    """All processes that one started, and those that they started."""
    found: list[int] = []
    with suppress(OSError):  # it has ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                found += [int(child), *_below(int(child))]
    return found


def _own_share(pid: int) -> int:
    """The proportional set size: pages divided by how many processes have them."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _cpu_seconds() -> float:
    """Of this process and all below it, those that ended included."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    for pid in _below(os.getpid()):
        with suppress(OSError):
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
            # utime, stime, cutime and cstime (proc(5)), behind a name that may have spaces.
            fields = text.rpartition(")")[2].split()
            seconds += sum(map(int, fields[11:15])) / _TICKS
    return seconds


class _Peak:
    """Looks at the memory again and again, in a thread.

    Attributes:
        bytes: The most that was seen.
        cpu_s: Seconds of the processor that the looking took.
    """

    def __init__(self) -> None:
        """Not looking yet."""
        self.bytes, self.cpu_s = 0, 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, family_bytes())
            self.cpu_s = time.thread_time()
            if self._is_over.wait(_EVERY_S):
                return
