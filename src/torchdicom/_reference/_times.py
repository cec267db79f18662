"""What tells images of one place apart: numbers, delays, b-values and times of one header."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from torchdicom._reference._moments import day_of, moment_of, seconds_of
from torchdicom._reference._private import (
    GE_PARAMETERS,
    PHILIPS_IMAGING,
    PHILIPS_MR,
    SIEMENS_MR,
    csa_decimals,
    csa_integer,
    private_bytes,
    private_integer,
    private_numbers,
)

if TYPE_CHECKING:
    from torchdicom._reference._values import Values

Gradient: TypeAlias = tuple[float, ...]

_GE_FLAGS: Final = 100_000.0  # above the b-value, in the same number


@dataclass(frozen=True, slots=True)
class Times:
    """The attributes that may make the axis of time; None where a header has none.

    Attributes:
        temporal_position: TemporalPositionIdentifier (0020,0100), or its like of a frame.
        trigger_time: TriggerTime (0018,1060), milliseconds after the R wave.
        cardiac_phase: NominalPercentageOfCardiacPhase (0020,9241).
        b_value: DiffusionBValue (0018,9087), s/mm2.
        gradient: DiffusionGradientOrientation (0018,9089), or nothing.
        frame_reference_time: FrameReferenceTime (0054,1300), milliseconds.
        acquisition_number: AcquisitionNumber (0020,0012).
        day: Of the acquisition, since 1970-01-01.
        seconds: Of the acquisition, since midnight.
    """

    temporal_position: float | None = None
    trigger_time: float | None = None
    cardiac_phase: float | None = None
    b_value: float | None = None
    gradient: Gradient = ()
    frame_reference_time: float | None = None
    acquisition_number: float | None = None
    day: int | None = None
    seconds: float | None = None


NO_TIMES: Final = Times()


def times_of(values: Values, csa: dict[str, list[str]]) -> Times:
    """What the data set of a file says of all its frames.

    Args:
        values: The elements of the file.
        csa: Of a Siemens mosaic, else nothing.

    Raises:
        ParseError: ``invalid_decimal_string``, ``invalid_integer_string``,
            ``invalid_multiplicity``.
    """
    b_value, gradient = _diffusion(values, csa)
    day, seconds = _moment(values)
    return Times(
        temporal_position=_float(values.integer("TemporalPositionIdentifier")),
        trigger_time=values.decimal("TriggerTime"),
        cardiac_phase=values.single("NominalPercentageOfCardiacPhase"),
        b_value=b_value,
        gradient=gradient,
        frame_reference_time=values.decimal("FrameReferenceTime"),
        acquisition_number=_float(values.integer("AcquisitionNumber")),
        day=day,
        seconds=seconds,
    )


def _float(number: int | None) -> float | None:
    return None if number is None else float(number)


def _moment(values: Values) -> tuple[int | None, float | None]:
    seconds = seconds_of(values.raw("AcquisitionTime"))
    if seconds is not None:
        return day_of(values.raw("AcquisitionDate")), seconds
    return moment_of(values.raw("AcquisitionDateTime")) or (None, None)


def _diffusion(values: Values, csa: dict[str, list[str]]) -> tuple[float | None, Gradient]:
    """b-value and gradient: of the standard, else of the vendor."""
    b_value = values.double("DiffusionBValue")
    gradient = values.exact_doubles("DiffusionGradientOrientation", 3)
    if b_value is not None:
        return b_value, gradient
    b_value = _private_b_value(values)
    if b_value is None:
        b_value = _float(csa_integer(csa, "B_value"))
    gradient = gradient or _private_gradient(values)
    if not gradient:
        directions = csa_decimals(csa, "DiffusionGradientDirection")
        gradient = directions if len(directions) == 3 else ()
    return b_value, gradient


def _private_b_value(values: Values) -> float | None:
    siemens = private_integer(values, SIEMENS_MR, 0x0C)
    if siemens is not None:
        return float(siemens)
    philips = private_numbers(values, PHILIPS_IMAGING, 0x03, "f")
    if philips:
        return philips[0]
    ge = private_integer(values, GE_PARAMETERS, 0x39)
    return None if ge is None else math.fmod(float(ge), _GE_FLAGS)


def _private_gradient(values: Values) -> Gradient:
    """In the space of the patient: that of GE is in that of the image."""
    if len(private_bytes(values, SIEMENS_MR, 0x0E)) == 24:
        return private_numbers(values, SIEMENS_MR, 0x0E, "d")
    philips = [private_numbers(values, PHILIPS_MR, number, "f") for number in (0xB0, 0xB1, 0xB2)]
    return tuple(numbers[0] for numbers in philips) if all(philips) else ()
