"""The file of an index, as other programs read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

import torchdicom as td
from scanning import CT, SCOUT, write_tree

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {CT: 4, SCOUT: 1, "1.2.3.5": 3, "1.2.3.6": 1, "1.2.3.7": 5}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_tree(tmp_path / "tree")
    td.scan(tmp_path / "tree").save(tmp_path / "i.parquet")
    return tmp_path / "i.parquet"


def test_duckdb(file: Path) -> None:
    found = duckdb.sql(
        f"""SELECT series_key, count(*), first(Modality), min(ImagePositionPatient[3]),
        first(frame_ranges[1]."offset"), bool_and(series_ok)
        FROM '{file}' WHERE series_key IS NOT NULL GROUP BY 1"""
    ).fetchall()
    assert {key: count for key, count, *_ in found} == COUNTS
    by_key = {key: rest for key, _, *rest in found}
    assert by_key["1.2.3.5"][:2] == ["MR", 30.0]
    assert by_key["1.2.3.5"][2] > 132
    assert all(rest[3] for rest in by_key.values())
    defects = duckdb.sql(f"SELECT defects->>'$[0].code' FROM '{file}' WHERE series_key = '{CT}'")
    assert ("localizer",) in defects.fetchall()


def test_duckdb_of_the_table(file: Path) -> None:
    held = td.open_index(file).to_arrow()
    assert held.num_rows == 16  # a text file and a directory of files are rows too
    assert duckdb.sql("SELECT count(DISTINCT series_key) FROM held").fetchall() == [(5,)]


def test_pandas(file: Path) -> None:
    frame = pd.read_parquet(file)
    own = td.open_index(file).to_pandas()
    pd.testing.assert_frame_equal(frame, own)
    assert frame.groupby("series_key", observed=True).size().to_dict() == COUNTS
    assert frame.query("Modality == 'MR'").path.tolist() == [
        f"deep/mr/000{i}.dcm".encode() for i in range(3)
    ]
    assert frame.query("position >= 0").SliceThickness.isna().sum() == 13


def test_polars(file: Path) -> None:
    frame = pl.read_parquet(file)
    counts = frame.drop_nulls("series_key").group_by("series_key").len()
    assert dict(counts.iter_rows()) == COUNTS


def test_pyarrow(file: Path) -> None:
    table = pq.read_table(file, columns=["series_key", "position", "code"])
    assert table.column("position").to_pylist()[-3:] == [0, None, None]
    metadata = pq.read_schema(file).metadata
    assert metadata[b"torchdicom.version"] == b"3"
    # Sorted: each series is one run of rows, those in none stand at the end.
    keys = table.column("series_key").to_pylist()
    runs = [key for i, key in enumerate(keys) if i == 0 or keys[i - 1] != key]
    assert runs == [*sorted(COUNTS), None]
