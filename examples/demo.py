"""What `make demo` runs: load series, say what they are, time them, and draw them.

`make demo` loads the CT series of `tests/data` and a generated one of 300 slices;
`make demo DICOM=folder` loads that folder.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

import torchdicom as td
from benchmarks.contenders.pydicom_loop import pydicom_loop
from benchmarks.datasets import ct_series
from planes import middle_planes

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT: Final = Path(__file__).resolve().parent.parent
_PICTURES: Final = _ROOT / "build" / "demo"
_ROUNDS: Final = 3


def main(arguments: list[str]) -> int:
    """Show the folders named, or the two default ones.

    Returns:
        1 where one could not be loaded; what to do about it is printed.
    """
    try:
        if arguments:
            for argument in arguments:
                folder = Path(argument).expanduser()
                show(folder.resolve().name, folder, check_values=False)
        else:
            show("STS_002", _ROOT / "tests" / "data" / "sts_002" / "ct")
            print("\n(the first time, 300 slices are generated now: some seconds)", flush=True)
            show("generated", ct_series())
    except (td.DicomError, OSError) as error:
        print(f"\nThis cannot be loaded as one volume.\n{type(error).__name__}: {error}")
        return 1
    return 0


def show(name: str, folder: Path, *, check_values: bool = True) -> None:
    """Load one folder, print what it is and how long it took, and draw it.

    Args:
        name: What to call it.
        folder: Where its files are.
        check_values: Fail where the pydicom loop gives other values.

    Raises:
        DicomError: If the folder is not one sound volume.
        AssertionError: If the values are not those of the pydicom loop.
    """
    volume = td.load(folder)
    rows = ", ".join(f"{value:.4g}" for value in volume.spacing_mm)
    depth, height, width = volume.data.shape
    syntax = str(volume.metadata["TransferSyntaxUID"])
    names = {codec.transfer_syntax_uid: codec.name for codec in td.codecs()}
    print(f"\n{name}: {volume.metadata.get('Modality', 'unknown modality')} in {folder}")
    _line("size", f"{depth} slices of {height} rows and {width} columns, {volume.data.dtype}")
    _line("spacing", f"{rows} mm (z, y, x)")
    _line("values", f"{volume.data.min():g} to {volume.data.max():g} {volume.units or ''}")
    _line("syntax", f"{names[syntax]}, {syntax}")
    _line("verdict", str(volume.verdict))
    for defect in volume.verdict.defects:
        _line("", defect.message)
    picture = middle_planes(volume, _PICTURES / f"{name.lower()}.png")
    _line("picture", str(picture.relative_to(_ROOT)))
    expected = _pydicom_values(folder)
    if expected is not None:
        equal = np.array_equal(volume.data.numpy(), expected)
        if check_values and not equal:
            msg = f"{folder}: values differ from those of the pydicom loop"
            raise AssertionError(msg)
        del volume, expected
        _race(folder, "equal values" if equal else "other values, as the loop ignores something")


def _pydicom_values(folder: Path) -> np.ndarray | None:
    """What the loop makes of the folder; None, and a line that says why, where it fails."""
    try:
        with warnings.catch_warnings():
            # pydicom warns of oddities of single attributes, once a file.
            warnings.simplefilter("ignore")
            return pydicom_loop(folder)
    except Exception as error:  # noqa: BLE001 - it is the other contender; any failure is a result
        _line("time", f"the pydicom loop fails here: {type(error).__name__}: {error}")
        return None


def _race(folder: Path, values: str) -> None:
    """Time both in interleaved rounds, so that a machine that drifts drifts for both."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(_ROUNDS):
        ours.append(_seconds(lambda: td.load(folder)))
        theirs.append(_seconds(lambda: _pydicom_values(folder)))
    ratio = median(theirs) / median(ours)
    _line("time", f"{1e3 * median(ours):.1f} ms with {td.get_num_threads()} threads")
    _line("", f"{1e3 * median(theirs):.1f} ms for the pydicom loop, {values}")
    _line("", f"{ratio:.1f} times as fast (median of {_ROUNDS} interleaved rounds, warm cache)")


def _seconds(load: Callable[[], object]) -> float:
    start = time.perf_counter()
    result = load()
    elapsed = time.perf_counter() - start
    del result
    return elapsed


def _line(label: str, text: str) -> None:
    print(f"  {label:9}{text}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
