"""An index keeps no lookup table: loads from it read them again, and give the same values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import torchdicom as td
from builders_forms import modality_lut, native_file, palette, real_world, real_world_item, shared
from helpers import expect_error

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Element

INDICES = np.arange(12, dtype=np.uint8)
CELLS = np.arange(12, dtype=np.uint16)
NO_SCALE: dict[str, Any] = {"RescaleIntercept": None, "RescaleSlope": None}


def scanned(folder: Path, data: bytes) -> td.Series:
    (folder / "a.dcm").write_bytes(data)
    (series,) = td.scan(folder, progress=False).series
    return series


def test_palette(tmp_path: Path) -> None:
    tables = palette([[2 * i for i in range(12)], [100 + i for i in range(12)], [255] * 12], bits=8)
    series = scanned(
        tmp_path,
        native_file(
            INDICES.tobytes(),
            (3, 4),
            allocated=8,
            extra=tables,
            PhotometricInterpretation="PALETTE COLOR",
        ),
    )
    data = series.load().data
    assert data.shape == (3, 1, 3, 4)
    assert data.dtype == torch.uint8
    expected = [[2 * i for i in range(12)], [100 + i for i in range(12)], [255] * 12]
    assert data.reshape(3, 12).tolist() == expected
    assert series.load(output="stored").data.flatten().tolist() == list(range(12))


def test_palette_of_a_later_slice(tmp_path: Path) -> None:
    tables = palette([[7] * 12, [8] * 12, [9] * 12], bits=8)
    for k in range(2):
        form: dict[str, Any] = {
            "PhotometricInterpretation": "PALETTE COLOR",
            "SOPInstanceUID": f"1.2.{k + 1}",
            "ImagePositionPatient": (0, 0, k),
        }
        data = native_file(INDICES.tobytes(), (3, 4), allocated=8, extra=tables, **form)
        (tmp_path / f"{k}.dcm").write_bytes(data)
    (series,) = td.scan(tmp_path, progress=False).series
    volume = series.load(slices=1)
    assert volume.data.dtype == torch.uint8
    assert volume.data[:, 0, 0, 0].tolist() == [7, 8, 9]


def file_with(extra: list[Element], **attributes: Any) -> bytes:
    return native_file(CELLS.tobytes(), (3, 4), allocated=16, extra=extra, **NO_SCALE, **attributes)


def test_modality_lut(tmp_path: Path) -> None:
    lut = modality_lut([5, 60_000, 7], first=1, unit="OD")
    volume = scanned(tmp_path, file_with([lut])).load()
    assert volume.data.flatten().tolist() == [5, 5, 60_000] + [7] * 9
    assert volume.units == "OD"


def test_real_world_map(tmp_path: Path) -> None:
    line = real_world_item(first=0, last=11, slope=0.5, intercept=-1, unit="ms")
    series = scanned(tmp_path, file_with([real_world(line)]))
    for volume in (series.load(output="real_world"), series.load()):
        assert volume.data.flatten().tolist() == [0.5 * i - 1 for i in range(12)]
        assert volume.units == "ms"


def test_malformed_tables_stop_a_load_that_needs_them_alone(tmp_path: Path) -> None:
    lut = modality_lut([5, 6, 7], bits=12)
    series = scanned(tmp_path, file_with([lut]))
    assert series.load(output="stored").data.flatten().tolist() == list(range(12))
    with expect_error("invalid_value") as caught:
        series.load()
    assert caught.value.element == "(0028,3002) LUTDescriptor"


def test_columns_say_which_tables_there_are(tmp_path: Path) -> None:
    line = real_world_item(first=0, last=11, slope=1, intercept=0)
    files = {
        "a": [],
        "b": [modality_lut([1, 2])],
        "c": [real_world(line)],
        "d": [shared(real_world(line))],
        "e": [shared()],
    }
    for name, extra in files.items():
        data = file_with(
            extra, SOPInstanceUID=f"1.2.3.{ord(name)}", SeriesInstanceUID=f"1.3.{name}"
        )
        (tmp_path / name).write_bytes(data)
    table = td.scan(tmp_path, progress=False).to_arrow()
    rows = {path.decode(): row for row, path in enumerate(table["path"].to_pylist())}
    luts, maps = (table[name].to_pylist() for name in ("has_modality_lut", "has_real_world_maps"))
    assert [luts[rows[name]] for name in files] == [False, True, False, False, False]
    assert [maps[rows[name]] for name in files] == [False, False, True, True, False]
