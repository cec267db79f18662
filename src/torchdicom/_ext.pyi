# The C++ core; internal, its callers are _native and _runtime.

from typing import Any, Final, Literal, TypeAlias, TypedDict, final

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

# Code, message, positions, files, what was measured.
_DefectRow: TypeAlias = tuple[str, str, tuple[int, ...], tuple[str, ...], dict[str, float]]
# The fields of Finish by name; "file" as its window.
_Finish: TypeAlias = dict[str, Any] | None
# Start, stop and step of a slice, or positions one by one.
_Slices: TypeAlias = tuple[int | None, int | None, int | None] | list[int] | None

# Keyword, values for each place on the axis, all values.
_Coordinate: TypeAlias = tuple[str, int, list[float]]

class _Loaded(TypedDict):
    data: NDArray[Any] | None  # None where the caller's memory was filled; bfloat16 as uint16
    dtype: _DType
    mask: NDArray[Any] | None  # bool, of the shape of the data without c
    dims: tuple[str, ...]
    kind: str
    key: str
    affine_columns: list[list[float]] | None
    spacing_mm: tuple[float, float, float]
    spacing_source: str | None
    over_time: list[_Coordinate]
    over_slices: list[_Coordinate]
    space: str
    units: str
    ok: bool
    defects: list[_DefectRow]
    warnings: list[str]
    provenance: list[_Slice]
    texts: dict[int, bytes]  # of the first slice
    path: str  # of the first slice

class _Stats(TypedDict):
    files: int
    opens: int
    bytes_read: int
    allocations: int
    threads: int

def load_series(
    sources: list[str | bytes],
    *,
    series: str | None,
    policy: dict[str, str | float],
    output: str,
    dtype: str | None,
    out: _Out | None,
    num_threads: int,
    texts: list[int],
    slices: _Slices,
    t: _Slices,
    region: tuple[int, int, int, int] | None,
    reduce: int,
    codec: str | None,
    rwvm: str | None,
    finish: _Finish,
    mask: bool,
) -> _Loaded: ...
def decode_frames(
    source: str | bytes,
    *,
    frames: list[int] | None,
    output: str,
    dtype: str | None,
    region: tuple[int, int, int, int] | None,
    reduce: int,
    codec: str | None,
    rwvm: str | None,
    finish: _Finish,
    out: _Out | None,
    num_threads: int,
) -> tuple[NDArray[Any] | None, _DType]: ...

# Path, frame, and size and mtime_ns of the file as an index has them. Returns which of them were
# decoded, each into its part of the memory.
def decode_each(
    files: list[tuple[str, int, int, int]],
    *,
    shape: list[int],
    out: _Out,
    output: str,
    dtype: str | None,
    reduce: int,
    finish: _Finish,
    num_threads: int,
) -> list[bool]: ...
def read_header(source: str | bytes) -> dict[str, Any]: ...
def scan_headers(sources: list[str | bytes], *, num_threads: int) -> list[_Found]: ...
def codec_table() -> list[tuple[str, str, str, str, tuple[str, ...]]]: ...
def codec_names() -> tuple[str, ...]: ...
def last_load_stats() -> _Stats: ...

# Of all calls of this thread so far: waiting for pread(2), and altogether.
def thread_seconds() -> tuple[float, float]: ...

# Bytes of the pool's memory, which goes back there with the last view of the array.
def allocate(nbytes: int) -> NDArray[Any]: ...

# Calls of a thread that heeds it end early, with RuntimeError, once it is told.
@final
class Stop:
    def __init__(self) -> None: ...
    def tell(self) -> None: ...
    def is_told(self) -> bool: ...

def heed(stop: Stop | None) -> None: ...
def empty_pool() -> int: ...
def pooled_bytes() -> int: ...

_Texts: TypeAlias = tuple[NDArray[Any], NDArray[Any]]
# The number of each record's word, -1 where it has none; then the words as texts.
_Words: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
# By type: numbers or flags; (values, valid); (offsets, bytes or values); words.
_Column: TypeAlias = NDArray[Any] | tuple[NDArray[Any], NDArray[Any]] | _Words

class _Rows(TypedDict):
    columns: dict[str, _Column]  # those of core_columns, a record for each file with pixels
    file: NDArray[Any]  # of each record, the index of its path
    texts: dict[str, _Words]  # by tag, as "0018,0050"
    others: list[tuple[int, str, str]]  # index of the path, code, message; "" where nothing is lost
    size: NDArray[Any]  # of each path; -1 where the system does not say
    mtime_ns: NDArray[Any]

class _Part(TypedDict):
    key: str
    series_instance_uid: str
    kind: str
    modality: str
    splitting: list[str]
    rows: NDArray[Any]  # records in slice order
    set_aside: NDArray[Any]
    affine_columns: list[list[float]] | None
    spacing_mm: tuple[float, float, float]
    spacing_source: str | None
    units: str
    times: int  # length of the axis t
    ok: bool
    defects: list[tuple[str, str, tuple[int, ...], tuple[str, ...], dict[str, float]]]

def core_columns() -> list[tuple[str, str]]: ...
def discover_files(paths: list[str | bytes]) -> tuple[_Texts, list[tuple[bytes, str, str]]]: ...
def find_paths(known: _Texts, wanted: _Texts, skip: int = 0) -> NDArray[Any]: ...
def file_states(paths: _Texts, num_threads: int) -> tuple[NDArray[Any], NDArray[Any]]: ...

@final
class HeaderRows:
    def __init__(self, texts: list[int]) -> None: ...
    def read(self, paths: _Texts, *, num_threads: int, most_seconds: float = ...) -> int: ...
    def group(self, policy: dict[str, Any], *, num_threads: int) -> list[_Part]: ...
    def take(self, order: NDArray[Any] | None = None) -> _Rows: ...

def group_rows(
    columns: dict[str, _Column], policy: dict[str, Any], *, num_threads: int = 1
) -> list[_Part]: ...
def load_rows(
    columns: dict[str, _Column],
    *,
    key: str,
    context: list[tuple[str, str, tuple[int, ...], tuple[str, ...], dict[str, float]]],
    **options: Any,
) -> _Loaded: ...
