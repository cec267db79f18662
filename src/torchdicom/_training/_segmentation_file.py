"""The functional groups of a DICOM segmentation, and the planes that its frames lie in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import numpy as np
import torch

from torchdicom._errors import DecodeError, LimitError, ParseError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Cells = NDArray[np.uint8 | np.uint16]
    Millimetres = NDArray[np.float64]

# Little-endian and neither compressed nor encapsulated.
_PLAIN: Final = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99")
_TYPES: Final = ("BINARY", "FRACTIONAL", "LABELMAP")
# What decimal strings leave of positions, of unit vectors, and of a voxel.
_ROUNDING_MM: Final = 0.01
_ROUNDING: Final = 1e-3
_OF_A_VOXEL: Final = 0.05
# More than any scanner makes: what a position that is wrong may cost.
_MOST_PLANES: Final = 32_768


class Stack(NamedTuple):
    """Where the frames of a file lie.

    Attributes:
        plane: Of each frame the number of its plane.
        planes: How many there are, with those that have no frame.
        affine: Float64 tensor of shape (4, 4), index ``(z, y, x, 1)`` to millimetres in LPS; None
            of a projection, which has no place.
    """

    plane: list[int]
    planes: int
    affine: torch.Tensor | None


class SegmentationFile:
    """Attributes of a segmentation, each checked when it is asked for."""

    def __init__(self, path: str, dataset: Any) -> None:
        self.path = path
        self.dataset = dataset
        self.kind = str(dataset.get("SegmentationType", ""))
        self.rows, self.columns = int(dataset.Rows), int(dataset.Columns)
        shared = dataset.get("SharedFunctionalGroupsSequence") or [{}]
        self._shared = shared[0]
        self._frames = dataset.get("PerFrameFunctionalGroupsSequence") or []

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def is_placed(self) -> bool:
        """Whether it says in which frame of reference its positions are."""
        return bool(self.dataset.get("FrameOfReferenceUID"))

    def check_kind(self) -> None:
        """That there is something here that can be read."""
        if self.kind not in _TYPES:
            text = f"SegmentationType is {self.kind!r}, and must be one of {', '.join(_TYPES)}"
            self.fail_parse("invalid_value", text, "SegmentationType")
        if "TotalPixelMatrixRows" in self.dataset:
            self.fail("It is the segmentation of a slide, whose frames are tiles and no planes")
        frames = int(self.dataset.get("NumberOfFrames") or 1)
        if frames != len(self):
            text = f"There are {frames} frames, and functional groups of {len(self)}"
            self.fail_parse("frame_count_mismatch", text, "PerFrameFunctionalGroupsSequence")

    def find(self, frame: int, group: str, keyword: str) -> Any:
        """An attribute of a functional group, of the frame or of all frames; None without."""
        for groups in (self._frames[frame], self._shared):
            items = groups.get(group)
            if items:
                try:
                    return items[0].get(keyword)
                except ValueError as error:  # of pydicom, where text is no number
                    self.fail_parse("invalid_value", str(error), keyword)
        return None

    def numbers(self, frame: int, group: str, keyword: str, count: int) -> list[float]:
        """So many numbers likewise, which must be there."""
        value = self.find(frame, group, keyword)
        if value is None or value == "":
            self.fail_parse("missing_element", f"Frame {frame} has no {keyword}", keyword)
        try:
            found = [float(one) for one in (value if count > 1 else [value])]
        except (TypeError, ValueError):
            found = []
        if len(found) != count or not np.isfinite(found).all():
            text = f"{keyword} of frame {frame} is {value}, and must be {count} numbers"
            self.fail_parse("invalid_value", text, keyword)
        return found

    def same(self, group: str, keyword: str, count: int) -> Millimetres:
        """Numbers that all frames must share."""
        found = np.array([self.numbers(i, group, keyword, count) for i in range(len(self))])
        if np.ptp(found, axis=0).max() > _ROUNDING:
            self.fail(f"{keyword} is not the same for all frames, which are no planes of one grid")
        first: Millimetres = found[0]
        return first

    def cells(self) -> Iterator[Cells]:
        """The frames, one after the other, of shape (rows, columns)."""
        syntax = self.dataset.file_meta.get("TransferSyntaxUID")
        if self.dataset.BitsAllocated == 1 and syntax in _PLAIN:
            yield from self._bits()
            return
        from pydicom.pixels.utils import iter_pixels  # noqa: PLC0415 - an extra

        try:
            yield from iter_pixels(self.dataset, raw=True)
        except Exception as error:  # whatever the decoder raises that pydicom takes
            msg = f"pydicom can't decode it: {error}"
            raise DecodeError(msg, code="decoder_failed", path=self.path) from error

    def _bits(self) -> Iterator[Cells]:
        """The same of 1 bit a voxel, where frames run on within a byte (PS3.5 8.1.1).

        pydicom 3.0 fails at a last frame that starts and ends within one.
        """
        packed, size = np.frombuffer(self.dataset.PixelData, np.uint8), self.rows * self.columns
        for start in range(0, len(self) * size, size):
            whole = packed[start // 8 : -(-(start + size) // 8)]
            bits = np.unpackbits(whole, bitorder="little")[start % 8 :][:size]
            if len(bits) < size:
                text = f"PixelData has {len(packed)} bytes, and its frames need more"
                self.fail_parse("truncated_pixels", text, "PixelData")
            yield bits.reshape(self.rows, self.columns)

    def fail(self, text: str) -> NoReturn:
        """For what is legal, and no label."""
        msg = f"{text}. Read it by other means, and have label= give a tensor or a Volume"
        raise UnsupportedError(msg, code="unsupported_functional_groups", path=self.path)

    def fail_parse(self, code: str, text: str, keyword: str) -> NoReturn:
        """For what is broken."""
        from pydicom.datadict import tag_for_keyword  # noqa: PLC0415 - an extra

        tag = tag_for_keyword(keyword) or 0
        element = f"({tag >> 16:04x},{tag & 0xFFFF:04x}) {keyword}"
        raise ParseError(text, code=code, path=self.path, element=element)


def stacked(file: SegmentationFile) -> Stack:
    """The grid of the frames, whose slices follow the normal of the planes."""
    point = "PlanePositionSequence", "ImagePositionPatient"
    if all(file.find(i, *point) is None for i in range(len(file))) and not file.is_placed:
        return Stack([0] * len(file), 1, None)  # the segments of one image
    x, y = file.same("PlaneOrientationSequence", "ImageOrientationPatient", 6).reshape(2, 3)
    if not np.allclose([x @ x, y @ y, x @ y], [1, 1, 0], atol=_ROUNDING):
        text = "ImageOrientationPatient is not two directions at right angles"
        file.fail_parse("invalid_geometry", text, "ImageOrientationPatient")
    between_rows, between_columns = file.same("PixelMeasuresSequence", "PixelSpacing", 2)
    if min(between_rows, between_columns) <= 0:
        file.fail_parse("invalid_value", "PixelSpacing is not above 0", "PixelSpacing")
    places = np.array([file.numbers(i, *point, 3) for i in range(len(file))])
    normal = np.cross(x, y)
    plane, z, step = _planes(file, places, normal)
    first, last = (places[plane == at][0] for at in (0, plane.max()))
    if plane.max() > 0:
        z = (last - first) / plane.max()
    off = np.linalg.norm(places - first - plane[:, None] * z, axis=1).max()
    if off > max(_OF_A_VOXEL * min(between_rows, between_columns, step), _ROUNDING_MM):
        file.fail(f"Its frames lie up to {off:.3g} mm beside one even stack of planes")
    affine = np.eye(4)
    affine[:3] = np.stack([z, y * between_rows, x * between_columns, first], axis=1)
    return Stack(plane.tolist(), int(plane.max()) + 1, torch.from_numpy(affine))


def _planes(
    file: SegmentationFile, places: Millimetres, normal: Millimetres
) -> tuple[NDArray[np.int64], Millimetres, float]:
    """The plane of each frame, the way from one to the next along the normal, and its length."""
    depths = places @ normal
    order = np.argsort(depths, kind="stable")
    gaps = np.diff(depths[order])
    gaps[gaps < _ROUNDING_MM] = 0  # frames of other segments
    step = _step(file, gaps[gaps > 0])
    steps = np.rint(gaps / step)
    if steps.sum() >= _MOST_PLANES:
        msg = f"It spans {steps.sum() + 1:.0f} planes {step:g} mm apart, above {_MOST_PLANES}"
        raise LimitError(msg, code="limit_frames", path=file.path)
    if (np.abs(gaps / step - steps) > _OF_A_VOXEL).any():
        file.fail(f"The distances of its planes are no multiples of {step:g} mm")
    plane = np.zeros(len(places), np.int64)
    plane[order[1:]] = np.cumsum(steps)
    return plane, normal * step, step


def _step(file: SegmentationFile, gaps: Millimetres) -> float:
    """How far apart neighbouring planes are, where some may be missing between two that are not.

    SpacingBetweenSlices says it. Without it, planes that lie close are as far apart as they lie,
    and others may be many SliceThickness apart: which of the two it is, must be plain.
    """
    spacing, thickness = (
        file.find(0, "PixelMeasuresSequence", keyword)
        for keyword in ("SpacingBetweenSlices", "SliceThickness")
    )
    known = float(spacing or thickness or 0)
    if known <= 0:
        keyword = "SpacingBetweenSlices" if spacing else "SliceThickness"
        text = f"{keyword} is {spacing or thickness}, which leaves the distance of planes open"
        file.fail_parse("invalid_value", text, keyword)
    if not len(gaps):
        return known
    smallest = float(gaps.min())
    times = round(smallest / known)
    is_multiple = times > 0 and abs(smallest / known - times) <= _OF_A_VOXEL
    if not is_multiple and (spacing or smallest >= 1.5 * known):
        name = "SpacingBetweenSlices" if spacing else "SliceThickness"
        file.fail(
            f"Its planes lie {smallest:g} mm apart, and {name} is {known:g} mm: whether planes are "
            "missing between them is open"
        )
    # By the positions, which are exact where the nominal distance is rounded.
    return smallest / times if is_multiple else smallest
