"""Splits by patient, samplers of ranks, and samples as a stream."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.multiprocessing.spawn import spawn
from torch.utils.data import DataLoader

import torchdicom as td
from builders import Element
from landmarks import INDEX, LPS_MM, brightest, place, write_landmark
from ranks import run_uneven_rank
from torchdicom.interop.torch import ShardSampler, StreamingDataset, split
from training import write_volume, write_volumes

if TYPE_CHECKING:
    from pathlib import Path

FRACTIONS = {"train": 0.6, "val": 0.2, "test": 0.2}


def write_patients(folder: Path, counts: tuple[int, ...] = (3, 1, 2, 1, 1)) -> Path:
    """Patient p has so many series, of two studies where that can be."""
    for p, count in enumerate(counts):
        for k in range(count):
            told = [
                Element(0x00100020, "LO", f"patient {p}"),
                Element(0x0020000D, "UI", f"1.5.{p}.{k % 2}"),
            ]
            uid = f"1.2.{p}.{k}"
            extra = [told] * 8
            write_volume(folder / str(p) / str(k), SeriesInstanceUID=uid, extra=extra)
    return folder


def keys(parts: dict[str, tuple[td.Series, ...]]) -> dict[str, list[str]]:
    return {name: [one.key for one in series] for name, series in parts.items()}


def test_a_patient_is_in_one_part(tmp_path: Path) -> None:
    parts = keys(split(write_patients(tmp_path), FRACTIONS))
    patients = {name: {key.split(".")[2] for key in found} for name, found in parts.items()}
    assert {name: len(found) for name, found in patients.items()} == {
        "train": 3,
        "val": 1,
        "test": 1,
    }
    assert set.union(*patients.values()) == {"0", "1", "2", "3", "4"}
    assert sum(map(len, parts.values())) == 8


def test_a_seed_and_the_order_of_the_source(tmp_path: Path) -> None:
    index = td.scan(write_patients(tmp_path), include_metadata=["PatientID"])
    first = split(index, FRACTIONS)
    again = split(list(reversed(index)), FRACTIONS)
    assert {k: sorted(v) for k, v in keys(first).items()} == {
        k: sorted(v) for k, v in keys(again).items()
    }
    assert len({str(keys(split(index, FRACTIONS, seed=seed))) for seed in range(6)}) > 1


@pytest.mark.parametrize("other", ["patient 9", "", None])
def test_files_of_two_patients(tmp_path: Path, other: str | None) -> None:
    """A slice that does not say whose it is goes with those that do."""
    folder = write_patients(tmp_path, (1, 1, 1))
    slices = [[Element(0x00100020, "LO", "patient 3 ")]] * 8
    slices[5] = [] if other is None else [Element(0x00100020, "LO", other)]
    write_volume(folder / "3", SeriesInstanceUID="1.2.3.0", extra=slices)
    if other:
        with pytest.raises(ValueError, match=r"1\.2\.3\.0 .*PatientID, 'patient 3', 'patient 9'"):
            split(folder, FRACTIONS)
        index = td.scan(folder)
        assert sum(map(len, split(index, FRACTIONS, by=lambda one: one.key).values())) == 4
        return
    assert sum(map(len, split(folder, FRACTIONS).values())) == 4


def test_by_study_callable_and_mapping(tmp_path: Path) -> None:
    folder = write_patients(tmp_path, (2, 2))
    halves = {"train": 0.5, "test": 0.5}
    by_study = split(folder, halves, by="study")
    assert [len(found) for found in by_study.values()] == [2, 2]
    index = td.scan(folder)
    fourth = split(index, halves, by=lambda series: int(series.key == "1.2.1.1"))
    assert sorted(map(len, fourth.values())) == [1, 3]
    groups = {one.key: one.key for one in index}
    assert [len(found) for found in split(index, halves, by=groups).values()] == [2, 2]


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "add up to 1", {"fractions": {"train": 0.5}}),
        (ValueError, "from 0 to 1", {"fractions": {"train": 1.5, "val": -0.5}}),
        (TypeError, "must be a mapping", {"fractions": 0.8}),
        (ValueError, "1 patients cannot be parted", {"fractions": FRACTIONS}),
        (ValueError, "not 'slice'", {"by": "slice"}),
        (ValueError, "no StudyInstanceUID, .*include_metadata", {"by": "study"}),
        (ValueError, "no value for series", {"by": {}}),
        (TypeError, "not int", {"by": 3}),
    ],
)
def test_what_cannot_be_split(
    tmp_path: Path, error: type[Exception], message: str, options: dict[str, Any]
) -> None:
    index = td.scan(write_patients(tmp_path, (1,)), include_metadata=["PatientID"])
    with pytest.raises(error, match=message):
        split(index, **{"fractions": {"train": 1.0}, **options})


class Person:
    """Equal to another of the same number, without a word about it."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Person) and self.number == other.number

    def __hash__(self) -> int:
        return self.number


