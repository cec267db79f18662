"""One pass of a Loader over its data."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torchdicom._training._workers import Crew

if TYPE_CHECKING:
    from torchdicom._training._making import Making
    from torchdicom._training._state import Progress
    from torchdicom._training._stats import Clock


class Pass(Iterator[Any]):
    """Hands over batches, which its threads make ahead; dropped by the program, it ends them."""

    def __init__(
        self, batches: Iterator[Making], progress: Progress, clock: Clock, *, prefetch: int
    ) -> None:
        """Start the threads.

        Args:
            batches: The batches that are to be made, in order; has no reference to the pass.
            progress: Is told what was handed over.
            clock: Says how many threads there are, and is told what they did.
            prefetch: Batches that are ready or in the making while the program has one.
        """
        self._batches = batches
        self._progress = progress
        self._clock = clock
        self._crew = Crew(clock.shares, clock)
        weakref.finalize(self, self._crew.stop, wait=True)
        self._one_at_a_time = threading.Lock()  # threads of the program may share a pass
        self._is_open = True
        self._sizes: deque[int] = deque()  # of the batches submitted and not handed over
        for _ in range(prefetch):
            self._submit()

    def _submit(self) -> None:
        batch = next(self._batches, None)
        if batch is not None:
            self._sizes.append(batch.size)
            self._crew.submit(batch)

    def __next__(self) -> Any:
        """The next batch.

        Raises:
            StopIteration: After the last one, and after an error.
            RuntimeError: If it was closed, or the process was forked.
            BaseException: What was raised where its first sample that failed was read.
        """
        self._crew.check_process()
        with self._one_at_a_time:
            return self._next()

    def _next(self) -> Any:
        if not self._is_open:
            raise StopIteration
        if not self._sizes:
            self._progress.is_over = True
            self._end(wait=True)
            raise StopIteration
        try:
            batch = self._clock.waiting(self._crew.next_batch)
        except BaseException as error:
            # After Ctrl-C the program goes on at once; the exit of the interpreter waits.
            self._end(wait=isinstance(error, Exception))
            raise
        self._submit()
        self._progress.delivered += self._sizes.popleft()
        self._clock.add(batches=1)
        return batch

    def close(self) -> None:
        """End the threads; whoever asks for another batch gets an error."""
        self._clock.stop()
        self._crew.stop(wait=True)

    def _end(self, *, wait: bool) -> None:
        self._is_open = False
        self._clock.stop()
        self._crew.stop(wait=wait)


def chunks(progress: Progress, size: int, *, drop_last: bool) -> Iterator[list[int]]:
    """The samples of each batch that is still to come.

    Args:
        progress: Which samples there are, and how many were handed over.
        size: Samples in a batch; the last one may have fewer.
        drop_last: Whether it is left out then.
    """
    order = progress.order
    for start in range(progress.delivered, len(order), size):
        indices = order[start : start + size]
        if len(indices) == size or not drop_last:
            yield indices
