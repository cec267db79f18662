"""What `load` makes of the defects of a series: a `Policy` says it, code by code."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, SupportsFloat

if TYPE_CHECKING:
    from collections.abc import Mapping

RaiseWarnAllow = Literal["raise", "warn", "allow"]
Fillable = Literal["raise", "warn", "allow", "fill"]
Resampleable = Literal["raise", "warn", "allow", "resample"]
RaiseDrop = Literal["raise", "drop"]
RaiseSplit = Literal["raise", "split"]

_STRICT = ("raise", "warn", "allow")
_LENIENT = ("allow", "warn", "raise")

# What may be chosen for each code, the default first.
ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "missing_slices": (*_STRICT, "fill"),
        "uneven_spacing": (*_STRICT, "resample"),
        "duplicate_files": ("drop", "raise"),
        "duplicate_positions": ("raise", "drop"),
        "gantry_tilt": (*_LENIENT, "resample"),
        "localizer": ("drop", "raise"),
        "mixed_orientation": ("split", "raise"),
        "mixed_size": ("split", "raise"),
        "mixed_pixel_format": ("split", "raise"),
        "no_position": ("warn", "allow", "raise"),
        "assumed_spacing": _LENIENT,
        "unreadable_file": ("raise", "drop"),
        "truncated_pixels": ("raise", "drop"),
        "frame_count_mismatch": ("raise", "drop"),
        "codestream_mismatch": ("raise", "drop"),
    }
)

# What changes which slices a load has, or how large they are.
REPAIRS: Mapping[str, str] = MappingProxyType(
    {"missing_slices": "fill", "uneven_spacing": "resample", "gantry_tilt": "resample"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What to do about each defect that a series may have.

    ``"raise"`` makes it an error, ``"warn"`` a `DicomWarning`, ``"allow"`` leaves it in the verdict
    alone. ``"drop"`` goes on without what is at fault, ``"split"`` loads the part that was asked
    for; both note it in the verdict. Where missing slices are allowed, the data has those that are
    there, and the affine their mean step.

    ``"fill"`` and ``"resample"`` repair a series while it is loaded. The verdict is still that of
    the files, as are the shape and affine of a `Series`; the volume has those of the repaired
    stack, which ``slices`` and ``region`` of a load are then parts of. A volume that was repaired
    always has a ``valid_mask``, which is False where no file has a value. Voxels that no file has
    are ``fill_value``. What is resampled is worked out in double from values in units of the
    output, as ``a * (1 - w) + b * w``, and rounded once; a place within 1e-6 of a step or a pixel
    of one that a file has is a copy of it. It needs a dtype of floating point, and no colours.
    First come missing or uneven slices, then the tilt.

    Attributes:
        missing_slices: The gaps between slices are whole multiples of the step. ``"fill"`` makes a
            gap of k steps k - 1 slices, with the affine of a series that has them; their provenance
            names no file, frame -1, and their place.
        uneven_spacing: The slices do not lie where even steps have them. ``"resample"`` makes it
            slices at ``first + k * step`` along the normal, up to the last one, ``step`` being the
            median gap; between two slices linear, with the provenance of a slice that no file has.
        duplicate_files: A SOPInstanceUID is there more than once, in files of the same bytes.
            Where the bytes differ, nothing settles it.
        duplicate_positions: Several slices lie at one position; ``"drop"`` keeps the one with the
            lowest InstanceNumber.
        gantry_tilt: The slices are not stacked at a right angle; the affine has the shear.
            ``"resample"`` shifts each slice in its plane by its offset from the first, bilinear
            between rows and then between columns, so that the stack rises along the normal. Rows
            and columns are added at those sides where a slice needs them, and what is not between
            pixels of the slice is filled.
        localizer: The SeriesInstanceUID has localizers too, which are series of their own.
        mixed_orientation: Its slices have several orientations; each is a series of its own.
        mixed_size: The same for rows, columns and pixel spacing.
        mixed_pixel_format: The same for the pixel format, the units, and whether there is a
            rescale.
        no_position: The images have no position in the patient: they are in the order of
            InstanceNumber, and there is no affine.
        assumed_spacing: A single slice has no distance to a neighbour; SliceThickness stands in.
        unreadable_file: A file is malformed or cut off; ``"drop"`` goes on without it.
        truncated_pixels: A file ends within its pixels; ``"drop"`` goes on without it.
        frame_count_mismatch: A file has another number of frames than it says; likewise.
        codestream_mismatch: A compressed frame contradicts its header; likewise.
        spacing_tolerance: How far a slice may lie from where even steps have it, as a part of the
            step, above 0 and below 0.5.
        position_tolerance_mm: The same in millimetres, 0 or more; the larger of the two counts.
        fill_value: What voxels have that no file has, in units of the output, a finite number that
            the dtype holds. None: 0 in windows and colours; else PixelPaddingValue (0028,0120) of
            the slice that they follow, rescaled as its voxels are; else -1024 where the unit is HU,
            and 0 where it is not.

    Raises:
        ValueError: If an action is none of those that a code has, a tolerance is out of range, or
            ``fill_value`` is not finite.

    Example:
        >>> policy = Policy(missing_slices="warn", spacing_tolerance=0.1)
        >>> policy.action("missing_slices"), policy.action("gantry_tilt")
        ('warn', 'allow')
        >>> Policy(gantry_tilt="drop")
        Traceback (most recent call last):
            ...
        ValueError: gantry_tilt cannot be 'drop': it is one of 'allow', 'warn', 'raise', 'resample'
    """

    missing_slices: Fillable = "raise"
    uneven_spacing: Resampleable = "raise"
    duplicate_files: RaiseDrop = "drop"
    duplicate_positions: RaiseDrop = "raise"
    gantry_tilt: Resampleable = "allow"
    localizer: RaiseDrop = "drop"
    mixed_orientation: RaiseSplit = "split"
    mixed_size: RaiseSplit = "split"
    mixed_pixel_format: RaiseSplit = "split"
    no_position: RaiseWarnAllow = "warn"
    assumed_spacing: RaiseWarnAllow = "allow"
    unreadable_file: RaiseDrop = "raise"
    truncated_pixels: RaiseDrop = "raise"
    frame_count_mismatch: RaiseDrop = "raise"
    codestream_mismatch: RaiseDrop = "raise"
    spacing_tolerance: float = 0.05
    position_tolerance_mm: float = 0.05
    fill_value: float | None = None

    def __post_init__(self) -> None:
        """Check every action and number."""
        for code, allowed in ACTIONS.items():
            _check_action(code, getattr(self, code), allowed)
        spacing, position_mm = self.spacing_tolerance, self.position_tolerance_mm
        if not 0 < _number(spacing) < 0.5:
            msg = f"spacing_tolerance cannot be {spacing!r}: it is a number above 0 and below 0.5"
            raise ValueError(msg)
        if not 0 <= _number(position_mm) < math.inf:
            msg = f"position_tolerance_mm cannot be {position_mm!r}: it is a number from 0 on"
            raise ValueError(msg)
        object.__setattr__(self, "spacing_tolerance", _number(spacing))
        object.__setattr__(self, "position_tolerance_mm", _number(position_mm))
        if self.fill_value is not None:
            if not math.isfinite(_number(self.fill_value)):
                msg = f"fill_value cannot be {self.fill_value!r}: it is a finite number, or None"
                raise ValueError(msg)
            object.__setattr__(self, "fill_value", _number(self.fill_value))

    def action(self, code: str) -> str:
        """What is done about a defect of this code.

        Raises:
            KeyError: If the code is none that a policy settles.
        """
        if code not in ACTIONS:
            raise KeyError(code)
        return str(getattr(self, code))

    def __repr__(self) -> str:
        """What differs from the default, which is all that a reader wants to know."""
        chosen = ((field.name, getattr(self, field.name), field.default) for field in fields(self))
        texts = (f"{name}={value!r}" for name, value, default in chosen if value != default)
        return f"Policy({', '.join(texts)})"


def _check_action(code: str, action: object, allowed: tuple[str, ...]) -> None:
    if isinstance(action, str) and action in allowed:
        return
    possible = ", ".join(map(repr, allowed))
    msg = f"{code} cannot be {action!r}: it is one of {possible}"
    raise ValueError(msg)


def _number(value: object) -> float:
    """The value as a float, NaN where it is no number."""
    if isinstance(value, (str, bytes, bool)) or not isinstance(value, SupportsFloat):
        return math.nan
    return float(value)
