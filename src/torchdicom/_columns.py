"""The core's columns, a record a file, as Arrow rows, one a frame; and back, exactly.

The core hands out and takes NumPy arrays in four forms (`_ext.core_columns` names each column and
its type): plain ones, ``(values, valid)`` for numbers that a file may lack, and ``(offsets,
values)`` for texts and lists.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from torchdicom import _ext
from torchdicom._errors import ParseError
from torchdicom._schema import FRAME_RANGES, INTEGERS, NUMBERS, RANGE_LIST, TABLE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from torchdicom._roots import Roots

    Integers = NDArray[np.int64]
    # Offsets, one more than there are texts or lists; and what they hold, one after the other.
    Texts = tuple[Integers, NDArray[np.uint8]]
    Lists = tuple[Integers, NDArray[Any]]
    Core = dict[str, Any]

# The core has these once a file: the table has the ranges of each frame.
_RANGES: Final = ("ranges_per_frame", "range_offset", "range_length")
# As long as the file has frames, so that the row of the first frame alone has it.
_FIRST_FRAME_ONLY: Final = frozenset({"frame_time_vector"})


def packed(texts: Sequence[bytes]) -> Texts:
    """Byte strings in the form of the core."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return ends_of(lengths), np.frombuffer(b"".join(texts), np.uint8)


def unpacked(column: Texts) -> list[bytes]:
    """The byte strings that `packed` packs."""
    offsets, values = column
    data, ends = values.tobytes(), offsets.tolist()
    return [data[start:end] for start, end in itertools.pairwise(ends)]


def full_paths(rows: pa.Table, roots: Roots) -> list[bytes]:
    """The full path of each row's file. Raises ParseError ``invalid_index``."""
    prefixes = roots.prefixes()
    number, path = _numbers(_column(rows, "root"), "root"), _column(rows, "path")
    if path.null_count:
        _fail("path", "a value is not there")
    if len(number) and not 0 <= number.min() <= number.max() < len(prefixes):
        _fail("root", "a folder is not one of the scan")
    pairs = zip(number.tolist(), path.to_pylist(), strict=True)
    return [prefixes[root] + relative for root, relative in pairs]


