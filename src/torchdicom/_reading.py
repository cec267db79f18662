"""The headers of many files as rows of an index."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from torchdicom import _ext
from torchdicom._columns import packed, rows_of, text_array
from torchdicom._errors import DicomWarning
from torchdicom._metadata import METADATA, PADDING, decode_text, parse_decimal
from torchdicom._schema import METADATA_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from torchdicom._attributes import Attribute


class HeaderReader:
    """Reads the headers of some of the files of a scan at a time."""

    def __init__(
        self, found: Sequence[bytes], include: Sequence[Attribute], num_threads: int
    ) -> None:
        """The scan's files, by full path, and what to read of each."""
        self._found = found
        self._num_threads = num_threads
        self._tags = {name: METADATA[name][0] for name in METADATA_COLUMNS}
        self._tags |= {one.name: one.tag for one in include if one.tag is not None}
        self._malformed: dict[str, list[str]] = {}

    def read(self, files: NDArray[np.int64]) -> pa.Table:
        """The rows of these files, a number into the scan's; "file" says which.

        A file that is in no series has one row, with a code and, where it is a loss, a message.
        """
        paths = [self._found[i] for i in files.tolist()]
        result = _ext.read_rows(
            packed(paths), num_threads=self._num_threads, texts=sorted(set(self._tags.values()))
        )
        columns: dict[str, Any] = result["columns"]
        rows, record = rows_of(columns)
        file = files[result["file"]]
        charsets = text_array(columns["specific_character_set"])
        for name, tag in self._tags.items():
            raw = result["texts"][f"{tag >> 16:04X},{tag & 0xFFFF:04X}"]
            texts = _decoded(raw, charsets)
            is_number = name in METADATA and METADATA[name][1] == "number"
            values = self._numbers(name, texts, file) if is_number else texts
            rows = rows.append_column(name, values.take(pa.array(record)))
        rows = rows.append_column("file", pa.array(file[record]))
        return pa.concat_tables([rows, _others(result, files)], promote_options="default")

    def warn(self) -> None:
        """Say once for each attribute that malformed numbers were left out."""
        for name, paths in self._malformed.items():
            tag = self._tags[name]
            count = "1 file" if len(paths) == 1 else f"{len(paths)} files"
            message = (
                f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {name} is not a decimal number in {count}, "
                f"the first is {paths[0]}; it is left out"
            )
            warnings.warn(message, DicomWarning, stacklevel=3)

    def _numbers(self, name: str, texts: pa.Array, file: NDArray[np.int64]) -> pa.Array:
        words = texts.dictionary_encode()
        numbers = [parse_decimal(word) for word in words.dictionary.to_pylist()]
        values = pa.array(numbers, pa.float64()).take(words.indices)
        for i in np.flatnonzero(
            values.is_null().to_numpy(zero_copy_only=False)
            & texts.is_valid().to_numpy(zero_copy_only=False)
        ):
            path = os.fsdecode(self._found[file[i]])
            self._malformed.setdefault(name, []).append(path)
        return values


def _decoded(raw: Any, charsets: pa.Array) -> pa.Array:
    """Texts as people read them, without padding; null where empty."""
    words = text_array(raw).fill_null("").dictionary_encode()
    sets = charsets.fill_null("").dictionary_encode()
    names = [
        name.encode("latin-1").decode("ascii", "replace") for name in sets.dictionary.to_pylist()
    ]
    values = [word.encode("latin-1") for word in words.dictionary.to_pylist()]
    pairs = _integers(words.indices) * len(names) + _integers(sets.indices)
    unique, inverse = np.unique(pairs, return_inverse=True)
    texts = [
        decode_text(values[pair // len(names)], names[pair % len(names)]).strip(PADDING) or None
        for pair in unique.tolist()
    ]
    return pa.array(texts, pa.string()).take(pa.array(inverse))


def _integers(array: pa.Array) -> NDArray[np.int64]:
    numbers: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return numbers.astype(np.int64)


def _others(result: Any, files: NDArray[np.int64]) -> pa.Table:
    """The rows of files that are in no series."""
    others = result["others"]
    at = np.array([index for index, _, _ in others], np.int64)
    return pa.table(
        {
            "file": pa.array(files[at]),
            "size": pa.array(result["size"][at]),
            "mtime_ns": pa.array(result["mtime_ns"][at]),
            "code": pa.array([code for _, code, _ in others], pa.string()),
            "message": pa.array([message or None for _, _, message in others], pa.string()),
        }
    )
