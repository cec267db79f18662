"""A pass that is taken up again gives the rest of what it would have given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils.data import DistributedSampler, RandomSampler, WeightedRandomSampler

import torchdicom as td
from loading import Numbers, numbers

if TYPE_CHECKING:
    from collections.abc import Callable


def distributed() -> td.Loader:
    dataset = Numbers(11)
    sampler: DistributedSampler[Any] = DistributedSampler(dataset, 2, 1, seed=3)
    return td.Loader(dataset, 2, sampler=sampler)


# A generator of its own: the order that it gives next is not the one that it gave.
GENERATOR = torch.Generator().manual_seed(7)
LOADERS: dict[str, Callable[[], td.Loader]] = {
    "in order": lambda: td.Loader(Numbers(11), 2, prefetch=3),
    "shuffled": lambda: td.Loader(Numbers(11), 2, shuffle=True, seed=5),
    "without the last": lambda: td.Loader(Numbers(11), 2, shuffle=True, drop_last=True),
    "distributed": distributed,
    "random": lambda: td.Loader(Numbers(11), 2, sampler=RandomSampler(range(11))),
    "weighted": lambda: td.Loader(
        Numbers(11), 2, sampler=WeightedRandomSampler([1.0] * 11, 11, generator=GENERATOR)
    ),
    "a list": lambda: td.Loader(Numbers(11), 2, sampler=[5, 2, 9, 0, 1]),
}


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize("taken", [0, 1, 2])
def test_the_rest_of_an_epoch_is_the_same(name: str, epoch: int, taken: int) -> None:
    loader = LOADERS[name]()
    loader.set_epoch(epoch)
    batches = iter(loader)
    before = [next(batches)["number"].tolist() for _ in range(taken)]
    state = json.loads(json.dumps(loader.state_dict()))  # as a file would keep it
    rest = numbers(batches)
    assert len(before) + len(rest) == len(loader)
    again = LOADERS[name]()
    again.load_state_dict(state)
    assert numbers(again) == rest
    if name in {"in order", "shuffled", "without the last", "distributed", "a list"}:
        assert numbers(again) == numbers(loader)  # the epoch after it
        assert again.state_dict() == loader.state_dict()
        assert again.state_dict()["epoch"] == epoch + 2


def test_the_rest_may_be_left_and_taken_up_again() -> None:
    whole = numbers(LOADERS["weighted"]())[:0]
    loader = LOADERS["weighted"]()
    batches = iter(loader)
    for _ in range(3):
        whole.append(next(batches)["number"].tolist())
        state = loader.state_dict()
        expected = numbers(batches)
        loader = LOADERS["weighted"]()
        loader.load_state_dict(state)
        batches = iter(loader)
    assert numbers(batches) == expected
    assert len(whole) + len(expected) == 6


def test_a_loop_that_was_left_keeps_its_place() -> None:
    loader = LOADERS["shuffled"]()
    whole = numbers(LOADERS["shuffled"]())
    for k, _ in enumerate(loader):
        if k == 1:
            break
    state = loader.state_dict()
    assert (state["epoch"], state["delivered"]) == (0, 4)
    again = LOADERS["shuffled"]()
    again.load_state_dict(state)
    again.set_epoch(0)  # as the loop over epochs does
    assert numbers(again) == whole[2:]


def test_another_epoch_begins_at_its_beginning() -> None:
    loader, again = LOADERS["shuffled"](), LOADERS["shuffled"]()
    next(iter(loader))
    again.load_state_dict(loader.state_dict())
    again.set_epoch(1)
    loader.set_epoch(1)
    assert numbers(again) == numbers(loader)
    assert len(again) == 6


def test_after_the_last_batch_and_after_the_end() -> None:
    loader = LOADERS["in order"]()
    batches = iter(loader)
    for _ in range(6):
        next(batches)
    last = loader.state_dict()
    assert (last["epoch"], last["delivered"]) == (0, 11)
    assert next(batches, None) is None
    end = loader.state_dict()
    assert (end["epoch"], end["delivered"]) == (1, 0)
    again = LOADERS["in order"]()
    again.load_state_dict(last)
    assert numbers(again) == []
    again.load_state_dict(end)
    assert len(numbers(again)) == 6


def test_batches_may_have_another_size_then() -> None:
    loader = td.Loader(Numbers(8), 2)
    next(iter(loader))
    again = td.Loader(Numbers(8), 3)
    again.load_state_dict(loader.state_dict())
    assert numbers(again) == [[2, 3, 4], [5, 6, 7]]


def test_what_is_read_ahead_is_not_lost() -> None:
    dataset = Numbers(20)
    loader = td.Loader(dataset, 2, prefetch=8)
    next(iter(loader))
    assert loader.state_dict()["delivered"] == 2


def test_an_error_leaves_the_place_before_it() -> None:
    wrong = {5: OSError("lost")}
    loader = td.Loader(Numbers(8, errors=wrong), 2)
    with pytest.raises(OSError, match="lost"):
        list(loader)
    again = td.Loader(Numbers(8), 2)
    again.load_state_dict(loader.state_dict())
    assert numbers(again) == [[4, 5], [6, 7]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"samples": 12}, "samples=12, and here it is 11"),
        ({"shuffle": False}, "shuffle=False, and here it is True"),
        ({"seed": 0}, "seed=0, and here it is 5"),
        ({"version": 2}, "not one of this version's"),
        ({"more": 1}, "not one of this version's"),
        ({"epoch": -1}, "epoch=-1"),
        ({"delivered": "2"}, "delivered='2'"),
    ],
)
def test_another_loaders_state_is_refused(change: dict[str, Any], words: str) -> None:
    loader = LOADERS["shuffled"]()
    before = loader.state_dict()
    with pytest.raises(ValueError, match=words):
        loader.load_state_dict(before | change)
    assert loader.state_dict() == before


def test_what_is_no_state_is_refused() -> None:
    loader = LOADERS["shuffled"]()
    with pytest.raises(TypeError, match="what state_dict returned, not list"):
        loader.load_state_dict([])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not one of this version's Loader, which has delivered"):
        loader.load_state_dict({})
    with pytest.raises(ValueError, match="epoch must be at least 0"):
        loader.set_epoch(-1)
