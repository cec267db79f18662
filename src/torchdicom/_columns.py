"""The core's columns, a record a file, as Arrow rows, one a frame; and back, exactly.

The core hands out and takes NumPy arrays in five forms (`_ext.core_columns` names each column and
its type): plain ones, ``(values, valid)`` for numbers that a file may lack, ``(offsets, values)``
for texts and lists, and ``(numbers, offsets, values)`` for words, which are texts that few records
differ in: those are dictionary-encoded in the table too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from torchdicom import _ext
from torchdicom._errors import ParseError
from torchdicom._schema import FRAME_RANGES, INTEGERS, NUMBERS, RANGE_LIST, TABLE_NAMES, WORD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from torchdicom._roots import Roots

    Integers = NDArray[np.int64]
    # Offsets, one more than there are texts or lists; and what they hold, one after the other.
    Texts = tuple[Integers, NDArray[np.uint8]]
    Lists = tuple[Integers, NDArray[Any]]
    # The number of each record's word, -1 where it has none; and the words.
    Words = tuple[NDArray[np.int32], Integers, NDArray[np.uint8]]
    Core = dict[str, Any]

# The core has these once a file: the table has the ranges of each frame.
_RANGES: Final = ("ranges_per_frame", "range_offset", "range_length")
# Others that the table has in a form of its own: full paths, and the number of every frame.
_OWN_FORM: Final = frozenset({"path", "first_frame", *_RANGES})
# As long as the file has frames, so that the row of the first frame alone has it.
_FIRST_FRAME_ONLY: Final = frozenset({"frame_time_vector"})


def packed(texts: pa.Array) -> Texts:
    """Byte strings, or strings of ASCII, in the form of the core; none may be null."""
    _, starts, data = texts.buffers()
    if data is None:
        return np.zeros(len(texts) + 1, np.int64), np.empty(0, np.uint8)
    offsets = np.frombuffer(starts, np.int32, len(texts) + 1, 4 * texts.offset)
    return offsets.astype(np.int64), np.frombuffer(data, np.uint8)


def unpacked(column: Texts) -> pa.BinaryArray:
    """The byte strings that `packed` packs."""
    offsets, values = column
    used = np.ascontiguousarray(values[offsets[0] : offsets[-1]])
    starts = pa.py_buffer((offsets - offsets[0]).astype(np.int32))
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, starts, pa.py_buffer(used)])


def full_paths(rows: pa.Table, roots: Roots) -> pa.BinaryArray:
    """The full path of each row's file. Raises ParseError ``invalid_index``."""
    prefixes = roots.prefixes()
    number, path = _numbers(_column(rows, "root"), "root"), _column(rows, "path")
    if path.null_count:
        _fail("path", "a value is not there")
    if len(number) and not 0 <= number.min() <= number.max() < len(prefixes):
        _fail("root", "a folder is not one of the scan")
    prefix = pa.scalar(prefixes[0])
    if len(prefixes) > 1:
        prefix = pa.array(prefixes, pa.binary()).take(pa.array(number))
    return pc.binary_join_element_wise(prefix, path, pa.scalar(b"", pa.binary()))


