"""Writes DICOM segmentations (PS3.3 A.51, C.8.20) byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builders import EXPLICIT, PIXEL_DATA, Element, ct_slice
from builders_forms import packed_bits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builders import Cells, Syntax

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
Point = tuple[float, ...]


def group(tag: int, *elements: Element) -> Element:
    """A functional group, which is a sequence of one item."""
    return Element(tag, "SQ", [list(elements)])


def measures(spacing: Any = (0.5, 0.25), between: Any = 2.5, thickness: Any = None) -> Element:
    """PixelMeasuresSequence."""
    lengths = {0x00180050: thickness, 0x00180088: between, 0x00280030: spacing}
    given = [Element(tag, "DS", mm) for tag, mm in lengths.items() if mm is not None]
    return group(0x00289110, *given)


def orientation(cosines: Any = (1, 0, 0, 0, 1, 0)) -> Element:
    """PlaneOrientationSequence."""
    return group(0x00209116, Element(0x00200037, "DS", cosines))


def position(point: Any) -> Element:
    """PlanePositionSequence."""
    return group(0x00209113, Element(0x00200032, "DS", point))


def identification(segment: int) -> Element:
    """SegmentIdentificationSequence."""
    return group(0x0062000A, Element(0x0062000B, "US", segment))


def segmentation(
    cells: Cells,
    points: Sequence[Any],
    segments: Sequence[int | None],
    *,
    kind: str = "BINARY",
    most: int | None = None,
    shared: Sequence[Element] | None = None,
    frames: Sequence[Sequence[Element]] | None = None,
    frame_of_reference: str | None = None,
    extra: Sequence[Element] = (),
    syntax: Syntax = EXPLICIT,
    pixel_element: Element | None = None,
    **attributes: Any,
) -> bytes:
    """A segmentation.

    Args:
        cells: Stored values (frames, rows, columns): of 0 and 1 where it is binary.
        points: ImagePositionPatient of each frame, None for a frame without.
        segments: Its ReferencedSegmentNumber likewise.
        kind: SegmentationType, ``""`` for none.
        most: MaximumFractionalValue.
        shared: The shared functional groups; None is `measures` and `orientation`.
        frames: More functional groups of each frame.
        frame_of_reference: Its UID.
        extra: More elements.
        syntax: How it is written.
        pixel_element: Takes the place of the cells.
        attributes: By keyword, None for an element that is to be missing.
    """
    per_frame = [
        [
            *([] if point is None else [position(point)]),
            *([] if segment is None else [identification(segment)]),
            *([] if frames is None else frames[i]),
        ]
        for i, (point, segment) in enumerate(zip(points, segments, strict=True))
    ]
    elements = [*extra]
    if kind:
        elements.append(Element(0x00620001, "CS", kind))
    if most is not None:
        elements.append(Element(0x0062000E, "US", most))
    if frame_of_reference is not None:
        elements.append(Element(0x00200052, "UI", frame_of_reference))
    bits = {"BINARY": 1, "FRACTIONAL": 8}.get(kind, 8 * cells.dtype.itemsize)
    of_image = dict.fromkeys(
        (
            "ImagePositionPatient",
            "ImageOrientationPatient",
            "PixelSpacing",
            "RescaleIntercept",
            "RescaleSlope",
        )
    )
    form: dict[str, Any] = of_image | {
        "SOPClassUID": LABEL_MAP if kind == "LABELMAP" else SEGMENTATION,
        "Modality": "SEG",
        "SeriesInstanceUID": "1.2.3.9",
        "SOPInstanceUID": "1.2.3.9.1",
        "NumberOfFrames": len(cells),
        "SharedFunctionalGroupsSequence": [
            [measures(), orientation()] if shared is None else list(shared)
        ],
        "PerFrameFunctionalGroupsSequence": per_frame,
    }
    raw = packed_bits(cells) if bits == 1 else np.ascontiguousarray(cells).tobytes()
    form |= {"Rows": cells.shape[1], "Columns": cells.shape[2], "BitsAllocated": bits}
    form |= {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": 0}
    pixels = Element(PIXEL_DATA, "OB" if bits <= 8 else "OW", raw + b"\0" * (len(raw) % 2))
    return ct_slice(
        syntax=syntax,
        extra=elements,
        pixel_element=pixels if pixel_element is None else pixel_element,
        **form | attributes,
    )
