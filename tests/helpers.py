"""What several test files share: the two backends, and the shape of an expected error."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
import torch
import torch.utils.data

import torchdicom as td
from builders import KEYWORDS, Syntax
from torchdicom import _reference

if TYPE_CHECKING:
    from collections.abc import Iterator

Source = str | Path | bytes
Backend = Literal["native", "reference"]
Output = Literal["stored", "modality"]
ROOT = Path(__file__).resolve().parent.parent
# Of a child that imports what tests share.
_FOLDERS = [str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
WITH_TESTS = os.environ | {"PYTHONPATH": os.pathsep.join(_FOLDERS)}

_TAGS = {k: tag for k, (tag, _) in KEYWORDS.items()}
_TAGS |= {"PixelData": 0x7FE00010, "TransferSyntaxUID": 0x00020010}

# The class of every code, as DESIGN's table of errors has it.
_CODES: dict[type[td.DicomError], str] = {
    td.ParseError: """not_dicom truncated_header truncated_pixels length_exceeds_file invalid_vr
        invalid_sequence invalid_decimal_string invalid_integer_string invalid_multiplicity
        invalid_value invalid_deflate invalid_offset_table invalid_fragments missing_element
        no_pixel_data frame_count_mismatch file_changed invalid_index index_version
        index_changed""",
    td.UnsupportedError: """unsupported_transfer_syntax unsupported_pixel_format
        unsupported_photometric unsupported_functional_groups
        unsupported_multi_frame unsupported_mosaic integer_dtype no_real_world_map
        several_real_world_maps no_window suv_not_possible philips_fp_not_possible""",
    td.DecodeError: "codestream_mismatch invalid_codestream decoder_failed",
    td.SeriesError: """empty_folder no_dicom_files no_images several_series no_position
        invalid_geometry localizer mixed_orientation mixed_size mixed_pixel_format duplicate_files
        duplicate_positions missing_slices uneven_spacing gantry_tilt assumed_spacing not_a_volume
        no_such_series unreadable_file""",
    td.LimitError: """limit_rows limit_columns limit_frames limit_sequence_depth
        limit_element_length limit_output_bytes limit_ratio value_overflow""",
}
CLASS_OF = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
# Raised in Python alone: the core never sees the file of an index.
PYTHON_CODES = {"index_version", "index_changed"}


def element_name(keyword: str) -> str:
    """As errors spell it: ``(0028,1053) RescaleSlope``; a bare tag stays as it is."""
    if keyword.startswith("("):
        return keyword
    tag = _TAGS[keyword]
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword}"


def read_header(source: Source, backend: Backend) -> td.Header:
    """`read_header` of either backend: the public one is native."""
    if backend == "native":
        return td.read_header(source)
    return _reference.read_header(source if isinstance(source, bytes) else os.fspath(source))


def affine_of(volume: td.Volume) -> torch.Tensor:
    """The affine of a volume that has one."""
    assert volume.affine is not None
    return volume.affine


def stored(source: Any, backend: Backend, **options: Any) -> td.Volume:
    """A load of stored values, during which a warning is an error."""
    return td.load(source, output="stored", backend=backend, **options)


def firsts(volume: td.Volume) -> list[float]:
    """The first voxel of every slice."""
    values: list[float] = volume.data[:, 0, 0].tolist()
    return values


def codes(volume: td.Volume) -> list[str]:
    """What the verdict says, in its order."""
    return [defect.code for defect in volume.verdict.defects]


def syntax_id(syntax: Syntax) -> str:
    """What a parametrised test calls a transfer syntax."""
    return syntax.uid.removeprefix("1.2.840.10008.")


@contextmanager
def expect_error(
    code: str,
    *,
    element: str | None = None,
    path: Path | None = None,
    offset: int | None = None,
    match: str | None = None,
) -> Iterator[pytest.ExceptionInfo[td.DicomError]]:
    """Expects exactly the error class of the code, with the attributes that are given."""
    with pytest.raises(CLASS_OF[code], match=match) as caught:
        yield caught
    error = caught.value
    assert (type(error), error.code) == (CLASS_OF[code], code), str(error)
    if element is not None:
        assert error.element == element_name(element)
    if path is not None:
        assert error.path == str(path)
    if offset is not None:
        assert error.offset == offset


class FolderDataset(torch.utils.data.Dataset[td.Volume]):
    """Loads one folder an item: in a worker process, so it lives in a module of its own."""

    def __init__(self, folders: list[str], backend: Backend) -> None:
        self.folders = folders
        self.backend = backend

    def __len__(self) -> int:
        return len(self.folders)

    def __getitem__(self, index: int) -> td.Volume:
        return td.load(self.folders[index], backend=self.backend)


class ThreadsDataset(torch.utils.data.Dataset[int]):
    """How many threads a worker would use."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        return td.get_num_threads()


def first(batch: list[td.Volume]) -> td.Volume:
    """A collate function that leaves the one item as it is."""
    return batch[0]


def first_number(batch: list[int]) -> int:
    """The same for a number."""
    return batch[0]
