# The C++ core; internal, its callers are _native and _runtime.

from typing import Any, Final, Literal, TypeAlias, TypedDict

from numpy.typing import NDArray

__version__: Final[str]

# Element types of an output under torch's names.
_DType: TypeAlias = Literal[
    "uint8",
    "int8",
    "int16",
    "uint16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
]
# The bytes of a caller's tensor, its type and its shape.
_Out: TypeAlias = tuple[NDArray[Any], str, tuple[int, ...]]
# Path, frame, SOPInstanceUID, position in millimetres, slope, intercept.
_Slice: TypeAlias = tuple[str, int, str, tuple[float, float, float], float, float]
# Path, SeriesInstanceUID, SOPInstanceUID, position in millimetres or nothing.
_Found: TypeAlias = tuple[str, str | None, str | None, tuple[float, ...]]

class _Loaded(TypedDict):
    data: NDArray[Any] | None  # None where the caller's memory was filled; bfloat16 as uint16
    dtype: _DType
    affine_columns: list[list[float]]
    units: str
    defects: list[tuple[str, str, dict[str, float]]]
    provenance: list[_Slice]
    texts: dict[int, bytes]

class _Stats(TypedDict):
    files: int
    opens: int
    bytes_read: int
    allocations: int
    threads: int

def load_series(
    sources: list[str | bytes],
    *,
    output: str,
    dtype: str | None,
    out: _Out | None,
    num_threads: int,
    texts: list[int],
) -> _Loaded: ...
def decode_frames(
    source: str | bytes,
    *,
    frames: list[int] | None,
    output: str,
    dtype: str | None,
    out: _Out | None,
    num_threads: int,
) -> tuple[NDArray[Any] | None, _DType]: ...
def read_header(source: str | bytes) -> dict[str, Any]: ...
def scan_headers(sources: list[str | bytes], *, num_threads: int) -> list[_Found]: ...
def codec_table() -> list[tuple[str, str, str, str]]: ...
def last_load_stats() -> _Stats: ...
def empty_pool() -> int: ...
def pooled_bytes() -> int: ...
