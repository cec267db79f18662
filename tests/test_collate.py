"""Batches of samples: literal values in, literal values out."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import torchdicom as td
from loading import InPlace
from torchdicom._training._batch import read_together


def sample(*shape: int, value: float = 1, **others: Any) -> dict[str, Any]:
    return {"image": torch.full(shape, float(value)), **others}


def test_tensors_are_stacked() -> None:
    batch = td.collate([sample(1, 2, 2, value=v, n=torch.tensor(v)) for v in (3, 4)])
    assert batch["image"].tolist() == [[[[3, 3], [3, 3]]], [[[4, 4], [4, 4]]]]
    assert batch["n"].tolist() == [3, 4]
    assert list(batch) == ["image", "n"]


def test_numbers_arrays_and_texts() -> None:
    samples: list[Any] = [
        {
            "i": i,
            "f": i / 2,
            "b": i > 0,
            "a": np.array([i], np.int16),
            "s": str(i),
            "n": np.uint8(i),
        }
        for i in range(2)
    ]
    batch = td.collate(samples)
    assert {key: value.tolist() for key, value in batch.items() if key != "s"} == {
        "i": [0, 1],
        "f": [0.0, 0.5],
        "b": [False, True],
        "a": [[0], [1]],
        "n": [0, 1],
    }
    assert batch["s"] == ["0", "1"]
    dtypes = [batch[key].dtype for key in "ifban"]
    assert dtypes == [torch.int64, torch.float64, torch.bool, torch.int16, torch.uint8]


class Pair(NamedTuple):
    left: int
    right: str


def test_forms_are_kept() -> None:
    batch = td.collate([(1, [2, {"x": 3}], Pair(4, "a")), (5, [6, {"x": 7}], Pair(8, "b"))])
    assert isinstance(batch, tuple)
    assert batch[0].tolist() == [1, 5]
    assert isinstance(batch[1], list)
    assert batch[1][0].tolist() == [2, 6]
    assert batch[1][1]["x"].tolist() == [3, 7]
    assert type(batch[2]) is Pair
    left, right = batch[2]
    assert torch.equal(torch.as_tensor(left), torch.tensor([4, 8]))
    assert list(right) == ["a", "b"]
    assert td.collate([torch.zeros(2), torch.ones(2)]).tolist() == [[0, 0], [1, 1]]
    assert td.collate(["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.int16, torch.float16, torch.bfloat16, torch.float64, torch.bool]
)
def test_any_type(dtype: torch.dtype) -> None:
    images = [torch.tensor([[[0, 1]]]).to(dtype), torch.tensor([[[1], [1]]]).to(dtype)]
    batch = td.collate([{"image": image} for image in images], pad=1)
    assert batch["image"].dtype == dtype
    assert batch["image"].tolist() == [[[[0, 1], [1, 1]]], [[[1, 1], [1, 1]]]]
    assert batch["mask"].sum().item() == 4


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (((1, 4, 4), (3, 4, 4)), "gray and colour, or other numbers of times, belong in"),
        (((1, 4, 4), (1, 4, 5)), r"give the dataset size=, or give pad="),
        (((1, 4, 4), (1, 1, 4, 4)), r"give the dataset size=, or give pad="),
    ],
)
def test_images_that_differ_are_told_what_helps(
    shapes: tuple[tuple[int, ...], ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        td.collate([{"image": torch.zeros(shape)} for shape in shapes])


def test_a_batch_is_memory_of_its_own() -> None:
    together = torch.zeros(2, 1, 3, 3)
    batch = td.collate([{"image": image} for image in together])
    batch["image"].fill_(7)
    assert not together.any()


def test_samples_that_were_read_together_may_change_places() -> None:
    dataset = InPlace(4)
    samples = read_together(dataset, [0, 1, 2, 3])
    whole = samples[0]["image"]
    samples.reverse()
    batch = td.collate(samples)
    assert batch["image"][:, 0, 0, 0].tolist() == [3, 2, 1, 0]
    assert batch["number"].tolist() == [3, 2, 1, 0]
    assert not whole.any()
    del samples[1:3]
    assert td.collate(samples)["image"][:, 0, 0, 0].tolist() == [3, 0]


def test_samples_of_unequal_shapes_are_read_one_by_one() -> None:
    dataset = InPlace(3, shapes={1: (1, 4, 3)})
    samples = read_together(dataset, [0, 1, 2])
    assert [tuple(one["image"].shape) for one in samples] == [(1, 2, 3), (1, 4, 3), (1, 2, 3)]
    assert set(dataset.given.values()) == {None}
    batch = td.collate(samples, pad=0)
    assert batch["image"].sum((1, 2, 3)).tolist() == [0, 12, 12]
    assert read_together(dataset, []) == []


def test_tensors_of_a_device_stay_there() -> None:
    batch = td.collate([{"image": torch.zeros(1, 2, device="meta"), "n": 1}] * 2)
    assert (batch["image"].device.type, batch["image"].shape) == ("meta", (2, 1, 2))
    assert batch["n"].device.type == "cpu"


def test_what_wants_a_gradient_and_what_is_a_view() -> None:
    image = torch.arange(6.0).reshape(1, 2, 3).requires_grad_()
    batch = td.collate([{"image": image.transpose(1, 2)}])
    assert batch["image"].tolist() == [[[[0, 3], [1, 4], [2, 5]]]]
    assert not batch["image"].requires_grad


# Padding.


def test_images_labels_and_masks_are_padded() -> None:
    small = sample(2, 1, 2, label=torch.tensor([[[5, 6]]]), mask=torch.tensor([[[True, False]]]))
    large = sample(2, 2, 3, value=2, label=torch.full((1, 2, 3), 7), mask=torch.ones(1, 2, 3) > 0)
    batch = td.collate([small, large], pad=math.inf)
    inf = math.inf
    assert batch["image"][0].tolist() == [[[1, 1, inf], [inf, inf, inf]]] * 2
    assert batch["image"][1].tolist() == [[[2] * 3] * 2] * 2
    assert batch["label"].tolist() == [[[[5, 6, 0], [0, 0, 0]]], [[[7] * 3] * 2]]
    assert batch["label"].dtype == torch.int64
    assert batch["mask"][0].tolist() == [[[True, False, False], [False] * 3]]
    assert batch["mask"][1].all()
    assert batch["mask"].shape == (2, 1, 2, 3)


def test_a_mask_is_there_even_where_nothing_is_padded() -> None:
    batch = td.collate([sample(3, 2, 2), sample(3, 2, 2)], pad=0)
    assert batch["mask"].shape == (2, 1, 2, 2)
    assert batch["mask"].all()
    assert "mask" not in td.collate([sample(3, 2, 2)])


def test_every_dim_is_padded_at_its_end() -> None:
    batch = td.collate([sample(1, 2, 1, 3), sample(1, 1, 2, 1, value=2)], pad=0)
    assert batch["image"][1].tolist() == [[[[2, 0, 0], [2, 0, 0]], [[0] * 3] * 2]]
    assert batch["image"][0].tolist() == [[[[1] * 3, [0] * 3]] * 2]


@pytest.mark.parametrize("value", [math.nan, -1000, 0.5])
def test_values_to_pad_with(value: float) -> None:
    batch = td.collate([sample(1, 1), sample(1, 2)], pad=value)
    assert batch["image"][0, 0].tolist() == pytest.approx([1, value], nan_ok=True)


# What does not go together.

BAD: dict[str, tuple[list[Any], dict[str, Any], type[Exception], str]] = {
    "no sample": ([], {}, ValueError, "no sample"),
    "shapes": (
        [sample(1, 2, 2, series="A"), sample(1, 2, 2, series="B"), sample(1, 3, 2, series="C")],
        {},
        ValueError,
        r"\(1, 2, 2\) in sample 0 .*series A\), \(1, 3, 2\) in sample 2 .*series C.*size=.*pad=",
    ),
    "types": (
        [{"image": torch.zeros(1, 2)}, {"image": torch.zeros(1, 2).half()}],
        {},
        ValueError,
        "image differs in dtype: torch.float32 in sample 0.*torch.float16 in sample 1",
    ),
    "types of targets": (
        [sample(1, 2, target=1), sample(1, 2, target=0.5)],
        {},
        ValueError,
        "target differs in dtype: torch.int64.*torch.float64",
    ),
    "shapes of targets": (
        [sample(1, 2, target=torch.zeros(2)), sample(1, 2, target=torch.zeros(3))],
        {"pad": 0},
        ValueError,
        r"target differs in shape: \(2,\) in sample 0",
    ),
    "keys": (
        [sample(1, 2, target=1), sample(1, 2)],
        {},
        ValueError,
        r"differs in keys: \['image', 'target'\] in sample 0.*\['image'\] in sample 1",
    ),
    "a dict and a tensor": (
        [sample(1, 2), torch.zeros(1, 2)],
        {},
        TypeError,
        "sample 1 of the batch is Tensor, and that of sample 0 of the batch is a dict",
    ),
    "a number and a text": (
        [sample(1, 2, target=1), sample(1, 2, target="b")],
        {},
        TypeError,
        "target of sample 1 of the batch is str",
    ),
    "a text and a number": (
        [sample(1, 2, target="b"), sample(1, 2, target=1)],
        {},
        ValueError,
        "target differs in type: str in sample 0.*int in sample 1",
    ),
    "None": ([sample(1, 2, target=None)], {}, TypeError, "target of sample 0.*NoneType"),
    "lengths": ([(1, 2), (1,)], {}, ValueError, "the sample differs in length: 2 .* 1 in sample 1"),
    "dims": ([sample(1, 2), sample(1, 2, 2)], {"pad": 0}, ValueError, "number of dims: 2 .* 3"),
    "no dims": ([sample(2)], {"pad": 0}, ValueError, r"shape \(2,\): there is no dim to pad"),
    "channels": ([sample(1, 2), sample(3, 2)], {"pad": 0}, ValueError, "channels: 1 .* 3 in"),
    "grids": (
        [sample(1, 2, label=torch.zeros(1, 3))],
        {"pad": 0},
        ValueError,
        r"label of sample 0.*\(1, 3\), and its image \(1, 2\): their grids differ",
    ),
    "channels of labels": (
        [sample(1, 2, label=torch.zeros(1, 2)), sample(1, 2, label=torch.zeros(2, 2))],
        {"pad": 0},
        ValueError,
        "label differs in number of channels",
    ),
    "labels that are none": (
        [sample(1, 2, label=[1])],
        {"pad": 0},
        TypeError,
        "label of sample 0 of the batch is list, not a tensor",
    ),
    "padding of tuples": ([(torch.zeros(1, 2),)], {"pad": 0}, ValueError, "dicts with a tensor"),
    "a value that no integer is": (
        [{"image": torch.zeros((1, 2), dtype=torch.uint8)}],
        {"pad": -1},
        ValueError,
        "pad=-1 is no value of torch.uint8",
    ),
    "a fraction": (
        [{"image": torch.zeros((1, 2), dtype=torch.int16)}],
        {"pad": 0.5},
        ValueError,
        "pad=0.5 is no value of torch.int16",
    ),
    "a pad that is none": ([sample(1, 2)], {"pad": "edge"}, TypeError, "pad must be a number"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_go_together_is_named(name: str) -> None:
    samples, options, kind, words = BAD[name]
    with pytest.raises(kind, match=words):
        td.collate(samples, **options)
