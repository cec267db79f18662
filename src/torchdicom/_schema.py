"""The table of an index: its columns, what its header says, and its file.

One row for each frame, sorted by series and slice, and one for each file that has none (skipped,
or no DICOM). The attributes have their DICOM keywords as names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import pyarrow as pa

from torchdicom import _ext
from torchdicom._attributes import Attribute
from torchdicom._errors import ParseError
from torchdicom._metadata import METADATA
from torchdicom._roots import Roots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION: Final = "3"
FRAME_RANGES: Final = "frame_ranges"

# Columns of the core that are attributes, under their keywords; the others keep their names.
TABLE_NAMES: Final[dict[str, str]] = {
    "transfer_syntax_uid": "TransferSyntaxUID",
    "specific_character_set": "SpecificCharacterSet",
    "image_type": "ImageType",
    "sop_class_uid": "SOPClassUID",
    "sop_instance_uid": "SOPInstanceUID",
    "series_instance_uid": "SeriesInstanceUID",
    "modality": "Modality",
    "echo_numbers": "EchoNumbers",
    "receive_coil_name": "ReceiveCoilName",
    "photometric_interpretation": "PhotometricInterpretation",
    "rescale_type": "RescaleType",
    "units": "Units",
    "stack": "StackID",
    "instance_number": "InstanceNumber",
    "number_of_frames": "NumberOfFrames",
    "rows": "Rows",
    "columns": "Columns",
    "samples_per_pixel": "SamplesPerPixel",
    "planar_configuration": "PlanarConfiguration",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "high_bit": "HighBit",
    "pixel_representation": "PixelRepresentation",
    "pixel_padding_value": "PixelPaddingValue",
    "pixel_padding_range_limit": "PixelPaddingRangeLimit",
    "image_position_patient": "ImagePositionPatient",
    "image_orientation_patient": "ImageOrientationPatient",
    "pixel_spacing": "PixelSpacing",
    "imager_pixel_spacing": "ImagerPixelSpacing",
    "slice_thickness": "SliceThickness",
    "rescale_slope": "RescaleSlope",
    "rescale_intercept": "RescaleIntercept",
    "echo_time": "EchoTime",
    "repetition_time": "RepetitionTime",
    "flip_angle": "FlipAngle",
    "frame_time": "FrameTime",
    "frame_time_vector": "FrameTimeVector",
    "temporal_position": "TemporalPositionIdentifier",
    "trigger_time": "TriggerTime",
    "cardiac_phase": "NominalPercentageOfCardiacPhase",
    "diffusion_b_value": "DiffusionBValue",
    "diffusion_gradient": "DiffusionGradientOrientation",
    "frame_reference_time": "FrameReferenceTime",
    "acquisition_number": "AcquisitionNumber",
    "concatenation_uid": "ConcatenationUID",
    "concatenation_total": "InConcatenationTotalNumber",
}

# The allow-list of `_metadata` as far as the core does not have it as columns already.
METADATA_COLUMNS: Final = tuple(name for name in METADATA if name not in TABLE_NAMES.values())

# Texts that few rows differ in are numbers into a dictionary: small in memory, quick to open.
WORD: Final = pa.dictionary(pa.int32(), pa.string())
# Parquet's own name for what a list holds.
INTEGERS: Final = pa.list_(pa.field("element", pa.int64()))
NUMBERS: Final = pa.list_(pa.field("element", pa.float64()))
RANGE_LIST: Final = pa.list_(
    pa.field("element", pa.struct([("offset", pa.int64()), ("length", pa.int64())]))
)
_CORE_TYPES: Final = {
    "int64": pa.int64(),
    "bool": pa.bool_(),
    "int64?": pa.int64(),
    "float64?": pa.float64(),
    "text": pa.string(),
    "word": WORD,
    "list<int64>": INTEGERS,
    "list<float64>": NUMBERS,
}
_LEADING: Final = (
    pa.field("series_key", WORD),  # null where the file is in no series
    pa.field("kind", WORD),
    pa.field("position", pa.int32()),  # of the slice in its series, -1 where it was set aside
    pa.field("frame", pa.int32()),  # 0-based, in its file
    pa.field("root", pa.int32()),
    pa.field("path", pa.binary()),  # relative to the root, as the file system has it
    pa.field("size", pa.int64()),  # -1 where it is not known
    pa.field("mtime_ns", pa.int64()),
    pa.field("code", WORD),  # why the file is in no series
    pa.field("message", pa.string()),  # null where the file is no loss
)
# Of the whole series: but for series_ok, only the first of its rows has them.
_TRAILING: Final = (
    pa.field("series_ok", pa.bool_()),
    pa.field("num_times", pa.int32()),  # length of the axis t, 1 where there is none
    pa.field("affine", NUMBERS),  # steps along z, y, x and the origin; millimetres, LPS
    pa.field("spacing_mm", NUMBERS),  # z, y, x
    pa.field("spacing_source", WORD),
    pa.field("defects", pa.string()),  # JSON, see _grouping
)
SERIES_COLUMNS: Final = ("series_key", "kind", "position", *(field.name for field in _TRAILING))
# Columns of the core that stand in front, or that the table has frame by frame.
_ELSEWHERE: Final = frozenset(
    {
        *("path", "size", "mtime_ns", "first_frame"),
        *("ranges_per_frame", "range_offset", "range_length"),
    }
)
# Between those: the core's columns, the frames' places, then metadata that every scan keeps.
_FROM_FILES: Final = (
    *(
        pa.field(TABLE_NAMES.get(name, name), _CORE_TYPES[kind])
        for name, kind in _ext.core_columns()
        if name not in _ELSEWHERE
    ),
    pa.field(FRAME_RANGES, RANGE_LIST),
    *(
        pa.field(name, pa.float64() if METADATA[name][1] == "number" else WORD)
        for name in METADATA_COLUMNS
    ),
)

_VERSION_KEY: Final = b"torchdicom.version"
_HEADER_KEY: Final = b"torchdicom.header"


@dataclass(frozen=True, slots=True)
class Header:
    """What an index knows besides its rows.

    Attributes:
        roots: The folders that its paths are relative to.
        include: What `include_metadata` named.
        is_complete: False where the scan was interrupted.
        is_whole: False where `filter` left series out.
        saved_as: A name for the saved state, "" where there is none.
    """

    roots: Roots
    include: tuple[Attribute, ...] = ()
    is_complete: bool = True
    is_whole: bool = True
    saved_as: str = ""

    def to_metadata(self) -> dict[bytes, bytes]:
        """The metadata of the Arrow schema."""
        header = {
            "roots": self.roots.to_plain(),
            "include": self.include,
            "is_complete": self.is_complete,
            "is_whole": self.is_whole,
            "saved_as": self.saved_as,
        }
        return {_VERSION_KEY: VERSION.encode(), _HEADER_KEY: json.dumps(header).encode()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes]) -> Header:
        """What `to_metadata` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        stored = json.loads(metadata[_HEADER_KEY])
        return cls(
            roots=Roots.from_plain(stored["roots"]),
            include=tuple(Attribute(str(name), tag) for name, tag in stored["include"]),
            is_complete=bool(stored["is_complete"]),
            is_whole=bool(stored["is_whole"]),
            saved_as=str(stored["saved_as"]),
        )


