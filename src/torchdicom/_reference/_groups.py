"""The functional groups of an enhanced file (PS3.3 C.7.6.16): one header for each frame.

An attribute of a frame is that of its own group, else of the shared one, else of the data set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Final

from torchdicom._metadata import PADDING
from torchdicom._reference._elements import parse
from torchdicom._reference._moments import moment_of
from torchdicom._reference._sources import read_again
from torchdicom._reference._tags import TAGS
from torchdicom._reference._values import Values

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._sources import Source
    from torchdicom._reference._times import Times

# Enhanced US Volume: its planes lie in the space of the transducer (PS3.3 C.8.24.3.1).
ULTRASOUND_VOLUME: Final = "1.2.840.10008.5.1.4.1.1.6.2"

_SHARED: Final = "SharedFunctionalGroupsSequence"
_PER_FRAME: Final = "PerFrameFunctionalGroupsSequence"

_FRAME_TYPES: Final = (
    *("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence"),
    *("USImageDescriptionSequence", "ParametricMapFrameTypeSequence"),
)
_RESCALE: Final = ("PixelValueTransformationSequence",)
_MEASURES: Final = ("PixelMeasuresSequence",)
_TIMING: Final = ("MRTimingAndRelatedParametersSequence",)
_CONTENT: Final = ("FrameContentSequence",)
_CARDIAC: Final = ("CardiacSynchronizationSequence",)
_DIFFUSION: Final = ("MRDiffusionSequence",)
_VOI: Final = ("FrameVOILUTSequence",)

# The macros that give an attribute; the padding stands beside what is said of the pixels.
MACROS: Final[dict[str, tuple[str, ...]]] = {
    "ImagePositionPatient": ("PlanePositionSequence",),
    "ImageOrientationPatient": ("PlaneOrientationSequence",),
    "ImagePositionVolume": ("PlanePositionVolumeSequence",),
    "ImageOrientationVolume": ("PlaneOrientationVolumeSequence",),
    "PixelSpacing": _MEASURES,
    "SliceThickness": _MEASURES,
    "RescaleIntercept": _RESCALE,
    "RescaleSlope": _RESCALE,
    "RescaleType": _RESCALE,
    "StackID": _CONTENT,
    "TemporalPositionIndex": _CONTENT,
    "FrameAcquisitionNumber": _CONTENT,
    "FrameAcquisitionDateTime": _CONTENT,
    "FrameType": _FRAME_TYPES,
    "ComplexImageComponent": _FRAME_TYPES,
    "EffectiveEchoTime": ("MREchoSequence",),
    "RepetitionTime": _TIMING,
    "FlipAngle": _TIMING,
    "ReceiveCoilName": ("MRReceiveCoilSequence",),
    "DiffusionBValue": _DIFFUSION,
    "NominalCardiacTriggerDelayTime": _CARDIAC,
    "NominalPercentageOfCardiacPhase": _CARDIAC,
    "TemporalPositionTimeOffset": ("TemporalPositionSequence",),
    "ImagerPixelSpacing": ("FramePixelDataPropertiesSequence",),
    "WindowCenter": _VOI,
    "WindowWidth": _VOI,
    "VOILUTFunction": _VOI,
}
ALL_MACROS: Final = tuple(dict.fromkeys(name for names in MACROS.values() for name in names))


@dataclass(frozen=True, slots=True)
class FrameValues:
    """What is said of one frame.

    Attributes:
        top: The elements of the file.
        groups: The frame's own group and the shared one, those that there are.
    """

    top: Values
    groups: tuple[Values, ...]

    def of(self, keyword: str) -> Values:
        """The elements that give an attribute."""
        return self.group_of(keyword) or self.top

    def group_of(self, keyword: str, macros: tuple[str, ...] = ()) -> Values | None:
        """The same, of the functional groups alone."""
        for group in self.groups:
            for macro in macros or MACROS[keyword]:
                first = group.items(macro)[:1]
                if first and first[0].has(keyword):
                    return first[0]
        return None

    def items(self, keyword: str) -> list[Values]:
        """The items of a sequence: of the first group that has it, else of the data set."""
        return next((found for one in self.groups if (found := one.items(keyword))), None) or (
            self.top.items(keyword)
        )


@dataclass(frozen=True, slots=True)
class Groups:
    """The functional groups of a file.

    Attributes:
        top: The elements of the file.
        shared: The group of all frames; one or none.
        frames: The groups of the frames; one each or none.
    """

    top: Values
    shared: tuple[Values, ...]
    frames: tuple[Values, ...]

    def frame(self, index: int) -> FrameValues:
        """What is said of one frame."""
        own = (self.frames[index],) if self.frames else ()
        return FrameValues(self.top, (*own, *self.shared))


def has_groups(values: Values) -> bool:
    """Whether a file has functional groups."""
    return any(TAGS[keyword] in values.data_set.elements for keyword in (_SHARED, _PER_FRAME))


def read_groups(values: Values, frames: int) -> Groups:
    """The groups of a file.

    Raises:
        ParseError: ``frame_count_mismatch`` where not every frame has one, and what is wrong with
            the sequences.
    """
    own = values.items(_PER_FRAME)
    if own and len(own) != frames:
        msg = f"NumberOfFrames is {frames}, and there are functional groups of {len(own)} frames"
        raise values.error(msg, "frame_count_mismatch", _PER_FRAME)
    return Groups(values, tuple(values.items(_SHARED)[:1]), tuple(own))


@lru_cache(maxsize=2)
def _groups_again(source: Source, stamp: tuple[int, int], frames: int) -> Groups:
    data = read_again(source, stamp)
    return read_groups(Values(parse(data, source.path), source.path), frames)


def frame_values(file: FileHeader) -> FrameValues:
    """What is said of the frame of a header, read again.

    Raises:
        ParseError: ``file_changed``.
        OSError: If the file cannot be read.
    """
    groups = _groups_again(file.source, file.stamp, file.header.number_of_frames)
    return groups.frame(file.frame or 0)


def frame_header(file: FileHeader, groups: Groups, frame: int) -> FileHeader:
    """The header of one frame.

    Raises:
        ParseError: What is wrong with one of its attributes.
    """
    values = groups.frame(frame)
    position, orientation = _place(values, file)
    raw = {**file.raw, "ImageType": _image_type(values, file)}
    for keyword in ("RescaleType", "ReceiveCoilName"):
        raw[keyword] = values.of(keyword).raw(keyword)
    header = replace(
        file.header,
        image_type=tuple(part.strip(PADDING) for part in raw["ImageType"].split("\\"))
        if raw["ImageType"]
        else (),
        image_position_patient=position,
        image_orientation_patient=orientation,
        pixel_spacing=values.of("PixelSpacing").decimals("PixelSpacing", 2),
        slice_thickness=values.of("SliceThickness").decimal("SliceThickness"),
        rescale_slope=values.of("RescaleSlope").decimal("RescaleSlope"),
        rescale_intercept=values.of("RescaleIntercept").decimal("RescaleIntercept"),
        rescale_type=values.of("RescaleType").text("RescaleType"),
    )
    echo_time = _echo_time(values)
    imager = values.of("ImagerPixelSpacing").decimals("ImagerPixelSpacing", 2)
    return replace(
        file,
        header=header,
        raw=raw,
        texts=_texts(values, file, echo_time),
        numbers=(
            file.numbers[0] if echo_time is None else echo_time,
            *(values.of(name).decimal(name) for name in ("RepetitionTime", "FlipAngle")),
        ),
        imager_pixel_spacing=imager,
        padding=(_padding(values, "PixelPaddingValue"), _padding(values, "PixelPaddingRangeLimit")),
        frame=frame,
        form="enhanced",
        stack=values.of("StackID").raw("StackID"),
        times=_times(values, file.times),
    )


def _place(values: FrameValues, file: FileHeader) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Position and orientation."""
    place: list[tuple[float, ...]] = []
    for name, count in (("Position", 3), ("Orientation", 6)):
        keyword = f"Image{name}Volume"
        group = values.group_of(keyword)
        numbers: tuple[float, ...] = ()
        if file.raw["SOPClassUID"] == ULTRASOUND_VOLUME and group is not None:
            numbers = group.exact_doubles(keyword, count)
        keyword = f"Image{name}Patient"
        place.append(numbers or values.of(keyword).decimals(keyword, count))
    return place[0], place[1]


