"""The native backend: the core's results as the public types."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from torchdicom import _ext
from torchdicom._errors import DicomWarning
from torchdicom._header import Header
from torchdicom._metadata import METADATA, decode_text, typed_metadata
from torchdicom._volume import Defect, SliceProvenance, Verdict, Volume

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from torchdicom._finish import Finish
    from torchdicom._policy import Policy

_KEYWORDS = {tag: keyword for keyword, (tag, _) in METADATA.items()}
_CHARSET = 0x0008_0005


def load_series(
    sources: list[str | bytes],
    *,
    series: str | None,
    output: str,
    dtype: torch.dtype | None,
    policy: Policy,
    slices: slice | list[int] | None,
    t: slice | list[int] | None,
    region: tuple[int, int, int, int] | None,
    reduce: int,
    codec: str | None,
    rwvm: str | None,
    mask: bool,
    out: torch.Tensor | None,
    num_threads: int,
    finish: Finish | None,
) -> Volume:
    """One series as a Volume; arguments are checked by the caller."""
    loaded = _ext.load_series(
        sources,
        series=series,
        policy=_policy_argument(policy),
        output=output,
        dtype=_dtype_name(dtype),
        out=_out_argument(out),
        num_threads=num_threads,
        texts=sorted(_KEYWORDS),
        slices=_slice_argument(slices),
        t=_slice_argument(t),
        region=region,
        reduce=reduce,
        codec=codec,
        rwvm=rwvm,
        mask=mask,
        finish=_finish_argument(finish),
    )
    _warn(loaded["warnings"])
    return to_volume(loaded, out=out)


class Listed(NamedTuple):
    """What an index knows of one series.

    Attributes:
        columns: The records of its files, as the core gave them.
        key: Its key.
        context: The defects that other parts of its SeriesInstanceUID gave it, as the core gave
            them.
        metadata: What the index has of the first slice.
    """

    columns: dict[str, Any]
    key: str
    context: Sequence[_ext._DefectRow]
    metadata: Mapping[str, object]


def load_rows(
    listed: Listed,
    *,
    output: str,
    dtype: torch.dtype | None,
    policy: Policy,
    slices: slice | list[int] | None,
    t: slice | list[int] | None,
    region: tuple[int, int, int, int] | None,
    reduce: int,
    codec: str | None,
    rwvm: str | None,
    mask: bool,
    out: torch.Tensor | None,
    num_threads: int,
    finish: Finish | None,
) -> Volume:
    """The same from the records of an index, whose headers are not read again.

    Args:
        listed: The series.
        output: As in `load_series`, like the rest.
        dtype: Type of the values.
        policy: What to make of defects.
        slices: Positions along z.
        t: Positions along t.
        region: Part of the images.
        reduce: How often rows and columns are halved.
        codec: Which codec decodes.
        rwvm: Which real-world value map is applied.
        mask: Whether a mask is wanted.
        out: Memory to fill.
        num_threads: Threads for this call.
        finish: What becomes of the values after the rescale.
    """
    loaded = _ext.load_rows(
        listed.columns,
        key=listed.key,
        context=list(listed.context),
        policy=_policy_argument(policy),
        output=output,
        dtype=_dtype_name(dtype),
        out=_out_argument(out),
        num_threads=num_threads,
        texts=[],
        slices=_slice_argument(slices),
        t=_slice_argument(t),
        region=region,
        reduce=reduce,
        codec=codec,
        rwvm=rwvm,
        mask=mask,
        finish=_finish_argument(finish),
    )
    _warn(loaded["warnings"])
    return to_volume(loaded, out=out, metadata=listed.metadata)


def to_volume(
    loaded: _ext._Loaded,
    *,
    out: torch.Tensor | None,
    metadata: Mapping[str, object] | None = None,
) -> Volume:
    """What the core loaded as a Volume; `metadata` takes the place of the texts of its files."""
    dims = tuple(loaded["dims"])
    named = _metadata(loaded["texts"], loaded["path"]) if metadata is None else dict(metadata)
    if loaded["spacing_source"] is not None:
        named["spacing_source"] = loaded["spacing_source"]
    return Volume(
        data=_tensor(loaded["data"], loaded["dtype"]) if out is None else out,
        dims=dims,
        affine=to_affine(loaded["affine_columns"]),
        space=loaded["space"],
        spacing_mm=loaded["spacing_mm"],
        units=loaded["units"] or None,
        verdict=Verdict(ok=loaded["ok"], defects=to_defects(loaded["defects"])),
        provenance=tuple(map(SliceProvenance._make, loaded["provenance"])),
        metadata=named,
        coords=_coords(dims, loaded["over_time"], loaded["over_slices"]),
        valid_mask=None if loaded["mask"] is None else torch.from_numpy(loaded["mask"]),
    )


def to_affine(columns: Sequence[Sequence[float]] | None) -> torch.Tensor | None:
    """A float64 tensor of shape (4, 4) from its columns."""
    if columns is None:
        return None
    rows = [*zip(*columns, strict=True), (0.0, 0.0, 0.0, 1.0)]
    return torch.tensor(rows, dtype=torch.float64)


def to_defects(rows: Iterable[_ext._DefectRow]) -> tuple[Defect, ...]:
    """The defects as the core gives them."""
    return tuple(Defect(*row) for row in rows)


def decode_frames(
    source: str | bytes,
    *,
    frames: list[int] | None,
    output: str,
    dtype: torch.dtype | None,
    region: tuple[int, int, int, int] | None,
    reduce: int,
    codec: str | None,
    rwvm: str | None,
    out: torch.Tensor | None,
    num_threads: int,
    finish: Finish | None,
) -> torch.Tensor:
    """Frames of one file; arguments are checked by the caller."""
    data, name = _ext.decode_frames(
        source,
        frames=frames,
        output=output,
        dtype=_dtype_name(dtype),
        region=region,
        reduce=reduce,
        codec=codec,
        rwvm=rwvm,
        out=_out_argument(out),
        num_threads=num_threads,
        finish=_finish_argument(finish),
    )
    return _tensor(data, name) if out is None else out


class FrameOfFile(NamedTuple):
    """One frame of a file that an index knows.

    Attributes:
        path: The file.
        frame: Its number there.
        size: Of the file in bytes, when it was scanned.
        mtime_ns: When it had been changed last then.
    """

    path: str
    frame: int
    size: int
    mtime_ns: int


def decode_each(
    files: list[FrameOfFile],
    *,
    output: str,
    dtype: torch.dtype | None,
    reduce: int,
    out: torch.Tensor,
    num_threads: int,
    finish: Finish | None,
) -> list[bool]:
    """Decode frames of many files at once, as `decode_frames` does each of them.

    Args:
        files: The frames.
        output: As in `decode_frames`, like the rest.
        dtype: Type of the values.
        reduce: How often rows and columns are halved.
        out (Tensor of shape (frames, channels, rows, columns)): Contiguous memory to fill.
        num_threads: Threads for this call: as many frames at a time.
        finish: What becomes of the values after the rescale.

    Returns:
        Whether each is there. Of one that is not `decode_frames` says why, unless it is the file
        that has changed.
    """
    channels, rows, columns = out.shape[1:]
    return _ext.decode_each(
        list(files),
        # Gray frames have no dim of their own for the channel.
        shape=[1, rows, columns] if channels == 1 else [1, channels, rows, columns],
        output=output,
        dtype=_dtype_name(dtype),
        reduce=reduce,
        finish=_finish_argument(finish),
        out=_memory_of(out),
        num_threads=num_threads,
    )


def read_header(source: str | bytes) -> Header:
    """The header of one file."""
    return Header(**_ext.read_header(source))


def _warn(messages: Iterable[str]) -> None:
    """Warns at the line that called `load`, the caller of the backend that calls this."""
    for message in messages:
        warnings.warn(message, DicomWarning, stacklevel=4)


def _dtype_name(dtype: torch.dtype | None) -> str | None:
    return None if dtype is None else str(dtype).removeprefix("torch.")


def _out_argument(out: torch.Tensor | None) -> tuple[NDArray[Any], str, tuple[int, ...]] | None:
    return None if out is None else _memory_of(out)


def _memory_of(out: torch.Tensor) -> tuple[NDArray[Any], str, tuple[int, ...]]:
    """The tensor's memory as bytes: NumPy has no bfloat16."""
    data = out.reshape(-1).view(torch.uint8).numpy()
    return data, str(out.dtype).removeprefix("torch."), tuple(out.shape)


