"""Writes enhanced multi-frame files: each attribute in the group that the test puts it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builders import Element, ct_slice, default_pixels, element, sequence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from builders import Cells

_CLASS = "1.2.840.10008.5.1.4.1.1."
ENHANCED_CT, ENHANCED_MR, ENHANCED_PET = f"{_CLASS}2.1", f"{_CLASS}4.1", f"{_CLASS}130"
ENHANCED_XA, ENHANCED_US, PARAMETRIC_MAP = f"{_CLASS}12.1.1", f"{_CLASS}6.2", f"{_CLASS}30"
SHARED, PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"

_CONTENT, _MEASURES, _RESCALE, _VOI = 0x00209111, 0x00289110, 0x00289145, 0x00289132
_DIFFUSION, _DIRECTION, _CARDIAC, _TIMING = 0x00189117, 0x00189076, 0x00189118, 0x00189112

# By keyword: the macro, the attribute and its VR. Those that differ by modality have a prefix.
FUNCTIONAL: dict[str, tuple[int, int, str]] = {
    "ImagePositionPatient": (0x00209113, 0x00200032, "DS"),
    "ImageOrientationPatient": (0x00209116, 0x00200037, "DS"),
    "ImagePositionVolume": (0x0020930E, 0x00209301, "FD"),
    "ImageOrientationVolume": (0x0020930F, 0x00209302, "FD"),
    "PixelSpacing": (_MEASURES, 0x00280030, "DS"),
    "SliceThickness": (_MEASURES, 0x00180050, "DS"),
    "RescaleIntercept": (_RESCALE, 0x00281052, "DS"),
    "RescaleSlope": (_RESCALE, 0x00281053, "DS"),
    "RescaleType": (_RESCALE, 0x00281054, "LO"),
    "PixelPaddingValue": (_RESCALE, 0x00280120, "US"),
    "PixelPaddingRangeLimit": (_MEASURES, 0x00280121, "US"),
    "StackID": (_CONTENT, 0x00209056, "SH"),
    "InStackPositionNumber": (_CONTENT, 0x00209057, "UL"),
    "DimensionIndexValues": (_CONTENT, 0x00209157, "UL"),
    "TemporalPositionIndex": (_CONTENT, 0x00209128, "UL"),
    "FrameAcquisitionNumber": (_CONTENT, 0x00209156, "US"),
    "FrameAcquisitionDateTime": (_CONTENT, 0x00189074, "DT"),
    "MRFrameType": (0x00189226, 0x00089007, "CS"),
    "CTFrameType": (0x00189329, 0x00089007, "CS"),
    "PETFrameType": (0x00189751, 0x00089007, "CS"),
    "USFrameType": (0x00189806, 0x00089007, "CS"),
    "MapFrameType": (0x00409092, 0x00089007, "CS"),
    "ComplexImageComponent": (0x00189226, 0x00089208, "CS"),
    "EffectiveEchoTime": (0x00189114, 0x00189082, "FD"),
    "RepetitionTime": (_TIMING, 0x00180080, "DS"),
    "FlipAngle": (_TIMING, 0x00181314, "DS"),
    "ReceiveCoilName": (0x00189042, 0x00181250, "SH"),
    "DiffusionBValue": (_DIFFUSION, 0x00189087, "FD"),
    "DiffusionGradientOrientation": (_DIFFUSION, 0x00189089, "FD"),
    "NominalCardiacTriggerDelayTime": (_CARDIAC, 0x00209153, "FD"),
    "NominalPercentageOfCardiacPhase": (_CARDIAC, 0x00209241, "FL"),
    "TemporalPositionTimeOffset": (0x00209310, 0x0020930D, "FD"),
    "ImagerPixelSpacing": (0x00289443, 0x00181164, "DS"),
    "WindowCenter": (_VOI, 0x00281050, "DS"),
    "WindowWidth": (_VOI, 0x00281051, "DS"),
    "VOILUTFunction": (_VOI, 0x00281056, "CS"),
}


def real_world_map(
    slope: float, intercept: float, *, label: str = "map", first: int = 0, last: int = 1000
) -> list[Element]:
    """An item of RealWorldValueMappingSequence: linear, of mg/L."""
    unit = [Element(0x00080100, "SH", "mg/L"), Element(0x00080102, "SH", "UCUM")]
    return [
        sequence(0x004008EA, unit),
        Element(0x00409210, "SH", label),
        Element(0x00409211, "US", last),
        Element(0x00409216, "US", first),
        Element(0x00409224, "FD", intercept),
        Element(0x00409225, "FD", slope),
    ]


def group(values: Mapping[str, Any], *, undefined: bool = False) -> list[Element]:
    """One item of the groups: its macros, each a sequence of one item."""
    macros: dict[int, list[Element]] = {}
    maps: Element | None = None
    for keyword, value in values.items():
        if value is None:
            continue
        if keyword == "RealWorldValueMappingSequence":
            maps = sequence(0x00409096, *value, undefined=undefined)
            continue
        macro, tag, vr = FUNCTIONAL[keyword]
        one = Element(tag, vr, value)
        if tag == 0x00189089:
            one = sequence(_DIRECTION, [one], undefined=undefined)
        macros.setdefault(macro, []).append(one)
    found = [
        sequence(macro, sorted(elements, key=lambda one: one.tag), undefined=undefined)
        for macro, elements in macros.items()
    ]
    return sorted([*found, *([maps] if maps else [])], key=lambda one: one.tag)


def frame_pixels(frames: int) -> Cells:
    """Frame i holds 100 * i + 0 .. 11."""
    return np.stack([default_pixels() + np.int16(100 * i) for i in range(frames)])


def enhanced(
    frames: int,
    *,
    shared: Mapping[str, Any] | None = None,
    per_frame: Mapping[str, Sequence[Any]] | None = None,
    pixels: Cells | None = None,
    undefined: bool = False,
    **attributes: Any,
) -> bytes:
    """A sound enhanced MR file of an axial stack, 2.5 mm apart, but for what the call says.

    Args:
        frames: How many.
        shared: Attributes of all frames, by the keywords of `FUNCTIONAL`; None leaves one out.
        per_frame: Attributes with one value a frame.
        pixels: Of all frames; see `frame_pixels`.
        undefined: Write sequences and items with undefined length.
        **attributes: As `ct_slice` takes them, at the top level.
    """
    own = dict(per_frame or {})
    common = dict(shared or {})
    given = own.keys() | common.keys()
    if "ImagePositionPatient" not in given:
        own["ImagePositionPatient"] = [(-10, -20, 30 + 2.5 * i) for i in range(frames)]
    usual = {
        "ImageOrientationPatient": (1, 0, 0, 0, 1, 0),
        "PixelSpacing": (0.5, 0.25),
        "SliceThickness": 2,
    }
    common |= {keyword: value for keyword, value in usual.items() if keyword not in given}
    groups = [{name: values[i] for name, values in own.items()} for i in range(frames)]
    top: dict[str, Any] = {
        "SOPClassUID": ENHANCED_MR,
        "Modality": "MR",
        "ImageType": "ORIGINAL\\PRIMARY\\M\\NONE",
        "NumberOfFrames": frames,
        **dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")),
        **dict.fromkeys(("RescaleIntercept", "RescaleSlope")),
        PER_FRAME: [group(values, undefined=undefined) for values in groups],
        SHARED: [group(common, undefined=undefined)],
    }
    cells = frame_pixels(frames) if pixels is None else pixels
    return ct_slice(cells, **(top | attributes))


def write_enhanced(path: Path, frames: int, **options: Any) -> Path:
    """The same as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(enhanced(frames, **options))
    return path


def empty(keyword: str) -> Element:
    """An attribute without a value."""
    return Element(element(keyword, 0).tag, element(keyword, 0).vr, b"")
