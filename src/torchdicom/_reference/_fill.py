"""Decodes frames into their places, some at a time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from torchdicom._reference._pixels import converted, located, read_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._finish import Finishing
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._mapping import Mapping
    from torchdicom._reference._pixel_format import PixelFormat
    from torchdicom._reference._pixels import Window


@dataclass(frozen=True, slots=True)
class Task:
    """One frame to decode.

    Attributes:
        file: Where it lies.
        frame: Which one of the file.
        mapping: What to make of its stored values.
        place: Its position in the series, for errors.
    """

    file: FileHeader
    frame: int
    mapping: Mapping
    place: int


def fill(
    images: Sequence[torch.Tensor],
    tasks: Sequence[Task],
    pixels: PixelFormat,
    window: Window,
    finishing: Finishing,
    num_threads: int | None,
    *,
    masks: torch.Tensor | None = None,
) -> list[float]:
    """Decode each task into its image; of several errors, that of the first task is raised.

    Args:
        images (Tensors of shape (rows, columns) or (3, rows, columns)): Take the values.
        tasks: The frames, in the order of their images.
        pixels: Of all frames.
        window: Which pixels.
        finishing: What becomes of their values.
        num_threads: How many frames are decoded at a time; None for one a CPU.
        masks (bool Tensor of shape (tasks, rows, columns)): Takes False where a value is invalid.

    Returns:
        For each task, by how many pixels of the file its first pixel has moved along y and x.
    """

    def fill_one(index: int) -> float:
        task, image = tasks[index], images[index]
        values, mask, shift = read_values(
            task.file,
            task.frame,
            pixels,
            task.mapping,
            window,
            dtype=image.dtype,
            with_mask=masks is not None,
        )
        values, mask = finishing.apply(values, mask)
        with located(task.file, task.frame):
            image.copy_(converted(values, image.dtype, task.place))
        if masks is not None and mask is not None:
            masks[index] = torch.from_numpy(mask)
        return shift

    threads = num_threads or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        futures = [pool.submit(fill_one, index) for index in range(len(tasks))]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