def schema_of(include: Sequence[Attribute]) -> pa.Schema:
    """The columns of an index in their order."""
    named = [pa.field(one.name, WORD) for one in include if one.tag is not None]
    return pa.schema([*_LEADING, *_FROM_FILES, *named, *_TRAILING])


def conform(rows: pa.Table, header: Header) -> pa.Table:
    """The rows with the columns of the schema and no others; what is not there is null."""
    schema = schema_of(header.include)
    columns = [_conform_column(rows, field) for field in schema]
    return pa.table(columns, schema=schema.with_metadata(header.to_metadata()))


def _conform_column(rows: pa.Table, field: pa.Field) -> pa.Array:
    at = rows.schema.get_field_index(field.name)
    if at < 0:
        return pa.nulls(len(rows), field.type)
    column = rows.column(at)
    return column if column.type == field.type else column.cast(field.type)


def with_header(table: pa.Table, header: Header) -> pa.Table:
    """The same rows under another header."""
    return table.replace_schema_metadata(header.to_metadata())


def header_of(schema: pa.Schema, path: str | None = None) -> Header:
    """What the header of a table says; `path` is for the error.

    Raises:
        ParseError: If it is no index (``invalid_index``), or one of a version that is not read
            (``index_version``).
    """
    metadata = schema.metadata or {}
    version = metadata.get(_VERSION_KEY, b"").decode("latin-1")
    if not version:
        fail_invalid("This is not an index of torchdicom", path)
    if version != VERSION:
        msg = (
            f"The index is of version {version}, and this torchdicom reads version {VERSION}. "
            "Scan the files again, into a new file"
        )
        raise ParseError(msg, code="index_version", path=path)
    try:
        header = Header.from_metadata(metadata)
    except (ValueError, KeyError, TypeError) as error:
        fail_invalid(f"The index is damaged: its header can't be read ({error!r})", path)
    expected = schema_of(header.include)
    if not expected.equals(schema):
        stored = set(schema)
        differ = ", ".join(repr(field.name) for field in expected if field not in stored)
        fail_invalid(f"The index is damaged: columns are not as a scan has them ({differ})", path)
    return header


def fail_invalid(what: str, path: str | None) -> NoReturn:
    """Raise ParseError ``invalid_index``."""
    msg = f"{what}. Scan the files again, into a new file"
    raise ParseError(msg, code="invalid_index", path=path)
