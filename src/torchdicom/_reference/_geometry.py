"""Slice order and affine of files that have a place (PS3.3 C.7.6.2.1.1), in double arithmetic.

The C++ core has to give the same bits, so every formula is written out in one fixed order.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from torchdicom._reference._findings import Finding, refusal, series_error
from torchdicom._reference._spacing import dot, judge_spacing, position, sort_repeats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._errors import SeriesError
    from torchdicom._policy import Policy
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._spacing import Vector

Affine: TypeAlias = list[list[float]]

_COSINE_TOLERANCE: Final = 1e-3  # cosines are text; real files round them to 4 to 6 digits
_MAX_COORDINATE_MM: Final = 1e9  # no patient is that far away


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices in order.

    Attributes:
        files: Those that are kept; those of one time together.
        num_times: How many images there are of every place; 1 where that is no axis.
        set_aside: Repeats of a position.
        affine: From index (z, y, x) to millimetres, LPS, row by row; None after a refusal.
        findings: What was found, in the order of the verdict.
    """

    files: list[FileHeader]
    num_times: int
    set_aside: list[FileHeader]
    affine: Affine | None
    findings: list[Finding]


def stack(files: Sequence[FileHeader], policy: Policy) -> Stack:
    """Sort slices along their normal, and find the affine of their stack.

    Args:
        files: Slices with position and orientation, nearly parallel, in the order that breaks ties.
        policy: For its tolerances; nothing is raised.
    """
    for file in files:
        if (error := _grid_error(file)) is not None:
            return Stack([*files], 1, [], None, [refusal(error, [file])])
    orientation = _majority(files)
    r0, r1, r2, c0, c1, c2 = orientation
    n0, n1, n2 = r1 * c2 - r2 * c1, r2 * c0 - r0 * c2, r0 * c1 - r1 * c0
    length = math.sqrt(n0 * n0 + n1 * n1 + n2 * n2)
    normal = n0 / length, n1 / length, n2 / length
    # sorted() keeps the given order where distances are equal.
    ordered = sorted(files, key=lambda file: dot(position(file), normal))
    aside: list[FileHeader] = []
    findings: list[Finding] = []
    times = [ordered]
    if len(ordered) > 1:
        repeats = sort_repeats(ordered, normal, policy)
        times, aside, findings = repeats.times, repeats.aside, [*repeats.findings]
    # All times lie where the first one does, or nearly so.
    ordered, kept = times[0], [file for time in times for file in time]
    if len(ordered) == 1:
        step, assumed = _assume_step(ordered[0], normal)
        findings.append(assumed)
    else:
        step = _mean_step(ordered)
        findings += judge_spacing(ordered, normal, policy)
    if any(one.is_refusal for one in findings):
        return Stack(kept, len(times), aside, None, findings)
    between_rows, between_columns = ordered[0].header.pixel_spacing
    origin = position(ordered[0])
    rows = zip(step, (c0, c1, c2), (r0, r1, r2), origin, strict=True)
    affine = [[z, c * between_rows, r * between_columns, o] for z, c, r, o in rows]
    return Stack(kept, len(times), aside, [*affine, [0.0, 0.0, 0.0, 1.0]], findings)


def _grid_error(file: FileHeader) -> SeriesError | None:
    """What is wrong with place, pixels or cosines, where these make no grid."""
    code, header = "invalid_geometry", file.header
    if not all(abs(coordinate) <= _MAX_COORDINATE_MM for coordinate in position(file)):
        text = "No patient is that far away; torchdicom.decode reads the pixels"
        return series_error(code, text, file, "ImagePositionPatient")
    spacing = header.pixel_spacing
    if not spacing or not all(value > 0 for value in spacing):
        text = "PixelSpacing is missing or not positive; torchdicom.decode reads the pixels"
        return series_error(code, text, file, "PixelSpacing")
    r0, r1, r2, c0, c1, c2 = header.image_orientation_patient
    row, column = (r0, r1, r2), (c0, c1, c2)
    is_unit = all(abs(math.sqrt(dot(v, v)) - 1) <= _COSINE_TOLERANCE for v in (row, column))
    if not is_unit or not abs(dot(row, column)) <= _COSINE_TOLERANCE:
        text = "The direction cosines are not of unit length or not at a right angle"
        return series_error(code, text, file, "ImageOrientationPatient")
    return None


def _majority(files: Sequence[FileHeader]) -> tuple[float, ...]:
    """The most frequent orientation, of equally frequent ones the smallest."""
    counts = Counter(file.header.image_orientation_patient for file in files)
    most = max(counts.values())
    return min(orientation for orientation, count in counts.items() if count == most)


def _mean_step(files: Sequence[FileHeader]) -> Vector:
    first, last = position(files[0]), position(files[-1])
    v = last[0] - first[0], last[1] - first[1], last[2] - first[2]
    steps = len(files) - 1
    return v[0] / steps, v[1] / steps, v[2] / steps


def _assume_step(file: FileHeader, normal: Vector) -> tuple[Vector, Finding]:
    """One slice has no neighbour: its thickness is the best guess."""
    thickness = file.header.slice_thickness or 0.0
    step = thickness if thickness > 0 else 1.0
    text = "The volume has one slice: its thickness, or 1 mm, stands for the spacing"
    error = series_error("assumed_spacing", text, file, "SliceThickness")
    finding = Finding("assumed_spacing", error, measured={"spacing_mm": step})
    return (normal[0] * step, normal[1] * step, normal[2] * step), finding
