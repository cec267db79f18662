"""`load`, `decode` and `read_header`: arguments are checked here, the backends do the rest."""

from __future__ import annotations

import operator
import os
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

import numpy as np
import torch

from torchdicom import _native
from torchdicom._threads import check_num_threads, get_num_threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    from numpy.typing import NDArray

    from torchdicom._header import Header
    from torchdicom._volume import Volume

    File = str | os.PathLike[str] | bytes | bytearray | memoryview
    Source = File | Sequence[File]

Output = Literal["stored", "modality"]
Backend = Literal["native", "reference"]

_OUTPUTS = ("stored", "modality")
_BACKENDS = ("native", "reference")
_FRAMES_END = 2**63  # what the core counts in
_DTYPES = (
    *(torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.int64),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
)


def load(
    source: Source,
    *,
    output: Output = "modality",
    dtype: torch.dtype | None = None,
    out: torch.Tensor | NDArray[Any] | None = None,
    num_threads: int | None = None,
    backend: Backend = "native",
) -> Volume:
    """Load one series as a volume, slices ascending along the slice normal.

    Args:
        source: A folder (searched recursively), a file, the bytes of a file, or a list of those:
            together exactly one series. Files of a folder that are not DICOM, and DICOM objects
            that are no images, are passed over.
        output: ``"modality"``, the stored values after RescaleSlope and RescaleIntercept
            (PS3.3 C.11.1), e.g. Hounsfield units for CT; or ``"stored"``, the values as stored.
        dtype: Type of the values. None is float32, and for ``"stored"`` the smallest that
            BitsStored and the sign call for. An integer type needs slopes and intercepts that are
            whole numbers, and is checked voxel by voxel.
        out (Tensor or array of shape (slices, rows, columns)): Writable, contiguous CPU memory to
            fill, of the result's shape and dtype; the volume's data is then this tensor.
        num_threads: Threads for this call; None is `get_num_threads`. The result does not depend
            on it.
        backend: ``"native"``, the C++ core; or ``"reference"``, the same in pydicom and NumPy,
            slow, equal bit for bit (lossy syntaxes within a stored unit).

    Returns:
        Volume: ``data`` of shape (slices, rows, columns), with affine, units, verdict, provenance.

    Raises:
        FileNotFoundError: If a path does not exist.
        SeriesError: If the files are not exactly one sound series: several series, missing or
            uneven slices, mixed sizes or orientations, no positions.
        ParseError: If a file is malformed or cut off.
        DecodeError: If a frame's codestream contradicts the header, or is broken as far as its
            format lets a decoder see.
        UnsupportedError: If a file is legal DICOM of a kind that is not read yet.
        LimitError: If a size is above a limit, or a value does not fit an integer ``dtype``.
        ValueError: If ``out`` does not fit, or an argument is none of the allowed ones.

    Example:
        >>> import torchdicom as td
        >>> volume = td.load("tests/data/sts_002/ct")
        >>> volume.data.dtype, volume.units, volume.verdict.ok
        (torch.float32, 'HU', True)
    """
    return _backend(backend).load_series(  # type: ignore[no-any-return]
        _sources(source),
        output=_one_of("output", output, _OUTPUTS),
        dtype=_dtype(dtype),
        out=_out(out),
        num_threads=_threads(num_threads),
    )


def decode(
    source: File,
    *,
    frames: Iterable[int] | None = None,
    output: Output = "stored",
    dtype: torch.dtype | None = None,
    out: torch.Tensor | NDArray[Any] | None = None,
    num_threads: int | None = None,
    backend: Backend = "native",
) -> torch.Tensor:
    """Decode frames of one file, without any geometry.

    For cine, tiles, segmentations, and anything that is not a slice of a volume.

    Args:
        source: A file, or the bytes of one.
        frames: 0-based frames in the order wanted, negative from the end; None is all of them in
            the order of the file.
        output: ``"stored"``, the values as stored; or ``"modality"``, after slope and intercept.
        dtype: As in `load`.
        out (Tensor or array of shape (frames, rows, columns)): As in `load`.
        num_threads: As in `load`.
        backend: As in `load`.

    Returns:
        Tensor of shape (frames, rows, columns).

    Raises:
        FileNotFoundError: If the path does not exist.
        IndexError: If a frame is not there.
        ParseError: If the file is malformed or cut off, or has no pixels.
        DecodeError: As in `load`.
        UnsupportedError: If the file is legal DICOM of a kind that is not read yet.
        LimitError: If a size is above a limit, or a value does not fit an integer ``dtype``.
        ValueError: If ``out`` does not fit, or an argument is none of the allowed ones.

    Example:
        >>> import torchdicom as td
        >>> tuple(td.decode("tests/data/sts_002/ct/000000.dcm", frames=[0]).shape)
        (1, 143, 161)
    """
    return _backend(backend).decode_frames(  # type: ignore[no-any-return]
        _source(source),
        frames=None if frames is None else _frames(frames),
        output=_one_of("output", output, _OUTPUTS),
        dtype=_dtype(dtype),
        out=_out(out),
        num_threads=_threads(num_threads),
    )


