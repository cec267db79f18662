"""One file: its attributes, checked, and the byte ranges of its frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from torchdicom._errors import LimitError
from torchdicom._header import Header
from torchdicom._metadata import METADATA, PADDING
from torchdicom._reference._elements import UNDEFINED, parse
from torchdicom._reference._frames import encapsulated_ranges, native_ranges
from torchdicom._reference._sources import place_in_order, read
from torchdicom._reference._syntaxes import ENCAPSULATED, NATIVE
from torchdicom._reference._tags import TAGS, element_name
from torchdicom._reference._times import NO_TIMES, Times
from torchdicom._reference._values import Values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdicom._errors import DicomError
    from torchdicom._reference._concatenations import Concatenation
    from torchdicom._reference._elements import Element
    from torchdicom._reference._frames import FrameRanges
    from torchdicom._reference._mosaic import Tile
    from torchdicom._reference._sources import Source

Form: TypeAlias = Literal["classic", "enhanced", "dose", "nuclear", "mosaic"]

# US holds 65,535, which is also what a header overwritten with ones shows; no real image has half.
_MAX_SIDE: Final = 32_768
# NumberOfFrames is text and could ask for tables of any size.
_MAX_FRAMES: Final = 1_000_000

_FRAME_WISE: Final = (
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)

_WITH_MAPS: Final = (
    "ModalityLUTSequence",
    "RealWorldValueMappingSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)

# Floating point samples say themselves how wide they are.
_FLOAT_BITS: Final = {TAGS["FloatPixelData"]: 32, TAGS["DoubleFloatPixelData"]: 64}

# What tells one series from another; free text among it may be in any character set.
_RAW: Final = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality", "ImageType"),
    *("EchoNumbers", "ReceiveCoilName", "PhotometricInterpretation", "RescaleType", "Units"),
)


@dataclass(frozen=True, slots=True)
class FileHeader:
    """Everything that the later steps know of one file, or of one frame of it.

    A frame has the attributes of its file, with its own ones over them.

    Attributes:
        source: Where it is read from.
        stamp: Its size and time when the header was read.
        header: What `read_header` gives.
        pixels: The element with the pixels, or None.
        frame_wise: The first attribute found that moves rescale or geometry out of the top level.
        may_have_maps: There may be a Modality LUT, or a real-world map of all frames.
        texts: Text by keyword: the metadata allow-list, SeriesDescription, and what was asked for.
        raw: The bytes of what series are told apart by, one character each; empty where absent.
        pixel_representation: As it stands in the file, 2 and above included.
        numbers: EchoTime, RepetitionTime and FlipAngle.
        imager_pixel_spacing: (0018,1164), millimetres between rows, then between columns.
        frame_time: (0018,1063), milliseconds.
        frame_time_vector: (0018,1065), milliseconds from each frame's predecessor.
        padding: PixelPaddingValue and PixelPaddingRangeLimit, their 16 bits without a sign.
        times: What tells images of one place apart.
        form: What the file was divided as.
        frame: Which frame of the file this is; None where the file is not divided.
        tile: Which part of the frame this is.
        stack: What it shares with the other frames of its stack, and with no others.
        slice_time: Of a tile, milliseconds after the first one of its mosaic.
        concatenation: Which part of a divided file this is.
        refused: Why a file of its kind makes no slices.
    """

    source: Source
    stamp: tuple[int, int]
    header: Header
    pixels: Element | None
    frame_wise: str | None
    may_have_maps: bool
    texts: Mapping[str, str]
    raw: Mapping[str, str]
    pixel_representation: int | None
    numbers: tuple[float | None, ...]
    imager_pixel_spacing: tuple[float, ...]
    frame_time: float | None
    frame_time_vector: tuple[float, ...]
    padding: tuple[int | None, int | None]
    times: Times = NO_TIMES
    form: Form = "classic"
    frame: int | None = None
    tile: Tile | None = None
    stack: str = ""
    slice_time: float | None = None
    concatenation: Concatenation | None = None
    refused: DicomError | None = None

    @property
    def order(self) -> tuple[bool, int, bytes, int, int]:
        """What headers are sorted by, where nothing else tells them apart."""
        tile = self.tile.index if self.tile else 0
        return *place_in_order(self.source), self.frame or 0, tile

    @property
    def frames(self) -> int:
        """How many images this is the header of."""
        return self.header.number_of_frames if self.frame is None else 1

    @property
    def path(self) -> str:
        """The file, for errors."""
        return self.source.path

    @property
    def image_type(self) -> tuple[str, ...]:
        """The values of ImageType, for comparisons."""
        return tuple(part.strip(PADDING) for part in self.raw["ImageType"].split("\\"))

    @property
    def slope(self) -> float:
        """RescaleSlope, 1 where absent."""
        return 1.0 if self.header.rescale_slope is None else self.header.rescale_slope

    @property
    def intercept(self) -> float:
        """RescaleIntercept, 0 where absent."""
        return 0.0 if self.header.rescale_intercept is None else self.header.rescale_intercept


def read_file(source: Source, extra: Mapping[str, int] | None = None) -> FileHeader:
    """Read and check one header.

    Args:
        source: The file or bytes.
        extra: The tags of more texts to keep, by name.

    Raises:
        ParseError: The bytes or the values are malformed.
        LimitError: ``limit_rows`` and others.
        OSError: If the file cannot be read.
    """
    return read_with_values(source, extra)[0]


def read_with_values(
    source: Source, extra: Mapping[str, int] | None = None
) -> tuple[FileHeader, Values]:
    """The same, with the elements of the file.

    Raises:
        ParseError: The bytes or the values are malformed.
        LimitError: ``limit_rows`` and others.
        OSError: If the file cannot be read.
    """
    content = read(source)
    values = Values(parse(content.data, source.path), source.path)
    return _file_header(source, content.stamp, values, extra or {}), values


def _file_header(
    source: Source, stamp: tuple[int, int], values: Values, extra: Mapping[str, int]
) -> FileHeader:
    data_set, elements = values.data_set, values.data_set.elements
    pixels = next((elements[tag] for tag in _pixel_tags() if tag in elements), None)
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        table = elements.get(TAGS[keyword])
        if table is not None and table.length != UNDEFINED and table.length % 8:
            msg = f"The offset table has {table.length} bytes, and 8 belong to each frame"
            raise values.error(msg, "invalid_offset_table", keyword)
    names: dict[str, str | int] = {name: name for name in (*METADATA, "SeriesDescription")}
    texts = {name: values.text(tag) for name, tag in {**names, **extra}.items()}
    texts["TransferSyntaxUID"] = data_set.transfer_syntax
    frame_wise = {TAGS[name]: name for name in _FRAME_WISE}
    return FileHeader(
        source=source,
        stamp=stamp,
        pixels=pixels,
        frame_wise=next((frame_wise[tag] for tag in elements if tag in frame_wise), None),
        may_have_maps=any(TAGS[name] in elements for name in _WITH_MAPS),
        texts={name: text for name, text in texts.items() if text is not None},
        raw={name: values.raw(name) for name in _RAW},
        pixel_representation=values.short("PixelRepresentation"),
        numbers=tuple(values.decimal(n) for n in ("EchoTime", "RepetitionTime", "FlipAngle")),
        imager_pixel_spacing=values.decimals("ImagerPixelSpacing", 2),
        frame_time=values.decimal("FrameTime"),
        frame_time_vector=values.decimal_list("FrameTimeVector"),
        padding=(values.short("PixelPaddingValue"), values.short("PixelPaddingRangeLimit")),
        # Where the pixels lie is judged last: a malformed attribute before them comes first.
        header=_header(values, pixels),
    )


def _pixel_tags() -> tuple[int, ...]:
    return TAGS["PixelData"], TAGS["FloatPixelData"], TAGS["DoubleFloatPixelData"]


def _header(values: Values, pixels: Element | None) -> Header:
    allocated = values.short("BitsAllocated")
    stored = values.short("BitsStored")
    high = values.short("HighBit")
    signed = values.short("PixelRepresentation")
    samples = values.short("SamplesPerPixel")
    frames = _number_of_frames(values)
    return Header(
        path=values.path,
        transfer_syntax_uid=values.data_set.transfer_syntax,
        sop_class_uid=values.text("SOPClassUID"),
        sop_instance_uid=values.text("SOPInstanceUID"),
        series_instance_uid=values.text("SeriesInstanceUID"),
        modality=values.text("Modality"),
        image_type=_image_type(values),
        instance_number=values.integer("InstanceNumber"),
        rows=values.short("Rows"),
        columns=values.short("Columns"),
        number_of_frames=frames,
        samples_per_pixel=1 if samples is None else samples,
        photometric_interpretation=values.text("PhotometricInterpretation"),
        planar_configuration=values.short("PlanarConfiguration") or 0,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high is None and stored else high,
        is_signed=None if signed is None else signed == 1,
        image_position_patient=values.decimals("ImagePositionPatient", 3),
        image_orientation_patient=values.decimals("ImageOrientationPatient", 6),
        pixel_spacing=values.decimals("PixelSpacing", 2),
        slice_thickness=values.decimal("SliceThickness"),
        rescale_slope=values.decimal("RescaleSlope"),
        rescale_intercept=values.decimal("RescaleIntercept"),
        rescale_type=values.text("RescaleType"),
        units=values.text("Units"),
        frame_ranges=_frame_ranges(values, pixels, frames) if pixels else (),
    )


def _image_type(values: Values) -> tuple[str, ...]:
    text = values.text("ImageType")
    return tuple(part.strip(" \0") for part in text.split("\\")) if text else ()


def _number_of_frames(values: Values) -> int:
    frames = values.integer("NumberOfFrames")
    if frames is None:
        return 1
    if frames < 1:
        msg = f"NumberOfFrames is {frames}"
        raise values.error(msg, "invalid_value", "NumberOfFrames")
    if frames > _MAX_FRAMES:
        raise _limit(values, "limit_frames", "NumberOfFrames", frames, _MAX_FRAMES)
    return frames


def _frame_ranges(values: Values, pixels: Element, frames: int) -> FrameRanges:
    if values.data_set.transfer_syntax not in NATIVE | ENCAPSULATED:
        return ()  # what is inside is not known
    rows = _side(values, "Rows", "limit_rows")
    columns = _side(values, "Columns", "limit_columns")
    bits = _FLOAT_BITS.get(pixels.tag) or _required(values, "BitsAllocated")
    data_set, path = values.data_set, values.path
    if data_set.transfer_syntax in ENCAPSULATED:
        return encapsulated_ranges(data_set, pixels, frames, path)
    if pixels.length == UNDEFINED:
        msg = "Uncompressed pixel data has an undefined length"
        raise values.error(msg, "invalid_fragments", "PixelData")
    samples = values.short("SamplesPerPixel")
    samples = 1 if samples is None else samples
    if samples == 3 and values.text("PhotometricInterpretation") == "YBR_FULL_422":
        samples = 2  # two pixels share their colour (PS3.3 C.7.6.3.1.2)
    return native_ranges(data_set, pixels, frames, rows * columns * samples * bits, path)


def _required(values: Values, keyword: str) -> int:
    number = values.short(keyword)
    if number is None:
        msg = f"There is pixel data, but no {keyword}"
        raise values.error(msg, "missing_element", keyword)
    return number


def _side(values: Values, keyword: str, limit_code: str) -> int:
    number = _required(values, keyword)
    if number == 0:
        msg = f"{keyword} is 0"
        raise values.error(msg, "invalid_value", keyword)
    if number > _MAX_SIDE:
        raise _limit(values, limit_code, keyword, number, _MAX_SIDE)
    return number


def _limit(values: Values, code: str, keyword: str, number: int, limit: int) -> LimitError:
    element = values.data_set.elements[TAGS[keyword]]
    return LimitError(
        f"{keyword} is {number}, and {limit} is the limit",
        code=code,
        path=values.path,
        element=element_name(keyword),
        offset=element.offset,
    )
