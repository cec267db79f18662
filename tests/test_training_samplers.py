"""Torch's own samplers: random, weighted, in batches, and distributed over two processes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.multiprocessing.spawn import spawn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

import torchdicom as td
from training import run_rank, write_volume, write_volumes

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [f"1.2.3.{i + 1}" for i in range(6)]


@pytest.fixture
def dataset(tmp_path: Path) -> td.VolumeDataset:
    return td.VolumeDataset(write_volumes(tmp_path / "ct", 6))


def keys_of(loader: DataLoader[Any]) -> list[str]:
    return [key for batch in loader for key in batch["series"]]


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_random_sampler_takes_each_once(dataset: td.VolumeDataset) -> None:
    found = keys_of(DataLoader(dataset, batch_size=2, shuffle=True, generator=seeded()))
    assert sorted(found) == KEYS
    assert found != KEYS
    assert keys_of(DataLoader(dataset, sampler=RandomSampler(dataset, generator=seeded()))) != KEYS


def test_subset_and_batches(dataset: td.VolumeDataset) -> None:
    subset = SubsetRandomSampler([1, 3, 5], generator=seeded())
    assert sorted(keys_of(DataLoader(dataset, sampler=subset))) == [KEYS[1], KEYS[3], KEYS[5]]
    batches = BatchSampler(SequentialSampler(dataset), 4, drop_last=True)
    assert keys_of(DataLoader(dataset, batch_sampler=batches)) == KEYS[:4]


def test_weighted_sampler(dataset: td.VolumeDataset) -> None:
    weights = [0.0, 1.0, 0.0, 3.0, 0.0, 0.0]
    sampler = WeightedRandomSampler(weights, 400, generator=seeded())
    counts = Counter(keys_of(DataLoader(dataset, sampler=sampler, batch_size=50)))
    assert set(counts) == {KEYS[1], KEYS[3]}
    assert 0.68 < counts[KEYS[3]] / 400 < 0.82


def test_weights_of_patches_are_those_of_their_volume(tmp_path: Path) -> None:
    dataset = td.PatchDataset(write_volumes(tmp_path, 3), (2, 2, 2), patches_per_volume=2)
    weights = [0.0] * 2 + [1.0] * 2 + [0.0] * 2
    sampler = WeightedRandomSampler(weights, 20, generator=seeded())
    assert set(keys_of(DataLoader(dataset, sampler=sampler))) == {KEYS[1]}


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A folder, and what each of two processes saw of it, by kind of dataset."""
    folder = tmp_path_factory.mktemp("ranks")
    volumes = write_volumes(folder / "ct", 6)
    gap = write_volume(volumes / "gap", SeriesInstanceUID="1.9")
    (gap / "0003.dcm").unlink()
    td.scan(volumes).save(folder / "index.parquet")
    broken = volumes / "3" / "0001.dcm"
    broken.write_bytes(broken.read_bytes()[:-8])
    # Each rank gets everything that both found, so that a step that differs would hang or differ.
    spawn(run_rank, args=(str(folder),), nprocs=2)  # type: ignore[no-untyped-call]
    found = [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]
    assert found[0] == found[1]
    return folder, found[0]


@pytest.mark.parametrize("kind", ["volume", "patch"])
def test_distributed_sampler(ranks: tuple[Path, list[dict[str, Any]]], kind: str) -> None:
    folder, found = ranks
    per_rank = [one[kind] for one in found]
    assert [len(one["epochs"]) for one in per_rank] == [2, 2]
    for epoch in range(2):
        first, second = (one["epochs"][epoch] for one in per_rank)
        assert len(first) == len(second)
        indices = sorted(i for i, _ in first + second)
        assert indices == list(range(6 if kind == "volume" else 12))
        # What cannot be read is replaced by the same sample, whoever meets it.
        keys = dict(first + second)
        if kind == "volume":
            whole = td.VolumeDataset(
                td.open_index(folder / "index.parquet").filter(ok=True), on_error="quarantine"
            )
            with pytest.warns(td.DicomWarning, match=r"1\.2\.3\.4 can't be read"):
                assert keys == {i: whole[i]["series"] for i in range(6)}
            assert keys[3] != "1.2.3.4"
    for one in per_rank:
        assert one["batches"] == one["epochs"]  # by a Loader, which tells the sampler the epoch
        assert one["quarantined"] == [("1.9", "missing_slices")]
    assert per_rank[0]["epochs"][0] != per_rank[0]["epochs"][1]
