"""Loads of few slices of a series, one after the other: what is kept between them, and what not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import torchdicom as td
from builders import write_series
from compare import assert_same_bits
from test_index_atomic import edited
from training import write_volume

if TYPE_CHECKING:
    from pathlib import Path


def test_records_are_kept_for_a_few_series(tmp_path: Path) -> None:
    for i in range(34):
        write_series(tmp_path / str(i), 2, SeriesInstanceUID=f"1.2.{i}")
    index = td.scan(tmp_path)
    first = index.series[0]
    expected = td.load(tmp_path, series=first.key).data
    for _ in range(2):
        assert_same_bits(first.load().data, expected)
    assert first._core() is first._core()
    for series in index:
        series.load(slices=0)
    kept = ["_records" in vars(series) for series in index]
    # The first was kept already when the others came.
    assert kept == [False, False] + [True] * 32
    assert_same_bits(first.load(slices=1).data, expected[1:])


def test_series_of_many_files_keep_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(tmp_path, 3)
    monkeypatch.setattr("torchdicom._series._MOST_ROWS_KEPT", 2)
    series = td.scan(tmp_path).series[0]
    series.load()
    assert "_records" not in vars(series)


def test_a_changed_file_is_seen_all_the_same(tmp_path: Path) -> None:
    write_volume(tmp_path)
    series = td.scan(tmp_path).series[0]
    series.load(slices=2)
    (tmp_path / "0002.dcm").write_bytes((tmp_path / "0002.dcm").read_bytes() + b"\0\0")
    with pytest.raises(td.ParseError, match="changed") as caught:
        series.load(slices=2)
    assert caught.value.code == "file_changed"


@pytest.mark.parametrize(
    ("name", "values"), [("root", [0, 1, 0]), ("path", [b"0000.dcm", None, b"0002.dcm"])]
)
def test_a_frame_of_a_damaged_index(
    tmp_path: Path, name: str, values: list[int | bytes | None]
) -> None:
    write_series(tmp_path / "s", 3)
    index = edited(td.scan(tmp_path / "s"), name, values, tmp_path / "i.parquet")
    dataset = td.ImageDataset(index, kinds=("volume",), output="modality")
    assert dataset[0]["frame"] == 0
    with pytest.raises(td.ParseError, match="The index is damaged: a path of series") as caught:
        dataset[1]
    assert caught.value.code == "invalid_index"
