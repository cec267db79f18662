"""Slice order, affine and the judgement of the spacing, in plain double arithmetic.

The C++ core has to give the same bits, so every formula is written out in one fixed order.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from torchdicom._errors import SeriesError
from torchdicom._reference._tags import element_name
from torchdicom._volume import Defect, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._header import FileHeader

Vector: TypeAlias = tuple[float, float, float]
Affine: TypeAlias = list[list[float]]

_ORIENTATION_TOLERANCE: Final = 1e-3  # cosines are text; real files round them to 4 to 6 digits
_POSITION_TOLERANCE_MM: Final = 0.05  # many scanners write positions to 0.1 mm
_SPACING_TOLERANCE: Final = 0.05  # of the step: bed positions of PET jitter by 1-3 %
_SAME_POSITION: Final = 0.05  # of the step: a real CT has two slices 0.005 mm apart
_TILT: Final = 1e-3  # shift for each millimetre; the rounding of cosines stays below
_MAX_TILT_DEGREES: Final = 45.0  # gantries tilt up to 30
_MAX_COORDINATE_MM: Final = 1e9  # no patient is that far away
_SAME_PIXEL: Final = 0.01  # of a pixel: a step below it is rounding


def settle(files: Sequence[FileHeader]) -> tuple[list[FileHeader], Affine, Verdict]:
    """Sort slices along their normal, and find the affine of their stack.

    Args:
        files: The slices, in the order that breaks ties.

    Returns:
        The slices in order; the affine from index (z, y, x) to millimetres, LPS, row by row; and
        the verdict with its harmless defects.

    Raises:
        SeriesError: ``no_position``, ``invalid_geometry``, ``mixed_orientation``,
            ``duplicate_positions``, ``missing_slices``, ``uneven_spacing``.
    """
    for file in files:
        _require_position(file)
    for file in files:
        _require_grid(file)
    orientation = _majority(files)
    r0, r1, r2, c0, c1, c2 = orientation
    n0, n1, n2 = r1 * c2 - r2 * c1, r2 * c0 - r0 * c2, r0 * c1 - r1 * c0
    length = math.sqrt(n0 * n0 + n1 * n1 + n2 * n2)
    normal = n0 / length, n1 / length, n2 / length
    # sorted() keeps the given order where distances are equal.
    ordered = sorted(files, key=lambda file: _dot(_position(file), normal))
    if len(ordered) == 1:
        step, defects = _assume_step(ordered[0], normal)
    else:
        step, defects = _measure_step(ordered, normal)
    between_rows, between_columns = ordered[0].header.pixel_spacing
    origin = _position(ordered[0])
    rows = zip(step, (c0, c1, c2), (r0, r1, r2), origin, strict=True)
    affine = [[z, c * between_rows, r * between_columns, o] for z, c, r, o in rows]
    return ordered, [*affine, [0.0, 0.0, 0.0, 1.0]], Verdict(ok=True, defects=defects)


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _position(file: FileHeader) -> Vector:
    x, y, z = file.header.image_position_patient
    return x, y, z


def _require_position(file: FileHeader) -> None:
    header = file.header
    for keyword, value in (
        ("ImagePositionPatient", header.image_position_patient),
        ("ImageOrientationPatient", header.image_orientation_patient),
    ):
        if not value:
            msg = f"The image has no {keyword}, so no place in a volume; torchdicom.decode reads it"
            _fail("no_position", msg, file, keyword)


def _require_grid(file: FileHeader) -> None:
    """A place near by, and pixels and cosines that make a grid (PS3.3 C.7.6.2.1.1)."""
    if any(abs(coordinate) > _MAX_COORDINATE_MM for coordinate in _position(file)):
        msg = "No patient is that far away; torchdicom.decode reads the pixels"
        _fail("invalid_geometry", msg, file, "ImagePositionPatient")
    spacing = file.header.pixel_spacing
    if not spacing or not all(value > 0 for value in spacing):
        msg = "PixelSpacing is missing or not positive; torchdicom.decode reads the pixels"
        _fail("invalid_geometry", msg, file, "PixelSpacing")
    r0, r1, r2, c0, c1, c2 = file.header.image_orientation_patient
    row, column = (r0, r1, r2), (c0, c1, c2)
    is_unit = all(abs(math.sqrt(_dot(v, v)) - 1) <= _ORIENTATION_TOLERANCE for v in (row, column))
    if not is_unit or not abs(_dot(row, column)) <= _ORIENTATION_TOLERANCE:
        msg = "The direction cosines are not of unit length or not at a right angle"
        _fail("invalid_geometry", msg, file, "ImageOrientationPatient")


def _majority(files: Sequence[FileHeader]) -> tuple[float, ...]:
    """The most frequent orientation, of equally frequent ones the smallest; all others are near it.

    One localizer that comes first must not turn the volume.
    """
    counts = Counter(file.header.image_orientation_patient for file in files)
    most = max(counts.values())
    majority = min(orientation for orientation, count in counts.items() if count == most)
    for file in files:
        pairs = zip(file.header.image_orientation_patient, majority, strict=True)
        if any(abs(a - b) > _ORIENTATION_TOLERANCE for a, b in pairs):
            msg = "The slice is not parallel to most of the others; load the orientations apart"
            _fail("mixed_orientation", msg, file, "ImageOrientationPatient")
    return majority


def _assume_step(file: FileHeader, normal: Vector) -> tuple[Vector, tuple[Defect, ...]]:
    """One slice has no neighbour: its thickness is the best guess."""
    thickness = file.header.slice_thickness or 0.0
    step = thickness if thickness > 0 else 1.0
    message = "The volume has one slice: its thickness, or 1 mm, stands for the spacing"
    defect = Defect("assumed_spacing", message, measured={"spacing_mm": step})
    return (normal[0] * step, normal[1] * step, normal[2] * step), (defect,)


def _measure_step(files: Sequence[FileHeader], normal: Vector) -> tuple[Vector, tuple[Defect, ...]]:
    distances = [_dot(_position(file), normal) for file in files]
    gaps = [b - a for a, b in pairwise(distances)]
    step = _typical_gap(files, gaps)
    for i, gap in enumerate(gaps):
        if gap < _SAME_POSITION * step:
            _fail_repeated(files[i], files[i + 1])
    tolerance = max(_SPACING_TOLERANCE * step, _POSITION_TOLERANCE_MM)
    _refuse_missing(files, gaps, step, tolerance)
    _refuse_uneven(files, tolerance)
    tilt = _tilt(files, normal)
    first, last = _position(files[0]), _position(files[-1])
    v = last[0] - first[0], last[1] - first[1], last[2] - first[2]
    steps = len(files) - 1
    return (v[0] / steps, v[1] / steps, v[2] / steps), tilt


def _typical_gap(files: Sequence[FileHeader], gaps: Sequence[float]) -> float:
    """The median of the gaps that are more than repeats of a position."""
    least = _SAME_POSITION * max(gaps)
    steps = sorted(gap for gap in gaps if gap > _POSITION_TOLERANCE_MM or gap >= least)
    middle = len(steps) // 2
    step = steps[middle] if len(steps) % 2 == 1 else (steps[middle - 1] + steps[middle]) / 2
    if step < _SAME_PIXEL * min(files[0].header.pixel_spacing):
        _fail_repeated(files[0], files[1])
    return step


def _refuse_missing(
    files: Sequence[FileHeader], gaps: Sequence[float], step: float, tolerance: float
) -> None:
    """Every gap is a whole multiple of the step, and one is more than once."""
    multiples = [math.floor(gap / step) + (gap / step % 1.0 >= 0.5) for gap in gaps]
    for gap, multiple in zip(gaps, multiples, strict=True):
        if multiple < 1 or abs(gap - multiple * step) > tolerance:
            return  # uneven, and not merely missing
    lost = [(i, multiple - 1) for i, multiple in enumerate(multiples) if multiple > 1]
    if lost:
        where = ", ".join(f"{count} after slice {i}" for i, count in lost)
        msg = f"Slices are missing ({where}); the others are {step:.6g} mm apart"
        _fail("missing_slices", msg, files[lost[0][0]], "ImagePositionPatient")


def _refuse_uneven(files: Sequence[FileHeader], tolerance: float) -> None:
    """A slice lies off the even steps from the first to the last."""
    first, last = _position(files[0]), _position(files[-1])
    steps = len(files) - 1
    largest, worst = 0.0, 0
    for i, file in enumerate(files):
        position = _position(file)
        o0, o1, o2 = (
            p - (a + (b - a) * (i / steps)) for p, a, b in zip(position, first, last, strict=True)
        )
        distance = math.sqrt(o0 * o0 + o1 * o1 + o2 * o2)
        if distance > largest:
            largest, worst = distance, i
    if largest > tolerance:
        msg = (
            f"The slices are not evenly spaced: slice {worst} lies {largest:.6g} mm from its place "
            f"in even steps, and {tolerance:.6g} mm is tolerated"
        )
        _fail("uneven_spacing", msg, files[worst], "ImagePositionPatient")


def _tilt(files: Sequence[FileHeader], normal: Vector) -> tuple[Defect, ...]:
    """A stack that does not rise along the normal: the gantry was tilted, and the affine shears."""
    first, last = _position(files[0]), _position(files[-1])
    v = last[0] - first[0], last[1] - first[1], last[2] - first[2]
    along = _dot(v, normal)
    across = v[0] - along * normal[0], v[1] - along * normal[1], v[2] - along * normal[2]
    shift = math.sqrt(_dot(across, across))
    if shift <= _POSITION_TOLERANCE_MM or shift <= _TILT * abs(along):
        return ()
    angle = math.degrees(math.atan2(shift, abs(along)))
    if angle > _MAX_TILT_DEGREES:
        msg = "The slices are shifted sideways by more than they are apart; load them apart"
        _fail("invalid_geometry", msg, files[-1], "ImagePositionPatient")
    message = f"The slices are stacked at {angle:.3g} degrees to their normal; the affine shears"
    return (Defect("gantry_tilt", message, measured={"angle_degrees": angle}),)


def _fail_repeated(a: FileHeader, b: FileHeader) -> NoReturn:
    msg = f"{a.path} and {b.path} lie at the same position; load the files of one repeat"
    _fail("duplicate_positions", msg, b, "ImagePositionPatient")


def _fail(code: str, text: str, file: FileHeader, keyword: str) -> NoReturn:
    raise SeriesError(text, code=code, path=file.path, element=element_name(keyword))