def read_header(source: File) -> Header:
    """Read the technical attributes of one file and where its frames lie; no pixel is read.

    Args:
        source: A file, or the bytes of one.

    Returns:
        Header: attributes by name, and the byte ranges of every frame.

    Raises:
        FileNotFoundError: If the path does not exist.
        ParseError: If the file is not DICOM, malformed or cut off.
        LimitError: If a size is above a limit.

    Example:
        >>> import torchdicom as td
        >>> header = td.read_header("tests/data/sts_002/ct/000000.dcm")
        >>> header.modality, header.rows, header.columns
        ('CT', 143, 161)
    """
    return _native.read_header(_source(source))


def _backend(name: str) -> ModuleType:
    if _one_of("backend", name, _BACKENDS) == "native":
        return _native
    from torchdicom import _reference  # noqa: PLC0415 - needs pydicom, an extra

    return _reference


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        msg = f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}"
        raise ValueError(msg)
    return value


def _source(source: object) -> str | bytes:
    """One file: its path or its bytes."""
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    if isinstance(source, bytes):
        return source
    if isinstance(source, (bytearray, memoryview)):
        return bytes(source)
    msg = f"source must be a path or bytes, not {type(source).__name__}"
    raise TypeError(msg)


def _sources(source: object) -> list[str | bytes]:
    if isinstance(source, (list, tuple)):
        if not source:
            msg = "source is an empty list: name at least one file or folder"
            raise ValueError(msg)
        return [_source(one) for one in source]
    return [_source(source)]


def _frames(frames: Iterable[int]) -> list[int]:
    if isinstance(frames, int):
        msg = f"frames must be a list of int, not an int: frames=[{frames}]"
        raise TypeError(msg)
    return [_frame(frame) for frame in frames]


def _frame(frame: object) -> int:
    if isinstance(frame, bool) or not isinstance(frame, SupportsIndex):
        msg = f"frames must hold integers, not {type(frame).__name__}"
        raise TypeError(msg)
    number = operator.index(frame)
    if not -_FRAMES_END <= number < _FRAMES_END:
        msg = f"frame {number} is not there: no file has so many"
        raise IndexError(msg)
    return number


def _dtype(dtype: object) -> torch.dtype | None:
    if dtype is None or dtype in _DTYPES:
        return dtype
    allowed = ", ".join(str(one).removeprefix("torch.") for one in _DTYPES)
    msg = f"dtype must be a torch dtype of {allowed}, not {dtype!r}"
    raise ValueError(msg) if isinstance(dtype, torch.dtype) else TypeError(msg)


def _threads(num_threads: int | None) -> int:
    return get_num_threads() if num_threads is None else check_num_threads(num_threads)


def _out(out: object) -> torch.Tensor | None:
    if out is None:
        return None
    if isinstance(out, np.ndarray):
        if not out.flags.writeable:
            msg = "out is read-only: hand in an array that can be written to"
            raise ValueError(msg)
        if not out.flags.c_contiguous:
            msg = "out is not contiguous: hand in an array in C order"
            raise ValueError(msg)
        out = torch.from_numpy(out)
    if not isinstance(out, torch.Tensor):
        msg = f"out must be a torch.Tensor or a NumPy array, not {type(out).__name__}"
        raise TypeError(msg)
    if out.dtype not in _DTYPES:
        msg = f"out is of {out.dtype}, which no result has"
        raise ValueError(msg)
    if out.device.type != "cpu":
        msg = f"out is on {out.device}: hand in a CPU tensor"
        raise ValueError(msg)
    if not out.is_contiguous():
        msg = "out is not contiguous: hand in out.contiguous()"
        raise ValueError(msg)
    if out.requires_grad:
        msg = "out requires grad: hand in out.detach()"
        raise ValueError(msg)
    return out
