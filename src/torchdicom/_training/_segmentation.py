"""DICOM segmentations (PS3.3 A.51, C.8.20) as label maps, by pydicom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch

from torchdicom._training._segmentation_file import SegmentationFile, stacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from torchdicom._training._segmentation_file import Stack

# Segmentation Storage and Label Map Segmentation Storage.
SOP_CLASSES: Final = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")


class Segmentation(NamedTuple):
    """The segments of a file in one map.

    Attributes:
        data (Tensor of shape (slices, rows, columns)): Numbers of segments, 0 where there is none;
            uint8, or int32 where a number does not fit.
        affine: Float64 tensor of shape (4, 4), index ``(z, y, x, 1)`` to millimetres in LPS; None
            of a projection, which has no place.
        frame_of_reference: Its UID, None where the file has none.
    """

    data: torch.Tensor
    affine: torch.Tensor | None
    frame_of_reference: str | None


def read_segmentation(path: str) -> Segmentation:
    """The map of a segmentation, on the grid that its frames span.

    Planes without a frame are background. Of a fractional segmentation a voxel counts where it has
    half of MaximumFractionalValue, or more.

    Raises:
        DecodeError: If pydicom can't decode it.
        LimitError: If it spans more planes than any image has.
        ModuleNotFoundError: If pydicom is missing.
        ParseError: If its attributes are missing, or contradict each other.
        UnsupportedError: If its segments overlap, or its frames are no planes of one grid.
    """
    file = SegmentationFile(path, _dataset(path))
    file.check_kind()
    stack = stacked(file)
    make = _labelled if file.kind == "LABELMAP" else _drawn
    uid = file.dataset.get("FrameOfReferenceUID")
    return Segmentation(torch.from_numpy(make(file, stack)), stack.affine, uid and str(uid))


def _dataset(path: str) -> Any:
    try:
        import pydicom  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        msg = (
            f"{path} is a DICOM segmentation, which pydicom reads: "
            "pip install 'torchdicom[reference]'"
        )
        raise ModuleNotFoundError(msg, name="pydicom") from None
    return pydicom.dcmread(path, force=True)


def _drawn(file: SegmentationFile, stack: Stack) -> NDArray[Any]:
    """One segment a frame: all of them in one map, where no two of them overlap."""
    segments = [_segment_of(file, i) for i in range(len(file))]
    dtype = np.uint8 if max(segments) <= 255 else np.int32
    result = np.zeros((stack.planes, file.rows, file.columns), dtype)
    least = _least_value(file)
    drawn: set[tuple[int, int]] = set()
    for segment, z, cells in zip(segments, stack.plane, file.cells(), strict=True):
        if (segment, z) in drawn:
            file.fail(f"Two of its frames are segment {segment} of one plane")
        drawn.add((segment, z))
        inside, plane = cells >= least, result[z]
        others = plane[inside]
        if others.any():
            file.fail(
                f"Segments {others[others > 0][0]} and {segment} overlap, in "
                f"{np.count_nonzero(others)} voxels of one plane, and a label map has room for one"
            )
        plane[inside] = segment
    return result


def _segment_of(file: SegmentationFile, frame: int) -> int:
    keyword = "ReferencedSegmentNumber"
    (number,) = file.numbers(frame, "SegmentIdentificationSequence", keyword, 1)
    if number < 1:
        text = f"{keyword} of frame {frame} is {number:g}, and numbers start at 1"
        file.fail_parse("invalid_value", text, keyword)
    return int(number)


def _least_value(file: SegmentationFile) -> float:
    """From which stored value on a voxel is of a segment."""
    if file.kind == "BINARY":
        return 1
    most = file.dataset.get("MaximumFractionalValue")
    if not most:
        text = "A fractional segmentation has no MaximumFractionalValue above 0"
        file.fail_parse("missing_element", text, "MaximumFractionalValue")
    return int(most) / 2


def _labelled(file: SegmentationFile, stack: Stack) -> NDArray[Any]:
    """Frames that are label maps already, whose PixelPaddingValue is background."""
    dtype = np.uint8 if file.dataset.BitsAllocated <= 8 else np.int32
    result = np.zeros((stack.planes, file.rows, file.columns), dtype)
    background = int(file.dataset.get("PixelPaddingValue") or 0)
    if len(set(stack.plane)) < len(stack.plane):
        file.fail("Two of its label maps are of one plane")
    for z, cells in zip(stack.plane, file.cells(), strict=True):
        if background and not cells.all():
            file.fail(f"Background is {background}, and there is a segment 0, which is no label")
        result[z] = np.where(cells == background, 0, cells)
    return result