@lru_cache(maxsize=16)
def _policy_argument(policy: Policy) -> dict[str, Any]:
    """What the core reads, and changes nothing of."""
    return asdict(policy)


@lru_cache(maxsize=16)
def _finish_argument(finish: Finish | None) -> dict[str, Any] | None:
    return None if finish is None else asdict(finish)


def _slice_argument(slices: slice | list[int] | None) -> _ext._Slices:
    return (slices.start, slices.stop, slices.step) if isinstance(slices, slice) else slices


def _tensor(data: NDArray[Any] | None, dtype: str) -> torch.Tensor:
    """A tensor over the array's memory, which stays in use until the last view of it dies."""
    if data is None:
        msg = "the core returned no memory of its own"
        raise RuntimeError(msg)
    tensor = torch.from_numpy(data)
    return tensor.view(torch.bfloat16) if dtype == "bfloat16" else tensor


def _coords(
    dims: tuple[str, ...],
    over_time: Sequence[_ext._Coordinate],
    over_slices: Sequence[_ext._Coordinate],
) -> dict[str, dict[str, torch.Tensor]]:
    coords = {}
    if "t" in dims:
        coords["t"] = _tensors(over_time)
    if over_slices:
        coords["z"] = _tensors(over_slices)
    return coords


def _tensors(coordinates: Sequence[_ext._Coordinate]) -> dict[str, torch.Tensor]:
    tensors = {}
    for name, width, values in coordinates:
        flat = torch.tensor(values, dtype=torch.float64)
        tensors[name] = flat if width == 1 else flat.view(-1, width)
    return tensors


def _metadata(texts: Mapping[int, bytes], path: str) -> dict[str, object]:
    charset = texts[_CHARSET].decode("ascii", errors="replace")
    raw = {
        _KEYWORDS[tag]: decode_text(value, charset)
        for tag, value in texts.items()
        if tag in _KEYWORDS
    }
    return typed_metadata(raw, path)
