"""Where the files of an index lie: paths are kept relative to what the scan was given."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Root(NamedTuple):
    """A folder of a scan.

    Attributes:
        path: Absolute; bytes that are no UTF-8 as `os.fsdecode` has them.
        is_walked: False where only files in it were named, and not the folder itself.
    """

    path: str
    is_walked: bool


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders of a scan in the order in which they were named.

    Attributes:
        base: The folder that all of them lie in; relocating an index changes it alone.
        entries: The folders, absolute.
    """

    base: str
    entries: tuple[Root, ...]

    @classmethod
    def of(cls, named: Iterable[str]) -> Roots:
        """The roots of absolute paths, folders or files."""
        entries = dict.fromkeys(
            Root(path, is_walked=True)
            if is_folder(path)
            else Root(str(Path(path).parent), is_walked=False)
            for path in named
        )
        base = os.path.commonpath([root.path for root in entries]) if entries else os.sep
        return cls(base, tuple(entries))

    def prefixes(self) -> list[bytes]:
        """What stands in front of the relative path of a file, for each root."""
        return [_prefix(root.path) for root in self.entries]

    def at(self, base: str) -> Roots:
        """The same folders in another place."""
        entries = (
            root._replace(path=str(Path(base) / Path(root.path).relative_to(self.base)))
            for root in self.entries
        )
        return Roots(base, tuple(entries))

    def to_plain(self) -> dict[str, object]:
        """As JSON has it, the folders relative to the base."""
        rows = [
            [str(Path(root.path).relative_to(self.base)), root.is_walked] for root in self.entries
        ]
        return {"base": self.base, "entries": rows}

    @classmethod
    def from_plain(cls, stored: dict[str, Any]) -> Roots:
        """What `to_plain` gave. Raises ValueError, KeyError or TypeError for anything else."""
        base = str(stored["base"])
        entries = (
            Root(str(Path(base) / path), is_walked=bool(walked))
            for path, walked in stored["entries"]
        )
        return cls(base, tuple(entries))


class Locator:
    """Finds the root of each file of a scan."""

    def __init__(self, roots: Roots, named_files: Sequence[str]) -> None:
        """Remember which files were named: those belong to the folder that they stand in."""
        numbers = {root: number for number, root in enumerate(roots.entries)}
        self._prefixes = roots.prefixes()
        self._named = {
            os.fsencode(path): numbers[Root(str(Path(path).parent), is_walked=False)]
            for path in named_files
        }
        # By folder, and filled in with the folders below them as they are met.
        self._by_folder = {
            _prefix(root.path): number for root, number in numbers.items() if root.is_walked
        }

    @property
    def has_one_folder(self) -> bool:
        """Whether all files lie in a single folder that was walked, or below."""
        return len(self._prefixes) == 1 and not self._named

    def is_named(self, path: bytes) -> bool:
        """Whether the file itself was named, so that it has to be DICOM."""
        return path in self._named

    def locate_all(self, paths: pa.BinaryArray) -> tuple[pa.Array, pa.BinaryArray]:
        """The same of many, as columns."""
        if self.has_one_folder:
            relative = pc.binary_replace_slice(paths, 0, len(self._prefixes[0]), b"")
            is_root = pc.equal(pc.binary_length(relative), 0)
            root = pa.array(np.zeros(len(paths), np.int32))
            return root, pc.if_else(is_root, pa.scalar(b".", pa.binary()), relative)
        located = [self.locate(path) for path in paths.to_pylist()]
        root = pa.array([root for root, _ in located], pa.int32())
        return root, pa.array([path for _, path in located], pa.binary())

    def locate(self, path: bytes) -> tuple[int, bytes]:
        """The number of the root, and the path relative to it; "." for the root itself."""
        number = self._named.get(path)
        if number is None:
            number = self._of_folder(path[: path.rfind(b"/") + 1], path)
        return number, path[len(self._prefixes[number]) :] or b"."

    def _of_folder(self, folder: bytes, path: bytes) -> int:
        number = self._by_folder.get(folder)
        if number is None and path + b"/" in self._by_folder:
            return self._by_folder[path + b"/"]  # the root itself
        if number is None and not folder:
            msg = f"{path!r} lies in none of the folders of the scan"
            raise RuntimeError(msg)
        if number is None:
            above = folder[:-1]
            number = self._of_folder(above[: above.rfind(b"/") + 1], above)
            self._by_folder[folder] = number
        return number


def is_folder(path: str) -> bool:
    """Whether a folder is there, as far as that can be seen."""
    try:
        return Path(path).is_dir()
    except OSError:  # no rights to look
        return False


def absolute(path: object, name: str) -> str:
    """A path in the form that indexes keep; `name` is what the argument is called.

    Raises:
        TypeError: If it is no path.
    """
    if not isinstance(path, (str, os.PathLike)):
        msg = f"{name} must be a path, not {type(path).__name__}"
        raise TypeError(msg)
    # Not `resolve`: links keep their names; and ".." stays, since a link may stand before it.
    return str(Path(os.fsdecode(path)).absolute())


def _prefix(folder: str) -> bytes:
    encoded = os.fsencode(folder)
    return encoded if encoded.endswith(b"/") else encoded + b"/"
