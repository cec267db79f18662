"""`PatchDataset`: where patches lie, in which order they come, and what is read for them."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import torchdicom as td
from compare import assert_same_bits
from torchdicom._training._patches import (
    foreground_starts,
    grid_starts,
    random_starts,
    shuffled,
)
from training import SHAPE, contents, place, position, ramp, ramp_at, write_volume, write_volumes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path / "ct")


# --- places


@pytest.mark.parametrize(
    ("shape", "overlap", "along"),
    [
        ((8, 10, 12), (0, 0, 0), ([0, 4], [0, 4, 6], [0, 4, 8])),
        ((8, 10, 12), (2, 1, 3), ([0, 2, 4], [0, 3, 6], [0, 1, 2, 3, 4, 5, 6, 7, 8])),
        ((4, 3, 1), (0, 0, 0), ([0], [0], [-1])),
        ((5, 9, 2), (0, 0, 0), ([0, 1], [0, 4, 5], [-1])),
    ],
)
def test_grid_covers_a_shape(shape: Any, overlap: Any, along: Any) -> None:
    starts = grid_starts(shape, (4, 4, 4), overlap)
    assert starts.tolist() == [[z, y, x] for z in along[0] for y in along[1] for x in along[2]]
    covered = np.zeros(shape, np.int64)
    for z, y, x in np.maximum(starts, 0):
        covered[z : z + 4, y : y + 4, x : x + 4] += 1
    assert covered.min() >= 1


def test_random_places_reach_every_edge() -> None:
    starts = random_starts((6, 4, 3), (4, 4, 6), 400, np.random.default_rng(0))
    assert np.unique(starts[:, 0]).tolist() == [0, 1, 2]
    assert np.unique(starts[:, 1]).tolist() == [0]
    assert np.unique(starts[:, 2]).tolist() == [-1]
    counts = np.bincount(starts[:, 0])
    assert counts.min() > 100  # of 400 in three places


def test_foreground_is_in_the_middle_or_at_the_edge() -> None:
    foreground = np.zeros((20, 20, 20), np.bool_)
    foreground[10, 3, 19] = True
    starts = foreground_starts(foreground, (4, 5, 6), 3, np.random.default_rng(1))
    assert starts.tolist() == [[8, 1, 14]] * 3
    foreground[0, 0, 0] = True
    many = foreground_starts(foreground, (4, 5, 6), 400, np.random.default_rng(1))
    counts = Counter(map(tuple, many.tolist()))
    assert sorted(counts) == [(0, 0, 0), (8, 1, 14)]
    assert min(counts.values()) > 150
    nothing = np.zeros((20, 20, 20), np.bool_)
    anywhere = foreground_starts(nothing, (4, 5, 6), 50, np.random.default_rng(1))
    assert (
        anywhere.tolist()
        == random_starts((20, 20, 20), (4, 5, 6), 50, np.random.default_rng(1)).tolist()
    )


# --- samples


@pytest.mark.parametrize("buffer", [None, 1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"spacing_mm": (1.0, 0.4, 0.3)},
        {"orientation": "SPR"},
        {"orientation": "RAI", "spacing_mm": 0.6},
    ],
)
@pytest.mark.parametrize("size", [(3, 4, 5), (12, 3, 30)])
def test_patch_is_a_part_of_the_volume(folder: Path, buffer: Any, options: Any, size: Any) -> None:
    whole = td.VolumeDataset(folder, **options)[0]
    dataset = td.PatchDataset(
        folder, size, patches_per_volume=5, buffer=buffer, mask=True, **options
    )
    assert len(dataset) == 5
    for sample in dataset:
        assert dataset.image_shape(0) == tuple(sample["image"].shape) == (1, *size)
        start = position(sample)
        lows = [max(a, 0) for a in start]
        highs = [
            min(a + n, m) for a, n, m in zip(start, size, whole["image"].shape[1:], strict=True)
        ]
        here = tuple(slice(lo - a, hi - a) for lo, hi, a in zip(lows, highs, start, strict=True))
        there = tuple(slice(lo, hi) for lo, hi in zip(lows, highs, strict=True))
        assert_same_bits(sample["image"][0][here], whole["image"][0][there])
        assert place(sample, (0, 0, 0)) == pytest.approx(place(whole, start))
        assert sample["mask"].sum().item() == sample["image"][0][here].numel()
        assert sample["mask"][0][here].all()
        outside = sample["image"][~sample["mask"]]
        assert (outside == -1024).all()


def test_place_of_a_patch_in_millimetres(folder: Path) -> None:
    for sample in td.PatchDataset(folder, (3, 4, 5), patches_per_volume=4, orientation="PIR"):
        expected = ramp_at(sample["affine"], sample["image"].shape[1:])
        assert (sample["image"][0].double() - expected).abs().max() < 1e-3


def test_numbers_without_a_buffer(tmp_path: Path) -> None:
    dataset = td.PatchDataset(write_volumes(tmp_path, 3), (2, 2, 2), patches_per_volume=4)
    assert [key for key, _ in contents(dataset)] == [
        f"1.2.3.{i + 1}" for i in range(3) for _ in range(4)
    ]
    assert len(set(contents(dataset))) > 9  # not the same places in each


def test_order_with_a_buffer(tmp_path: Path) -> None:
    folder = write_volumes(tmp_path, 7)
    options: dict[str, Any] = {"patches_per_volume": 4, "seed": 3}
    mixed = td.PatchDataset(folder, (2, 2, 2), buffer=3, **options)
    plain = td.PatchDataset(folder, (2, 2, 2), **options)
    assert Counter(contents(mixed)) == Counter(contents(plain))
    keys = [key for key, _ in contents(mixed)]
    groups = [keys[i : i + 12] for i in (0, 12, 24)]
    assert [len(set(group)) for group in groups] == [3, 3, 1]
    assert all(count == 4 for group in groups for count in Counter(group).values())
    assert groups[0] != sorted(groups[0])  # mixed, and not one volume after the other
    assert keys != [key for key, _ in contents(plain)]


@pytest.mark.parametrize("buffer", [None, 2])
def test_seed_and_epoch_choose_the_patches(tmp_path: Path, buffer: int | None) -> None:
    folder = write_volumes(tmp_path, 3)

    def made(seed: int, epoch: int) -> list[Any]:
        dataset = td.PatchDataset(folder, (2, 2, 2), patches_per_volume=4, buffer=buffer, seed=seed)
        dataset.set_epoch(epoch)
        return contents(dataset)

    assert made(0, 0) == made(0, 0)
    assert made(0, 0) != made(0, 1)
    assert made(0, 0) != made(1, 0)
    dataset = td.PatchDataset(folder, (2, 2, 2), patches_per_volume=4, buffer=buffer)
    assert contents(dataset) == made(0, 0)
    dataset.set_epoch(1)
    assert contents(pickle.loads(pickle.dumps(dataset))) == contents(dataset) == made(0, 1)
    for epoch in (-1, "1"):
        with pytest.raises((ValueError, TypeError), match="epoch"):
            dataset.set_epoch(epoch)  # type: ignore[arg-type]


def test_order_in_words() -> None:
    order = shuffled([2, 2, 2, 2, 2], 2, seed=5, epoch=0)
    assert sorted(map(tuple, order.tolist())) == [(v, p) for v in range(5) for p in range(2)]
    volumes = order[:, 0].tolist()
    assert [len(set(volumes[i : i + 4])) for i in (0, 4, 8)] == [2, 2, 1]


def test_workers_see_the_epoch(tmp_path: Path) -> None:
    dataset = td.PatchDataset(write_volumes(tmp_path, 2), (2, 2, 2), patches_per_volume=3)
    loader: DataLoader[Any] = DataLoader(
        dataset,
        batch_size=None,
        num_workers=2,
        persistent_workers=True,
        multiprocessing_context="fork",
    )
    for epoch in (0, 1, 2):
        dataset.set_epoch(epoch)
        assert [(s["series"], position(s)) for s in loader] == contents(dataset)


def test_grid(folder: Path) -> None:
    dataset = td.PatchDataset(folder, (4, 10, 5), mode="grid", overlap=(1, 0, 2))
    starts = [(z, 0, x) for z in (0, 3, 4) for x in (0, 3, 6, 7)]
    assert [position(sample) for sample in dataset] == starts
    kept = td.PatchDataset(folder, (4, 10, 5), mode="grid", overlap=(1, 0, 2), buffer=1)
    for one, other in zip(dataset, kept, strict=True):
        assert position(one) == position(other)
        assert_same_bits(one["image"], other["image"])
    whole = torch.zeros(SHAPE)
    for sample in dataset:
        z, y, x = position(sample)
        whole[z : z + 4, y : y + 10, x : x + 5] = sample["image"][0]
    assert whole.tolist() == ramp().tolist()


@pytest.mark.parametrize("buffer", [None, 2])
def test_foreground(folder: Path, buffer: int | None) -> None:
    marks = torch.zeros(SHAPE, dtype=torch.uint8)
    marks[6, 5, 7], marks[1, 1, 1] = 1, 2
    options: dict[str, Any] = {"patches_per_volume": 12, "mode": "foreground", "buffer": buffer}
    dataset = td.PatchDataset(folder, (3, 3, 3), label=lambda _: marks, **options)
    assert {position(sample) for sample in dataset} == {(5, 4, 6), (0, 0, 0)}
    for sample in dataset:
        assert sample["label"].shape == (1, 3, 3, 3)
        assert sample["label"].sum() == sample["label"][0, 1, 1, 1] > 0
    only = td.PatchDataset(
        folder, (3, 3, 3), label=lambda _: marks, foreground=lambda one: one == 2, **options
    )
    assert {position(sample) for sample in only} == {(0, 0, 0)}
    flat = td.PatchDataset(
        folder, (3, 3, 3), label=lambda _: marks, foreground=lambda one: one[0] == 1, **options
    )
    assert {position(sample) for sample in flat} == {(5, 4, 6)}


def test_foreground_is_found_on_the_grid_of_the_result(folder: Path) -> None:
    marks = torch.zeros(SHAPE)
    marks[6, 5, 7] = 1
    dataset = td.PatchDataset(
        folder,
        (3, 3, 3),
        patches_per_volume=4,
        mode="foreground",
        label=lambda _: marks,
        orientation="RAI",
        spacing_mm=(1.25, 0.5, 0.25),
    )
    for sample in dataset:
        (voxel,) = sample["label"][0].nonzero().tolist()[:1]
        at = place(sample, tuple(voxel))
        assert at[:2] == [-10 + 7 * 0.25, -20 + 5 * 0.5]
        assert abs(at[2] - (30 + 6 * 2.5)) <= 1.25 / 2


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (lambda one: one.float(), TypeError),
        (lambda _: 5, TypeError),
        (lambda one: one[..., 0] > 0, ValueError),
    ],
)
def test_foreground_must_be_a_mask(folder: Path, given: Any, kind: type[Exception]) -> None:
    dataset = td.PatchDataset(
        folder,
        (3, 3, 3),
        patches_per_volume=1,
        mode="foreground",
        foreground=given,
        label=lambda _: torch.ones(SHAPE),
    )
    with pytest.raises(kind, match=r"foreground must give .*series 1\.2\.3\.4 gave"):
        dataset[0]


@pytest.mark.parametrize("buffer", [None, 1])
@pytest.mark.parametrize("size", [(3, 4, 5), (12, 4, 5)])
def test_into_memory_that_is_given(folder: Path, buffer: int | None, size: Any) -> None:
    options: dict[str, Any] = {"patches_per_volume": 3, "window": (400, 800)}
    dataset = td.PatchDataset(folder, size, buffer=buffer, **options)
    again = td.PatchDataset(folder, size, buffer=buffer, **options)
    for i in range(3):
        out = torch.full((1, *size), -5.0)
        assert dataset.read(i, out=out, num_threads=1)["image"] is out
        assert_same_bits(out, again[i]["image"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "mode='random' needs patches_per_volume"),
        ({"mode": "foreground", "label": len}, "mode='foreground' needs patches_per_volume"),
        ({"mode": "grid", "patches_per_volume": 2}, "patches_per_volume is not for mode='grid'"),
        (
            {"mode": "other", "patches_per_volume": 2},
            "mode must be 'random', 'grid' or 'foreground'",
        ),
        ({"mode": ["grid"]}, "mode must be 'random', 'grid' or 'foreground'"),
        ({"mode": "foreground", "patches_per_volume": 2}, "mode='foreground' needs label"),
        ({"patches_per_volume": 2, "foreground": len}, "foreground is for mode='foreground'"),
        ({"patches_per_volume": 2, "overlap": 1}, "overlap is for mode='grid'"),
        ({"patches_per_volume": 0}, "patches_per_volume must be 1 or more"),
        ({"patches_per_volume": 2, "buffer": 0}, "buffer must be 1 or more"),
        ({"mode": "grid", "overlap": 4}, r"overlap must be below patch_size along each axis"),
        ({"mode": "grid", "overlap": -1}, r"overlap must be 0 to"),
        ({"patches_per_volume": 1, "patch_size": (0, 4, 4)}, "patch_size must be 1 to"),
        ({"patches_per_volume": 1, "patch_size": (4, 4)}, "patch_size must be three integers"),
        (
            {"patches_per_volume": 1, "policy": td.Policy(truncated_pixels="drop")},
            "Patches of series .* need its size",
        ),
    ],
)
def test_options_belong_to_a_mode(folder: Path, options: dict[str, Any], message: str) -> None:
    size = options.pop("patch_size", (4, 4, 4))
    with pytest.raises(ValueError, match=message):
        td.PatchDataset(folder, size, **options)