def ends_of(lengths: NDArray[Any]) -> Integers:
    """The offsets of parts that follow each other: 0, then the end of each."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def rows_of(core: Core) -> tuple[dict[str, pa.Array], Integers]:
    """The columns of a row for every frame, and the number of the record that it comes from.

    They have the names of the table, and lack the path.
    """
    frames = np.diff(core["ranges_per_frame"][0])
    counts = np.maximum(frames, 1)  # where the frames are not known there is a row all the same
    record = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(record)) - ends_of(counts)[record]
    is_one_each = len(record) == len(counts)
    if not is_one_each:
        every, first = pa.array(record), pa.array(record, mask=within != 0)
    frame = core["first_frame"][record] + within
    columns = {"frame": pa.array(frame.astype(np.int32))}
    for name, kind in _ext.core_columns():
        if name in _OWN_FORM:
            continue
        array = _TO_ARROW[kind](core[name])
        if not is_one_each:
            array = array.take(first if name in _FIRST_FRAME_ONLY else every)
        columns[TABLE_NAMES.get(name, name)] = array
    columns[FRAME_RANGES] = _frame_ranges(core, frames)
    return columns, record


def core_of(rows: pa.Table, paths: pa.BinaryArray) -> Core:
    """The records of rows that stand file by file, and frame by frame in each file.

    Args:
        rows: The rows of whole files.
        paths: The full path of each row's file.

    Raises:
        ParseError: If frames are not there, or values that no scan leaves out (``invalid_index``).
    """
    frame = _numbers(_column(rows, "frame"), "frame")
    starts = np.flatnonzero(are_starts(rows))
    counts = np.diff(np.append(starts, len(frame)))
    first = np.repeat(starts, counts)
    if len(first) != len(frame) or not np.array_equal(
        frame - frame[first], np.arange(len(frame)) - first
    ):
        _fail("frame", "frames of a file are not there")
    records = rows
    if len(starts) != len(frame):
        records, paths = rows.take(pa.array(starts)), paths.take(pa.array(starts))
    core: Core = {"path": packed(paths), "first_frame": frame[starts].astype(np.int64)}
    for name, kind in _ext.core_columns():
        if name in _OWN_FORM:
            continue
        table_name = TABLE_NAMES.get(name, name)
        core[name] = _FROM_ARROW[kind](_column(records, table_name), table_name)
    return core | _core_ranges(_column(rows, FRAME_RANGES), starts)


def are_starts(rows: pa.Table) -> NDArray[np.bool_]:
    """Whether each row is the first of a record: a slice of its own, or frame 0 of a whole file."""
    is_frame = _numbers(_column(rows, "is_frame"), "is_frame")
    starts: NDArray[np.bool_] = is_frame | (_numbers(_column(rows, "frame"), "frame") == 0)
    return starts


def word_array(column: Words) -> pa.DictionaryArray:
    """Words of the core as strings, a character for each byte; null where there is none."""
    number, offsets, values = column
    if not values.size:
        return pa.nulls(len(number), WORD)
    indices = pa.array(number, mask=number < 0)
    return pa.DictionaryArray.from_arrays(indices, _strings((offsets, values)))


def encoded(words: Sequence[str | None], number: NDArray[Any]) -> pa.DictionaryArray:
    """For each number its word, and null for -1 and for a word that is None or empty.

    Args:
        words: Not all different.
        number: Indices into them.
    """
    if not any(words):
        return pa.nulls(len(number), WORD)
    known: dict[str, int] = {}
    found = [known.setdefault(word, len(known)) if word else -1 for word in words]
    indices = np.array([*found, -1], np.int32)[number]  # the last is that of -1
    values = pa.array(list(known), pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=indices < 0), values)


def _text_array(column: Texts) -> pa.Array:
    """Texts of the core as strings; null where empty."""
    empty = pa.array(np.diff(column[0]) == 0)
    return pc.if_else(empty, pa.scalar(None, pa.string()), _strings(column))


def _strings(column: Texts) -> pa.StringArray:
    array = unpacked(column)
    if column[1].size and column[1].max() >= 0x80:
        return pa.array([text.decode("latin-1") for text in array.to_pylist()], pa.string())
    return array.view(pa.string())


def _list_array(column: Lists) -> pa.Array:
    """Lists, null where empty."""
    offsets, values = column
    kind = INTEGERS if values.dtype == np.int64 else NUMBERS
    if offsets[0] == offsets[-1]:
        return pa.nulls(len(offsets) - 1, kind)
    starts = pa.array((offsets - offsets[0]).astype(np.int32))
    empty = pa.array(np.diff(offsets) == 0)
    return pa.ListArray.from_arrays(starts, pa.array(_values(column)), type=kind, mask=empty)


def _values(column: Lists) -> NDArray[Any]:
    offsets, values = column
    return values[offsets[0] : offsets[-1]]


def _optional_array(column: tuple[NDArray[Any], NDArray[np.bool_]]) -> pa.Array:
    values, valid = column
    return pa.array(values) if valid.all() else pa.array(values, mask=~valid)


_TO_ARROW: Final[dict[str, Callable[[Any], pa.Array]]] = {
    "int64": pa.array,
    "bool": pa.array,
    "int64?": _optional_array,
    "float64?": _optional_array,
    "text": _text_array,
    "word": word_array,
    "list<int64>": _list_array,
    "list<float64>": _list_array,
}


def _frame_ranges(core: Core, frames: Integers) -> pa.Array:
    """For each row the byte ranges of its frame; `frames` are how many each file has.

    Null where a file has none, as in a transfer syntax whose frames are not looked for.
    """
    known = _values(core["ranges_per_frame"])
    lengths, unknown = known, None
    if len(none := np.flatnonzero(frames == 0)):
        without = ends_of(frames)[none]
        lengths = np.insert(known, without, 0)
        unknown = pa.array(np.insert(np.zeros(len(known), np.bool_), without, True))
    ranges = [pa.array(_values(core[name])) for name in ("range_offset", "range_length")]
    starts = pa.array(ends_of(lengths).astype(np.int32))
    return pa.ListArray.from_arrays(
        starts,
        pa.StructArray.from_arrays(ranges, ["offset", "length"]),
        type=RANGE_LIST,
        mask=unknown,
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
    """A column in one piece."""
    return in_one_piece(rows.column(name))


def in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    """The same values, and where they are dictionary-encoded, in one dictionary."""
    if column.num_chunks == 1:
        return column.chunk(0)
    filled = [chunk for chunk in column.chunks if len(chunk)]
    if len(filled) == 1:
        return filled[0]
    return column.unify_dictionaries().combine_chunks()


def numbers_of(rows: pa.Table, name: str, missing: int) -> NDArray[Any]:
    """A column of numbers, `missing` where null."""
    return rows.column(name).fill_null(missing).to_numpy()  # type: ignore[no-any-return]


def without_unused(rows: pa.Table) -> pa.Table:
    """The same rows, whose dictionaries have no words that no row has."""
    columns = [
        _without_unused(in_one_piece(column)) if pa.types.is_dictionary(column.type) else column
        for column in rows.columns
    ]
    return pa.table(columns, schema=rows.schema)


def _without_unused(array: pa.DictionaryArray) -> pa.DictionaryArray:
    number = array.indices.fill_null(-1).to_numpy()
    used = np.zeros(len(array.dictionary) + 1, np.bool_)
    used[number] = True  # the last is that of -1
    if used[:-1].all():
        return array
    indices = (np.cumsum(used[:-1], dtype=np.int32) - 1)[number]
    words = array.dictionary.filter(pa.array(used[:-1]))
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=number < 0), words)


def _numbers(array: pa.Array, name: str) -> NDArray[Any]:
    if array.null_count:
        _fail(name, "a value is not there")
    return np.ascontiguousarray(array.to_numpy(zero_copy_only=False))


def _optional_numbers(array: pa.Array, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    if not array.null_count:
        return _numbers(array, name), np.ones(len(array), np.bool_)
    if array.null_count == len(array):
        return np.zeros(len(array), array.type.to_pandas_dtype()), np.zeros(len(array), np.bool_)
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    return _numbers(array.fill_null(0), name), valid


def _texts(array: pa.Array, name: str) -> Texts:
    filled = array.fill_null("") if array.null_count else array
    offsets, values = packed(filled)
    used = values[offsets[0] : offsets[-1]]
    if not used.size or used.max() < 0x80:
        return offsets, values
    try:
        texts = [text.encode("latin-1") for text in filled.to_pylist()]
    except UnicodeEncodeError:
        _fail(name, "a text has characters that no scan writes")
    return packed(pa.array(texts, pa.binary()))


def _words(array: pa.DictionaryArray, name: str) -> Words:
    indices = array.indices.fill_null(-1) if array.null_count else array.indices
    return np.ascontiguousarray(indices.to_numpy()), *_texts(array.dictionary, name)


def _lists(array: pa.Array, name: str) -> Lists:
    if array.null_count == len(array):
        values = np.empty(0, array.type.value_type.to_pandas_dtype())
        return np.zeros(len(array) + 1, np.int64), values
    return ends_of(_lengths(array)), _numbers(array.flatten(), name)


def _lengths(array: pa.Array) -> Integers:
    lengths = pc.list_value_length(array)
    if array.null_count:
        lengths = lengths.fill_null(0)
    return lengths.to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]


_FROM_ARROW: Final[dict[str, Callable[[pa.Array, str], Any]]] = {
    "int64": _numbers,
    "bool": _numbers,
    "int64?": _optional_numbers,
    "float64?": _optional_numbers,
    "text": _texts,
    "word": _words,
    "list<int64>": _lists,
    "list<float64>": _lists,
}


def _fail(column: str, what: str) -> NoReturn:
    msg = f"The index is damaged: in its column {column!r} {what}. Scan the files again"
    raise ParseError(msg, code="invalid_index", element=column)
