"""Decodes frames into their places, some at a time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch

from torchdicom._reference._pixels import outside_padding, read_frame, rescale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._pixel_format import PixelFormat

Region: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Task:
    """One frame to decode.

    Attributes:
        file: Where it lies.
        frame: Which one of the file.
        slope: To multiply by.
        intercept: To add.
        place: Its position in the series, for errors.
    """

    file: FileHeader
    frame: int
    slope: float
    intercept: float
    place: int


def fill(
    data: torch.Tensor,
    tasks: Sequence[Task],
    pixels: PixelFormat,
    num_threads: int | None,
    *,
    region: Region | None = None,
    mask: torch.Tensor | None = None,
) -> None:
    """Decode each task into its image; of several errors, that of the first task is raised.

    Args:
        data (Tensor of shape (tasks, rows, columns)): Takes the values.
        tasks: The frames, in the order of their images.
        pixels: Of all frames.
        num_threads: How many frames are decoded at a time; None for one a CPU.
        region: First row, row behind the last, and the same of columns; None for all.
        mask (bool Tensor of the shape of `data`): Takes False where a value is padding.
    """
    top, bottom, left, right = region or (0, pixels.rows, 0, pixels.columns)

    def fill_one(index: int) -> None:
        task = tasks[index]
        stored = read_frame(task.file, task.frame, pixels)[top:bottom, left:right]
        data[index] = rescale(
            stored, task.slope, task.intercept, data.dtype, task.file.path, task.place
        )
        if mask is not None:
            mask[index] = torch.from_numpy(outside_padding(task.file, stored, pixels))

    threads = num_threads or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        futures = [pool.submit(fill_one, index) for index in range(len(tasks))]
        try:
            for future in futures:
                future.result()
        finally:
            for future in futures:
                future.cancel()
