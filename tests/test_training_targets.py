"""`target=`: what a series is to be learned as, and what is said where there is nothing."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

import torchdicom as td
from training import write_volume, write_volumes

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ["1.2.3.1", "1.2.3.2", "1.2.3.3"]
FRAME = pd.DataFrame(
    {"grade": [3, 1, 2], "size": [0.5, 1.5, 2.5]}, index=["1.2.3.3", "1.2.3.1", "1.2.3.2"]
)
NAMED = FRAME.rename_axis("series").reset_index()


@pytest.fixture
def index(tmp_path: Path) -> td.Index:
    return td.scan(write_volumes(tmp_path, 3))


def of_key(series: td.Series) -> int:
    """At the top of a module, as what is pickled must be."""
    return int(series.key.rpartition(".")[2])


@pytest.mark.parametrize(
    "target",
    [
        of_key,
        {"1.2.3.1": 1, "1.2.3.2": 2, "1.2.3.3": 3, "other": 4},
        dict(zip(KEYS, np.array([1, 2, 3]), strict=True)),
        FRAME["grade"],
        (FRAME, "grade"),
        (NAMED, "grade"),
        (pa.Table.from_pandas(NAMED), "grade"),
    ],
    ids=["callable", "mapping", "numpy", "pandas", "column", "named", "arrow"],
)
def test_forms(index: td.Index, target: Any) -> None:
    dataset = td.VolumeDataset(index, target=target)
    for one in (dataset, pickle.loads(pickle.dumps(dataset))):
        targets = [sample["target"] for sample in one]
        assert [value.item() for value in targets] == [1, 2, 3]
        assert {(value.dtype, value.shape) for value in targets} == {(torch.int64, torch.Size([]))}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, torch.tensor(True)),  # noqa: FBT003
        (1.5, torch.tensor(1.5, dtype=torch.float32)),
        (np.float64(1.5), torch.tensor(1.5, dtype=torch.float32)),
        (np.int16(7), torch.tensor(7)),
        (np.array([1.0, 2.0]), torch.tensor([1.0, 2.0], dtype=torch.float64)),
        (torch.tensor([1, 2]), torch.tensor([1, 2])),
    ],
)
def test_numbers_become_tensors(index: td.Index, value: Any, expected: torch.Tensor) -> None:
    found = td.VolumeDataset(index, target=lambda _: value)[0]["target"]
    assert found.dtype == expected.dtype
    assert found.tolist() == expected.tolist()
    mapped = td.VolumeDataset(index, target=dict.fromkeys(KEYS, value))[0]["target"]
    assert mapped.tolist() == expected.tolist()


@pytest.mark.parametrize("value", ["malignant", ("a", 1), {"grade": 2}])
def test_other_things_stay(index: td.Index, value: Any) -> None:
    assert td.VolumeDataset(index, target=dict.fromkeys(KEYS, value))[0]["target"] == value


@pytest.mark.parametrize(
    "target",
    [
        {"1.2.3.1": 1, "1.2.3.3": 3},
        {"1.2.3.1": 1, "1.2.3.2": None, "1.2.3.3": 3},
        {"1.2.3.1": 1, "1.2.3.2": float("nan"), "1.2.3.3": 3},
        {"1.2.3.1": 1, "1.2.3.2": np.float32("nan"), "1.2.3.3": 3},
        {"1.2.3.1": 1, "1.2.3.2": pd.NA, "1.2.3.3": 3},
        {"1.2.3.1": 1, "1.2.3.2": pd.NaT, "1.2.3.3": 3},
        FRAME["size"].drop("1.2.3.2"),
        (FRAME.assign(size=[1.0, 2.0, np.nan]), "size"),
        (FRAME.assign(grade=pd.array([1, 2, None], "Int64")), "grade"),
        (pa.table({"series": KEYS, "grade": [1, None, 3]}), "grade"),
    ],
)
def test_missing_ones_are_named_at_once(index: td.Index, target: Any) -> None:
    with pytest.raises(ValueError, match=r"target has no value for series 1\.2\.3\.2$"):
        td.VolumeDataset(index, target=target)


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        (5, TypeError, "target must be a callable, a mapping"),
        ([1, 2, 3], TypeError, "target must be a callable, a mapping"),
        (FRAME, TypeError, "target must be a callable, a mapping"),
        ((FRAME, "none"), ValueError, r"no column 'none', only \['grade', 'size'\]"),
        ((pa.table({"key": KEYS, "grade": [1, 2, 3]}), "grade"), ValueError, "no column 'series'"),
        ((pa.table({"series": KEYS, "grade": [1, 2, 3]}), "none"), ValueError, "no column 'none'"),
        ((pl.DataFrame({"series": KEYS}), "series"), TypeError, r"but polars.*to_arrow\(\)"),
        (({"a": 1}, "grade"), TypeError, "neither of pandas nor of pyarrow, but builtins.dict"),
        ((pd.concat([NAMED, NAMED]), "grade"), ValueError, "more than one row for series"),
        (pd.concat([FRAME, FRAME])["grade"], ValueError, "more than one row for series"),
    ],
)
def test_what_is_no_target(
    index: td.Index, target: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        td.VolumeDataset(index, target=target)


def test_uid_that_is_one_series(tmp_path: Path) -> None:
    # Two sizes: one SeriesInstanceUID is two series then.
    write_volume(tmp_path / "a", np.zeros((3, 4, 4), np.int16), SeriesInstanceUID="1.5")
    write_volume(
        tmp_path / "b",
        np.zeros((3, 5, 5), np.int16),
        SeriesInstanceUID="1.5",
        SOPInstanceUID=["8.1", "8.2", "8.3"],
    )
    both = td.scan(tmp_path)
    keys = [one.key for one in both]
    assert len(keys) == 2
    assert all(key.startswith("1.5#") for key in keys)
    with pytest.raises(ValueError, match=r"SeriesInstanceUID 1\.5, which is 2 series: name them"):
        td.VolumeDataset(both, target={"1.5": 1})
    # Of this source it is one series.
    one = td.VolumeDataset([both[0]], target={"1.5": 7})
    assert one[0]["target"].item() == 7
    exact = td.VolumeDataset(both, target={keys[0]: 0, keys[1]: 1})
    assert [sample["target"].item() for sample in exact] == [0, 1]


def test_callable_without_one_is_named(index: td.Index) -> None:
    table = {"1.2.3.1": 1}
    dataset = td.VolumeDataset(index, target=lambda series: table.get(series.key))
    assert dataset[0]["target"] == 1
    with pytest.raises(ValueError, match=r"target= gave None for series 1\.2\.3\.2$"):
        dataset[1]


def test_callable_that_fails_is_named(index: td.Index) -> None:
    def fails(series: td.Series) -> int:
        return {"1.2.3.1": 1}[series.key]

    dataset = td.VolumeDataset(index, target=fails, on_error="quarantine")
    assert dataset[0]["target"].item() == 1
    with pytest.raises(
        RuntimeError, match=r"target= failed for series 1\.2\.3\.2: KeyError"
    ) as caught:
        dataset[1]
    assert isinstance(caught.value.__cause__, KeyError)
    assert not dataset.failures


def test_target_of_every_frame_and_patch(index: td.Index) -> None:
    grades = dict(zip(KEYS, (5, 6, 7), strict=True))
    images = td.ImageDataset(index, kinds=("volume",), output="modality", target=grades)
    assert [sample["target"].item() for sample in images] == [5] * 4 + [6] * 4 + [7] * 4
    patches = td.PatchDataset(index, (2, 2, 2), patches_per_volume=2, target=grades, buffer=2)
    assert all(sample["target"].item() == grades[sample["series"]] for sample in patches)
