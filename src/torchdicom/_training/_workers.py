"""The threads of a Loader: they read samples ahead, and hand batches over in order."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from torchdicom import _ext
from torchdicom._threads import set_share_of_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._training._stats import Clock


class Batch(Protocol):
    """What is to be made."""

    size: int
    at_once: int
    """How many samples are read by one thread at a time."""

    def read(self, first: int, count: int, num_threads: int) -> None:
        """Read so many samples, in any thread; may throw."""

    def finish(self) -> Any:
        """The batch, once all its samples are read."""


@dataclass(slots=True, eq=False)
class _Job:
    """A batch on its way.

    Attributes:
        batch: What is to be made.
        given: How many of its samples were handed out, the first ones.
        running: How many threads are at some of them.
        error: What stopped it: of several samples the error of the first.
        error_at: Which sample that is, or the first that was read with it; the number of samples
            for an error of all together.
        made: The batch, once it is there.
        is_done: Whether it is there, or failed.
    """

    batch: Batch
    given: int = 0
    running: int = 0
    error: BaseException | None = None
    error_at: int = 0
    made: Any = None
    is_done: bool = False


def share_threads(num_threads: int, most_samples: int) -> list[int]:
    """How many threads each sample in the making gets; as many samples at a time as possible.

    A sample has parts that one thread does, and volumes differ in size: whoever waits for the
    others of its sample does nothing.

    Args:
        num_threads: Threads altogether.
        most_samples: How many samples there can be to read at a time.
    """
    count = max(1, min(num_threads, most_samples))
    return [num_threads // count + (k < num_threads % count) for k in range(count)]


_crews: weakref.WeakSet[Crew] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    for crew in list(_crews):
        crew.stop(wait=True)


class Crew:
    """Threads that make batches; lives for one pass over the data.

    Its threads are daemons, so that the interpreter does not wait for them before it calls what is
    registered for its exit, which ends them: none may be inside the core when Python goes away.
    """

    def __init__(self, shares: Sequence[int], clock: Clock) -> None:
        """Start the threads.

        Args:
            shares: For each thread how many the core may use where it reads a sample.
            clock: Is told what the threads did.
        """
        self._clock = clock
        self._pid = os.getpid()
        # Reentrant: the collector may stop a crew in the middle of what its own thread does.
        self._lock = threading.RLock()
        self._has_work = threading.Condition(self._lock)
        self._is_done = threading.Condition(self._lock)
        self._jobs: deque[_Job] = deque()
        self._is_stopped = False
        self._told = _ext.Stop()
        self._threads: list[threading.Thread] = []
        _crews.add(self)
        for number, share in enumerate(shares):
            name = f"torchdicom-loader-{number}"
            one = threading.Thread(target=self._run, args=(share,), name=name, daemon=True)
            try:
                one.start()
            except RuntimeError:  # no more threads to be had: those that there are do the work
                if not self._threads:
                    raise
                break
            self._threads.append(one)

    def submit(self, batch: Batch) -> None:
        """Have a batch made, after those submitted before."""
        with self._lock:
            self._jobs.append(_Job(batch))
            self._has_work.notify_all()

    def check_process(self) -> None:
        """That this is the process that has the threads.

        Raises:
            RuntimeError: If it was forked since; locks may be locked for ever then.
        """
        if os.getpid() != self._pid:
            msg = "the threads of a Loader do not survive a fork: iterate over it anew in the child"
            raise RuntimeError(msg)

    def next_batch(self) -> Any:
        """The first of the batches submitted, waiting until it is there.

        Raises:
            BaseException: What was raised where its first sample that failed was read.
        """
        with self._lock:
            while not self._is_stopped and not self._jobs[0].is_done:
                self._is_done.wait()
            if self._is_stopped:
                msg = "this pass over the Loader was ended: it was closed, or iterated over anew"
                raise RuntimeError(msg)
            job = self._jobs.popleft()
        if job.error is None:
            return job.made
        error, job.error = job.error, None
        try:
            raise error
        finally:
            del error, job  # they name each other, and batches

    def stop(self, *, wait: bool) -> None:
        """End the threads; a volume in the making is given up between two frames.

        Args:
            wait: Whether to return only when they have ended.
        """
        if os.getpid() != self._pid:
            return  # the threads were left behind in the parent, and the lock maybe locked
        self._told.tell()
        with self._lock:
            self._is_stopped = True
            self._jobs.clear()
            self._has_work.notify_all()
            self._is_done.notify_all()
        if not wait or threading.current_thread() in self._threads:
            return
        for one in self._threads:
            one.join()

    def _run(self, share: int) -> None:
        set_share_of_thread(share)
        _ext.heed(self._told)
        while self._do_one(share):
            pass

    def _do_one(self, share: int) -> bool:
        """Read some samples; a function of its own, so that an idle thread holds on to no batch."""
        task = self._take()
        if task is None:
            return False
        job, first, count = task
        error: BaseException | None = None
        try:
            job.batch.read(first, count, share)
        except BaseException as caught:  # noqa: BLE001 - raised again where the batch is asked for
            error = caught
        with self._lock:
            job.running -= 1
            if error is not None and (job.error is None or first < job.error_at):
                job.error, job.error_at = error, first
            # Samples are handed out in order: those before one that failed are done, or running.
            is_last = job.running == 0 and (job.error is not None or job.given == job.batch.size)
        if is_last:
            self._finish(job)
        del error
        return True

    def _take(self) -> tuple[_Job, int, int] | None:
        """The next samples to read, waiting until there are some; None where all is over."""
        with self._lock:
            start = time.perf_counter()
            while not self._is_stopped:
                job = self._first_with_work()
                if job is not None:
                    first, count = job.given, min(job.batch.at_once, job.batch.size - job.given)
                    job.given += count
                    job.running += 1
                    self._clock.add(idle=time.perf_counter() - start)
                    return job, first, count
                self._has_work.wait()
            return None

    def _first_with_work(self) -> _Job | None:
        """Nothing after an error is wanted."""
        for job in self._jobs:
            if job.error is not None:
                return None
            if job.given < job.batch.size:
                return job
        return None

    def _finish(self, job: _Job) -> None:
        if job.error is None:
            try:
                job.made = job.batch.finish()
            except BaseException as caught:  # noqa: BLE001 - as above
                job.error, job.error_at = caught, job.batch.size
        with self._lock:
            job.is_done = True
            self._is_done.notify_all()
