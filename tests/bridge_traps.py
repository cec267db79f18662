"""Odd series for the bridges: what each reader makes of them, by hand and by a run of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from builders import MR_IMAGE, PET_IMAGE, axial, write_series
from builders_enhanced import write_enhanced
from builders_multiframe import mosaic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NO_RESCALE: Final = {"RescaleSlope": None, "RescaleIntercept": None}


class Answer(NamedTuple):
    """What a reader gives.

    Attributes:
        shape: x, y, z, and channels where there are.
        step_mm: From a slice to the next, in RAS, to a thousandth.
        values: Along z, at x 1 and y 0, of the first channel.
    """

    shape: tuple[int, ...]
    step_mm: tuple[float, float, float]
    values: tuple[float, ...]


class Trap(NamedTuple):
    """A series, and the answers: an error's code where ours refuses.

    Attributes:
        write: Makes the files in a folder.
        ours: What is right.
        itk: Of MONAI's ITKReader; None where it is right, too.
        pydicom: Of MONAI's PydicomReader, likewise.
        torchio: Of TorchIO itself, likewise; "first channel" where it gives only that.
    """

    write: Callable[[Path], object]
    ours: Answer | str
    itk: Answer | None
    pydicom: Answer | None
    torchio: Answer | None


def answer_of(array: Any, affine: Any) -> Answer:
    """What a reader of MONAI gave, or a TorchIO image without its channel."""
    values = np.asarray(array)
    if values.ndim == 2:
        values = values[..., None]
    line = values[1, 0].reshape(values.shape[2], -1)[:, 0]
    step = np.asarray(affine)[:3, 2] + 0.0  # no -0
    return Answer(
        tuple(values.shape),
        (round(float(step[0]), 3), round(float(step[1]), 3), round(float(step[2]), 3)),
        tuple(float(value) for value in line),
    )


def _gap(folder: Path) -> None:
    write_series(folder, 5)[2].unlink()


def _cut(folder: Path) -> None:
    file = write_series(folder, 5)[2]
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def _copy(folder: Path) -> None:
    whole = write_series(folder, 4)[1].read_bytes()
    (folder / "x.dcm").write_bytes(whole)


def _enhanced(folder: Path) -> None:
    folder.mkdir()
    write_enhanced(folder / "a.dcm", 3)


def _mosaic(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.dcm").write_bytes(mosaic(4))


def _series(n: int, **attributes: Any) -> Callable[[Path], object]:
    return lambda folder: write_series(folder, n, **attributes)


def _up(mm: float) -> tuple[float, float, float]:
    return (0.0, 0.0, mm)


_FOUR: Final = (-1023.0, -923.0, -823.0, -723.0)
_GAPPED: Final = Answer((4, 3, 4), _up(3.333), (-1023.0, -923.0, -723.0, -623.0))
_STACKED: Final = Answer((4, 3, 4), _up(2.5), _FOUR)
_FIRST_OF_TWO: Final = Answer((4, 3, 2), _up(5.0), (-1023.0, -823.0))
_INVERTED: Final = Answer((4, 3, 3), _up(2.5), (-1026.0, -1126.0, -1226.0))
_TRUNCATED: Final = Answer((4, 3, 3), _up(2.5), (1.0, 50.0, 502.0))
_UPRIGHT: Final = Answer((4, 3, 4), _up(5.099), _FOUR)
_ONE_TOO_MANY: Final = Answer((4, 3, 5), _up(0.625), (*_FOUR, -923.0))
_TIMES_IN_A_ROW: Final = Answer((4, 3, 4), _up(0.667), (1.0, 101.0, 201.0, 301.0))
_TILES: Final = Answer((6, 4, 1), _up(4.0), (1.0,))

TRAPS: Final = {
    "missing slice": Trap(_gap, "missing_slices", _GAPPED, _GAPPED, _GAPPED),
    "file cut off": Trap(_cut, "length_exceeds_file", _GAPPED, _GAPPED, _GAPPED),
    "PET, a slope for each slice": Trap(
        _series(
            3,
            SOPClassUID=PET_IMAGE,
            Modality="PT",
            Units="BQML",
            RescaleSlope=[1, 0.5, 2.5],
            RescaleIntercept=0,
        ),
        Answer((4, 3, 3), _up(2.5), (1.0, 50.5, 502.5)),
        _TRUNCATED,
        None,
        _TRUNCATED,
    ),
    "two series": Trap(
        _series(4, SeriesInstanceUID=["1.8", "1.9"] * 2),
        "several_series",
        _FIRST_OF_TWO,
        _STACKED,
        _FIRST_OF_TWO,
    ),
    "two orientations": Trap(
        _series(4, ImageOrientationPatient=[*[(1, 0, 0, 0, 1, 0)] * 3, (1, 0, 0, 0, 0, -1)]),
        "several_series",
        _STACKED,
        _STACKED,
        _STACKED,
    ),
    "gantry tilt": Trap(
        _series(4, ImagePositionPatient=[(0, k, 5 * k) for k in range(4)]),
        Answer((4, 3, 4), (0.0, -1.0, 5.0), _FOUR),
        _UPRIGHT,
        None,
        _UPRIGHT,
    ),
    "copy of a file": Trap(
        _copy,
        _STACKED,
        _ONE_TOO_MANY,
        Answer((4, 3, 5), _up(1.875), (-1023.0, -923.0, -923.0, -823.0, -723.0)),
        _ONE_TOO_MANY,
    ),
    "two times": Trap(
        _series(
            4,
            ImagePositionPatient=axial(0, 0, 2, 2),
            TemporalPositionIdentifier=[1, 2, 1, 2],
            SOPClassUID=MR_IMAGE,
            Modality="MR",
            **_NO_RESCALE,
        ),
        Answer((4, 3, 2, 2), _up(2.0), (1.0, 201.0)),
        _TIMES_IN_A_ROW,
        _TIMES_IN_A_ROW,
        _TIMES_IN_A_ROW,
    ),
    "MONOCHROME1": Trap(
        _series(3, PhotometricInterpretation="MONOCHROME1"),
        Answer((4, 3, 3), _up(2.5), (-1023.0, -923.0, -823.0)),
        _INVERTED,
        None,
        _INVERTED,
    ),
    "localizer of the same series": Trap(
        _series(4, ImageType=["ORIGINAL\\PRIMARY\\LOCALIZER", *["ORIGINAL\\PRIMARY\\AXIAL"] * 3]),
        Answer((4, 3, 3), _up(2.5), (-923.0, -823.0, -723.0)),
        _STACKED,
        _STACKED,
        _STACKED,
    ),
    "enhanced, many frames in a file": Trap(
        _enhanced,
        Answer((4, 3, 3), _up(2.5), (1.0, 101.0, 201.0)),
        None,
        Answer((3, 3, 4), _up(1.0), (4.0, 5.0, 6.0, 7.0)),
        None,
    ),
    "Siemens mosaic": Trap(
        _mosaic,
        Answer((3, 2, 4), _up(4.0), (1.0, 11.0, 21.0, 31.0)),
        _TILES,
        _TILES._replace(step_mm=_up(1.0)),
        _TILES,
    ),
    "colours": Trap(
        _series(
            2,
            pixels=[np.arange(36, dtype=np.uint8).reshape(3, 4, 3) + np.uint8(k) for k in (0, 100)],
            Rows=3,
            Columns=4,
            NumberOfFrames=None,
            SamplesPerPixel=3,
            PlanarConfiguration=0,
            PhotometricInterpretation="RGB",
            **_NO_RESCALE,
        ),
        Answer((4, 3, 2, 3), _up(2.5), (3.0, 103.0)),
        None,
        Answer((4, 3, 3, 2), _up(2.5), (3.0, 4.0, 5.0)),
        None,
    ),
}