def _image_type(values: FrameValues, file: FileHeader) -> str:
    group = values.group_of("FrameType")
    kind = file.raw["ImageType"] if group is None else group.raw("FrameType")
    component = values.of("ComplexImageComponent").raw("ComplexImageComponent")
    if not component:
        return kind
    first, second, *rest = [*kind.split("\\"), "", ""][: max(2, kind.count("\\") + 1)]
    # A frame's own component counts more than what ImageType says of it.
    return "\\".join((first, second, component, *rest))


def _echo_time(values: FrameValues) -> float | None:
    group = values.group_of("EffectiveEchoTime")
    return None if group is None else group.double("EffectiveEchoTime")


def _texts(values: FrameValues, file: FileHeader, echo_time: float | None) -> dict[str, str]:
    texts = dict(file.texts)
    for keyword in ("SliceThickness", "RepetitionTime", "FlipAngle"):
        group = values.group_of(keyword)
        text = group.text(keyword) if group else None
        if text is not None:
            texts[keyword] = text
    if echo_time is not None:
        texts["EchoTime"] = repr(echo_time)
    return texts


def _padding(values: FrameValues, keyword: str) -> int | None:
    return (values.group_of(keyword, ALL_MACROS) or values.top).short(keyword)


def _times(values: FrameValues, times: Times) -> Times:
    """What the frame says over what the file says."""
    numbers: dict[str, float | None] = {}
    for name, keyword in (
        ("trigger_time", "NominalCardiacTriggerDelayTime"),
        ("b_value", "DiffusionBValue"),
    ):
        group = values.group_of(keyword)
        numbers[name] = group.double(keyword) if group else None
    if group := values.group_of("NominalPercentageOfCardiacPhase"):
        numbers["cardiac_phase"] = group.single("NominalPercentageOfCardiacPhase")
    if group := values.group_of("TemporalPositionTimeOffset"):
        offset = group.double("TemporalPositionTimeOffset")
        delay = None if offset is None else 1000.0 * offset
        numbers["frame_reference_time"] = delay if delay is None or isfinite(delay) else None
    if group := values.group_of("TemporalPositionIndex"):
        numbers["temporal_position"] = group.long("TemporalPositionIndex")
    if group := values.group_of("FrameAcquisitionNumber"):
        numbers["acquisition_number"] = group.short("FrameAcquisitionNumber")
    changed = {name: float(one) for name, one in numbers.items() if one is not None}
    found = replace(times, **changed)  # type: ignore[arg-type]
    if gradient := _gradient(values):
        found = replace(found, gradient=gradient)
    group = values.group_of("FrameAcquisitionDateTime")
    moment = moment_of(group.raw("FrameAcquisitionDateTime")) if group else None
    return replace(found, day=moment[0], seconds=moment[1]) if moment else found


def _gradient(values: FrameValues) -> tuple[float, ...]:
    keyword = "DiffusionGradientOrientation"
    for group in values.groups:
        for macro in group.items("MRDiffusionSequence")[:1]:
            for direction in macro.items("DiffusionGradientDirectionSequence")[:1]:
                if direction.has(keyword):
                    return direction.exact_doubles(keyword, 3)
    return ()
