"""Grids: which voxels of a series a box is made of, in numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from torchdicom._training._spatial import Grid, box_at, centre_box, grid_of, shape_of, slices_in

# Steps of z, y and x along S, P and L.
AFFINE = torch.tensor(
    [[0, 0, 1, 10], [0, 2, 0, 20], [4, 0, 0, 30], [0, 0, 0, 1]], dtype=torch.float64
)
MM = (4.0, 2.0, 1.0)


def grid(shape: tuple[int, int, int] = (3, 5, 7), **options: Any) -> Grid:
    return grid_of(shape, AFFINE, MM, **options)


def test_plain() -> None:
    plain = grid()
    assert plain.is_plain
    assert plain.shape == (3, 5, 7)
    box = ((1, 3), (0, 2), (4, 7))
    assert plain.source_box(box) == box
    assert plain.affine_of(box)[:3, 3].tolist() == [10 + 4, 20, 30 + 4]
    assert plain.affine_of(box)[:, :3].tolist() == AFFINE[:, :3].tolist()


def test_flipped_axes_start_at_the_other_end() -> None:
    turned = grid(orientation="RAS")
    assert (turned.order, turned.flips, turned.steps) == ((0, 1, 2), (False, True, True), (1, 1, 1))
    assert not turned.is_plain
    assert turned.affine.tolist() == [
        [0, 0, -1, 10 + 6],
        [0, -2, 0, 20 + 2 * 4],
        [4, 0, 0, 30],
        [0, 0, 0, 1],
    ]
    assert turned.source_box(((0, 1), (0, 2), (1, 4))) == ((0, 1), (3, 5), (3, 6))


def test_permuted_axes() -> None:
    # x of the result towards S, y towards R, z towards P.
    turned = grid(orientation="SRP")
    assert (turned.order, turned.flips) == ((1, 2, 0), (False, True, False))
    assert turned.shape == (5, 7, 3)
    assert turned.spacing_mm == (2.0, 1.0, 4.0)
    assert turned.source_box(((1, 2), (0, 3), (2, 3))) == ((2, 3), (1, 2), (4, 7))
    data = torch.arange(3 * 5 * 7).reshape(1, 3, 5, 7)
    whole = turned.resampled(data, turned.whole, nearest=False)
    assert whole[0, 1, 0, 2].item() == data[0, 2, 1, 6].item()
    assert whole.is_contiguous()


@pytest.mark.parametrize(
    ("wanted", "shape", "steps"),
    [
        ((4, 2, 1), (3, 5, 7), (1, 1, 1)),
        ((2, 4, 0.5), (6, 3, 14), (0.5, 2, 0.5)),
        ((12, 10, 7), (1, 1, 1), (3, 5, 7)),
        ((100, 100, 100), (1, 1, 1), (25, 50, 100)),
        ((3, 3, 3), (4, 3, 2), (0.75, 1.5, 3)),
    ],
)
def test_steps_and_sizes(wanted: Any, shape: Any, steps: Any) -> None:
    found = grid(wanted_mm=wanted)
    assert (found.shape, found.steps, found.spacing_mm) == (shape, steps, wanted)
    # The outer corner of the first voxel is where it was.
    corner = found.affine[:3, 3] - found.affine[:3, :3].sum(1) / 2
    assert corner.tolist() == [10 - 0.5, 20 - 1, 30 - 2]


def test_more_voxels_than_anyone_has() -> None:
    with pytest.raises(ValueError, match=r"spacing_mm=.* makes 12 slices of 10 x 70000, above"):
        grid(wanted_mm=(1.0, 1.0, 1e-4))


def test_source_of_finer_and_coarser_voxels() -> None:
    # Along z two voxels a voxel: number 3 lies at 1.25 of the series, and needs 1 and 2.
    fine = grid(wanted_mm=(2, 2, 1))
    assert fine.source_box(((3, 4), (0, 1), (0, 1)))[0] == (1, 3)
    assert fine.source_box(((0, 1), (0, 1), (0, 1)))[0] == (0, 1)  # at -0.25, which is the edge
    assert fine.source_box(((0, 6), (0, 1), (0, 1)))[0] == (0, 3)
    # Along x half as many: number 1 lies at 2.5.
    coarse = grid(wanted_mm=(4, 2, 2))
    assert coarse.source_box(((0, 1), (0, 1), (1, 2)))[2] == (2, 4)
    # Three times the distance: exactly at 1, and nothing else is needed.
    third = grid(wanted_mm=(12, 2, 1))
    assert third.source_box(((0, 1), (0, 1), (0, 1)))[0] == (1, 2)


def test_values_between_voxels() -> None:
    data = torch.tensor([0.0, 10, 40]).reshape(1, 3, 1, 1)
    fine = grid((3, 1, 1), wanted_mm=(2, 2, 1))
    found = fine.resampled(data, fine.whole, nearest=False).flatten().tolist()
    # At -0.25 (the edge), 0.25, 0.75, 1.25, 1.75 and 2.25 (the edge).
    assert found == [0, 2.5, 7.5, 17.5, 32.5, 40]
    nearest = fine.resampled(data, fine.whole, nearest=True).flatten().tolist()
    assert nearest == [0, 0, 10, 10, 40, 40]


def values_of(one: Grid, box: Any, data: torch.Tensor) -> torch.Tensor:
    z, y, x = (slice(*interval) for interval in one.source_box(box))
    return one.resampled(data[:, z, y, x], box, nearest=False)


@pytest.mark.parametrize(
    "options",
    [{"wanted_mm": (3, 1.5, 1.7)}, {"orientation": "IRA", "wanted_mm": (1.3, 5, 0.6)}],
)
def test_a_box_has_the_values_of_the_whole(options: dict[str, Any]) -> None:
    data = torch.randn(2, 6, 7, 8, generator=torch.Generator().manual_seed(0))
    one = grid((6, 7, 8), **options)
    whole = values_of(one, one.whole, data)
    assert tuple(whole.shape[1:]) == one.shape
    for start in [(0, 0, 0), (1, 1, 2), (2, 0, 1)]:
        box = one.inside(box_at(start, (2, 3, 3)))
        z, y, x = (slice(*interval) for interval in box)
        assert torch.equal(values_of(one, box, data), whole[:, z, y, x])


@pytest.mark.parametrize(
    ("shape", "size", "box"),
    [
        ((8, 8, 8), (4, 4, 4), ((2, 6), (2, 6), (2, 6))),
        ((8, 9, 8), (5, 4, 8), ((1, 6), (2, 6), (0, 8))),
        ((4, 4, 4), (8, 7, 5), ((-2, 6), (-1, 6), (0, 5))),
    ],
)
def test_middle(shape: Any, size: Any, box: Any) -> None:
    assert centre_box(shape, size) == box
    assert shape_of(box) == size


def test_inside_and_where() -> None:
    box = ((-1, 2), (3, 9), (0, 7))
    inside = grid().inside(box)
    assert inside == ((0, 2), (3, 5), (0, 7))
    assert slices_in(inside, box) == (slice(1, 3), slice(0, 2), slice(0, 7))


def test_rows_and_columns() -> None:
    small = grid((3, 6, 8), rows_and_columns=(3, 16))
    assert [*small.shape, *small.steps, *small.spacing_mm] == [3, 3, 16, 1, 2, 0.5, 4, 4, 0.5]
    assert small.affine[:, 3].tolist() == [10 - 0.25, 20 + 1, 30, 1]


def test_unknown_place_stays_unknown() -> None:
    nowhere = grid_of((1, 6, 8), None, (float("nan"), 0.2, 0.1), rows_and_columns=(3, 8))
    assert nowhere.affine.isnan().all()
    assert nowhere.spacing_mm[1:] == (0.4, 0.1)
