"""DICOM series to torch tensors: as they lie on disk, fast, and never a silently wrong volume."""

from __future__ import annotations

from importlib.metadata import version as _version

try:
    from torchdicom import _ext as _ext
except ModuleNotFoundError as error:
    if error.name == "torchdicom._ext":
        error.msg += ": the C++ core is not built. Install the package with 'pip install .'"
    raise

from torchdicom._errors import (
    DecodeError,
    DicomError,
    DicomWarning,
    LimitError,
    ParseError,
    SeriesError,
    UnsupportedError,
)
from torchdicom._header import Header
from torchdicom._index import Index, Skipped
from torchdicom._load import decode, load, read_header
from torchdicom._policy import Policy
from torchdicom._runtime import Codec, codecs, empty_pool
from torchdicom._scan import open_index, scan
from torchdicom._series import Series
from torchdicom._threads import get_num_threads, set_num_threads
from torchdicom._training import ImageDataset, Loader, PatchDataset, VolumeDataset, collate
from torchdicom._volume import Defect, SliceProvenance, Verdict, Volume
from torchdicom._window import Window

__version__ = _version("torchdicom")

__all__ = [
    "Codec",
    "DecodeError",
    "Defect",
    "DicomError",
    "DicomWarning",
    "Header",
    "ImageDataset",
    "Index",
    "LimitError",
    "Loader",
    "ParseError",
    "PatchDataset",
    "Policy",
    "Series",
    "SeriesError",
    "Skipped",
    "SliceProvenance",
    "UnsupportedError",
    "Verdict",
    "Volume",
    "VolumeDataset",
    "Window",
    "codecs",
    "collate",
    "decode",
    "empty_pool",
    "get_num_threads",
    "load",
    "open_index",
    "read_header",
    "scan",
    "set_num_threads",
]
