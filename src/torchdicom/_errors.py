"""The errors of torchdicom: what happened, where, and what to do about it."""

from __future__ import annotations

import os
from typing import NoReturn


class DicomError(ValueError):
    """Base class of every error about the content of DICOM files.

    Attributes:
        code: A stable word for what happened, such as ``"missing_slices"``; None where the error
            was made from text alone.
        path: The file, or None.
        element: The attribute, such as ``"(0028,0010) Rows"``, or None.
        offset: The byte offset in the file, in the inflated data set where it is deflated, or
            None.

    Example:
        >>> error = ParseError("Rows is 0", code="invalid_value", path="a.dcm")
        >>> str(error)
        'Rows is 0 [invalid_value] - at a.dcm'
        >>> error.code
        'invalid_value'
    """

    def __init__(
        self,
        text: str,
        *,
        code: str | None = None,
        path: str | None = None,
        element: str | None = None,
        offset: int | None = None,
    ) -> None:
        # A DataLoader re-raises a worker's error as `type(error)(text)`, so text alone must do.
        super().__init__(text)
        self.code = code
        self.path = path
        self.element = element
        self.offset = offset

    def __str__(self) -> str:
        """The text, then the code, then the place as far as it is known."""
        text = str(self.args[0])
        if self.code is not None:
            text += f" [{self.code}]"
        place = self.element or ""
        if self.offset is not None:
            place += f"{', ' if place else ''}byte {self.offset}"
        if self.path is not None:
            place += f"{' of ' if place else ''}{self.path}"
        return f"{text} - at {place}" if place else text

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the attributes, so that a process boundary loses nothing."""
        return _rebuild, (type(self), self.args[0], self.code, self.path, self.element, self.offset)


def _rebuild(
    kind: type[DicomError],
    text: str,
    code: str | None,
    path: str | None,
    element: str | None,
    offset: int | None,
) -> DicomError:
    return kind(text, code=code, path=path, element=element, offset=offset)


class ParseError(DicomError):
    """The bytes break PS3.5 or PS3.10, or the value of an attribute is malformed."""


class UnsupportedError(DicomError):
    """Legal DICOM that this version does not read."""


class DecodeError(DicomError):
    """A frame's codestream is broken, or contradicts the header."""


class SeriesError(DicomError):
    """The files do not make exactly one sound volume."""


class LimitError(DicomError):
    """Larger than a limit that protects the process, or than the requested dtype."""


class DicomWarning(UserWarning):
    """Something in a file is odd; the result is right all the same."""


_CLASSES: dict[str, type[DicomError]] = {
    "parse": ParseError,
    "unsupported": UnsupportedError,
    "decode": DecodeError,
    "series": SeriesError,
    "limit": LimitError,
}


def raise_native(
    kind: str,
    text: str,
    code: str,
    path: str | None,
    element: str | None,
    offset: int | None,
    errno: int,
) -> NoReturn:
    """Raise the Python form of an error of the core."""
    if kind == "os":
        # OSError picks its own subclass by errno: FileNotFoundError, PermissionError ...
        raise OSError(errno, os.strerror(errno), path)
    if kind in _CLASSES:
        raise _CLASSES[kind](text, code=code, path=path, element=element, offset=offset)
    raise RuntimeError(text)
