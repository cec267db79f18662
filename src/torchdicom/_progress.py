"""The bar that a long scan shows on a terminal."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(total: int, progress: bool | None) -> Iterator[Callable[[int], None]]:  # noqa: FBT001
    """A function to call with how many more files were read.

    Args:
        total: How many there are.
        progress: Show the bar; None is where stderr is a terminal and there is something to read.
    """
    is_shown = (total > 0 and sys.stderr.isatty()) if progress is None else progress
    if not is_shown:
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where there is a bar
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    columns = ("Reading headers", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)


def check_progress(progress: object) -> bool | None:
    """True, False or None. Raises TypeError for anything else."""
    if progress is None or isinstance(progress, bool):
        return progress
    msg = f"progress must be True, False or None, not {progress!r}"
    raise TypeError(msg)
