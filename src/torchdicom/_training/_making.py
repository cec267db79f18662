"""A batch in the making: its samples decode right into it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import torch

from torchdicom import _ext
from torchdicom._training._batch import Slots
from torchdicom._training._collate import assemble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._training._access import Access
    from torchdicom._training._batch import NewTensor
    from torchdicom._training._stats import Clock


class Making:
    """What the threads of a Loader do for one batch."""

    def __init__(
        self,
        source: Access,
        indices: Sequence[int],
        *,
        pad: float | None,
        new: NewTensor,
        clock: Clock,
        at_once: int = 1,
    ) -> None:
        """Nothing is read yet, and no memory taken.

        Args:
            source: Reads the samples.
            indices: Which samples, in order.
            pad: As in `collate`.
            new: Where memory comes from.
            clock: Is told what takes how long.
            at_once: How many samples are to be read by one thread at a time.
        """
        self.size = len(indices)
        self.at_once = at_once
        self._source = source
        self._indices = indices
        self._pad = pad
        self._new = new
        self._clock = clock
        self._lock = threading.Lock()
        self._is_planned = False
        self._planned: Slots | None = None  # for images of known forms
        self._slots: Slots | None = None  # the same, or for images that are like one that was read
        self._samples: list[Any] = [None] * self.size

    def read(self, first: int, count: int, num_threads: int) -> None:
        """Read so many samples, and have their images in their slots.

        Raises:
            RuntimeError: If the dataset raised StopIteration, which would end the pass unseen.
        """
        start = time.perf_counter()
        read_before, core_before = _ext.thread_seconds()
        samples = self._read(first, count, num_threads)
        read_after, core_after = _ext.thread_seconds()
        got = time.perf_counter()
        for k, sample in enumerate(samples, first):
            self._samples[k] = self._placed(k, sample)
        reading, core = read_after - read_before, core_after - core_before
        self._clock.add(
            samples=count,
            read=reading,
            decode=core - reading,
            transform=got - start - core,
            place=time.perf_counter() - got,
        )

    def _read(self, first: int, count: int, num_threads: int) -> list[Any]:
        """The samples as the dataset gives them."""
        slots = self._planned_slots()
        run = None if slots is None or count == 1 else slots.run(first, count)
        if run is not None:
            return self._source.read_batch(self._indices[first : first + count], run, num_threads)
        samples = []
        for k in range(first, first + count):
            i = self._indices[k]
            try:
                out = None if slots is None else slots.out(k)
                samples.append(self._source.read(i, out, num_threads))
            except StopIteration as error:
                msg = f"the dataset raised StopIteration for sample {i}"
                raise RuntimeError(msg) from error
        return samples

    def finish(self) -> Any:
        """The batch."""
        start = time.perf_counter()
        batch = assemble(
            self._samples,
            pad=self._pad,
            new=self._new,
            slots=self._slots,
            names=lambda k: f"sample {self._indices[k]}",
        )
        self._samples, self._slots, self._planned = [], None, None
        self._clock.add(place=time.perf_counter() - start)
        return batch

    def _planned_slots(self) -> Slots | None:
        """Places for all images, where their forms are known before they are read."""
        with self._lock:
            if not self._is_planned:
                self._is_planned = True
                self._planned = self._slots = self._plan()
            return self._planned

    def _plan(self) -> Slots | None:
        try:
            forms = [self._source.form(i) for i in self._indices]
        except Exception:  # noqa: BLE001 - raised again where that very sample is read
            return None
        known = [form for form in forms if form is not None]
        shapes, dtypes = [shape for shape, _ in known], {dtype for _, dtype in known}
        kinds = set(shapes) if self._pad is None else {len(shape) for shape in shapes}
        # What does not go together is told of once all are read: one of them may not be readable.
        if len(known) < len(forms) or len(kinds) != 1 or len(dtypes) != 1:
            return None
        return Slots(shapes, dtypes.pop(), self._new)

    def _placed(self, k: int, sample: Any) -> Any:
        """The sample with its image in its slot, so that memory of its own goes at once."""
        image = sample.get("image") if isinstance(sample, dict) else None
        if not isinstance(image, torch.Tensor) or image.device.type != "cpu":
            return sample
        with self._lock:
            if self._slots is None and self._pad is None:
                # Most often all images of a batch are like the first that is there.
                self._slots = Slots([tuple(image.shape)] * self.size, image.dtype, self._new)
            slots = self._slots
        if slots is None or not slots.fits(k, image):
            return sample
        return {**sample, "image": slots.put(k, image)}
