"""What `load` makes of the defects of a series: a `Policy` says it, code by code."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, SupportsFloat

if TYPE_CHECKING:
    from collections.abc import Mapping

RaiseWarnAllow = Literal["raise", "warn", "allow"]
RaiseDrop = Literal["raise", "drop"]
RaiseSplit = Literal["raise", "split"]

_STRICT = ("raise", "warn", "allow")
_LENIENT = ("allow", "warn", "raise")

# What may be chosen for each code, the default first.
ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "missing_slices": _STRICT,
        "uneven_spacing": _STRICT,
        "duplicate_files": ("drop", "raise"),
        "duplicate_positions": ("raise", "drop"),
        "gantry_tilt": _LENIENT,
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

# Named in the design, and not built: asking for them must not look like a typing error.
_LATER = frozenset(
    {("missing_slices", "fill"), ("uneven_spacing", "resample"), ("gantry_tilt", "resample")}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What to do about each defect that a series may have.

    ``"raise"`` makes it an error, ``"warn"`` a `DicomWarning`, ``"allow"`` leaves it in the verdict
    alone. ``"drop"`` goes on without what is at fault, ``"split"`` loads the part that was asked
    for; both note it in the verdict. Nothing is made up: where missing slices are allowed, the data
    has those that are there, and the affine their mean step.

    Attributes:
        missing_slices: The gaps between slices are whole multiples of the step.
        uneven_spacing: The slices do not lie where even steps have them.
        duplicate_files: A SOPInstanceUID is there more than once, in files of the same bytes.
            Where the bytes differ, nothing settles it.
        duplicate_positions: Several slices lie at one position; ``"drop"`` keeps the one with the
            lowest InstanceNumber.
        gantry_tilt: The slices are not stacked at a right angle; the affine has the shear.
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

    Raises:
        ValueError: If an action is none of those that a code has, or a tolerance is out of range.

    Example:
        >>> policy = Policy(missing_slices="warn", spacing_tolerance=0.1)
        >>> policy.action("missing_slices"), policy.action("gantry_tilt")
        ('warn', 'allow')
        >>> Policy(gantry_tilt="drop")
        Traceback (most recent call last):
            ...
        ValueError: gantry_tilt cannot be 'drop': it is one of 'allow', 'warn', 'raise'
    """

    missing_slices: RaiseWarnAllow = "raise"
    uneven_spacing: RaiseWarnAllow = "raise"
    duplicate_files: RaiseDrop = "drop"
    duplicate_positions: RaiseDrop = "raise"
    gantry_tilt: RaiseWarnAllow = "allow"
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

    def __post_init__(self) -> None:
        """Check every action, and both tolerances."""
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
    is_later = (code, action) in _LATER if isinstance(action, str) else False
    later = f"{action!r} is not available yet. " if is_later else ""
    possible = ", ".join(map(repr, allowed))
    msg = f"{code} cannot be {action!r}: {later}it is one of {possible}"
    raise ValueError(msg)


def _number(value: object) -> float:
    """The value as a float, NaN where it is no number."""
    if isinstance(value, (str, bytes, bool)) or not isinstance(value, SupportsFloat):
        return math.nan
    return float(value)
