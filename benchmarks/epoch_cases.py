"""What the epochs are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import datasets
from benchmarks.case import Case

if TYPE_CHECKING:
    from pathlib import Path

_CT_WINDOW: Final = (40.0, 400.0)
_DX_WINDOW: Final = (1100.0, 2200.0)
_RADIOGRAPHS: Final = 32
# Of the range that a window maps to 0 and 1; sums of the resize may be taken in any order.
_RESIZED: Final = (1e-4, 1e-4)
# Series, slices of each, and patches of each in an epoch.
_VOLUMES: Final = {
    "native, 64 slices": ("native", 8, 64),
    "native, 300 slices": ("native", 2, 300),
    "jpeg_lossless, 64 slices": ("jpeg_lossless", 2, 64),
    "jpeg_2000, 32 slices": ("jpeg_2000", 2, 32),
}
_PATCHES: Final = {"native": 2, "jpeg_lossless": 2, "jpeg_2000": 1}
_LONG: Final = 300
# Slices of the series whose slices are a sample each.
_IMAGES: Final = {"native": 300, "jpeg_lossless": 300, "jpeg_2000": 64}


def volumes(is_quick: bool) -> list[Case]:  # noqa: FBT001 - called through Question.cases
    """Whole series."""
    names = list(_VOLUMES)[:1] if is_quick else list(_VOLUMES)
    return [_case(name, "volumes", *_cohort(*_VOLUMES[name])) for name in names]


def images(is_quick: bool) -> list[Case]:  # noqa: FBT001
    """The slices of a series one by one, and radiographs."""
    names = ("native",) if is_quick else tuple(datasets.COHORT_SYNTAXES)
    found = [
        _case(f"CT {name}", "images", *_cohort(name, 1, _IMAGES[name]), window=_CT_WINDOW)
        for name in names
    ]
    if not is_quick:
        folder = datasets.radiographs(_RADIOGRAPHS)
        uid = datasets.COHORT_SYNTAXES["native"]
        found.append(_case("DX native", "images", folder, uid, window=_DX_WINDOW))
    return found


def patches(is_quick: bool) -> list[Case]:  # noqa: FBT001
    """Parts of long series."""
    names = ("native",) if is_quick else tuple(datasets.COHORT_SYNTAXES)
    return [
        _case(name, "patches", *_cohort(name, 2, _LONG), patches=_PATCHES[name]) for name in names
    ]


def _cohort(syntax: str, series: int, slices: int) -> tuple[Path, str]:
    folder = datasets.ct_cohort(series, slices, syntax)
    return folder, datasets.COHORT_SYNTAXES[syntax]


def _case(
    name: str,
    epoch: str,
    folder: Path,
    uid: str,
    *,
    patches: int = 0,
    window: tuple[float, float] = (0.0, 1.0),
) -> Case:
    return Case(
        name=name,
        work="epoch",
        folder=str(folder),
        truth=str(folder.with_name(f"{folder.name}.npy")),
        transfer_syntax=uid,
        tolerance=_RESIZED if epoch == "images" else (0.0, 0.0),
        epoch=epoch,
        patches=patches,
        window=window,
    )
