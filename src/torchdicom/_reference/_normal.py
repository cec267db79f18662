"""The normal of a plane, where a file gives the places of several frames by one."""

from __future__ import annotations

import math
from typing import TypeAlias

Vector: TypeAlias = tuple[float, float, float]


def normal_of(orientation: tuple[float, ...]) -> Vector:
    """Row times column direction, of unit length; zeros where the two span no plane."""
    r0, r1, r2, c0, c1, c2 = orientation
    n0, n1, n2 = r1 * c2 - r2 * c1, r2 * c0 - r0 * c2, r0 * c1 - r1 * c0
    length = math.sqrt(n0 * n0 + n1 * n1 + n2 * n2)
    return (n0 / length, n1 / length, n2 / length) if length else (0.0, 0.0, 0.0)


def moved(position: tuple[float, ...], distance: float, direction: Vector) -> tuple[float, ...]:
    """A position some millimetres on."""
    return tuple(p + distance * d for p, d in zip(position, direction, strict=True))
