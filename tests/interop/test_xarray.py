"""Volumes as arrays of xarray: coordinates in millimetres, and attributes that files keep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
import xarray

import torchdicom as td
from landmarks import INDEX, LPS_MM, SHAPE, VALUE, brightest, place, write_landmark
from torchdicom.interop.xarray import to_xarray
from volumes import counted, volume_of

if TYPE_CHECKING:
    from pathlib import Path


def place_in(array: Any, index: tuple[int, ...]) -> tuple[float, ...]:
    """Where a voxel is, by its coordinates."""
    at = [float(array[dim][i]) for dim, i in zip("zyx", index, strict=True)]
    return place(np.reshape(array.attrs["affine_of_coords"], (4, 4)), at)


def test_landmark(tmp_path: Path) -> None:
    array = to_xarray(td.load(write_landmark(tmp_path)))
    assert (array.dims, array.shape) == (("z", "y", "x"), SHAPE)
    assert brightest(array.values) == INDEX
    assert array.max() == VALUE
    assert place_in(array, INDEX) == LPS_MM
    part = array[1:, ::-1].isel(x=slice(3, None)).transpose("x", "z", "y").sel(y=slice(1.0, 0.5))
    found = part.where(part == VALUE, drop=True)
    assert found.shape == (1, 1, 1)
    assert place_in(found, (0, 0, 0)) == LPS_MM  # although the array was cut and turned


def test_memory_is_shared() -> None:
    volume = volume_of(counted(2, 3, 4))
    array = to_xarray(volume)
    volume.data[1, 2, 3] = -7
    assert array[1, 2, 3] == -7


def test_attributes(tmp_path: Path) -> None:
    told = to_xarray(td.load(write_landmark(tmp_path))).attrs
    assert json.loads(json.dumps(told)) == told
    assert (told["Modality"], told["SliceThickness"]) == ("CT", 2.0)
    assert (told["units"], told["verdict"], told["space"]) == ("HU", "ok", "LPS")
    assert told["spacing_mm"] == pytest.approx([2, 0.5, 0.25])


def test_a_file_keeps_it(tmp_path: Path) -> None:
    volume = volume_of(counted(2, 3, 4), valid_mask=counted(2, 3, 4) > 3, metadata={"KVP": 120.0})
    array = to_xarray(volume)
    array.to_netcdf(tmp_path / "volume.nc", engine="scipy")
    with xarray.open_dataarray(tmp_path / "volume.nc", engine="scipy") as kept:
        assert kept.equals(array)
        assert kept.attrs["KVP"] == 120.0
        assert place_in(kept, (1, 2, 3)) == (-1.0, 9.0, 9.0)
        assert int(kept.valid_mask.sum()) == 20


def test_times_and_colours() -> None:
    gradients = torch.tensor([[0.0, 0, 0], [0, 0.6, 0.8]], dtype=torch.float64)
    times = {"DiffusionBValue": torch.tensor([0.0, 800]), "DiffusionGradientOrientation": gradients}
    slices = {"MosaicRefAcqTimes": torch.tensor([0.0, 500, 250])}
    volume = volume_of(counted(2, 3, 3, 1, 2), "tczyx", coords={"t": times, "z": slices})
    array = to_xarray(volume)
    assert array.c.values.tolist() == ["R", "G", "B"]
    assert array.DiffusionBValue.dims == ("t",)
    part = array.where(array.DiffusionBValue > 0, drop=True)
    assert part.sel(c="G").values[0, 2, 0].tolist() == [28, 29]
    assert float(part.DiffusionGradientOrientation_z[0]) == 0.8
    assert array.MosaicRefAcqTimes.dims == ("z",)


def test_without_a_place_there_is_none() -> None:
    array = to_xarray(volume_of(counted(1, 3, 4), affine=None))
    assert "affine_of_coords" not in array.attrs
    assert "z" not in array.coords
    assert array.y.values.tolist() == [0, 2, 4]


def test_bfloat16_is_widened() -> None:
    assert to_xarray(volume_of(counted(1, 1, 2).bfloat16())).dtype == np.float32
