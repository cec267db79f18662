"""A series with one defect for every code that a policy settles, and what has to come of it."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from builders import JPEG_LOSSLESS, axial, ct_slice, write_series
from builders_frames import encapsulated, jpeg_frame
from builders_parts import CORONAL, part_key, write_more, write_scout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# Each code with its actions, the default first.
ACTIONS = {
    "missing_slices": ("raise", "warn", "allow"),
    "uneven_spacing": ("raise", "warn", "allow"),
    "duplicate_files": ("drop", "raise"),
    "duplicate_positions": ("raise", "drop"),
    "gantry_tilt": ("allow", "warn", "raise"),
    "localizer": ("drop", "raise"),
    "mixed_orientation": ("split", "raise"),
    "mixed_size": ("split", "raise"),
    "mixed_pixel_format": ("split", "raise"),
    "no_position": ("warn", "allow", "raise"),
    "assumed_spacing": ("allow", "warn", "raise"),
    "unreadable_file": ("raise", "drop"),
    "truncated_pixels": ("raise", "drop"),
    "frame_count_mismatch": ("raise", "drop"),
    "codestream_mismatch": ("raise", "drop"),
}


@dataclass(frozen=True)
class Case:
    """Files that have one defect.

    Attributes:
        code: The defect.
        write: Writes them into a folder.
        element: What the error names under ``raise``.
        at: Which of the files it names.
        values: First stored value of every slice where the load goes on.
        slices: Positions that the defect names.
        files: Files that it names, by their number.
        measured: Its numbers.
        series: The key of the part, where it has to be chosen.
        raised: Code of the error under ``raise``, where it is another.
    """

    code: str
    write: Callable[[Path], list[Path]]
    element: str
    at: int
    values: tuple[int, ...] = (0, 100, 200, 300)
    slices: tuple[int, ...] = ()
    files: tuple[int, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)
    series: str | None = None
    raised: str | None = None

    @property
    def is_ok(self) -> bool:
        """Whether the default policy lets it pass."""
        return ACTIONS[self.code][0] != "raise"


def at_heights(*heights: float) -> Callable[[Path], list[Path]]:
    """An axial series at these heights."""
    return lambda folder: write_series(folder, len(heights), ImagePositionPatient=axial(*heights))


def with_copy(folder: Path) -> list[Path]:
    paths = write_series(folder, 4)
    copy = folder / "copy.dcm"
    copy.write_bytes(paths[1].read_bytes())
    return [*paths, copy]


def tilted(folder: Path) -> list[Path]:
    return write_series(folder, 4, ImagePositionPatient=[(0, k, 5 * k) for k in range(4)])


def with_scout(folder: Path) -> list[Path]:
    return [*write_series(folder, 4), write_scout(folder)]


def with_coronal(folder: Path) -> list[Path]:
    places = [(0, 0, 0), (0, 2, 0)]
    more = write_more(folder, 4, 2, ImageOrientationPatient=CORONAL, ImagePositionPatient=places)
    return [*write_series(folder, 4), *more]


def with_larger(folder: Path) -> list[Path]:
    more = write_more(folder, 4, 2, pixels=[np.zeros((4, 4), np.int16)] * 2)
    return [*write_series(folder, 4), *more]


def with_fewer_bits(folder: Path) -> list[Path]:
    more = write_more(folder, 4, 2, BitsStored=12, HighBit=11)
    return [*write_series(folder, 4), *more]


def without_position(folder: Path) -> list[Path]:
    absent = [None] * 4
    return write_series(folder, 4, ImagePositionPatient=absent, InstanceNumber=[3, 1, 4, 2])


def one_slice(folder: Path) -> list[Path]:
    return write_series(folder, 1, SliceThickness=3)


def unreadable(folder: Path, which: int = 4) -> list[Path]:
    return write_series(folder, 5, RescaleSlope=["1,5" if k == which else 1 for k in range(5)])


def truncated(folder: Path, which: int = 4) -> list[Path]:
    paths = write_series(folder, 5)
    os.truncate(paths[which], paths[which].stat().st_size - 5)
    return paths


def with_fewer_frames(folder: Path, which: int = 4) -> list[Path]:
    paths = write_series(folder, 5)
    paths[which].write_bytes(ct_slice(bytes(24), NumberOfFrames=3))
    return paths


def with_other_codestream(folder: Path, which: int = 4) -> list[Path]:
    """One frame is a JPEG of four rows where the header says three."""
    paths = write_series(folder, 5)
    position = (-10, -20, 30 + 2.5 * which)
    uid = f"1.2.3.4.{which + 1}"
    pixels = encapsulated([[jpeg_frame(4, 4)]])
    paths[which].write_bytes(
        ct_slice(
            syntax=JPEG_LOSSLESS,
            pixel_element=pixels,
            SOPInstanceUID=uid,
            ImagePositionPatient=position,
        )
    )
    return paths


# Which file is left out when it cannot be read; the last one leaves no gap.
DROPPED: dict[str, Callable[[Path, int], list[Path]]] = {
    "unreadable_file": unreadable,
    "truncated_pixels": truncated,
    "frame_count_mismatch": with_fewer_frames,
    "codestream_mismatch": with_other_codestream,
}

POSITION, ORIENTATION = "ImagePositionPatient", "ImageOrientationPatient"
CASES = [
    Case(
        "missing_slices",
        at_heights(0, 2, 6, 8, 10, 16),
        POSITION,
        1,
        (0, 100, 200, 300, 400, 500),
        slices=(1, 4),
        files=(1, 4),
        measured={"missing": 3, "step_mm": 2},
    ),
    Case(
        "uneven_spacing",
        at_heights(0, 2, 4.6, 6),
        POSITION,
        2,
        slices=(2,),
        files=(2,),
        measured={"largest_mm": 0.6, "tolerance_mm": 0.1, "step_mm": 2},
    ),
    Case("duplicate_files", with_copy, "SOPInstanceUID", 4, files=(4,), measured={"copies": 1}),
    Case(
        "duplicate_positions",
        at_heights(0, 2, 2, 4),
        POSITION,
        2,
        (0, 100, 300),
        slices=(1,),
        files=(2,),
        measured={"repeats": 1, "least": 1, "most": 2},
    ),
    Case(
        "gantry_tilt",
        tilted,
        POSITION,
        3,
        measured={"angle_degrees": math.degrees(math.atan2(1, 5))},
    ),
    Case("localizer", with_scout, "ImageType", 4, files=(4,), measured={"files": 1}),
    Case(
        "mixed_orientation",
        with_coronal,
        ORIENTATION,
        4,
        files=(4,),
        measured={"parts": 2},
        series=part_key(),
    ),
    Case(
        "mixed_size", with_larger, "Rows", 4, files=(4,), measured={"parts": 2}, series=part_key()
    ),
    Case(
        "mixed_pixel_format",
        with_fewer_bits,
        "BitsAllocated",
        4,
        files=(4,),
        measured={"parts": 2},
        series=part_key(),
    ),
    Case("no_position", without_position, POSITION, 1, (100, 300, 0, 200)),
    Case("assumed_spacing", one_slice, "SliceThickness", 0, (0,), measured={"spacing_mm": 3}),
    Case(
        "unreadable_file",
        unreadable,
        "RescaleSlope",
        4,
        files=(4,),
        raised="invalid_decimal_string",
    ),
    Case("truncated_pixels", truncated, "PixelData", 4, files=(4,)),
    Case("frame_count_mismatch", with_fewer_frames, "PixelData", 4, files=(4,)),
    Case("codestream_mismatch", with_other_codestream, "PixelData", 4, files=(4,)),
]
CASE_OF = {case.code: case for case in CASES}

# Goes on after whatever can be gone on after, without a word.
LAX = {
    code: next(a for a in ("allow", "drop", "split") if a in actions)
    for code, actions in ACTIONS.items()
}
