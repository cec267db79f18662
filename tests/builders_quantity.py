"""Enhanced files with what SUV (PS3.3 A.56, C.8.22) and Philips' values are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builders import Element, sequence
from builders_enhanced import (
    ENHANCED_PET,
    PER_FRAME,
    SHARED,
    enhanced,
    group,
    real_world_map,
)
from builders_pet import OF_DOSE, scale_slope

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of 128 MBq half is left after 6000 s: 64,000,000 Bq for 65,536 g are 976.5625 Bq/g.
OF_FILE: dict[str, tuple[int, str, Any]] = {
    "TimezoneOffsetFromUTC": (0x00080201, "SH", None),
    "PatientWeight": (0x00101030, "DS", "65.536"),
    "DecayCorrectionDateTime": (0x00189701, "DT", "20240310120000.000"),
    "DecayCorrected": (0x00189758, "CS", "YES"),
    "AttenuationCorrected": (0x00189759, "CS", "YES"),
    "SUVType": (0x00541006, "CS", None),
}
DOSE: dict[str, Any] = {
    "RadiopharmaceuticalStartDateTime": "20240310102000",
    "RadionuclideTotalDose": "128",
    "RadionuclideHalfLife": "6000",
}
# Stored value k is an SUV of k.
RESCALE: dict[str, Any] = {"RescaleSlope": "976.5625", "RescaleIntercept": 0}


def enhanced_pet(
    *,
    doses: Sequence[dict[str, Any]] | None = None,
    shared: dict[str, Any] | None = None,
    per_frame: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    **attributes: Any,
) -> bytes:
    """Two frames in BQML; attributes by keyword, None leaves one out."""
    of_file = {name: attributes.pop(name, usual) for name, (*_, usual) in OF_FILE.items()}
    dose = DOSE | attributes
    top = [Element(*OF_FILE[name][:2], v) for name, v in of_file.items() if v is not None]
    items = [
        [Element(*OF_DOSE[name], v) for name, v in one.items() if v is not None]
        for one in ([dose] if doses is None else doses)
    ]
    if items:
        top.append(sequence(0x00540016, *items))
    groups = {**RESCALE, "RescaleType": "BQML"} if shared is None else shared
    return enhanced(
        2,
        shared=groups,
        per_frame=per_frame,
        SOPClassUID=ENHANCED_PET,
        Modality="PT",
        extra=sorted(top, key=lambda one: one.tag),
        **(options or {}),
    )


def map_in(unit: str, slope: float) -> list[Element]:
    """A real-world map of this unit."""
    _, *rest = real_world_map(slope, 0, label=unit)
    return [sequence(0x004008EA, [Element(0x00080100, "SH", unit)]), *rest]


def in_group(
    *slopes: Any, creator: str = "Philips MR Imaging DD 005", undefined: bool = False
) -> list[Element]:
    """What a group has of Philips: an item with each of these slopes."""
    items = [scale_slope(one) for one in slopes]
    inner = sequence(0x2005140F, *items, undefined=undefined)
    return [Element(0x20050014, "LO", creator), inner]


def philips_file(
    per_frame: list[list[Element]], shared: list[Element] | None = None, **options: Any
) -> bytes:
    """Two frames in which stored value k is 2 k + 4; `per_frame` and `shared` join their groups."""
    place = [(0, 0, 0), (0, 0, 2.5)]
    groups = [
        [*group({"ImagePositionPatient": place[i]}), *extra] for i, extra in enumerate(per_frame)
    ]
    common = group(
        {
            "ImageOrientationPatient": (1, 0, 0, 0, 1, 0),
            "PixelSpacing": (1, 1),
            "RescaleSlope": 2,
            "RescaleIntercept": 4,
        }
    )
    pixels = np.stack([np.arange(4, dtype=np.int16).reshape(2, 2)] * 2)
    of_file: dict[str, Any] = {PER_FRAME: groups, SHARED: [[*common, *(shared or [])]]}
    return enhanced(2, pixels=pixels, **of_file, **options)