def ends_of(lengths: NDArray[Any]) -> Integers:
    """The offsets of parts that follow each other: 0, then the end of each."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def rows_of(core: Core) -> tuple[pa.Table, Integers]:
    """A row for every frame, and the number of the record that it comes from.

    The columns have the names of the table, are not dictionary-encoded, and lack the path.
    """
    frames = np.diff(core["ranges_per_frame"][0])
    counts = np.maximum(frames, 1)  # where the frames are not known there is a row all the same
    record = np.repeat(np.arange(len(counts)), counts)
    frame = np.arange(len(record)) - ends_of(counts)[record]
    every, first = pa.array(record), pa.array(record, mask=frame != 0)
    columns = {"frame": pa.array(frame.astype(np.int32))}
    for name, kind in _ext.core_columns():
        if name == "path" or name in _RANGES:
            continue
        array = _TO_ARROW[kind](core[name])
        if len(record) != len(counts):
            array = array.take(first if name in _FIRST_FRAME_ONLY else every)
        columns[TABLE_NAMES.get(name, name)] = array
    columns[FRAME_RANGES] = _frame_ranges(core, frames)
    return pa.table(columns), record


def core_of(rows: pa.Table, paths: Sequence[bytes]) -> Core:
    """The records of rows that stand file by file, and frame by frame in each file.

    Args:
        rows: The rows of whole files.
        paths: The full path of each row's file.

    Raises:
        ParseError: If frames are not there, or values that no scan leaves out (``invalid_index``).
    """
    frame = _numbers(_column(rows, "frame"), "frame")
    starts = np.flatnonzero(frame == 0)
    counts = np.diff(np.append(starts, len(frame)))
    first = np.repeat(starts, counts)
    if len(first) != len(frame) or not np.array_equal(frame, np.arange(len(frame)) - first):
        _fail("frame", "frames of a file are not there")
    core: Core = {"path": packed([paths[i] for i in starts.tolist()])}
    records = rows if len(starts) == len(frame) else rows.take(pa.array(starts))
    for name, kind in _ext.core_columns():
        if name == "path" or name in _RANGES:
            continue
        table_name = TABLE_NAMES.get(name, name)
        core[name] = _FROM_ARROW[kind](_column(records, table_name), table_name)
    return core | _core_ranges(_column(rows, FRAME_RANGES), starts)


def text_array(column: Texts) -> pa.Array:
    """Texts of the core as strings, a character for each byte; null where empty."""
    offsets, data = column
    used = data[offsets[0] : offsets[-1]]
    if used.size and used.max() >= 0x80:
        texts = [text.decode("latin-1") for text in unpacked(column)]
        array = pa.array(texts, pa.string())
    else:
        starts = pa.py_buffer((offsets - offsets[0]).astype(np.int32))
        buffer = pa.py_buffer(np.ascontiguousarray(used))
        array = pa.StringArray.from_buffers(len(offsets) - 1, starts, buffer)
    return pc.if_else(pc.equal(pc.binary_length(array), 0), pa.scalar(None, pa.string()), array)


def _list_array(column: Lists) -> pa.Array:
    """Lists, null where empty."""
    offsets, values = column
    kind = INTEGERS if values.dtype == np.int64 else NUMBERS
    starts = pa.array((offsets - offsets[0]).astype(np.int32))
    empty = pa.array(np.diff(offsets) == 0)
    return pa.ListArray.from_arrays(starts, pa.array(_values(column)), type=kind, mask=empty)


def _values(column: Lists) -> NDArray[Any]:
    offsets, values = column
    return values[offsets[0] : offsets[-1]]


def _optional_array(column: tuple[NDArray[Any], NDArray[np.bool_]]) -> pa.Array:
    values, valid = column
    return pa.array(values, mask=~valid)


_TO_ARROW: Final[dict[str, Callable[[Any], pa.Array]]] = {
    "int64": pa.array,
    "bool": pa.array,
    "int64?": _optional_array,
    "float64?": _optional_array,
    "text": text_array,
    "list<int64>": _list_array,
    "list<float64>": _list_array,
}


def _frame_ranges(core: Core, frames: Integers) -> pa.Array:
    """For each row the byte ranges of its frame; `frames` are how many each file has.

    Null where a file has none, as in a transfer syntax whose frames are not looked for.
    """
    known = _values(core["ranges_per_frame"])
    without = ends_of(frames)[np.flatnonzero(frames == 0)]
    lengths = np.insert(known, without, 0)
    unknown = np.insert(np.zeros(len(known), np.bool_), without, True)
    ranges = [pa.array(_values(core[name])) for name in ("range_offset", "range_length")]
    starts = pa.array(ends_of(lengths).astype(np.int32))
    return pa.ListArray.from_arrays(
        starts,
        pa.StructArray.from_arrays(ranges, ["offset", "length"]),
        type=RANGE_LIST,
        mask=pa.array(unknown),
    )


def _core_ranges(ranges: pa.Array, starts: Integers) -> Core:
    """The frame tables of the records; `starts` are the rows of their first frames."""
    is_known = ranges.is_valid().to_numpy(zero_copy_only=False)
    lengths = _lengths(ranges)[is_known]
    offset, length = ranges.flatten().flatten()
    frames = ends_of(is_known)[np.append(starts, len(is_known))]
    ends = ends_of(lengths)[frames]
    return {
        "ranges_per_frame": (frames, lengths),
        "range_offset": (ends, _numbers(offset, FRAME_RANGES)),
        "range_length": (ends, _numbers(length, FRAME_RANGES)),
    }


def _column(rows: pa.Table, name: str) -> pa.Array:
    """A column in one piece, and not dictionary-encoded."""
    column = rows.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _numbers(array: pa.Array, name: str) -> NDArray[Any]:
    if array.null_count:
        _fail(name, "a value is not there")
    return np.ascontiguousarray(array.to_numpy(zero_copy_only=False))


def _optional_numbers(array: pa.Array, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    return _numbers(array.fill_null(0), name), valid


def _texts(array: pa.Array, name: str) -> Texts:
    filled = array.fill_null("")
    _, starts, data = filled.buffers()
    if len(filled) == 0 or data is None:
        return packed([b""] * len(filled))
    offsets = np.frombuffer(starts, np.int32, len(filled) + 1, 4 * filled.offset).astype(np.int64)
    values = np.frombuffer(data, np.uint8)
    used = values[offsets[0] : offsets[-1]]
    if not used.size or used.max() < 0x80:
        return offsets, values
    try:
        return packed([text.encode("latin-1") for text in filled.to_pylist()])
    except UnicodeEncodeError:
        _fail(name, "a text has characters that no scan writes")


def _lists(array: pa.Array, name: str) -> Lists:
    return ends_of(_lengths(array)), _numbers(array.flatten(), name)


def _lengths(array: pa.Array) -> Integers:
    lengths: NDArray[Any] = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64)


_FROM_ARROW: Final[dict[str, Callable[[pa.Array, str], Any]]] = {
    "int64": _numbers,
    "bool": _numbers,
    "int64?": _optional_numbers,
    "float64?": _optional_numbers,
    "text": _texts,
    "list<int64>": _lists,
    "list<float64>": _lists,
}


def _fail(column: str, what: str) -> NoReturn:
    msg = f"The index is damaged: in its column {column!r} {what}. Scan the files again"
    raise ParseError(msg, code="invalid_index", element=column)
