"""The options of a Loader: what they refuse, and that each changes something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils.data import IterableDataset

import torchdicom as td
from loading import InPlace, Numbers, loader_threads, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter([1])


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"batch_size": 1.5}, TypeError, "batch_size must be an int"),
        ({"batch_size": True}, TypeError, "batch_size must be an int"),
        ({"shuffle": 1}, TypeError, "shuffle must be True or False"),
        ({"drop_last": None}, TypeError, "drop_last must be True or False"),
        ({"shuffle": True, "sampler": [0]}, ValueError, "either shuffle=True or sampler="),
        ({"sampler": iter([0])}, TypeError, "sampler must be iterable and have a length"),
        ({"sampler": 3}, TypeError, "sampler must be iterable and have a length"),
        ({"num_threads": 0}, ValueError, "num_threads must be from 1"),
        ({"prefetch": 0}, ValueError, "prefetch must be at least 1"),
        ({"prefetch": 1 << 40}, ValueError, "prefetch must be at least 1, and below"),
        ({"pin_memory": "yes"}, TypeError, "pin_memory must be True or False"),
        ({"pad": "0"}, TypeError, "pad must be a number or None"),
        ({"pad": True}, TypeError, "pad must be a number or None"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"dataset": 3}, TypeError, "map-style"),
        ({"dataset": "folder"}, TypeError, r"not str: make one of it, such as torchdicom\.Vol"),
        ({"dataset": Stream()}, TypeError, "no samples by number"),
    ],
)
def test_wrong_option(wrong: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        td.Loader(**{"dataset": Numbers(2), "batch_size": 1, **wrong})


def test_an_index_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="must be a dataset, not Index: make one of it, such as"):
        td.Loader(td.scan(tmp_path), 1)


def test_a_sampler_gives_one_sample_at_a_time() -> None:
    loader = td.Loader(Numbers(4), 2, sampler=[[0, 1], [2, 3]])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="one sample at a time as an int, not list"):
        list(loader)
    assert loader_threads() == []


def threads_of(**options: Any) -> object:
    dataset = InPlace(4)
    list(td.Loader(dataset, 1, prefetch=1, **options))
    return dataset.threads


def read_ahead(prefetch: int) -> object:
    dataset = Numbers(9, seconds={0: 0.05})
    batches = iter(td.Loader(dataset, 1, num_threads=4, prefetch=prefetch))
    next(batches)
    return len(dataset.started) > 3


def pinned(*, pin_memory: bool) -> str:
    try:
        return str(numbers(td.Loader(Numbers(2), 1, pin_memory=pin_memory)))
    except ValueError as error:
        return str(error)


EFFECTS: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "dataset": (
        lambda: numbers(td.Loader(Numbers(1), 1)),
        lambda: numbers(td.Loader(Numbers(2), 1)),
    ),
    "batch_size": (lambda: len(td.Loader(Numbers(4), 1)), lambda: len(td.Loader(Numbers(4), 2))),
    "shuffle": (
        lambda: numbers(td.Loader(Numbers(9), 9, shuffle=False)),
        lambda: numbers(td.Loader(Numbers(9), 9, shuffle=True)),
    ),
    "sampler": (
        lambda: numbers(td.Loader(Numbers(2), 1, sampler=[0])),
        lambda: numbers(td.Loader(Numbers(2), 1, sampler=[1])),
    ),
    "drop_last": (
        lambda: numbers(td.Loader(Numbers(3), 2, drop_last=False)),
        lambda: numbers(td.Loader(Numbers(3), 2, drop_last=True)),
    ),
    "num_threads": (lambda: threads_of(num_threads=1), lambda: threads_of(num_threads=3)),
    "prefetch": (lambda: read_ahead(1), lambda: read_ahead(8)),
    "pin_memory": (lambda: pinned(pin_memory=False), lambda: pinned(pin_memory=True)),
    "pad": (
        lambda: "mask" in next(iter(td.Loader(Numbers(1), 1))),
        lambda: "mask" in next(iter(td.Loader(Numbers(1), 1, pad=0))),
    ),
    "seed": (
        lambda: numbers(td.Loader(Numbers(9), 9, shuffle=True, seed=0)),
        lambda: numbers(td.Loader(Numbers(9), 9, shuffle=True, seed=1)),
    ),
}


@pytest.mark.parametrize("option", EFFECTS)
def test_every_option_changes_something(option: str) -> None:
    first, second = EFFECTS[option]
    assert first() != second()


def test_pinned_memory_needs_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"needs an accelerator.*finds none here"):
        td.Loader(Numbers(2), 1, pin_memory=True)


def test_pinned_memory_is_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a device there is no such memory: what is asked of torch is all that can be seen.
    asked: list[bool] = []
    empty = torch.empty

    def note(*args: Any, pin_memory: bool = False, **options: Any) -> torch.Tensor:
        asked.append(pin_memory)
        return empty(*args, **options)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    loader = td.Loader(InPlace(2), 2, pin_memory=True)
    monkeypatch.setattr(torch, "empty", note)
    (batch,) = loader
    assert batch["image"][:, 0, 0, 0].tolist() == [0, 1]
    assert asked == [True, True]  # of image and number


def test_what_people_print() -> None:
    loader = td.Loader(Numbers(7), 3)
    assert repr(loader) == "Loader(Numbers, 3 batches of 3, epoch=0)"
    list(loader)
    assert repr(loader) == "Loader(Numbers, 3 batches of 3, epoch=1)"
