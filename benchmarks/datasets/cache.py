"""Where made data is kept: whole or not at all, under a name that tells the version."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

CACHE: Path = Path(__file__).resolve().parents[2] / "build" / "datasets"
_VERSION: Final = 3  # goes up when the bytes change, so that no old copy is measured


def made(
    name: str,
    fill: Callable[[Path], None],
    truth: Callable[[], np.ndarray | Path] | None = None,
) -> Path:
    """Find a folder, or make it. Several processes may do so at once: they make the same bytes.

    Args:
        name: What tells this data set from all others.
        fill: Writes the files into the folder it is given.
        truth: The expected values, or the file that has them; None where nobody asks for them.

    Returns:
        The folder.
    """
    folder = CACHE / f"{name}-v{_VERSION}"
    if truth is not None:
        kept(folder.name, truth)
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory(dir=_cache(), prefix="partial-") as temporary:
        partial = Path(temporary) / "files"  # not `temporary` itself: that one is private
        partial.mkdir()
        fill(partial)
        # The last step, so that a folder of that name is always whole.
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
    return folder


def kept(name: str, values: Callable[[], np.ndarray | Path]) -> Path:
    """Find an array's file, or make it: a copy of one that is there already is a link to it."""
    path = CACHE / f"{name}.npy"
    if not path.is_file():
        with tempfile.TemporaryDirectory(dir=_cache(), prefix="partial-") as temporary:
            partial = Path(temporary) / "values.npy"
            made_values = values()
            if isinstance(made_values, Path):
                os.link(made_values, partial)
            else:
                np.save(partial, made_values)
            partial.replace(path)
    return path


def versioned(name: str) -> str:
    """The name with the version of the bytes behind it."""
    return f"{name}-v{_VERSION}"


def truth(folder: str | Path) -> np.ndarray:
    """What a right reader gives: float32 modality values (slices, rows, columns), slice order.

    They come from the generator, and no decoder had a part in them. For a lossy syntax they are
    the values before compression, see `LOSSY_TOLERANCE`.

    Args:
        folder: What a function of this package returned.

    Returns:
        The values, read-only and mapped from the file beside the folder.

    Raises:
        FileNotFoundError: The folder was not made with values, or not here.
    """
    path = Path(folder)
    values: np.ndarray = np.load(path.with_name(f"{path.name}.npy"), mmap_mode="r")
    return values


def _cache() -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE
