"""Errors of samples come where their batch would, and name them; unequal shapes, padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import torchdicom as td
from builders import write_series
from helpers import expect_error
from loading import InPlace, Numbers, Volumes, loader_threads

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", [Numbers, InPlace])
@pytest.mark.parametrize("threads", [1, 2, 6])
def test_an_error_comes_where_its_sample_would(kind: type[Numbers], threads: int) -> None:
    wrong = OSError(5, "gone")
    loader = td.Loader(kind(12, errors={7: wrong}), 3, num_threads=threads, prefetch=4)
    batches = iter(loader)
    assert [next(batches)["number"].tolist() for _ in range(2)] == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(OSError, match="gone") as caught:
        next(batches)
    assert caught.value is wrong
    assert list(batches) == []
    assert loader_threads() == []


@pytest.mark.parametrize("threads", [1, 2, 6])
def test_of_several_errors_the_first_sample_wins(threads: int) -> None:
    # The second is there long before the first.
    wrong = {2: ValueError("two"), 3: ValueError("three")}
    for _ in range(5):
        dataset = Numbers(6, errors=wrong, seconds={2: 0.02})
        with pytest.raises(ValueError, match="two"):
            list(td.Loader(dataset, 6, num_threads=threads))


def test_nothing_is_read_after_an_error() -> None:
    dataset = Numbers(100, errors={1: ValueError("one")})
    batches = iter(td.Loader(dataset, 2, num_threads=1, prefetch=10))
    with pytest.raises(ValueError, match="one"):
        next(batches)
    assert dataset.started == [0, 1]


def test_an_end_within_the_dataset_does_not_end_the_pass_unseen() -> None:
    with pytest.raises(RuntimeError, match="StopIteration for sample 1"):
        list(td.Loader(Numbers(3, errors={1: StopIteration()}), 2))


def test_errors_of_files_keep_what_they_know(tmp_path: Path) -> None:
    for k in range(4):
        write_series(tmp_path / str(k), 2, SeriesInstanceUID=f"1.2.{k}")
    dataset = Volumes(td.scan(tmp_path).series)
    lost = tmp_path / "2" / "0001.dcm"
    lost.write_bytes(lost.read_bytes()[:-5])
    batches = iter(td.Loader(dataset, 2))
    assert next(batches)["series"] == ["1.2.0", "1.2.1"]
    with expect_error("file_changed", path=lost):
        next(batches)


class WrongShape(InPlace):
    def image_shape(self, i: int) -> tuple[int, ...] | None:
        if i == 2:
            msg = "headers of 2"
            raise ValueError(msg)
        return super().image_shape(i)


def test_an_error_of_a_shape_comes_where_the_sample_does() -> None:
    # Sample 2 can be read all the same; 5 cannot.
    batches = iter(td.Loader(WrongShape(6, errors={5: OSError("read 5")}), 3))
    assert next(batches)["number"].tolist() == [0, 1, 2]
    with pytest.raises(OSError, match="read 5"):
        next(batches)


@pytest.mark.parametrize("kind", [Numbers, InPlace])
def test_unequal_shapes_name_both_samples(kind: type[Numbers]) -> None:
    dataset = kind(6, shapes={4: (1, 2, 5)})
    batches = iter(td.Loader(dataset, 3))
    assert next(batches)["number"].tolist() == [0, 1, 2]
    words = r"\(1, 2, 3\) in sample 3 \(series 1.2.3\), \(1, 2, 5\) in sample 4 \(series 1.2.4\)"
    with pytest.raises(ValueError, match=words + ".*size=.*pad="):
        next(batches)


@pytest.mark.parametrize("kind", [Numbers, InPlace])
def test_unequal_shapes_are_padded_on_request(kind: type[Numbers]) -> None:
    dataset = kind(4, shapes={0: (1, 1, 3), 1: (1, 2, 2), 3: (1, 1, 2)})
    first, second = td.Loader(dataset, 2, pad=-9)
    assert first["image"].tolist() == [[[[0, 0, 0], [-9, -9, -9]]], [[[1, 1, -9], [1, 1, -9]]]]
    assert first["mask"].tolist() == [
        [[[True] * 3, [False] * 3]],
        [[[True, True, False], [True, True, False]]],
    ]
    assert second["image"].tolist() == [[[[2, 2, 2], [2, 2, 2]]], [[[3, 3, -9], [-9, -9, -9]]]]
    assert second["mask"][0].all()


def test_padded_images_are_read_in_place_where_they_are_in_one_piece() -> None:
    dataset = InPlace(3, shapes={0: (1, 5, 4, 4), 1: (1, 2, 4, 4), 2: (1, 2, 3, 4)})
    (batch,) = td.Loader(dataset, 3, pad=0)
    places = [image.data_ptr() for image in batch["image"]]
    assert [dataset.given[i] for i in range(3)] == [places[0], places[1], None]
