"""Real files in the window that they bring along: both backends, and pydicom."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
import torch
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing
from pydicom.pixels.utils import pixel_array

import torchdicom as td
from compare import assert_same_bits, tolerance
from real_files import SOURCES, files_of, outcome

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Cells
    from helpers import Backend

pytestmark = pytest.mark.data

# What pydicom 3.0 does not decode.
UNKNOWN_TO_PYDICOM = ("4.53", "4.55")
_DOUBLE: dict[str, Any] = {"output": "window", "dtype": torch.float64}


def shown(path: Path, backend: Backend) -> Any:
    return outcome(partial(td.decode, path, backend=backend, **_DOUBLE))


@pytest.mark.parametrize("source", SOURCES)
def test_backends_agree(data_dir: Path, source: str) -> None:
    for path in files_of(data_dir, source):
        native, reference = shown(path, "native"), shown(path, "reference")
        if isinstance(native, str) or isinstance(reference, str):
            assert native == reference, path
            continue
        header = td.read_header(path)
        if not tolerance(header.transfer_syntax_uid, header.samples_per_pixel):
            assert_same_bits(native, reference)
        assert native.shape == reference.shape
        assert 0 <= native.min() <= native.max() <= 1


def by_pydicom(path: Path) -> Cells:
    """Modality values through the LUT or the window, from 0 to 1."""
    data_set = pydicom.dcmread(path, force=True)
    values = apply_modality_lut(pixel_array(data_set), data_set)
    if data_set.get("VOILUTSequence"):
        most = 2.0 ** data_set.VOILUTSequence[0].LUTDescriptor[2] - 1
        y = apply_voi(np.floor(values).astype(np.int64), data_set) / most
    else:
        # The output range is that of the stored bits, which its ends show.
        low, high = apply_windowing(np.array([-1e12, 1e12]), data_set)
        y = (apply_windowing(values, data_set) - low) / (high - low)
    return np.asarray(1 - y if data_set.PhotometricInterpretation == "MONOCHROME1" else y)


def has_groups(path: Path) -> bool:
    data_set = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    return any(f"{name}FunctionalGroupsSequence" in data_set for name in ("Shared", "PerFrame"))


def test_as_pydicom_shows_them(data_dir: Path, backend: Backend) -> None:
    compared = 0
    for path in (path for source in SOURCES for path in files_of(data_dir, source)):
        found = shown(path, backend)
        if isinstance(found, str) or found.ndim == 4:
            continue
        if has_groups(path):
            continue  # pydicom looks for rescale and window at the top level alone
        uid = td.read_header(path).transfer_syntax_uid
        if tolerance(uid) or uid.endswith(UNKNOWN_TO_PYDICOM):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd values in the files
            expected = by_pydicom(path)
        assert np.abs(found.numpy().reshape(expected.shape) - expected).max() < 1e-9, path
        compared += 1
    assert compared >= 100