class Name(str):
    """Text of a class of its own."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{id(self)}"


@pytest.mark.parametrize(
    "equals",
    [(1, np.int64(1)), ("a", np.str_("a")), ("a", Name("a")), ((1, "a"), (np.uint8(1), Name("a")))],
    ids=["numbers", "text of NumPy", "text of a class", "tuples"],
)
@pytest.mark.parametrize("seed", range(4))
def test_equal_ones_are_not_parted(tmp_path: Path, equals: tuple[Any, Any], seed: int) -> None:
    index = td.scan(write_patients(tmp_path, (2, 2)))
    one, other = equals
    others = (2, "b") if isinstance(one, tuple) else type(one)(2)
    by = {"1.2.0.0": one, "1.2.0.1": other, "1.2.1.0": others, "1.2.1.1": others}
    parts = keys(split(index, {"train": 0.5, "val": 0.5}, by=by, seed=seed))
    assert sorted(parts.values()) == [["1.2.0.0", "1.2.0.1"], ["1.2.1.0", "1.2.1.1"]]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (Person(1), Person(1), r"by gives Person for series 1\.2\.0\.0, .*text, a whole number"),
        ("1", 1, r"by gives str for series 1\.2\.0\.0 and int for series 1\.2\.0\.1"),
        ("1", ("1",), "gives str for series .* and tuple for"),
        (("a", 1), ("a", "1"), "gives int for series .* and str for"),
        (True, True, "gives bool"),
        (np.bool_(1), 1, "gives bool"),
        (1.0, 1, "gives float"),
        (None, None, "gives NoneType"),
        ((), (), "gives tuple"),
        (("a", ("b",)), "a", "gives tuple"),
    ],
)
def test_what_may_equal_unseen_is_refused(
    tmp_path: Path, first: Any, second: Any, message: str
) -> None:
    index = td.scan(write_patients(tmp_path, (2,)))
    told = {"1.2.0.0": first, "1.2.0.1": second}
    for by in (told, lambda series: told[series.key]):
        with pytest.raises(TypeError, match=message):
            split(index, {"train": 0.5, "val": 0.5}, by=by)


def test_who_is_where_has_not_changed(tmp_path: Path) -> None:
    index = td.scan(write_patients(tmp_path), include_metadata=["PatientID"])
    assert keys(split(index, FRACTIONS, seed=1))["val"] == ["1.2.1.0"]
    by_text = split(index, FRACTIONS, by=lambda series: series.key.split(".")[2], seed=1)
    assert keys(by_text)["val"] == ["1.2.0.0", "1.2.0.1", "1.2.0.2"]


@pytest.mark.parametrize("source", [3, [], b"ct", [3]])
def test_what_has_no_series(source: Any) -> None:
    with pytest.raises(TypeError, match="source must be a folder"):
        split(source, {"train": 1.0})


@pytest.mark.parametrize(
    ("uneven", "wanted"),
    [
        ("repeat", [[0, 3, 6], [1, 4, 0], [2, 5, 1]]),
        ("drop", [[0, 3], [1, 4], [2, 5]]),
        ("keep", [[0, 3, 6], [1, 4], [2, 5]]),
    ],
)
def test_shards(uneven: Any, wanted: list[list[int]]) -> None:
    samplers = [ShardSampler(range(7), rank=r, num_replicas=3, uneven=uneven) for r in range(3)]
    assert [list(one) for one in samplers] == wanted
    assert [len(one) for one in samplers] == [len(one) for one in wanted]


def test_shuffled_shards() -> None:
    samplers = [
        ShardSampler(range(10), rank=r, num_replicas=2, shuffle=True, seed=3) for r in (0, 1)
    ]
    first = [list(one) for one in samplers]
    assert sorted(first[0] + first[1]) == list(range(10))
    assert first[0] != [0, 2, 4, 6, 8]
    for one in samplers:
        one.set_epoch(1)
    second = [list(one) for one in samplers]
    assert sorted(second[0] + second[1]) == list(range(10))
    assert second != first
    assert list(ShardSampler(range(10), shuffle=True, seed=4)) != list(
        ShardSampler(range(10), shuffle=True, seed=5)
    )


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "rank is 2", {"rank": 2, "num_replicas": 2}),
        (ValueError, "at least 0", {"rank": -1, "num_replicas": 2}),
        (ValueError, "at least 1", {"num_replicas": 0}),
        (ValueError, "one of", {"uneven": "wrap"}),
        (TypeError, "shuffle must be", {"shuffle": 1}),
        (TypeError, "own must be", {"own": 1}),
        (ValueError, "seed must be", {"seed": -1}),
    ],
)
def test_options_of_shards(error: type[Exception], message: str, options: dict[str, Any]) -> None:
    with pytest.raises(error, match=message):
        ShardSampler(range(4), **options)
    with pytest.raises(error, match=message):
        StreamingDataset(range(4), **options)


def test_ranks_take_as_many_steps(tmp_path: Path) -> None:
    # Gradients are averaged in every step: a rank with one more would wait for ever.
    spawn(run_uneven_rank, args=(str(tmp_path),), nprocs=2)  # type: ignore[no-untyped-call]
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert first["repeat"] == [0, 2, 4]
    assert second["repeat"] == [1, 3, 0]
    assert (first["drop"], second["drop"]) == ([0, 2], [1, 3])
    assert (first["keep"], second["keep"]) == ([0, 2, 4], [1, 3])
    # Of their own rank 0 has five samples, rank 1 two.
    assert (first["own"], second["own"]) == ([0, 1, 2, 3, 4], [0, 1, 0, 1, 0])
    assert (first["own drop"], second["own drop"]) == ([0, 1], [0, 1])
    assert first["weight"] == second["weight"]


@pytest.mark.parametrize("workers", [0, 2])
def test_stream(tmp_path: Path, workers: int) -> None:
    volumes = td.VolumeDataset(write_volumes(tmp_path, 5))
    stream = StreamingDataset(volumes, shuffle=True, seed=1)
    loader = DataLoader(stream, batch_size=2, num_workers=workers, collate_fn=td.collate)
    epochs = []
    for epoch in range(2):
        stream.set_epoch(epoch)
        epochs.append([key for batch in loader for key in batch["series"]])
        assert Counter(epochs[-1]) == Counter(f"1.2.3.{i + 1}" for i in range(5))
    assert epochs[0] != epochs[1]


def test_stream_of_a_rank(tmp_path: Path) -> None:
    volumes = td.VolumeDataset(write_volumes(tmp_path, 3))
    found = [
        [one["series"] for one in StreamingDataset(volumes, rank=1, num_replicas=2, uneven=uneven)]
        for uneven in ("repeat", "keep")
    ]
    assert found == [["1.2.3.2", "1.2.3.1"], ["1.2.3.2"]]


def test_stream_sets_the_epoch_of_random_patches(tmp_path: Path) -> None:
    patches = td.PatchDataset(write_volumes(tmp_path, 1), (2, 2, 2), patches_per_volume=4)
    stream = StreamingDataset(patches)
    first = [one["image"].sum().item() for one in stream]
    stream.set_epoch(1)
    assert [one["image"].sum().item() for one in stream] != first


def test_stream_needs_samples_by_number() -> None:
    with pytest.raises(TypeError, match="make one of it"):
        StreamingDataset("studies")


def test_landmark(tmp_path: Path) -> None:
    (sample,) = StreamingDataset(td.VolumeDataset(write_landmark(tmp_path)))
    index = brightest(sample["image"][0])
    assert index == INDEX
    assert place(sample["affine"], index) == LPS_MM
