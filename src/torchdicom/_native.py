"""The native backend: the core's results as the public types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from torchdicom import _ext
from torchdicom._header import Header
from torchdicom._metadata import METADATA, decode_text, typed_metadata
from torchdicom._volume import Defect, SliceProvenance, Verdict, Volume

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_KEYWORDS = {tag: keyword for keyword, (tag, _) in METADATA.items()}
_CHARSET = 0x0008_0005


def load_series(
    sources: list[str | bytes],
    *,
    output: str,
    dtype: torch.dtype | None,
    out: torch.Tensor | None,
    num_threads: int,
) -> Volume:
    """One series as a Volume; arguments are checked by the caller."""
    loaded = _ext.load_series(
        sources,
        output=output,
        dtype=_dtype_name(dtype),
        out=_out_argument(out),
        num_threads=num_threads,
        texts=sorted(_KEYWORDS),
    )
    provenance = tuple(map(SliceProvenance._make, loaded["provenance"]))
    affine = torch.zeros((4, 4), dtype=torch.float64)
    affine[:3] = torch.tensor(loaded["affine_columns"], dtype=torch.float64).T
    affine[3, 3] = 1.0
    return Volume(
        data=_tensor(loaded["data"], loaded["dtype"]) if out is None else out,
        dims=("z", "y", "x"),
        affine=affine,
        space="LPS",
        units=(loaded["units"] or None) if output == "modality" else None,
        verdict=Verdict(ok=True, defects=tuple(map(_defect, loaded["defects"]))),
        provenance=provenance,
        metadata=_metadata(loaded["texts"], provenance[0].path),
    )


def decode_frames(
    source: str | bytes,
    *,
    frames: list[int] | None,
    output: str,
    dtype: torch.dtype | None,
    out: torch.Tensor | None,
    num_threads: int,
) -> torch.Tensor:
    """Frames of one file; arguments are checked by the caller."""
    data, name = _ext.decode_frames(
        source,
        frames=frames,
        output=output,
        dtype=_dtype_name(dtype),
        out=_out_argument(out),
        num_threads=num_threads,
    )
    return _tensor(data, name) if out is None else out


def read_header(source: str | bytes) -> Header:
    """The header of one file."""
    return Header(**_ext.read_header(source))


def _dtype_name(dtype: torch.dtype | None) -> str | None:
    return None if dtype is None else str(dtype).removeprefix("torch.")


def _out_argument(out: torch.Tensor | None) -> tuple[NDArray[Any], str, tuple[int, ...]] | None:
    """The tensor's memory as bytes: NumPy has no bfloat16."""
    if out is None:
        return None
    data = out.reshape(-1).view(torch.uint8).numpy()
    return data, str(out.dtype).removeprefix("torch."), tuple(out.shape)


def _tensor(data: NDArray[Any] | None, dtype: str) -> torch.Tensor:
    """A tensor over the array's memory, which stays in use until the last view of it dies."""
    if data is None:
        msg = "the core returned no memory of its own"
        raise RuntimeError(msg)
    tensor = torch.from_numpy(data)
    return tensor.view(torch.bfloat16) if dtype == "bfloat16" else tensor


def _defect(row: tuple[str, str, dict[str, float]]) -> Defect:
    code, message, measured = row
    return Defect(code=code, message=message, measured=measured)


def _metadata(texts: Mapping[int, bytes], path: str) -> dict[str, object]:
    charset = texts[_CHARSET].decode("ascii", errors="replace")
    raw = {
        _KEYWORDS[tag]: decode_text(value, charset)
        for tag, value in texts.items()
        if tag in _KEYWORDS
    }
    return typed_metadata(raw, path)
