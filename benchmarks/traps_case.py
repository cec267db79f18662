"""The files of one trap, and where the builder put every voxel of them.

What is right is told in the builder's terms alone: nothing here reads DICOM.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from builders import CT_IMAGE, Element, write_series
from builders_parts import AXIAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# What a warning has to speak of.
GAPS: Final = r"missing|gap|spac|uniform|equidistan|even|distance|interval|slices"
SPLIT: Final = r"series|differ|multiple|mixed|orient|size|dimension|consist|stack|localizer|echo"
EITHER: Final = f"{SPLIT}|{GAPS}"

ROWS, COLUMNS = 16, 20
POSITION: Final = (-10.0, -20.0, 30.0)  # of the first slice of `builders`
SPACING: Final = (0.5, 0.25)
# Type 1 and 2 attributes of the IODs (PS3.3 A.3) that the tests do without, and some peers don't.
REQUIRED: Final = (
    Element(0x00080020, "DA", "20200102"),  # Study Date
    Element(0x00080030, "TM", "101112"),  # Study Time
    Element(0x00080050, "SH", "1"),  # Accession Number
    Element(0x00080090, "PN", "Nobody"),  # Referring Physician's Name
    Element(0x00100010, "PN", "Phantom"),
    Element(0x00100020, "LO", "phantom"),  # Patient ID
    Element(0x00100030, "DA", "20000101"),  # Patient's Birth Date
    Element(0x00100040, "CS", "O"),  # Patient's Sex
    Element(0x0020000D, "UI", "1.2.3"),  # Study Instance UID
    Element(0x00200010, "SH", "1"),  # Study ID
    Element(0x00200011, "IS", 1),  # Series Number
    Element(0x00200052, "UI", "1.2.3.5"),  # Frame of Reference UID
)
USUAL: Final = {"Manufacturer": "none", "PatientPosition": "HFS"}


def cells(content: int) -> np.ndarray:
    """Values that occur in no other content."""
    count = ROWS * COLUMNS
    return np.arange(count, dtype=np.int16).reshape(ROWS, COLUMNS) + np.int16(1000 * content)


@dataclass(frozen=True)
class Slice:
    """One image: its values, and where its voxels lie (LPS, mm).

    Attributes:
        part: The series that it belongs to.
        values: What a reader has to give.
        origin: Of the first voxel.
        down: From one row to the next.
        across: From one column to the next.
        t: The time that it is of; None in a series that has but one.
    """

    part: str
    values: np.ndarray
    origin: np.ndarray
    down: np.ndarray
    across: np.ndarray
    t: int | None = None

    @property
    def piece(self) -> str:
        """What makes one volume of three axes: a series, or one time of it."""
        return self.part if self.t is None else f"time {self.t}"

    @property
    def height(self) -> float:
        """Along the normal."""
        return float(np.dot(np.cross(self.across, self.down), self.origin))


@dataclass(frozen=True)
class Case:
    """One set of files.

    Attributes:
        trap: Its number.
        text: What is odd about the files, for the reader of the page.
        count: How many files there are.
        attributes: What `builders.write_series` gets; a list has one value for each file.
        parts: The series that each file belongs to.
        times: The time that each file is of.
        wanted: The series that is the right volume; None where there is no right volume, or
            where there are several, so that a reader has to speak.
        codes: The errors of ours that are proper.
        matter: What a warning has to speak of (regular expression).
        tolerance_mm: How far off a voxel may be.
        has_place: Whether positions are judged; else distances in the image alone.
        is_about_place: Where no volume is right, whether its values alone would be.
        contents: Which content each file has.
        files: The files, where `builders.write_series` does not make them.
        written: The images in these.
    """

    trap: str
    text: str
    count: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[str] = ()
    wanted: str | None = "volume"
    codes: Sequence[str] = ()
    matter: str = EITHER
    tolerance_mm: float = 0.025
    has_place: bool = True
    is_about_place: bool = False
    contents: Sequence[int] = ()
    times: Sequence[int] = ()
    files: Sequence[bytes] = ()
    written: Sequence[Slice] = ()

    @property
    def name(self) -> str:
        """Number and text."""
        return f"{self.trap}: {self.text}"

    def write(self, folder: Path) -> None:
        """Write the files."""
        if self.files:
            folder.mkdir(parents=True)
            for k, data in enumerate(self.files):
                (folder / f"{k:04}.dcm").write_bytes(data)
            return
        pixels = [cells(k) for k in self.contents or range(self.count)]
        kind = self.attributes.get("SOPClassUID", CT_IMAGE)
        attributes = {"pixels": pixels, "meta_class": kind, **USUAL, **self.attributes}
        write_series(folder, self.count, extra=REQUIRED, **attributes)

    def slices(self) -> list[Slice]:
        """What was written; a file that is there twice is one slice."""
        if self.written:
            return list(self.written)
        found = [self._slice(k) for k in range(self.count)]
        contents = list(self.contents or range(self.count))
        firsts = [k for k in range(self.count) if contents.index(contents[k]) == k]
        return [found[k] for k in firsts]

    def _slice(self, k: int) -> Slice:
        def of(name: str, default: Any) -> Any:
            value = self.attributes.get(name, default)
            value = value[k] if isinstance(value, list) else value
            return default if value is None else value

        axes = np.array(of("ImageOrientationPatient", AXIAL), float)
        between_rows, between_columns = of("PixelSpacing", of("ImagerPixelSpacing", SPACING))
        stored = of("pixels", cells(list(self.contents or range(self.count))[k]))
        return Slice(
            part=self.parts[k] if self.parts else "volume",
            values=stored * float(of("RescaleSlope", 1)) + float(of("RescaleIntercept", -1024)),
            origin=np.array(of("ImagePositionPatient", (*POSITION[:2], POSITION[2] + 2.5 * k))),
            down=axes[3:] * between_rows,
            across=axes[:3] * between_columns,
            t=self.times[k] if self.times else None,
        )
