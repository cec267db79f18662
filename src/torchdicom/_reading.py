"""The headers of many files as rows of an index."""

from __future__ import annotations

import os
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from torchdicom import _ext
from torchdicom._columns import encoded, packed, rows_of, unpacked
from torchdicom._errors import DicomWarning
from torchdicom._metadata import METADATA, PADDING, decode_text, parse_decimal
from torchdicom._policy import Policy
from torchdicom._schema import METADATA_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from torchdicom._attributes import Attribute
    from torchdicom._columns import Words


# What is lost where Ctrl-C ends a scan, and how long a progress bar may stand still.
_MOST_S: Final = 0.5


class Read(NamedTuple):
    """What some files gave.

    Attributes:
        rows: The columns of those that belong to series; "file" is the number of each row's file.
        record: The number of each row's file among these.
        others: A row for each of the others, with a code and, where it is a loss, a message.
    """

    rows: dict[str, pa.Array]
    record: NDArray[np.int64]
    others: pa.Table


class HeaderReader:
    """Reads the headers of some of the files of a scan at a time."""

    def __init__(
        self, found: pa.BinaryArray, include: Sequence[Attribute], num_threads: int
    ) -> None:
        """The scan's files, by full path, and what to read of each."""
        self._found = found
        self._num_threads = num_threads
        self._tags = {name: METADATA[name][0] for name in METADATA_COLUMNS}
        self._tags |= {one.name: one.tag for one in include if one.tag is not None}
        self._headers = _ext.HeaderRows(sorted(set(self._tags.values())))
        self._files = np.empty(0, np.int64)
        self._malformed: dict[str, list[str]] = {}

    def read(self, files: NDArray[np.int64]) -> int:
        """Read the headers of the first of these files, each a number into the scan's.

        Returns:
            How many; not more than a person waits for.
        """
        paths = packed(self._found.take(pa.array(files)))
        count = self._headers.read(paths, num_threads=self._num_threads, most_seconds=_MOST_S)
        self._files = np.append(self._files, files[:count])
        return count

    def group(self) -> list[_ext._Part]:
        """The series of all that was read, under the default policy."""
        return self._headers.group(asdict(Policy()), num_threads=self._num_threads)

    def take(self, order: NDArray[np.int64] | None = None) -> Read:
        """Give all that was read away.

        Args:
            order: The records as they are wanted; None is in the order of their files.
        """
        result = self._headers.take(order)
        core: dict[str, Any] = result["columns"]
        columns, record = rows_of(core)
        file = self._files[result["file"]]
        every = None if len(record) == len(file) else pa.array(record)
        decoder = _Decoder(core["specific_character_set"])
        for name, tag in self._tags.items():
            values = decoder.decoded(result["texts"][f"{tag >> 16:04X},{tag & 0xFFFF:04X}"])
            if name in METADATA and METADATA[name][1] == "number":
                values = self._numbers(name, values, file)
            columns[name] = values if every is None else values.take(every)
        columns["file"] = pa.array(file[record])
        return Read(columns, record, _others(result, self._files))

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

    def _numbers(
        self, name: str, texts: pa.DictionaryArray, file: NDArray[np.int64]
    ) -> pa.DoubleArray:
        numbers = [parse_decimal(word) for word in texts.dictionary.to_pylist()]
        if None in numbers:
            malformed = [number for number, value in enumerate(numbers) if value is None]
            for i in np.flatnonzero(np.isin(texts.indices.fill_null(-1).to_numpy(), malformed)):
                path = os.fsdecode(self._found[file[i]].as_py())
                self._malformed.setdefault(name, []).append(path)
        return pa.array(numbers, pa.float64()).take(texts.indices)


class _Decoder:
    """Texts as people read them, without padding; null where empty."""

    def __init__(self, charsets: Words) -> None:
        """Of some records, the values of SpecificCharacterSet."""
        self._of_record = charsets[0]
        names = [name.decode("ascii", "replace") for name in _words_of(charsets)]
        self._names = [*names, ""]  # the last is that of -1
        self._used = np.unique(self._of_record).tolist()

    def decoded(self, words: Words) -> pa.DictionaryArray:
        """Some words of the same records."""
        number, values = words[0], _words_of(words)
        if len(self._used) == 1:
            name = self._names[self._used[0]]
            return encoded([decode_text(word, name).strip(PADDING) for word in values], number)
        pairs, inverse = np.unique(np.stack([number, self._of_record]), axis=1, return_inverse=True)
        texts = [
            decode_text(values[word], self._names[one]).strip(PADDING) if word >= 0 else None
            for word, one in pairs.T.tolist()
        ]
        return encoded(texts, inverse.reshape(-1))


def _words_of(words: Words) -> list[bytes]:
    return unpacked(words[1:]).to_pylist()  # type: ignore[no-any-return]


def _others(result: Any, files: NDArray[np.int64]) -> pa.Table:
    """The rows of files that are in no series."""
    others = result["others"]
    at = np.array([index for index, _, _ in others], np.int64)
    return pa.table(
        {
            "file": pa.array(files[at]),
            "size": pa.array(result["size"][at]),
            "mtime_ns": pa.array(result["mtime_ns"][at]),
            "code": encoded([code for _, code, _ in others], np.arange(len(others))),
            "message": pa.array([message or None for _, _, message in others], pa.string()),
        }
    )
